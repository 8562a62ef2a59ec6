//! A seed names a run.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use gridwalk_sim::history;
use gridwalk_sim::world::World;

/// The lines of a run.
fn lines(seed: u64) -> Vec<String> {
    let mut world = World::new(seed).expect("a district");
    world.run();
    if let Some(violation) = &world.broken {
        panic!("{}", history::report(&world, violation));
    }
    world.trace.lines().collect()
}

#[test]
fn the_same_seed_gives_the_same_run_and_another_seed_another() {
    for seed in [1, 2, 3, 7, 17] {
        let (first, second) = (lines(seed), lines(seed));
        let differs = first.iter().zip(&second).find(|(a, b)| a != b);
        assert_eq!(differs, None, "seed {seed}");
        assert_eq!(first.len(), second.len(), "seed {seed}");
        assert!(first.len() > 100, "seed {seed}: nothing happened");
    }
    assert_ne!(lines(1), lines(2));
}
