//! Queues run dry once nothing goes wrong any more.

use gridwalk_domain::{OpBody, OpId};
use std::collections::BTreeSet;

use super::{Held, Invariant, Violation};
use crate::examine::Examined;
use crate::ledger::tokens;
use crate::world::World;

pub(super) struct Queues;

impl Invariant for Queues {
    fn name(&self) -> &'static str {
        "queues, but for parked ops and what needs them, reach zero in the calm with no new write"
    }

    fn phone(&mut self, world: &World, no: usize, found: &Examined) -> Held {
        if world.views.is_empty() || !(world.phones[no].enrolled || world.phones[no].left) {
            return Ok(());
        }
        all_sent(world, no, found, &[])
    }
}

/// Whether nothing waits but what is refused on the way, what rests for one of
/// these reasons, and what needs that.
pub(super) fn all_sent(world: &World, no: usize, found: &Examined, rests: &[&str]) -> Held {
    let blocked = blocked(world, no, found, rests);
    let waits = |state: &str, stranded: bool| state == "ready" && !stranded;
    for op in found.ops.iter().filter(|op| waits(&op.state, op.stranded)) {
        if !blocked.contains(&op.id) {
            let why = op.code.as_deref().unwrap_or("no reason");
            let text = format!("p{no}: op {} waits: {why}", op.id);
            return Err(Violation::new("", text).about(op.entity));
        }
    }
    let stuck = |entity| {
        found
            .ops
            .iter()
            .any(|op| op.entity == entity && blocked.contains(&op.id))
    };
    let chunks = found.chunks.iter();
    for chunk in chunks.filter(|chunk| waits(&chunk.state, chunk.stranded)) {
        if !stuck(chunk.patrol) {
            let text = format!("p{no}: chunk {} from {} waits", chunk.run, chunk.first);
            return Err(Violation::new("", text).about(chunk.patrol));
        }
    }
    let mut blobs = found.blobs.iter();
    match blobs.find(|blob| waits(&blob.state, blob.stranded)) {
        Some(blob) => Err(Violation::new(
            "",
            format!("p{no}: attachment {} waits", blob.sha256),
        )),
        None => Ok(()),
    }
}

/// The ops that the phone's line refuses, and those that need them.
fn blocked(world: &World, no: usize, found: &Examined, rests: &[&str]) -> BTreeSet<OpId> {
    let poison = world.phones[no].link.poison.as_deref();
    let poison = poison.and_then(|text| tokens(text).next());
    let mut blocked = BTreeSet::new();
    for op in &found.ops {
        let refused = poison.is_some() && tokens(&op.body).any(|token| Some(token) == poison);
        let refused = refused || op.code.as_deref().is_some_and(|code| rests.contains(&code));
        let needs = || {
            let Ok(body) = serde_json::from_str::<OpBody>(&op.body) else {
                return false;
            };
            body.prev
                .iter()
                .chain(&body.needs)
                .any(|op| blocked.contains(op))
        };
        if op.state == "ready" && (refused || needs()) {
            blocked.insert(op.id);
        }
    }
    blocked
}
