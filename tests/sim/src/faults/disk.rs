//! What happens to disks while phones go on.

use super::Fault;
use crate::random::Chance as _;
use crate::time::MINUTE;
use crate::world::World;

/// No room is left, from some write on and for a while.
pub(super) struct Full;

impl Fault for Full {
    fn strike(&self, world: &mut World) {
        if let Some(no) = world.some_phone() {
            let step = world.phones[no].disk.steps() + world.rng.u64(0..20);
            world.phones[no].disk.full_from(step);
            world.say(format_args!("p{no}'s disk is full from step {step}"));
            let ms = world.rng.about(10 * MINUTE);
            world.after(ms, move |world| {
                world.say(format_args!("p{no} has room again"));
                world.phones[no].disk.make_room();
            });
        }
    }
}

/// The disk fails once.
pub(super) struct Fails;

impl Fault for Fails {
    fn strike(&self, world: &mut World) {
        if let Some(no) = world.some_phone() {
            let step = world.phones[no].disk.steps() + world.rng.u64(0..40);
            world.phones[no].disk.fail_at(step);
            world.say(format_args!("p{no}'s disk will fail at step {step}"));
        }
    }
}
