//! What goes wrong. Each fault is one module: what it does when it strikes, and
//! what is planned for its end. A seed takes some of them, each as often as it
//! draws; a fault that cannot strike just now does nothing.

mod back;
mod disk;
mod falls;
mod grids;
mod leaving;
mod line;
mod purge;
mod scope;
mod server;
mod version;

pub(crate) use purge::finish as finish_purges;
pub(crate) use server::restart;

use crate::random::Chance as _;
use crate::time::{MINUTE, SECOND};
use crate::world::World;

/// Something that goes wrong.
pub(crate) trait Fault: Sync {
    /// It happens now.
    fn strike(&self, world: &mut World);
    /// The shortest mean time between two of its kind.
    fn rest_ms(&self) -> i64 {
        4 * MINUTE
    }
}

/// All of them.
pub(crate) const ALL: &[&dyn Fault] = &[
    &falls::Kill,
    &falls::KillAtStep,
    &falls::PowerCut,
    &falls::PowerCutAtStep,
    &falls::Reboot,
    &falls::ClockJump,
    &falls::Clone,
    &disk::Full,
    &disk::Fails,
    &line::Partition,
    &line::Weather,
    &line::Trickle,
    &line::Portal,
    &line::Poison,
    &server::WriteFails,
    &server::Crash,
    &server::Maintain,
    &back::BackUp,
    &back::Restore,
    &back::GoBack,
    &purge::Purge,
    &purge::PurgeBlob,
    &version::Upgrade,
    &leaving::Replace,
    &leaving::Revoke,
    &leaving::Steal,
    &grids::Split,
    &grids::Move,
    &scope::Give,
    &scope::Take,
];

/// A fault as a seed has it.
pub(crate) struct Striking {
    fault: &'static dyn Fault,
    mean_ms: i64,
}

impl Striking {
    /// Every second fault, from rare to often.
    pub(crate) fn draw(fault: &'static dyn Fault, rng: &mut fastrand::Rng) -> Option<Self> {
        let taken = rng.bool();
        let mean_ms = fault.rest_ms() + rng.about(30 * MINUTE);
        taken.then_some(Self { fault, mean_ms })
    }
}

impl World {
    /// Plans the next strike of the nth fault.
    pub(crate) fn plan_strike(&mut self, n: usize) {
        let mean_ms = self.faults[n].mean_ms;
        let ms = self.rng.about(mean_ms).max(SECOND);
        self.after(ms, move |world| {
            if world.busy {
                world.faults[n].fault.strike(world);
                world.plan_strike(n);
            }
        });
    }

    /// Some phone whose app runs.
    fn some_phone(&mut self) -> Option<usize> {
        let open = self.phones.iter().filter(|phone| phone.is_open());
        let open: Vec<usize> = open.map(|phone| phone.no).collect();
        self.rng.one_of(&open)
    }
}
