//! What the page said was done is done.

use gridwalk_domain::wire::Outcome;

use super::{At, Held, Invariant, Violation};
use crate::ledger::Saved;
use crate::world::World;

pub(super) struct Deeds;

impl Invariant for Deeds {
    fn name(&self) -> &'static str {
        "what the page acknowledged stands, or waits in quarantine for what a lost phone had; what it refused is nowhere"
    }

    fn at(&mut self, world: &World, at: At) -> Held {
        if at != At::End {
            return Ok(());
        }
        for deed in world.ledger.deeds() {
            if world.purged.contains(&deed.record) {
                continue;
            }
            let mut views = world.views.values();
            let stored = views.find_map(|view| view.ops.get(&deed.op)?.first());
            let there = stored.is_some_and(|op| stands(&op.outcome));
            let text = match deed.saved {
                Saved::Yes if !there => "was acknowledged and does not stand",
                Saved::No if stored.is_some() => "was refused and is there",
                _ => continue,
            };
            let outcome = stored.map(|op| &op.outcome);
            let text = format!("op {} of the page {text}: {outcome:?}", deed.op);
            return Err(Violation::new("", text).about(deed.record));
        }
        Ok(())
    }
}

/// Whether an act stands, or waits for what it builds on: that was lost with a
/// server's future, and with a stolen phone.
fn stands(outcome: &Outcome) -> bool {
    const WAITS: [&str; 3] = ["missing", "unknown_base", "depends_on_refused"];
    match outcome {
        Outcome::Applied { .. } | Outcome::ConflictKept { .. } => true,
        Outcome::Quarantined { reason } => WAITS.contains(&reason.code.as_str()),
        _ => false,
    }
}
