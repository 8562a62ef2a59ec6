//! Talking to the server.

use super::Action;
use crate::world::World;
use crate::world::phone::Phone;

/// Makes the phone the worker's.
pub(super) struct Enrol;

impl Action for Enrol {
    fn weight(&self, phone: &Phone) -> u32 {
        match (phone.enrolled, phone.left) {
            (true, _) => 0,
            // Somebody sets it up once more, perhaps.
            (false, true) => 1,
            (false, false) => 50,
        }
    }

    fn act(&self, world: &mut World, no: usize) {
        world.enrol(no);
    }
}

/// Syncs.
pub(super) struct Sync;

impl Action for Sync {
    fn weight(&self, phone: &Phone) -> u32 {
        if phone.enrolled || phone.left { 12 } else { 0 }
    }

    fn act(&self, world: &mut World, no: usize) {
        world.sync(no);
    }
}

/// Calls a sync off; the next one may begin at once.
pub(super) struct Cancel;

impl Action for Cancel {
    fn weight(&self, phone: &Phone) -> u32 {
        if phone.call.is_some() { 4 } else { 0 }
    }

    fn act(&self, world: &mut World, no: usize) {
        world.say(format_args!("p{no} calls its sync off"));
        world.phones[no].cancel.cancel();
    }
}
