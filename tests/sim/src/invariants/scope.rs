//! Nobody hears of what is not theirs.

use gridwalk_domain::EntityId;

use super::{Held, Invariant, Violation};
use crate::ledger::tokens;
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
            let grid = world.district.lettered(token.grid);
            let record = world.ledger.fact(token).and_then(|fact| fact.record);
            let theirs = |id: EntityId| world.ledger.was_dispatched(id, worker);
            if grid.is_some_and(|grid| !world.district.reads(worker, grid, now_ms))
                && !record.is_some_and(theirs)
            {
                let text = format!("p{no} of w{worker} hears {token}");
                let violation = Violation::new("", text);
                return Err(match record {
                    Some(record) => violation.about(record),
                    None => violation,
                });
            }
        }
        match ids(&exchange.told).find(|id| foreign(world, worker, *id)) {
            Some(id) => {
                let text = format!("p{no} of w{worker} hears of record {id}");
                Err(Violation::new("", text).about(id))
            }
            None => Ok(()),
        }
    }
}

/// Whether a record is neither this worker's own nor of a grid that they have,
/// and was never dispatched to them.
fn foreign(world: &World, worker: usize, record: EntityId) -> bool {
    let Some((author, grid)) = world.ledger.incident(record) else {
        return false;
    };
    author != worker
        && !world.district.reads(worker, grid, world.now_ms())
        && !world.ledger.was_dispatched(record, worker)
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
