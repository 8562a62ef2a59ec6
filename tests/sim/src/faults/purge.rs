//! A record is purged, or an attachment by itself, whoever has it, while phones
//! are away.

use gridwalk_domain::{EntityId, Sha256};

use super::Fault;
use super::server::restart;
use crate::random::Chance as _;
use crate::time::{HOUR, MINUTE};
use crate::world::World;

/// How many of the last incidents one is taken from.
const LATEST: usize = 8;
/// Where the server dies over it, the operator asks again.
const TRIES: usize = 3;

/// The operator asks for a purge; whether it was carried out. Where the order is
/// in the ledger, it will be.
fn purge(world: &mut World, record: EntityId) -> bool {
    let done = world.server.service().admin().purge_entity(record, None);
    let name = World::short(record);
    match &done {
        Ok(_) => world.say(format_args!("{name} is purged")),
        Err(error) => world.say(format_args!("{name} is not purged: {error}")),
    }
    if world.server.is_dead() {
        restart(world);
    }
    if done.is_ok() || world.server.orders().contains(&record.to_string()) {
        world.purged.insert(record);
    }
    done.is_ok()
}

/// The operator purges an attachment by itself.
pub(super) struct PurgeBlob;

impl Fault for PurgeBlob {
    fn strike(&self, world: &mut World) {
        let tenant = world.district.grids[0].tenant;
        let whole = world.server.read(|tx| tx.blob_hashes(tenant));
        let Some(blob) = world.rng.one_of(&whole.unwrap_or_default()) else {
            return;
        };
        let Some(content) = world.server.blob(blob) else {
            return;
        };
        for _ in 0..TRIES {
            if purge_blob(world, blob, &content) {
                return;
            }
        }
    }

    fn rest_ms(&self) -> i64 {
        HOUR / 2 + 5 * MINUTE
    }
}

/// As for a record.
fn purge_blob(world: &mut World, blob: Sha256, content: &[u8]) -> bool {
    let done = world.server.service().admin().purge_blob(blob, None);
    match &done {
        Ok(_) => world.say(format_args!("attachment {blob} is purged")),
        Err(error) => world.say(format_args!("attachment {blob} is not purged: {error}")),
    }
    if world.server.is_dead() {
        restart(world);
    }
    if done.is_ok() || world.server.orders().contains(&blob.to_string()) {
        world.purged_blobs.insert(blob, content.to_vec());
    }
    done.is_ok()
}

/// The operator asks again for what was ordered, or starts the server anew, which
/// carries out its ledger: no order stays half done.
pub(crate) fn finish(world: &mut World) {
    let mut well = true;
    for record in world.purged.clone() {
        well &= purge(world, record);
    }
    for (blob, content) in world.purged_blobs.clone() {
        well &= purge_blob(world, blob, &content);
    }
    if !well {
        restart(world);
    }
}

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
            if purge(world, record) {
                return;
            }
        }
    }

    fn rest_ms(&self) -> i64 {
        HOUR / 2 + 5 * MINUTE
    }
}
