//! `gridwalk-bench`: measures, and trains what is measured.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, Parser, Subcommand};
use gridwalk_bench::{traces, tracks, train};

#[derive(Parser)]
#[command(about = "Measures Gridwalk; see docs/architecture.md")]
struct Cli {
    #[command(subcommand)]
    what: What,
}

#[derive(Subcommand)]
enum What {
    /// Track codec, distance and simplification, beside other codecs
    Tracks(Tracks),
    /// Trains the codec's prior anew and writes core/track/src/codec/prior.bin
    Train(Train),
}

#[derive(Args)]
struct Tracks {
    /// Folder of CSV files; without it the shipped traces and synthetic days
    #[arg(long)]
    data: Option<PathBuf>,
    /// One JSON object on the last line
    #[arg(long)]
    json: bool,
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

/// The shipped traces, wherever the program is called.
const SHIPPED: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/tracks");

fn main() -> Result<()> {
    match Cli::parse().what {
        What::Tracks(args) => {
            let traces = match &args.data {
                Some(folder) => traces::of_folder(folder)?,
                None => {
                    let mut all = traces::of_folder(SHIPPED.as_ref())?;
                    // Days that no prior was trained on.
                    all.extend(traces::synthetic(traces::MEASURED_FROM, 7));
                    all
                }
            };
            let report = tracks::measure(&traces)?;
            let mut out = std::io::stdout().lock();
            writeln!(out, "{}", report.tables())?;
            if args.json {
                writeln!(out, "{}", serde_json::to_string(&report)?)?;
            }
        }
        What::Train(args) => {
            let shipped = traces::of_folder(SHIPPED.as_ref())?;
            if args.check {
                train::check(&shipped, &mut std::io::stdout().lock())?;
            } else {
                std::fs::write(&args.out, train::learn(&train::lessons(&shipped)))?;
            }
        }
    }
    Ok(())
}
