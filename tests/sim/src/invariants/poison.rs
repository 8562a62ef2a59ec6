//! One op that cannot be sent holds up nothing else.

use super::queues::all_sent;
use super::{Held, Invariant};
use crate::examine::Examined;
use crate::world::World;

/// By this round of syncs all that does not need it must be sent.
const BY_ROUND: usize = 1;

pub(super) struct Poison;

impl Invariant for Poison {
    fn name(&self) -> &'static str {
        "a poison op delays no lane that does not need it"
    }

    fn phone(&mut self, world: &World, no: usize, found: &Examined) -> Held {
        let phone = &world.phones[no];
        // One that may only send asks seldom. A clone has what its twin's line refused, and rests it as long.
        if world.round == Some(BY_ROUND)
            && phone.link.poison.is_some()
            && !phone.cloned
            && !phone.left
        {
            // What the server failed over in the storm rests for a day, too.
            return all_sent(world, no, found, &["internal"]);
        }
        Ok(())
    }
}
