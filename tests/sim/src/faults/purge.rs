//! A record is purged, whoever has it, while phones are away.

use super::Fault;
use super::server::restart;
use crate::random::Chance as _;
use crate::time::{HOUR, MINUTE};
use crate::world::World;

/// How many of the last incidents one is taken from.
const LATEST: usize = 8;
/// Where the server dies over it, the operator asks again.
const TRIES: usize = 3;

/// The operator purges an incident that the server knows.
pub(super) struct Purge;

impl Fault for Purge {
    fn strike(&self, world: &mut World) {
        let known = world.ledger.incidents();
        let latest = known[known.len().saturating_sub(LATEST)..].to_vec();
        let Some((record, _)) = world.rng.one_of(&latest) else {
            return;
        };
        for _ in 0..TRIES {
            let done = world.server.service().admin().purge_entity(record);
            let (name, well) = (World::short(record), done.is_ok());
            world.say(format_args!("{name} is purged: {well}"));
            if world.server.is_dead() {
                restart(world);
            }
            if well {
                world.purged.insert(record);
                return;
            }
        }
    }

    fn rest_ms(&self) -> i64 {
        HOUR / 2 + 5 * MINUTE
    }
}
