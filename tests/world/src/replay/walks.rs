//! The walks that the project ships.

use std::path::Path;

use geo::Polygon;
use gridwalk_domain::Fix;
use gridwalk_track::read;

use super::fold::Walker;
use super::walking_pieces;
use crate::WorldError;

/// Time between the end of one walk and the start of the next, in milliseconds.
const PAUSE_MS: i64 = 1000;

/// A stretch that somebody walked, as it was recorded.
#[derive(Clone, Debug, PartialEq)]
pub struct Walk {
    /// The file it was cut from.
    pub source: String,
    /// Its fixes, in the order of time.
    pub fixes: Vec<Fix>,
}

impl Walk {
    /// From its first fix to its last, in milliseconds.
    #[must_use]
    pub fn length_ms(&self) -> i64 {
        let ends = self.fixes.first().zip(self.fixes.last());
        ends.map_or(0, |(first, last)| last.time_ms - first.time_ms)
    }
}

/// Walks to fill patrols with.
#[derive(Clone, Debug, PartialEq)]
pub struct Walks(Vec<Walk>);

impl Walks {
    /// The walks in the traces of `tests/fixtures/tracks`.
    ///
    /// # Errors
    ///
    /// A trace that is missing or malformed.
    pub fn shipped() -> Result<Self, WorldError> {
        Self::from_folder(Path::new(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../fixtures/tracks"
        )))
    }

    /// The walks in the CSV traces of a folder, in the order of the files' names.
    ///
    /// # Errors
    ///
    /// A folder that cannot be read, a malformed trace, or no walk in any of them.
    pub fn from_folder(folder: &Path) -> Result<Self, WorldError> {
        let fault = |path: &Path, problem: String| WorldError::Trace {
            file: path.display().to_string(),
            problem,
        };
        let entries = std::fs::read_dir(folder).map_err(|e| fault(folder, e.to_string()))?;
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.map_err(|e| fault(folder, e.to_string()))?.path();
            if path.extension().is_some_and(|e| e == "csv") {
                files.push(path);
            }
        }
        files.sort();
        let mut walks = Vec::new();
        for path in files {
            let bytes = std::fs::read(&path).map_err(|e| fault(&path, e.to_string()))?;
            let trace = read::csv(&bytes).map_err(|e| fault(&path, e.to_string()))?;
            let source = path.file_name().unwrap_or_default().to_string_lossy();
            let cut = |fixes| Walk {
                source: source.to_string(),
                fixes,
            };
            walks.extend(walking_pieces(&trace).into_iter().map(cut));
        }
        if walks.is_empty() {
            return Err(WorldError::Replay("there is no walk in any trace"));
        }
        Ok(Self(walks))
    }

    /// The walks, in the order of the files' names and of time.
    #[must_use]
    pub fn all(&self) -> &[Walk] {
        &self.0
    }

    /// All walks together, in milliseconds.
    #[must_use]
    pub fn length_ms(&self) -> i64 {
        self.0.iter().map(Walk::length_ms).sum()
    }

    /// The fixes of a patrol of this length in a grid (`polygon` in degrees).
    ///
    /// Walks chosen by seed follow one another from place to place, each moved
    /// as [`super::fit_into_grid`] does, until the time is filled. A district
    /// needs more hours than were shipped, so a walk may serve several times,
    /// in other places and turned otherwise.
    ///
    /// # Errors
    ///
    /// A polygon without area.
    pub fn patrol(
        &self,
        polygon: &Polygon<f64>,
        start_ms: i64,
        length_ms: i64,
        seed: u64,
    ) -> Result<Vec<Fix>, WorldError> {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut walker = Walker::set_down(polygon, &mut rng)?;
        let mut fixes: Vec<Fix> = Vec::new();
        let mut order: Vec<&Walk> = Vec::new();
        let end_ms = start_ms + length_ms;
        let mut now_ms = start_ms;
        while now_ms <= end_ms {
            if order.is_empty() {
                order.extend(&self.0);
                rng.shuffle(&mut order);
            }
            let Some(walk) = order.pop() else { break };
            fixes.extend(walker.follow(&walk.fixes, now_ms, &mut rng));
            now_ms += walk.length_ms() + PAUSE_MS;
        }
        fixes.truncate(fixes.partition_point(|f| f.time_ms <= end_ms));
        Ok(fixes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_malformed_trace_is_named_with_its_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("bad.csv");
        std::fs::write(&path, "t_ms,lat,lon,alt,acc,speed,bearing\n1,2,x,,,,\n").unwrap();
        let text = Walks::from_folder(folder.path()).unwrap_err().to_string();
        assert!(
            text.contains("bad.csv") && text.contains("line 2"),
            "{text}"
        );
    }

    #[test]
    fn a_folder_that_is_missing_or_empty_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let text = |path: &Path| Walks::from_folder(path).unwrap_err().to_string();
        assert!(text(folder.path()).contains("no walk"));
        assert!(text(&folder.path().join("nowhere")).contains("nowhere"));
    }
}
