//! What somebody reported is in their list.

use gridwalk_domain::{Entity, EntityId};

use super::{Held, Invariant, Violation};
use crate::examine::Examined;
use crate::ledger::{Fact, Saved};
use crate::world::World;

/// How many of a phone's reports are looked for: the last.
const LOOKED_FOR: usize = 3;

pub(super) struct Shown;

impl Invariant for Shown {
    fn name(&self) -> &'static str {
        "nobody's report vanishes from their own list while they have its grid"
    }

    fn phone(&mut self, world: &World, no: usize, found: &Examined) -> Held {
        let Some(engine) = &world.phones[no].engine else {
            return Ok(());
        };
        // Who left sees nothing here any more.
        if world.phones[no].left || world.phones[no].to_leave {
            return Ok(());
        }
        let theirs = |fact: &&Fact| {
            fact.phone == Some(no) && fact.what == "incident" && fact.saved == Saved::Yes
        };
        let reports: Vec<&Fact> = world.ledger.facts().filter(theirs).collect();
        for fact in reports.into_iter().rev().take(LOOKED_FOR) {
            let Some(id) = fact
                .record
                .filter(|id| kept_grid(world, no, fact) && !world.purged.contains(id))
            else {
                continue;
            };
            if engine.record_of(id).is_err() && !deleted(found, id) {
                let text = format!("p{no} does not show {}", fact.token);
                return Err(Violation::new("", text).about(id));
            }
        }
        Ok(())
    }
}

/// Whether the worker has had the record's grid since it was written.
fn kept_grid(world: &World, no: usize, fact: &Fact) -> bool {
    // Where the server went back since, the phone may have heard of a grid that
    // was lost in a future that was not.
    if fact.at_ms < world.back_ms && world.views.is_empty() {
        return false;
    }
    let worker = world.phones[no].worker;
    let grid = world.district.lettered(fact.token.grid);
    grid.is_some_and(|grid| {
        let mut terms = world.district.terms(worker, grid);
        terms.any(|row| row.holds_at(fact.at_ms) && row.holds_at(world.now_ms()))
    })
}

/// Whether somebody deleted a record, here or elsewhere.
fn deleted(found: &Examined, record: EntityId) -> bool {
    let base = found.base.get(&record);
    let state = base.and_then(|base| serde_json::from_str::<Entity>(&base.state).ok());
    let mut ops = found.ops.iter().filter(|op| op.entity == record);
    state.is_some_and(|state| state.deleted.is_some())
        || ops.any(|op| op.body.contains("\"delete\":"))
}
