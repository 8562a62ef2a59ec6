//! Traces to measure on: files, and synthetic days.

use std::path::Path;

use anyhow::{Context as _, Result, bail};
use gridwalk_domain::Fix;
use gridwalk_track::read;

use crate::days::{Day, Plan};

/// Synthetic days from this seed on are measured on, those before are trained
/// on.
pub const MEASURED_FROM: u64 = 1000;

/// One trace.
#[derive(Clone, Debug)]
pub struct Trace {
    /// The file's name without its ending.
    pub name: String,
    /// Its fixes.
    pub fixes: Vec<Fix>,
}

/// All CSV files of a folder, by name.
///
/// # Errors
///
/// Where the folder or a file cannot be read.
pub fn of_folder(folder: &Path) -> Result<Vec<Trace>> {
    let listed = std::fs::read_dir(folder)
        .with_context(|| format!("cannot read the folder {}", folder.display()))?;
    let mut paths = listed
        .map(|e| e.map(|e| e.path()))
        .collect::<std::io::Result<Vec<_>>>()?;
    paths.retain(|p| p.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv")));
    paths.sort();
    if paths.is_empty() {
        bail!("there is no .csv file in {}", folder.display());
    }
    let one = |path: &std::path::PathBuf| -> Result<Trace> {
        let bytes = std::fs::read(path)?;
        let name = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        Ok(Trace {
            name,
            fixes: read::csv(&bytes)?,
        })
    };
    paths
        .iter()
        .map(|p| one(p).with_context(|| p.display().to_string()))
        .collect()
}

/// The traces that the project ships, wherever the program is called.
///
/// # Errors
///
/// As [`of_folder`].
pub fn shipped() -> Result<Vec<Trace>> {
    of_folder(concat!(env!("CARGO_MANIFEST_DIR"), "/../fixtures/tracks").as_ref())
}

/// Synthetic days and hours of lying still.
#[must_use]
pub fn synthetic(from_seed: u64, days: u64) -> Vec<Trace> {
    let plans = [
        ("day", Plan::DAY),
        ("walk", Plan::WALK),
        ("still", Plan::STILL),
    ];
    let seeds = from_seed..from_seed + days;
    let made = seeds.flat_map(|seed| plans.map(|(kind, plan)| (kind, seed, plan)));
    made.map(|(kind, seed, plan)| Trace {
        name: format!("{kind}_synthetic_{seed}"),
        fixes: Day::new(seed, plan).fixes,
    })
    .collect()
}
