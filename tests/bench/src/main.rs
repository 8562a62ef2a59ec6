//! `gridwalk-bench`: trains the codec's prior. What it measures is in
//! `benches/`, by `./dev bench`.

use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use gridwalk_bench::{traces, train};

#[derive(Parser)]
#[command(about = "Trains the track codec's prior; see docs/tracks.md")]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Trains the prior anew and writes core/track/src/codec/prior.bin: another prior is another version of the chunk
    Train(Train),
}

#[derive(Args)]
struct Train {
    /// Measure each shipped trace with a prior that has not seen it, and write nothing
    #[arg(long)]
    check: bool,
    /// Where the table goes
    #[arg(long, default_value = "core/track/src/codec/prior.bin")]
    out: PathBuf,
}

fn main() -> Result<()> {
    let What::Train(args) = Cli::parse().what;
    let shipped = traces::shipped()?;
    if args.check {
        train::check(&shipped, &mut std::io::stdout().lock())?;
    } else {
        std::fs::write(&args.out, train::learn(&train::lessons(&shipped)))?;
    }
    Ok(())
}
