//! Every step that a phone's day makes on its disk, and a crash at each.
//!
//! A scripted day is lived once to count its steps. Then it is lived again for
//! each of them, with the phone dying right there, by a kill or a power cut, once
//! or once more while it recovers; the day goes on after that, and in the end
//! everything must be where it belongs.

use gridwalk_store::StoreError;

use crate::actions::DAY;
use crate::time::{HOUR, MINUTE};
use crate::world::World;
use crate::world::phone::Fall;

/// The seed of the scripted day.
const SEED: u64 = 20;
/// The one phone.
const PHONE: usize = 0;

/// How a day is broken.
#[derive(Clone, Copy, Debug)]
pub struct CrashPoint {
    /// The step at which the phone falls.
    pub step: u64,
    /// How it falls.
    pub fall: Fall,
    /// The step of the next opening at which it falls again, and how.
    pub again: Option<(u64, Fall)>,
}

/// How many steps an unbroken day has, the app's first opening among them.
///
/// # Errors
/// Where the server does not take its district.
pub fn steps() -> Result<u64, StoreError> {
    let mut world = World::quiet(SEED)?;
    live(&mut world, None);
    Ok(world.phones[PHONE].disk.steps())
}

/// Lives a broken day and what comes after it.
///
/// # Errors
/// Where the server does not take its district.
pub fn day(point: CrashPoint) -> Result<World, StoreError> {
    let mut world = World::quiet(SEED)?;
    let phone = &mut world.phones[PHONE];
    phone.fall = point.fall;
    phone.disk.die_at(point.step);
    live(&mut world, point.again);
    world.end();
    Ok(world)
}

/// The crash points of a step: killed or without power, once or once more.
pub fn of_step(step: u64) -> impl Iterator<Item = CrashPoint> {
    // Which step of the recovery follows from the step, so that over a day all
    // pairs come about.
    let again = step % 11;
    let falls = [Fall::Kill, Fall::PowerCut];
    falls.into_iter().flat_map(move |fall| {
        let once = CrashPoint {
            step,
            fall,
            again: None,
        };
        let twice = falls.map(|fall| CrashPoint {
            again: Some((again, fall)),
            ..once
        });
        [once].into_iter().chain(twice)
    })
}

fn live(world: &mut World, mut again: Option<(u64, Fall)>) {
    world.open(PHONE);
    rise(world, &mut again);
    for action in DAY {
        // What was not done because the phone died over it is done once more.
        for _ in 0..3 {
            if action.weight(&world.phones[PHONE]) > 0 {
                action.act(world, PHONE);
            }
            world.run_until(world.now_ms() + MINUTE);
            if !rise(world, &mut again) {
                break;
            }
        }
    }
}

/// Lets a phone that fell get up; says whether it had fallen.
fn rise(world: &mut World, again: &mut Option<(u64, Fall)>) -> bool {
    let fell = !world.phones[PHONE].is_open();
    if fell {
        if let Some((step, fall)) = again.take() {
            let phone = &mut world.phones[PHONE];
            phone.fall = fall;
            phone.disk.die_at(phone.disk.steps() + step);
        }
        world.run_until(world.now_ms() + HOUR);
    }
    fell
}
