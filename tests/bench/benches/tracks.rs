//! `./dev bench tracks`: the codec beside others, distance, simplification, on
//! any traces.

use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Result;
use clap::Parser;
use gridwalk_bench::{arguments, traces, tracks};

#[derive(Parser)]
struct Args {
    /// Folder of CSV files; without it the shipped traces and synthetic days
    #[arg(long)]
    data: Option<PathBuf>,
    /// One JSON object on the last line
    #[arg(long)]
    json: bool,
}

fn main() -> Result<()> {
    let args = Args::parse_from(arguments());
    let traces = match &args.data {
        Some(folder) => traces::of_folder(folder)?,
        None => {
            let mut all = traces::shipped()?;
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
    Ok(())
}
