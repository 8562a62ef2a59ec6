//! `./dev sim`: runs seeds and says what does not hold.

#![expect(clippy::print_stdout, reason = "its result")]

use clap::Parser;
use gridwalk_sim::history;
use gridwalk_sim::world::World;
use std::process::ExitCode;

/// Phones and the server together, by seed.
#[derive(Parser)]
struct Args {
    /// How many seeds.
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Prints everything that happens.
    #[arg(long)]
    trace: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let mut violations = 0;
    for seed in args.from..args.from + args.seeds {
        let mut world = match World::new(seed) {
            Ok(world) => world,
            Err(error) => {
                println!("seed {seed}: the district cannot be made: {error}");
                violations += 1;
                continue;
            }
        };
        world.run();
        if args.trace {
            world.trace.lines().for_each(|line| println!("{line}"));
            println!("trace {:016x}", world.trace.hash());
        }
        if let Some(violation) = &world.broken {
            violations += 1;
            println!("{}", history::report(&world, violation));
        }
    }
    println!("seeds: {}, violations: {violations}", args.seeds);
    if violations == 0 {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
