//! Measures distance and simplification.

use anyhow::{Result, ensure};
use gridwalk_domain::Fix;
use gridwalk_track::route::Route;
use gridwalk_track::simplify::{fewest, max_sed_m};
use serde::Serialize;

use super::median;
use super::timer::ns_each;
use crate::traces::Trace;

/// How well distance is estimated.
#[derive(Clone, Debug, Serialize)]
pub struct Distance {
    /// Nanoseconds a fix: filter, gaps, stops and distance together.
    pub ns: Option<f64>,
    /// Metres an hour of phones that lie still, in the middle.
    pub still_m_per_h_median: Option<f64>,
    /// The same of the worst.
    pub still_m_per_h_max: Option<f64>,
}

/// How well simplification at 5 m does.
#[derive(Clone, Debug, Serialize)]
pub struct Simplify {
    /// Nanoseconds a fix.
    pub ns: Option<f64>,
    /// The share of the points that is kept, in the middle.
    pub kept: Option<f64>,
    /// The largest distance of any fix of any trace from the simplified line,
    /// at its time.
    pub max_sed_m: Option<f64>,
}

const TOLERANCE_M: f64 = 5.0;

pub(super) fn distance(traces: &[Trace]) -> Distance {
    let mut ns = Vec::new();
    let mut still = Vec::new();
    for trace in traces {
        let (took, route) = ns_each(trace.fixes.len(), || Route::of(&trace.fixes));
        ns.push(took);
        if trace.name.starts_with("still") {
            still.extend(hours(&trace.fixes).map(|hours| route.distance_m / hours));
        }
    }
    Distance {
        ns: median(ns),
        still_m_per_h_max: still.iter().copied().reduce(f64::max),
        still_m_per_h_median: median(still),
    }
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of a trace")]
fn hours(fixes: &[Fix]) -> Option<f64> {
    let ms = fixes.last()?.time_ms - fixes.first()?.time_ms;
    (ms > 0).then_some(ms as f64 / 3_600_000.0)
}

#[expect(clippy::cast_precision_loss, reason = "counts of fixes")]
pub(super) fn simplify(traces: &[Trace]) -> Result<Simplify> {
    let (mut ns, mut kept, mut furthest) = (vec![], vec![], 0.0_f64);
    for trace in traces {
        let route = Route::of(&trace.fixes);
        if route.used == 0 {
            continue;
        }
        let simplify = || {
            route
                .segments
                .iter()
                .map(|s| fewest(s, TOLERANCE_M))
                .collect::<Vec<_>>()
        };
        let (took, lines) = ns_each(route.used, simplify);
        ns.push(took);
        kept.push(lines.iter().map(Vec::len).sum::<usize>() as f64 / route.used as f64);
        for (segment, line) in route.segments.iter().zip(&lines) {
            furthest = furthest.max(max_sed_m(segment, line));
        }
    }
    ensure!(
        furthest <= TOLERANCE_M,
        "a simplified line is {furthest} m off"
    );
    Ok(Simplify {
        ns: median(ns),
        max_sed_m: (!kept.is_empty()).then_some(furthest),
        kept: median(kept),
    })
}
