//! `tracks`: the codec beside others, distance, simplification.

mod codecs;
mod columns;
mod motion;
mod ours;
mod peers;
mod timer;

use std::collections::BTreeMap;

use anyhow::Result;
use serde::Serialize;

use crate::traces::Trace;
use codecs::{Codec, Figures};
use motion::{Distance, Simplify};

/// Fixes in a chunk: a minute, five and an hour at one a second.
pub const CHUNKS: [usize; 3] = [60, 300, 3600];

/// Everything that is measured, as `--json` prints it.
#[derive(Debug, Serialize)]
pub struct Report {
    /// How many traces.
    pub traces: usize,
    /// How many fixes in all of them.
    pub fixes: usize,
    /// Ours, by fixes in a chunk.
    pub codec: BTreeMap<usize, Figures>,
    /// The others, by name and fixes in a chunk.
    pub peers: BTreeMap<&'static str, BTreeMap<usize, Figures>>,
    /// The estimator of distance.
    pub distance: Distance,
    /// Time-synchronised simplification at 5 m.
    pub simplify: Simplify,
}

/// Measures everything on these traces.
///
/// # Errors
///
/// Where a codec does not give back exactly what went in.
pub fn measure(traces: &[Trace]) -> Result<Report> {
    let ours = codecs::measure(&ours::Chunk, traces)?;
    let mut others = BTreeMap::new();
    let all: [&dyn Codec; 3] = [&peers::DodZstd, &peers::Pcodec, &peers::Polyline];
    for codec in all {
        others.insert(codec.name(), codecs::measure(codec, traces)?);
    }
    Ok(Report {
        traces: traces.len(),
        fixes: traces.iter().map(|t| t.fixes.len()).sum(),
        codec: ours,
        peers: others,
        distance: motion::distance(traces),
        simplify: motion::simplify(traces)?,
    })
}

impl Report {
    /// The tables for people.
    #[must_use]
    pub fn tables(&self) -> String {
        let mut out = format!(
            "{} traces, {} fixes; medians over traces\n\n",
            self.traces, self.fixes
        );
        out += "codec         fixes/chunk   pos  pos+acc  +speed  B/fix | encode decode ns/fix\n";
        let ours = std::iter::once(("gridwalk", &self.codec));
        for (name, figures) in ours.chain(self.peers.iter().map(|(n, f)| (*n, f))) {
            for (chunk, f) in figures {
                out += &format!(
                    "{name:<14}{chunk:>11} {:>5}    {:>5}   {:>5}        | {:>6} {:>6}\n",
                    shown(f.pos, 3),
                    shown(f.pos_acc, 3),
                    shown(f.full, 3),
                    shown(f.enc_ns, 0),
                    shown(f.dec_ns, 0),
                );
            }
        }
        let d = &self.distance;
        out += &format!(
            "\ndistance: {} ns/fix; lying still {} m/h (median), {} m/h (most)\n",
            shown(d.ns, 0),
            shown(d.still_m_per_h_median, 0),
            shown(d.still_m_per_h_max, 0),
        );
        let s = &self.simplify;
        out += &format!(
            "simplify at 5 m: {} ns/fix; {} of the points kept; furthest off {} m\n",
            shown(s.ns, 0),
            shown(s.kept, 4),
            shown(s.max_sed_m, 2),
        );
        out
    }
}

fn shown(value: Option<f64>, digits: usize) -> String {
    value.map_or("–".to_owned(), |v| format!("{v:.digits$}"))
}

/// The middle of some values; the mean of the two middle ones of an even
/// number.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let middle = values.len() / 2;
    match values.len() {
        0 => None,
        n if n % 2 == 1 => Some(values[middle]),
        _ => Some(f64::midpoint(values[middle - 1], values[middle])),
    }
}
