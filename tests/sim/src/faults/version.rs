//! Old apps beside new ones, where the server asks for the new.

use super::Fault;
use crate::world::World;
use crate::world::setup::NEWER;

/// An app is upgraded.
pub(super) struct Upgrade;

impl Fault for Upgrade {
    fn strike(&self, world: &mut World) {
        if let Some(no) = world.some_phone() {
            world.phones[no].speaks = NEWER;
            world.say(format_args!("p{no} is upgraded"));
        }
    }
}
