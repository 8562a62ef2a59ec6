//! Time lines begin for a reason.

use gridwalk_domain::Epoch;
use gridwalk_domain::wire::HelloResponse;

use std::collections::BTreeMap;

use super::{Held, Invariant, broken};
use crate::world::World;
use crate::world::net::Exchange;

/// The server's time line now, and since when each one is known.
#[derive(Default)]
pub(super) struct Lines {
    now: Option<Epoch>,
    since: BTreeMap<Epoch, i64>,
}

impl Invariant for Lines {
    fn name(&self) -> &'static str {
        "a time line begins only where the server went back"
    }

    fn answer(&mut self, world: &World, no: usize, exchange: &Exchange<'_>) -> Held {
        if exchange.path != "/v1/hello" {
            return Ok(());
        }
        let Ok(answer) = serde_json::from_slice::<HelloResponse>(&exchange.told) else {
            return Ok(());
        };
        let before = self.now.replace(answer.epoch);
        let since = before.and_then(|before| self.since.get(&before));
        if before != Some(answer.epoch) && since.is_some_and(|since| world.back_ms < *since) {
            return broken(format!("p{no} hears of another time line"));
        }
        self.since.entry(answer.epoch).or_insert(world.now_ms());
        Ok(())
    }
}
