//! Shifts and patrols, begun and ended.

use gridwalk_domain::EntityId;
use gridwalk_engine::Engine;

use super::Action;
use crate::ledger::{CREATED, Duty, Saved};
use crate::random::Chance as _;
use crate::world::phone::{Patrol, Phone};
use crate::world::{Called, World};

/// A step of a shift or patrol that was asked for.
fn note(world: &mut World, phone: usize, record: EntityId, to: &'static str, saved: Saved) {
    world.ledger.add_duty(Duty {
        phone,
        record,
        to,
        saved,
    });
}

/// Begins a shift, in any grid that the worker has.
pub(super) struct StartShift;

impl Action for StartShift {
    fn weight(&self, phone: &Phone) -> u32 {
        if phone.enrolled && phone.shift.is_none() {
            20
        } else {
            0
        }
    }

    fn act(&self, world: &mut World, no: usize) {
        let (now_ms, worker) = (world.now_ms(), world.phones[no].worker);
        let theirs = world.district.grids_of(worker, now_ms);
        let Some(grid) = world.rng.one_of(&theirs) else {
            return;
        };
        let id = world.district.grids[grid].id;
        let what = "starts a shift";
        let called = world.call(no, what, |engine| engine.start_shift(Some(id)));
        if let Some(Called::Done(shift)) = called {
            world.phones[no].shift = Some((shift, grid));
            note(world, no, shift, CREATED, Saved::Yes);
        }
    }
}

/// Ends the shift.
pub(super) struct EndShift;

impl Action for EndShift {
    fn weight(&self, phone: &Phone) -> u32 {
        u32::from(phone.shift.is_some() && phone.patrol.is_none())
    }

    fn act(&self, world: &mut World, no: usize) {
        if let Some((shift, _)) = world.phones[no].shift {
            end_shift(world, no, shift);
        }
    }
}

/// Ends a shift.
pub(crate) fn end_shift(world: &mut World, no: usize, shift: EntityId) {
    let what = "ends its shift";
    let Some(called) = world.call(no, what, Engine::end_shift) else {
        return;
    };
    note(world, no, shift, "ended", called.saved());
    if matches!(called, Called::Done(())) {
        world.phones[no].shift = None;
    }
}

/// Starts a patrol.
pub(super) struct StartPatrol;

impl Action for StartPatrol {
    fn weight(&self, phone: &Phone) -> u32 {
        if phone.shift.is_some() && phone.patrol.is_none() {
            20
        } else {
            0
        }
    }

    fn act(&self, world: &mut World, no: usize) {
        let what = "starts a patrol";
        if let Some(Called::Done(id)) = world.call(no, what, Engine::start_patrol) {
            world.phones[no].patrol = Some(Patrol { id, paused: false });
            note(world, no, id, CREATED, Saved::Yes);
            world.walk_on(no);
        }
    }
}

/// Pauses.
pub(super) struct Pause;

impl Action for Pause {
    fn weight(&self, phone: &Phone) -> u32 {
        u32::from(phone.patrol.is_some_and(|patrol| !patrol.paused))
    }

    fn act(&self, world: &mut World, no: usize) {
        let Some(Patrol { id, .. }) = world.phones[no].patrol else {
            return;
        };
        let Some(called) = world.call(no, "pauses", Engine::pause_patrol) else {
            return;
        };
        note(world, no, id, "paused", called.saved());
        if matches!(called, Called::Done(())) {
            world.phones[no].patrol = Some(Patrol { id, paused: true });
        }
    }
}

/// Goes on.
pub(super) struct Resume;

impl Action for Resume {
    fn weight(&self, phone: &Phone) -> u32 {
        if phone.patrol.is_some_and(|patrol| patrol.paused) {
            15
        } else {
            0
        }
    }

    fn act(&self, world: &mut World, no: usize) {
        let Some(Patrol { id, .. }) = world.phones[no].patrol else {
            return;
        };
        let Some(called) = world.call(no, "resumes", Engine::resume_patrol) else {
            return;
        };
        note(world, no, id, "active", called.saved());
        if matches!(called, Called::Done(())) {
            world.phones[no].patrol = Some(Patrol { id, paused: false });
            world.walk_on(no);
        }
    }
}

/// Finishes.
pub(super) struct Finish;

impl Action for Finish {
    fn weight(&self, phone: &Phone) -> u32 {
        u32::from(phone.patrol.is_some())
    }

    fn act(&self, world: &mut World, no: usize) {
        if let Some(Patrol { id, .. }) = world.phones[no].patrol {
            finish(world, no, id);
        }
    }
}

/// Finishes a patrol.
pub(crate) fn finish(world: &mut World, no: usize, patrol: EntityId) {
    let what = "finishes";
    let Some(called) = world.call(no, what, Engine::finish_patrol) else {
        return;
    };
    note(world, no, patrol, "finished", called.saved());
    if matches!(called, Called::Done(_)) {
        world.phones[no].patrol = None;
    }
}
