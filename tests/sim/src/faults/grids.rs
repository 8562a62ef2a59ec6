//! Grids that are split, and moved to another community.

use super::Fault;
use super::server::restart;
use crate::random::Chance as _;
use crate::time::HOUR;
use crate::world::World;
use crate::world::district::COMMUNITIES;

/// A grid is split in two; its workers get both.
pub(super) struct Split;

impl Fault for Split {
    fn strike(&self, world: &mut World) {
        let spare: Vec<usize> = world.district.spare().collect();
        let Some(grid) = some_grid(world).filter(|grid| !spare.contains(grid)) else {
            return;
        };
        let code = |grid: usize| world.district.grids[grid].code.as_str();
        let into: Vec<&str> = spare.iter().map(|grid| code(*grid)).collect();
        let admin = world.server.service().admin();
        let done = admin.split_grid(code(grid), &into);
        let letter = world.district.grids[grid].letter;
        world.say(format_args!("{letter} is split: {}", done.is_ok()));
        changed(world);
    }

    fn rest_ms(&self) -> i64 {
        HOUR
    }
}

/// A grid moves to the other community.
pub(super) struct Move;

impl Fault for Move {
    fn strike(&self, world: &mut World) {
        let Some(grid) = some_grid(world) else {
            return;
        };
        let under = COMMUNITIES[world.rng.usize(0..COMMUNITIES.len())];
        let code = &world.district.grids[grid].code;
        let done = world.server.service().admin().move_grid(code, under);
        let letter = world.district.grids[grid].letter;
        world.say(format_args!(
            "{letter} moves under {under}: {}",
            done.is_ok()
        ));
        changed(world);
    }

    fn rest_ms(&self) -> i64 {
        HOUR / 2
    }
}

/// A grid of the first district that is open.
fn some_grid(world: &mut World) -> Option<usize> {
    let tenant = world.district.grids.first()?.tenant;
    let grids = 0..world.district.grids.len();
    let open = |grid: &usize| world.district.heirs(*grid).is_empty();
    let open: Vec<usize> = grids
        .filter(|grid| world.district.grids[*grid].tenant == tenant)
        .filter(open)
        .collect();
    world.rng.one_of(&open)
}

fn changed(world: &mut World) {
    if world.server.is_dead() {
        restart(world);
    }
    let World {
        district, server, ..
    } = world;
    let read = district.read(server);
    if let Err(error) = read {
        world.say(format_args!("the district cannot be read: {error}"));
    }
}
