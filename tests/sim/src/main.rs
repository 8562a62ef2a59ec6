//! `./dev sim`: runs seeds, or crash points, and says what does not hold.

#![expect(clippy::print_stdout, reason = "its result")]

use clap::Parser;
use gridwalk_sim::world::World;
use gridwalk_sim::{crash_points, history};
use std::env;
use std::io::{self, BufRead as _, BufReader};
use std::process::{Child, Command, ExitCode, Stdio};

/// Phones and the server together, by seed.
#[derive(Parser)]
struct Args {
    /// How many seeds.
    #[arg(long, default_value_t = 200)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 1)]
    from: u64,
    /// Instead of seeds, a crash at every step of a scripted day.
    #[arg(long)]
    crash_points: bool,
    /// In how many processes; one for each core where it is 0.
    #[arg(long, default_value_t = 0)]
    jobs: u64,
    /// Ends with the first violation.
    #[arg(long)]
    first: bool,
    /// Prints everything that happens, in one process.
    #[arg(long)]
    trace: bool,
    /// Of the work, this part alone: the nth of so many, as `n/of`.
    #[arg(long, hide = true)]
    part: Option<String>,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let cores = std::thread::available_parallelism().map_or(1, |cores| cores.get() as u64);
    let jobs = match args.jobs {
        _ if args.trace || args.first || args.part.is_some() => 1,
        0 => cores,
        jobs => jobs,
    };
    let done = if jobs > 1 {
        spread(&args, jobs)
    } else {
        here(&args)
    };
    match done {
        Ok((count, violations)) => {
            let what = if args.crash_points {
                "crash points"
            } else {
                "seeds"
            };
            println!("{what}: {count}, violations: {violations}");
            if violations == 0 {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            }
        }
        Err(error) => {
            println!("the simulation cannot run: {error}");
            ExitCode::FAILURE
        }
    }
}

/// What a part of the work consists of: every nth seed or step.
fn units(args: &Args) -> io::Result<impl Iterator<Item = u64>> {
    let (n, of) = match args.part.as_deref().map(|part| part.split_once('/')) {
        None => (0, 1),
        Some(part) => {
            let number = |text: &str| text.parse::<usize>().map_err(io::Error::other);
            let (n, of) = part.ok_or_else(|| io::Error::other("--part is n/of"))?;
            (number(n)?, number(of)?.max(1))
        }
    };
    let all = if args.crash_points {
        0..crash_points::steps().map_err(io::Error::other)?
    } else {
        args.from..args.from + args.seeds
    };
    Ok(all.skip(n).step_by(of))
}

/// Runs seeds or steps in this process: how many runs, how many violations.
fn here(args: &Args) -> io::Result<(u64, u64)> {
    let (mut count, mut violations) = (0, 0);
    for unit in units(args)? {
        let runs: Vec<World> = if args.crash_points {
            let points = crash_points::of_step(unit);
            let runs: Result<_, _> = points.map(crash_points::day).collect();
            runs.map_err(io::Error::other)?
        } else {
            let mut world = World::new(unit).map_err(io::Error::other)?;
            world.run();
            vec![world]
        };
        for world in runs {
            count += 1;
            if args.trace {
                world.trace.lines().for_each(|line| println!("{line}"));
                println!("trace {:016x}", world.trace.hash());
            }
            if let Some(violation) = &world.broken {
                violations += 1;
                println!("{}", history::report(&world, violation));
                if args.first {
                    return Ok((count, violations));
                }
            }
        }
    }
    Ok((count, violations))
}

/// Runs them in processes of this program: SQLite's random numbers are a
/// process's own.
fn spread(args: &Args, jobs: u64) -> io::Result<(u64, u64)> {
    let program = env::current_exe()?;
    let mut children: Vec<Child> = Vec::new();
    for job in 0..jobs {
        let mut command = Command::new(&program);
        command
            .args(["--seeds", &args.seeds.to_string()])
            .args(["--from", &args.from.to_string()])
            .args(["--part", &format!("{job}/{jobs}")])
            .args(args.crash_points.then_some("--crash-points"))
            .stdout(Stdio::piped());
        children.push(command.spawn()?);
    }
    let (mut count, mut violations) = (0, 0);
    for child in &mut children {
        let (runs, found) = listen(child)?;
        count += runs;
        violations += found;
    }
    Ok((count, violations))
}

/// Passes on what a process says, but for its last line, which counts.
fn listen(child: &mut Child) -> io::Result<(u64, u64)> {
    let mut counted = None;
    if let Some(out) = child.stdout.take() {
        for line in BufReader::new(out).lines() {
            let line = line?;
            match last_line(&line) {
                Some(count) => counted = Some(count),
                None => println!("{line}"),
            }
        }
    }
    child.wait()?;
    counted.ok_or_else(|| io::Error::other("a process of it died"))
}

fn last_line(line: &str) -> Option<(u64, u64)> {
    let (runs, found) = line.split_once(", violations: ")?;
    let (_, runs) = runs.split_once(": ")?;
    Some((runs.parse().ok()?, found.parse().ok()?))
}
