//! What may be said of a patrol's route: where it went, where nothing is
//! known, where it stood, how far it was and how long it took.
//!
//! A route is a list of segments. Between two of them lies a [`Gap`], with the
//! reason why there is no usable fix: nothing is drawn there, nothing counted,
//! no site credited. Within a segment two fixes are joined by a straight line.
//!
//! The same function runs on the phone and on the server, over the same stored
//! fixes, and comes to the same answer.

mod gaps;
mod motion;

use std::collections::BTreeMap;

use gridwalk_domain::{Fix, GapCause, Position};
pub use gridwalk_domain::{Mark, MarkKind};

use crate::filter::{Arrived, Filter};
use crate::{Refusal, StoredFix, quantise_keeping};
use gaps::{Marks, Parts};
pub use motion::MotionRules;

/// A stretch with no usable fix (轨迹中断).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gap {
    /// The last usable fix before it, or the start of the patrol.
    pub from_ms: i64,
    /// The first usable fix after it, or the end of the patrol. Earlier than
    /// `from_ms` where the phone's clock was set back in between.
    pub to_ms: i64,
    /// Why.
    pub cause: GapCause,
    /// Where it began, where that is known.
    pub from: Option<Position>,
    /// Where it ended, where that is known.
    pub to: Option<Position>,
}

impl Gap {
    /// How long, in milliseconds; 0 where the clock was set back.
    #[must_use]
    pub fn duration_ms(&self) -> i64 {
        self.to_ms.saturating_sub(self.from_ms).max(0)
    }
}

/// A stretch of a segment in one place (停留).
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Stop {
    /// The first fix of it.
    pub from_ms: i64,
    /// The last fix of it.
    pub to_ms: i64,
    /// Its middle.
    pub at: Position,
}

impl Stop {
    /// How long, in milliseconds.
    #[must_use]
    pub fn duration_ms(&self) -> i64 {
        self.to_ms.saturating_sub(self.from_ms).max(0)
    }
}

/// The rectangle around a route, in degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bbox {
    /// Smallest longitude.
    pub west: f64,
    /// Smallest latitude.
    pub south: f64,
    /// Largest longitude.
    pub east: f64,
    /// Largest latitude.
    pub north: f64,
}

/// When a silence is a gap.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// A silence longer than this is a gap, in milliseconds.
    pub silence_ms: i64,
    /// A logger that writes rarely is allowed this many of its usual intervals.
    pub usual_intervals: i64,
    /// But never more than this, in milliseconds.
    pub most_silence_ms: i64,
    /// A silence longer than this is a gap where the shell reported a cause.
    pub reported_silence_ms: i64,
    /// Nobody is faster, in metres a second: a jump is a gap.
    pub speed_mps: f64,
    /// How distance and stops are found.
    pub motion: MotionRules,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            silence_ms: 60_000,
            usual_intervals: 6,
            most_silence_ms: 900_000,
            reported_silence_ms: 15_000,
            speed_mps: 70.0,
            motion: MotionRules::default(),
        }
    }
}

/// A patrol's route, computed.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Route {
    /// The used fixes; between two segments lies a gap.
    pub segments: Vec<Vec<Fix>>,
    /// The gaps, in order: between the segments, and before and after them
    /// where the patrol began earlier or ended later.
    pub gaps: Vec<Gap>,
    /// The stops, in order.
    pub stops: Vec<Stop>,
    /// The distance walked over the segments, in metres. Stops and gaps count
    /// for nothing.
    pub distance_m: f64,
    /// The time of the segments without their stops, in milliseconds.
    pub moving_ms: i64,
    /// When the patrol began; the first used fix where no mark says it.
    pub started_ms: Option<i64>,
    /// When it ended; the last used fix where no mark says it.
    pub ended_ms: Option<i64>,
    /// How many fixes were given.
    pub fixes: usize,
    /// How many of them the segments use.
    pub used: usize,
    /// How many were refused, by reason.
    pub refused: Vec<(Refusal, usize)>,
    /// The rectangle around the segments.
    pub bbox: Option<Bbox>,
}

