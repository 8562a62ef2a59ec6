//! Writes Lanshan's synthetic grid as GeoJSON.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context;
use clap::Parser;
use gridwalk_world::World;

/// Lanshan's synthetic grid (兰山区合成网格) as GeoJSON, all four levels.
#[derive(Parser)]
struct Arguments {
    /// The same seed gives the same bytes.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Where to write; standard output if not given.
    #[arg(long)]
    out: Option<PathBuf>,
}

fn main() -> anyhow::Result<()> {
    let arguments = Arguments::parse();
    let text = World::lanshan(arguments.seed)?.to_geojson().to_string();
    match arguments.out {
        Some(path) => std::fs::write(&path, text).with_context(|| {
            format!(
                "writing {}: is its folder there and writable?",
                path.display()
            )
        }),
        None => std::io::stdout()
            .write_all(text.as_bytes())
            .context("writing to standard output"),
    }
}
