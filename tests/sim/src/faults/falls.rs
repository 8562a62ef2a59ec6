//! What happens to phones: killed, without power, set wrong, cloned.

use gridwalk_domain::BootId;
use std::sync::Arc;

use super::Fault;
use crate::random::Chance as _;
use crate::random::Seeded;
use crate::time::{DAY, HOUR, MINUTE, PhoneClock, SECOND};
use crate::world::World;
use crate::world::phone::Fall;

/// The app is killed, whatever it does.
pub(super) struct Kill;

impl Fault for Kill {
    fn strike(&self, world: &mut World) {
        if let Some(no) = world.some_phone() {
            world.strike_down(no, Fall::Kill);
        }
    }
}

/// How soon a phone falls that is to fall over what it does.
const WITHIN: u64 = 60;

fn at_step(world: &mut World, fall: Fall) {
    if let Some(no) = world.some_phone() {
        world.fall_soon(no, WITHIN, fall);
    }
}

/// The app is killed at a step of its disk.
pub(super) struct KillAtStep;

impl Fault for KillAtStep {
    fn strike(&self, world: &mut World) {
        at_step(world, Fall::Kill);
    }
}

/// The battery is pulled out.
pub(super) struct PowerCut;

impl Fault for PowerCut {
    fn strike(&self, world: &mut World) {
        if let Some(no) = world.some_phone() {
            world.strike_down(no, Fall::PowerCut);
        }
    }
}

/// The power goes at a step of the disk.
pub(super) struct PowerCutAtStep;

impl Fault for PowerCutAtStep {
    fn strike(&self, world: &mut World) {
        at_step(world, Fall::PowerCut);
    }
}

/// The phone is switched off properly and on again.
pub(super) struct Reboot;

impl Fault for Reboot {
    fn strike(&self, world: &mut World) {
        // Not over a request: a proper end of the app waits for it.
        if let Some(no) = world
            .some_phone()
            .filter(|no| world.phones[*no].call.is_none())
        {
            world.say(format_args!("p{no} is switched off"));
            let phone = &mut world.phones[no];
            phone.engine = None;
            phone.life += 1;
            if phone.disk.is_dead() {
                // A fall was planned for one of these last steps.
                return world.fall(no);
            }
            let ms = world.rng.about(10 * MINUTE);
            world.after(ms, move |world| {
                world.phones[no].boot();
                world.open(no);
            });
        }
    }
}

/// A wall clock is set, rightly or wrongly.
pub(super) struct ClockJump;

impl Fault for ClockJump {
    fn strike(&self, world: &mut World) {
        let no = world.rng.usize(0..world.phones.len());
        let rng = &mut world.rng;
        let ahead_ms = match rng.u8(0..5) {
            0 => 0,
            1 => rng.i64(-20 * 365 * DAY..20 * 365 * DAY),
            2 => rng.i64(-DAY..DAY),
            3 => rng.i64(-HOUR..HOUR),
            _ => rng.i64(-10 * SECOND..10 * SECOND),
        };
        world.phones[no].clock.set_ahead(ahead_ms);
        world.say(format_args!("p{no}'s clock is {ahead_ms} ms ahead"));
    }
}

/// A phone's data appears on a second phone, while the first one goes on.
pub(super) struct Clone;

impl Fault for Clone {
    fn strike(&self, world: &mut World) {
        let Some(no) = world.some_phone().filter(|no| world.phones[*no].enrolled) else {
            return;
        };
        if world.phones.len() >= 12 || world.phones[no].disk.is_dead() {
            return;
        }
        let worker = world.phones[no].worker;
        let Ok(clone) = world.buy_phone(worker) else {
            return;
        };
        let seed = world.rng.u64(..);
        let boot = BootId::from_bytes(world.rng.u128(..).to_be_bytes());
        let clock = PhoneClock::new(&world.time, 0, 0, boot);
        world.phones[clone].disk = world.phones[no].disk.copy(seed);
        world.phones[clone].clock = Arc::new(clock);
        world.phones[clone].rng = Arc::new(Seeded::new(seed));
        world.phones[clone].left = world.phones[no].left;
        world.phones[clone].cloned = true;
        world.phones[no].cloned = true;
        world.say(format_args!("p{clone} is a clone of p{no}"));
        let ms = world.rng.about(5 * MINUTE);
        world.after(ms, move |world| world.open(clone));
    }

    fn rest_ms(&self) -> i64 {
        HOUR
    }
}