impl Route {
    /// Computes a route from the stored fixes of a patrol.
    ///
    /// Each of `runs` holds the fixes of one run (one opening of the engine)
    /// in the order of their ordinals; the runs may come in any order and are
    /// taken in that of their first usable fix. `marks` too may come in any
    /// order.
    #[must_use]
    pub fn build<R: AsRef<[StoredFix]>>(runs: &[R], marks: &[Mark]) -> Self {
        Self::build_with(runs, marks, &Rules::default())
    }

    /// [`Route::build`] by other rules.
    #[must_use]
    pub fn build_with<R: AsRef<[StoredFix]>>(runs: &[R], marks: &[Mark], rules: &Rules) -> Self {
        let marks = Marks::new(marks);
        let mut ordered: Vec<&[StoredFix]> = runs.iter().map(AsRef::as_ref).collect();
        ordered.sort_by_key(|run| {
            run.iter()
                .find(|s| s.refused.is_none())
                .map_or(i64::MAX, |s| s.fix.time_ms)
        });
        let Parts { segments, gaps } = gaps::split(&ordered, &marks, rules);
        let mut route = Self {
            gaps,
            fixes: ordered.iter().map(|run| run.len()).sum(),
            used: segments.iter().map(Vec::len).sum(),
            refused: count_refused(&ordered),
            bbox: bbox(segments.iter().flatten()),
            ..Self::default()
        };
        for segment in &segments {
            let motion = motion::of(segment, &rules.motion);
            route.distance_m += motion.distance_m;
            route.moving_ms += motion.moving_ms;
            route.stops.extend(motion.stops);
        }
        let edge = |fix: Option<&Fix>| fix.map(|f| f.time_ms);
        route.started_ms = marks
            .started
            .or(edge(segments.first().and_then(|s| s.first())));
        route.ended_ms = marks
            .finished
            .or(edge(segments.last().and_then(|s| s.last())));
        route.segments = segments;
        route
    }

    /// The route of an imported track: its fixes filtered as if they had just
    /// arrived, with no marks. Altitude and bearing are kept.
    #[must_use]
    pub fn of(fixes: &[Fix]) -> Self {
        let mut filter = Filter::default();
        let stored: Vec<StoredFix> = fixes
            .iter()
            .map(|raw| {
                let fix = quantise_keeping(raw, crate::Keep::ALL);
                let refused = filter.judge(&fix, Arrived::of(&fix));
                StoredFix {
                    fix: Fix {
                        bearing_deg: raw.bearing_deg,
                        ..fix
                    },
                    refused,
                }
            })
            .collect();
        Self::build(&[stored], &[])
    }

    /// Milliseconds of all gaps.
    #[must_use]
    pub fn gap_ms(&self) -> i64 {
        let all = self.gaps.iter().map(Gap::duration_ms);
        // Times that no clock shows are possible, their sum need not be.
        all.fold(0, i64::saturating_add)
    }

    /// The used fixes of all segments, in order.
    pub fn fixes_used(&self) -> impl Iterator<Item = &Fix> {
        self.segments.iter().flatten()
    }
}

fn count_refused(runs: &[&[StoredFix]]) -> Vec<(Refusal, usize)> {
    let mut counts = BTreeMap::new();
    for reason in runs
        .iter()
        .flat_map(|run| run.iter())
        .filter_map(|s| s.refused)
    {
        *counts.entry(reason).or_insert(0) += 1;
    }
    counts.into_iter().collect()
}

fn bbox<'a>(fixes: impl Iterator<Item = &'a Fix>) -> Option<Bbox> {
    fixes.map(|f| f.position).fold(None, |bbox, p| {
        let one = Bbox {
            west: p.lon,
            south: p.lat,
            east: p.lon,
            north: p.lat,
        };
        Some(bbox.map_or(one, |b: Bbox| Bbox {
            west: b.west.min(p.lon),
            south: b.south.min(p.lat),
            east: b.east.max(p.lon),
            north: b.north.max(p.lat),
        }))
    })
}

#[cfg(test)]
mod tests;
