//! A server that goes back in time, and the backups to which it goes. It never
//! goes back beyond what phones were told that they may forget.

use gridwalk_server::admin::KEPT_BACKUPS;
use gridwalk_store::StoreError;

use super::Fault;
use super::server::restart;
use crate::invariants::Violation;
use crate::random::Chance as _;
use crate::time::MINUTE;
use crate::world::World;

/// The operator makes a backup and checks it.
pub(super) struct BackUp;

impl Fault for BackUp {
    fn strike(&self, world: &mut World) {
        if let Ok(backup) = world.server.backup() {
            let checked = world.server.service().admin().verify(&backup, KEPT_BACKUPS);
            world.say(format_args!(
                "a backup is made, checked: {}",
                checked.is_ok()
            ));
            world.backups.push(backup);
            keep_restorable(world);
        }
        if world.server.is_dead() {
            restart(world);
        }
    }

    fn rest_ms(&self) -> i64 {
        10 * MINUTE
    }
}

/// A server goes back to no backup but those that its floor names.
fn keep_restorable(world: &mut World) {
    let restorable = world.server.restorable();
    world.backups.retain(|backup| {
        let name = gridwalk_store::read(&*backup.store, |tx| tx.note("backup"));
        let name: Result<Option<String>, StoreError> = name;
        matches!(name, Ok(Some(name)) if restorable.contains(&name))
    });
}

/// The operator goes back to a backup: a new time line begins.
pub(super) struct Restore;

impl Fault for Restore {
    fn strike(&self, world: &mut World) {
        let Some(n) = some_backup(world) else {
            return;
        };
        let done = world.server.restore(&world.backups[n]);
        world.say(format_args!("the server is restored: {}", done.is_ok()));
        if world.server.is_dead() {
            restart(world);
        }
        went_back(world, n);
    }

    fn rest_ms(&self) -> i64 {
        20 * MINUTE
    }
}

/// The server's machine goes back to an older image of itself, and nobody tells.
pub(super) struct GoBack;

impl Fault for GoBack {
    fn strike(&self, world: &mut World) {
        let Some(n) = some_backup(world) else {
            return;
        };
        world.say(format_args!("the server goes back, untold"));
        if let Err(error) = world.server.go_back(&world.backups[n]) {
            let text = format!("it does not start: {error}");
            let name = "the server starts on every backup";
            return world.breaks(Violation::new(name, text));
        }
        went_back(world, n);
    }

    fn rest_ms(&self) -> i64 {
        20 * MINUTE
    }
}

/// One of the backups; where there is none, one is made for the next time.
fn some_backup(world: &mut World) -> Option<usize> {
    if world.backups.is_empty() {
        BackUp.strike(world);
        return None;
    }
    let all: Vec<usize> = (0..world.backups.len()).collect();
    world.rng.one_of(&all)
}

/// What was decided and backed up since the nth backup is of a future that was
/// not.
fn went_back(world: &mut World, n: usize) {
    world.backups.truncate(n + 1);
    world.back_ms = world.now_ms();
    let World {
        district, server, ..
    } = world;
    if let Err(error) = district.read(server) {
        let name = "the server's data can be read";
        world.breaks(Violation::new(name, error.to_string()));
    }
}
