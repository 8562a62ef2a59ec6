//! Nobody hears of what is not theirs.

use gridwalk_domain::EntityId;

use super::{Held, Invariant, Violation};
use crate::actions::MEDIATION;
use crate::ledger::{Audience, tokens};
use crate::world::World;
use crate::world::net::Exchange;

pub(super) struct Scope;

impl Invariant for Scope {
    fn name(&self) -> &'static str {
        "no byte of a foreign scope is in any answer"
    }

    fn answer(&mut self, world: &World, no: usize, exchange: &Exchange<'_>) -> Held {
        let text = String::from_utf8_lossy(&exchange.told);
        let (worker, now_ms) = (world.phones[no].worker, world.now_ms());
        for token in tokens(&text) {
            let record = world.ledger.fact(token).and_then(|fact| fact.record);
            let grid = world.district.lettered(token.grid);
            let reads = |grid| world.district.reads(worker, grid, now_ms);
            // A mediation is nobody's but its author's, whoever has its grid; also
            // where the phone died over it, and nobody knows which record it is.
            let fact = world.ledger.fact(token);
            let own = fact.is_some_and(|fact| {
                let made_by = fact.phone.map(|no| world.phones[no].worker);
                fact.what == MEDIATION && made_by == Some(worker)
            });
            let hears = match record.and_then(|id| hears(world, worker, id)) {
                Some(hears) => hears,
                None => own || grid.is_none_or(reads),
            };
            if !hears {
                let text = format!("p{no} of w{worker} hears {token}");
                let violation = Violation::new("", text);
                return Err(match record {
                    Some(record) => violation.about(record),
                    None => violation,
                });
            }
        }
        // That they read a notice stays theirs, and names it.
        let foreign = |id: &EntityId| {
            hears(world, worker, *id) == Some(false) && !world.ledger.has_read(worker, *id)
        };
        match ids(&exchange.told).find(foreign) {
            Some(id) => {
                let text = format!("p{no} of w{worker} hears of record {id}");
                Err(Violation::new("", text).about(id))
            }
            None => Ok(()),
        }
    }
}

/// Whether a worker may hear of a record: their own, one that was given to them,
/// one whose grid they have or for whose readers they count. Nothing where it is
/// not known.
fn hears(world: &World, worker: usize, record: EntityId) -> Option<bool> {
    let made = world.ledger.made(record)?;
    let now_ms = world.now_ms();
    let theirs = match made.audience {
        Audience::Grid => world.district.reads(worker, made.grid, now_ms),
        Audience::Below(top) => {
            let grids = world.district.read_by(worker, now_ms).into_iter();
            let mut grids = grids.map(|grid| world.district.grids[grid].id);
            grids.any(|grid| world.district.chain(grid).any(|above| above == top))
        }
        Audience::Author => false,
    };
    Some(theirs || made.author == Some(worker) || world.ledger.was_dispatched(record, worker))
}

/// Everything in a text that reads like an id.
fn ids(text: &[u8]) -> impl Iterator<Item = EntityId> + '_ {
    const DASHES: [usize; 3] = [5, 10, 15];
    let dash = |at: usize| text.get(at) == Some(&b'-');
    let alike = (8..text.len())
        .filter(move |at| dash(*at) && DASHES.iter().all(|further| dash(at + further)));
    alike.filter_map(|at| {
        let id = text.get(at - 8..at + 28)?;
        std::str::from_utf8(id).ok()?.parse().ok()
    })
}
