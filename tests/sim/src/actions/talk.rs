//! Talking to the server.

use super::Action;
use crate::world::World;
use crate::world::phone::Phone;

/// Makes the phone the worker's.
pub(super) struct Enrol;

impl Action for Enrol {
    fn weight(&self, phone: &Phone) -> u32 {
        if phone.enrolled { 0 } else { 50 }
    }

    fn act(&self, world: &mut World, no: usize) {
        world.enrol(no);
    }
}

/// Syncs.
pub(super) struct Sync;

impl Action for Sync {
    fn weight(&self, phone: &Phone) -> u32 {
        if phone.enrolled { 12 } else { 0 }
    }

    fn act(&self, world: &mut World, no: usize) {
        world.sync(no);
    }
}
