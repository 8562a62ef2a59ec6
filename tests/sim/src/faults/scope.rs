//! Grids that workers get and lose.

use super::Fault;
use crate::random::Chance as _;
use crate::time::{HOUR, MINUTE};
use crate::world::World;

/// A stand-in gets a grid, for a time or for good.
pub(super) struct Give;

impl Fault for Give {
    fn strike(&self, world: &mut World) {
        let worker = world.rng.usize(0..world.district.workers.len());
        let tenant = world.district.workers[worker].tenant;
        let grids = 0..world.district.grids.len();
        let fitting: Vec<usize> = grids
            .filter(|grid| world.district.grids[*grid].tenant == tenant)
            .collect();
        let Some(grid) = world.rng.one_of(&fitting) else {
            return;
        };
        let now_ms = world.now_ms();
        if world.district.has(worker, grid, now_ms) {
            return;
        }
        let for_good = world.rng.happens(0.3);
        let until_ms = now_ms + 10 * MINUTE + world.rng.about(HOUR);
        let until_ms = (!for_good).then_some(until_ms);
        assign(world, worker, grid, now_ms, until_ms);
    }
}

/// A worker loses a grid.
pub(super) struct Take;

impl Fault for Take {
    fn strike(&self, world: &mut World) {
        let now_ms = world.now_ms();
        let worker = world.rng.usize(0..world.district.workers.len());
        let theirs = world.district.grids_of(worker, now_ms);
        let Some(grid) = world.rng.one_of(&theirs) else {
            return;
        };
        let terms = world.district.terms(worker, grid);
        let running: Vec<i64> = terms
            .filter(|row| row.holds_at(now_ms))
            .map(|row| row.from_ms)
            .collect();
        for from_ms in running {
            assign(world, worker, grid, from_ms, Some(now_ms));
        }
    }

    fn rest_ms(&self) -> i64 {
        HOUR
    }
}

fn assign(world: &mut World, worker: usize, grid: usize, from_ms: i64, until_ms: Option<i64>) {
    let letter = world.district.grids[grid].letter;
    let World {
        district, server, ..
    } = world;
    if district
        .assign(server, worker, grid, from_ms, until_ms)
        .is_ok()
    {
        world.say(format_args!(
            "w{worker} has {letter} from {from_ms} until {until_ms:?}"
        ));
    }
}
