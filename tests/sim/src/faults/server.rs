//! What happens to the server.

use super::Fault;
use crate::invariants::Violation;
use crate::server::WriteFault;
use crate::world::World;

/// One of its next commits fails, or the server dies just before or after it.
pub(super) struct WriteFails;

impl Fault for WriteFails {
    fn strike(&self, world: &mut World) {
        let how = [
            WriteFault::Refused,
            WriteFault::DiesBefore,
            WriteFault::DiesAfter,
        ];
        let how = how[world.rng.usize(0..how.len())];
        let after = world.rng.u64(0..5);
        world.server.fail_write(after, how);
        world.say(format_args!("the server's write {after} from now: {how:?}"));
    }
}

/// The server is killed between two requests.
pub(super) struct Crash;

impl Fault for Crash {
    fn strike(&self, world: &mut World) {
        world.say(format_args!("the server is killed and starts again"));
        restart(world);
    }
}

/// It tidies up, and may die over it.
pub(super) struct Maintain;

impl Fault for Maintain {
    fn strike(&self, world: &mut World) {
        let done = world.server.service().maintain();
        world.say(format_args!("the server tidies up: {}", done.is_ok()));
        if world.server.is_dead() {
            restart(world);
        }
    }
}

/// The server starts again.
pub(crate) fn restart(world: &mut World) {
    if let Err(error) = world.server.crash() {
        let text = format!("it does not start: {error}");
        let name = "the server starts after every crash";
        world.breaks(Violation::new(name, text));
    }
}
