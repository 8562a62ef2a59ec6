//! The server's clock: what a time brings about by itself, in the storm and in
//! the days after it.

use crate::faults::restart;
use crate::invariants::Violation;
use crate::time::MINUTE;
use crate::world::World;

impl World {
    /// Plans the clock's next stroke.
    pub(crate) fn plan_clock(&mut self) {
        self.after(10 * MINUTE, |world| {
            if world.busy {
                strike(world);
                world.plan_clock();
            }
        });
    }

    /// Strikes once nothing goes wrong any more: what is due is done, and once.
    pub(crate) fn strike_in_the_calm(&mut self) {
        let struck = [(); 2].map(|()| self.server.service().strike());
        match struck {
            [Ok(made), Ok(0)] => self.say(format_args!("the clock makes {made}")),
            struck => {
                let name = "in the calm the clock does what is due, and does it once";
                self.breaks(Violation::new(name, format!("it made {struck:?}")));
            }
        }
    }
}

fn strike(world: &mut World) {
    match world.server.service().strike() {
        Ok(made) => world.say(format_args!("the clock makes {made}")),
        Err(error) => world.say(format_args!("the clock fails: {error}")),
    }
    if world.server.is_dead() {
        restart(world);
    }
}
