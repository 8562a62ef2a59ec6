//! Walking: fixes from real traces, one by one or in bunches, and what the
//! shell marks on the way.

use gridwalk_domain::{Fix, GapCause, MarkKind};
use gridwalk_track::read;
use std::path::Path;
use std::sync::OnceLock;

use super::Action;
use crate::ledger::Bunch;
use crate::random::Chance as _;
use crate::time::{MINUTE, SECOND};
use crate::world::phone::{Patrol, Phone};
use crate::world::{Called, World};

/// Fixes taken of each trace.
const OF_EACH: usize = 900;
/// Calls with nothing after the last fix.
const BEATS: usize = 10;

/// Real traces, as far as they are shipped; read once a process.
fn traces() -> &'static [Vec<Fix>] {
    static TRACES: OnceLock<Vec<Vec<Fix>>> = OnceLock::new();
    TRACES.get_or_init(|| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/tracks");
        let names = [
            "fit_activity_small_fenix2_run.csv",
            "phone_304_to_ul_2019_02_18_0745.csv",
            "hike_korita_zbevnica.csv",
        ];
        let read = |name: &str| {
            let bytes = std::fs::read(folder.join(name)).unwrap_or_default();
            let end = bytes
                .iter()
                .enumerate()
                .filter(|(_, byte)| **byte == b'\n')
                .nth(OF_EACH)
                .map_or(bytes.len(), |(at, _)| at + 1);
            read::csv(&bytes[..end]).unwrap_or_default()
        };
        let all = names.into_iter().map(read);
        all.filter(|fixes| !fixes.is_empty()).collect()
    })
}

/// The walk goes on: a stretch of fixes, as often as this phone's sensor gives
/// them, then a rest, then the next one.
pub(super) fn go(world: &mut World, no: usize) {
    let every_ms = [SECOND, 2 * SECOND, 5 * SECOND, 10 * SECOND];
    let every_ms = every_ms[world.rng.usize(0..every_ms.len())];
    let in_bunches = every_ms < 5 * SECOND && world.rng.happens(0.3);
    let stretch = Stretch {
        every_ms,
        bunch: if in_bunches { 5 } else { 1 },
        left: world.rng.usize(5..60),
    };
    plan(world, no, stretch);
}

/// What is left of a stretch.
#[derive(Clone, Copy)]
struct Stretch {
    every_ms: i64,
    bunch: usize,
    left: usize,
}

/// Plans what the recorder is told next.
fn plan(world: &mut World, no: usize, stretch: Stretch) {
    let ms = stretch.every_ms * i64::try_from(stretch.bunch).unwrap_or(1);
    on_patrol(world, no, ms, move |world| match stretch.left {
        0 => rest(world, no, BEATS),
        left => {
            step(world, no, stretch.every_ms, stretch.bunch);
            let left = left - 1;
            plan(world, no, Stretch { left, ..stretch });
        }
    });
}

/// While no fix comes, the shell calls with nothing, so that the last ones are
/// synced in time; then there is rest.
fn rest(world: &mut World, no: usize, beats: usize) {
    if beats == 0 {
        let ms = world.rng.about(10 * MINUTE);
        return on_patrol(world, no, ms, move |world| go(world, no));
    }
    on_patrol(world, no, SECOND, move |world| {
        world.call(no, "records nothing", |engine| engine.record(&[]));
        rest(world, no, beats - 1);
    });
}

/// Does something after a while, if the same patrol runs then.
fn on_patrol(world: &mut World, no: usize, ms: i64, job: impl FnOnce(&mut World) + 'static) {
    let (life, patrol) = (world.phones[no].life, world.phones[no].patrol);
    world.after(ms, move |world| {
        let phone = &world.phones[no];
        let same = phone.life == life && phone.is_open() && phone.patrol == patrol;
        if world.busy && same && patrol.is_some_and(|patrol| !patrol.paused) {
            job(world);
        }
    });
}

/// The next fixes come in.
fn step(world: &mut World, no: usize, every_ms: i64, bunch: usize) {
    let (now_ms, all) = (world.now_ms(), traces());
    let Some(Patrol { id: patrol, .. }) = world.phones[no].patrol else {
        return;
    };
    let (trace, at) = world.phones[no].walk;
    let trace = &all[trace % all.len()];
    world.phones[no].walk.1 = at.wrapping_add(bunch);
    let mut fixes: Vec<Fix> = (0..bunch)
        .map(|n| {
            let back = i64::try_from(bunch - 1 - n).unwrap_or(0);
            Fix {
                time_ms: now_ms - back * every_ms,
                ..trace[at.wrapping_add(n) % trace.len()]
            }
        })
        .collect();
    match world.rng.u8(..) {
        // Late, twice, in another order, mocked, from nowhere.
        0 => fixes[0].time_ms -= 20 * SECOND,
        1 => fixes.push(fixes[0]),
        2 => fixes.reverse(),
        3 => fixes[0].mocked = true,
        4 => fixes[0].position.lat = 0.0,
        _ => {}
    }
    let what = &format!("records {}", fixes.len());
    let called = world.call(no, what, |engine| engine.record(&fixes));
    if let Some(Called::Done(recorded)) = called {
        world.ledger.add_bunch(Bunch {
            phone: no,
            patrol,
            run: recorded.run,
            first: recorded.first,
            fixes,
            at_ms: now_ms,
            excused: false,
        });
    }
}

/// So many calls with so many fixes each, a second apart; for a script.
pub(super) struct Fixes(pub(super) usize, pub(super) usize);

impl Action for Fixes {
    fn weight(&self, phone: &Phone) -> u32 {
        u32::from(phone.patrol.is_some_and(|patrol| !patrol.paused))
    }

    fn act(&self, world: &mut World, no: usize) {
        for n in 0..self.0 + BEATS {
            world.run_until(world.now_ms() + SECOND);
            if !world.phones[no].is_open() {
                return;
            }
            if n < self.0 {
                step(world, no, SECOND, self.1);
            } else {
                world.call(no, "records nothing", |engine| engine.record(&[]));
            }
        }
    }
}

/// Notes what bears on the route.
pub(super) struct Mark;

impl Action for Mark {
    fn weight(&self, phone: &Phone) -> u32 {
        u32::from(phone.patrol.is_some())
    }

    fn act(&self, world: &mut World, no: usize) {
        let mark = match world.rng.u8(0..3) {
            0 => MarkKind::Lost {
                cause: GapCause::NoSignal,
            },
            1 => MarkKind::Found,
            _ => MarkKind::Asked { every_ms: 1000 },
        };
        world.call(no, "marks", |engine| engine.mark(mark));
    }
}
