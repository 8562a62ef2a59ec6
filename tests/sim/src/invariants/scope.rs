//! Nobody hears of what is not theirs.

use gridwalk_domain::EntityId;
use gridwalk_engine::{Request, Response};

use super::{Held, Invariant, Violation, broken};
use crate::ledger::tokens;
use crate::world::World;
use crate::world::net::plain;

pub(super) struct Scope;

impl Invariant for Scope {
    fn name(&self) -> &'static str {
        "no byte of a foreign scope is in any answer"
    }

    fn answer(&mut self, world: &World, no: usize, _: &Request, answer: &Response) -> Held {
        let encoding = answer.headers.iter();
        let encoding = encoding
            .filter(|(name, _)| name.eq_ignore_ascii_case("content-encoding"))
            .map(|(_, value)| value.as_str())
            .next();
        let bytes = plain(encoding, &answer.body);
        let text = String::from_utf8_lossy(&bytes);
        let (worker, now_ms) = (world.phones[no].worker, world.now_ms());
        for token in tokens(&text) {
            let grid = world.district.lettered(token.grid);
            if grid.is_some_and(|grid| !world.district.has(worker, grid, now_ms)) {
                let text = format!("p{no} of w{worker} hears {token}");
                let record = world.ledger.fact(token).and_then(|fact| fact.record);
                let violation = Violation::new("", text);
                return Err(match record {
                    Some(record) => violation.about(record),
                    None => violation,
                });
            }
        }
        match ids(&bytes).find(|id| foreign(world, worker, *id)) {
            Some(id) => broken(format!("p{no} of w{worker} hears of record {id}"))
                .map_err(|violation: Violation| violation.about(id)),
            None => Ok(()),
        }
    }
}

/// Whether a record is neither this worker's own nor of a grid that they have.
fn foreign(world: &World, worker: usize, record: EntityId) -> bool {
    let author = world.ledger.authors.get(&record);
    let incidents = world.ledger.incidents.iter();
    let grid = incidents
        .filter(|(id, _)| *id == record)
        .map(|(_, grid)| *grid)
        .next();
    let (Some(author), Some(grid)) = (author, grid) else {
        return false;
    };
    *author != worker && !world.district.has(worker, grid, world.now_ms())
}

/// Everything in a text that reads like an id.
fn ids(text: &[u8]) -> impl Iterator<Item = EntityId> + '_ {
    const LENGTH: usize = 36;
    let windows = text.windows(LENGTH);
    let alike = windows.filter(|window| {
        [8, 13, 18, 23].iter().all(|at| window[*at] == b'-') && window[0].is_ascii_hexdigit()
    });
    alike.filter_map(|window| std::str::from_utf8(window).ok()?.parse().ok())
}
