//! A phone that dies at any step of its day loses nothing that it acknowledged.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use gridwalk_sim::crash_points::{CrashPoint, day, of_step, steps};
use gridwalk_sim::history;

fn holds(point: CrashPoint) {
    let world = day(point).expect("a district");
    if let Some(violation) = &world.broken {
        panic!("{point:?}\n{}", history::report(&world, violation));
    }
}

#[test]
fn a_day_goes_on_after_a_crash_at_any_of_its_steps() {
    let steps = steps().expect("a district");
    assert!(steps > 400, "{steps} are few");
    // All of them by `./dev sim --crash-points`; here those of the first opening
    // and every eleventh after it.
    let opening = 0..60;
    let after = (60..steps).step_by(11);
    opening.chain(after).flat_map(of_step).for_each(holds);
}
