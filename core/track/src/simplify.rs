//! Thins a segment for drawing and for the wire, by time-synchronised distance.
//!
//! A plain line simplification may drop a stop: the line stays, but where the
//! worker was at 10:42 is wrong. Here a fix may go only if the remaining line
//! is within the tolerance of it *at its time*. [`fewest`] looks at the whole
//! segment (top-down, by time ratio), [`OpwTr`] decides as fixes arrive (an
//! opening window).
//!
//! Give one segment at a time: a line must never lead over a gap.

use gridwalk_domain::Fix;

use crate::geometry::{METRES_PER_DEGREE, Metres, Plane};

/// A fix as the algorithms see it.
#[derive(Clone, Copy, Debug)]
struct Point {
    ms: f64,
    at: Metres,
}

impl Point {
    /// How far the line from `a` to `b` is from this fix, at its time: squared.
    #[inline]
    fn off2(&self, a: &Self, b: &Self) -> f64 {
        let span = b.ms - a.ms;
        let share = if span > 0.0 {
            (self.ms - a.ms) / span
        } else {
            0.0
        };
        let east = self.at.east - (a.at.east + share * (b.at.east - a.at.east));
        let north = self.at.north - (a.at.north + share * (b.at.north - a.at.north));
        east * east + north * north
    }
}

/// Distances are computed on a plane around a fix of the segment; this much
/// of the tolerance is left for the error of that, some kilometres away.
const MARGIN: f64 = 0.99;

/// The indices of the fixes that remain, as few as lead from each as far as one
/// line can, so that each one that goes is within `tolerance_m` metres of the
/// remaining line at its time. The first and the last remain always. The fixes
/// are to be in the order of their times.
///
/// From a fix that remains, each later one allows only some velocities: those
/// that pass it within the tolerance, a disc that shrinks with time. The next
/// to remain is the last fix whose own velocity lies in all discs before it.
#[must_use]
pub fn fewest(fixes: &[Fix], tolerance_m: f64) -> Vec<usize> {
    if fixes.len() <= 2 {
        return (0..fixes.len()).collect();
    }
    let points = project(fixes);
    let limit = tolerance_m.max(0.0) * MARGIN;
    let mut kept = vec![0];
    let mut from = 0;
    while from + 1 < points.len() {
        let end = horizon(&points, from, limit);
        let serves = |to: &usize| {
            let (a, b) = (&points[from], &points[*to]);
            points[from + 1..*to]
                .iter()
                .rev()
                .all(|p| p.off2(a, b) <= limit * limit)
        };
        // The next fix itself always serves.
        from = candidates(from, end).find(serves).unwrap_or(from + 1);
        kept.push(from);
    }
    kept
}

/// Ends to try, the furthest first: one after the other, then in strides that
/// grow, so that not even a track made to annoy takes long.
fn candidates(from: usize, end: usize) -> impl Iterator<Item = usize> {
    let mut tried = 0_u32;
    std::iter::successors(end.checked_sub(1), move |at| {
        tried += 1;
        at.checked_sub(1 << tried.saturating_sub(NEIGHBOURS).min(20))
    })
    .take_while(move |at| *at > from)
}

/// How many ends are tried one after the other.
const NEIGHBOURS: u32 = 40;
/// How many fixes one line may serve: an hour at one a second.
const REACH: usize = 3600;

/// One past the last fix that a line from `from` might reach: where the discs
/// of velocities have nothing in common any more, seen from eight sides.
fn horizon(points: &[Point], from: usize, limit: f64) -> usize {
    const SIDES: [(f64, f64); 4] = {
        let half = std::f64::consts::FRAC_1_SQRT_2;
        [(1.0, 0.0), (half, half), (0.0, 1.0), (-half, half)]
    };
    let mut low = [f64::NEG_INFINITY; 4];
    let mut high = [f64::INFINITY; 4];
    let start = &points[from];
    for (i, p) in points.iter().enumerate().skip(from + 1).take(REACH) {
        let span = p.ms - start.ms;
        if span <= 0.0 {
            return i + 1;
        }
        let east = (p.at.east - start.at.east) / span;
        let north = (p.at.north - start.at.north) / span;
        let radius = limit / span;
        for (side, (e, n)) in SIDES.iter().enumerate() {
            let along = east * e + north * n;
            low[side] = low[side].max(along - radius);
            high[side] = high[side].min(along + radius);
            if low[side] > high[side] {
                return i + 1;
            }
        }
    }
    points.len().min(from + 1 + REACH)
}

/// The fixes that [`fewest`] leaves.
#[must_use]
pub fn simplified(fixes: &[Fix], tolerance_m: f64) -> Vec<Fix> {
    fewest(fixes, tolerance_m)
        .into_iter()
        .map(|i| fixes[i])
        .collect()
}

/// The largest distance in metres between a fix and the line that the `kept`
/// ones leave, at the fix's time.
#[must_use]
pub fn max_sed_m(fixes: &[Fix], kept: &[usize]) -> f64 {
    let points = project(fixes);
    let off2 = kept
        .windows(2)
        .filter_map(|w| worst(&points, w[0], w[1]).map(|(_, off2)| off2));
    off2.fold(0.0, f64::max).sqrt()
}

/// A tolerance in metres that fits a web map's zoom level: half a pixel of its
/// 256-pixel tiles there, and never below the 5 m of a stored route.
#[must_use]
pub fn tolerance_at_zoom(zoom: u8, lat: f64) -> f64 {
    let metres_per_pixel =
        METRES_PER_DEGREE * 360.0 * lat.to_radians().cos() / (256.0 * 2_f64.powi(i32::from(zoom)));
    (metres_per_pixel / 2.0).max(5.0)
}

/// The fix between two that is furthest off the line between them.
fn worst(points: &[Point], first: usize, last: usize) -> Option<(usize, f64)> {
    let (a, b) = (points.get(first)?, points.get(last)?);
    let inner = points.get(first + 1..last)?;
    let mut found: Option<(usize, f64)> = None;
    for (i, p) in inner.iter().enumerate() {
        let off2 = p.off2(a, b);
        if found.is_none_or(|(_, most)| off2 > most) {
            found = Some((first + 1 + i, off2));
        }
    }
    found
}

fn project(fixes: &[Fix]) -> Vec<Point> {
    let Some(middle) = fixes.get(fixes.len() / 2) else {
        return Vec::new();
    };
    let plane = Plane::around(middle.position);
    let start = fixes[0].time_ms;
    fixes.iter().map(|f| point(f, &plane, start)).collect()
}

fn point(fix: &Fix, plane: &Plane, start: i64) -> Point {
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of one segment")]
    let ms = fix.time_ms.saturating_sub(start) as f64;
    Point {
        ms,
        at: plane.metres(fix.position),
    }
}

/// How many fixes the window of [`OpwTr`] may hold: two minutes at one a
/// second. A longer straight is cut here, which bounds the time for a fix.
const WINDOW: usize = 120;

/// Simplifies as fixes arrive: the window stays open while one line serves all
/// in it, and closes at the last fix before the one where it no longer does.
#[derive(Clone, Debug)]
pub struct OpwTr {
    limit2: f64,
    plane: Option<(Plane, i64)>,
    /// The fix where the line begins, and those since; the last is the newest.
    window: Vec<(Fix, Point)>,
}

impl OpwTr {
    /// With this tolerance in metres.
    #[must_use]
    pub fn new(tolerance_m: f64) -> Self {
        Self {
            limit2: (tolerance_m.max(0.0) * MARGIN).powi(2),
            plane: None,
            window: Vec::new(),
        }
    }

    /// Takes the next fix of the segment; gives back one that remains, where
    /// that is now known.
    pub fn push(&mut self, fix: Fix) -> Option<Fix> {
        let (plane, start) = *self
            .plane
            .get_or_insert_with(|| (Plane::around(fix.position), fix.time_ms));
        let newest = point(&fix, &plane, start);
        if self.window.is_empty() {
            self.window.push((fix, newest));
            return Some(fix);
        }
        let anchor = self.window[0].1;
        let served = self.window[1..]
            .iter()
            .all(|(_, p)| p.off2(&anchor, &newest) <= self.limit2);
        if served && self.window.len() < WINDOW {
            self.window.push((fix, newest));
            return None;
        }
        let before = self.window.pop()?.0;
        // A new plane at each cut: the segment may be long.
        let plane = Plane::around(before.position);
        let start = before.time_ms;
        self.plane = Some((plane, start));
        self.window.clear();
        self.window.push((before, point(&before, &plane, start)));
        self.window.push((fix, point(&fix, &plane, start)));
        Some(before)
    }

    /// The last fix of the segment, where it was not given back before.
    #[must_use]
    pub fn finish(mut self) -> Option<Fix> {
        if self.window.len() > 1 {
            self.window.pop().map(|(fix, _)| fix)
        } else {
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use gridwalk_domain::Position;
    use proptest::prelude::*;

    use super::*;

    fn fix(ms: i64, east: f64, north: f64) -> Fix {
        let plane = Plane::around(Position {
            lat: 35.0,
            lon: 118.0,
        });
        Fix {
            time_ms: ms,
            position: plane.position(Metres { east, north }),
            accuracy_m: None,
            altitude_m: None,
            speed_mps: None,
            bearing_deg: None,
            mocked: false,
        }
    }

    /// Ten minutes out, ten minutes' stop, ten minutes on, all on one line.
    fn with_stop() -> Vec<Fix> {
        (0..1800)
            .map(|s| {
                let walked = if s < 600 {
                    s
                } else if s < 1200 {
                    600
                } else {
                    s - 600
                };
                fix(s * 1000, 1.3 * walked as f64, 0.0)
            })
            .collect()
    }

    fn streamed(fixes: &[Fix], tolerance_m: f64) -> Vec<Fix> {
        let mut opw = OpwTr::new(tolerance_m);
        let mut kept: Vec<Fix> = fixes.iter().filter_map(|f| opw.push(*f)).collect();
        kept.extend(opw.finish());
        kept
    }

    /// The indices of fixes that were kept, by their unique times.
    fn indices(fixes: &[Fix], kept: &[Fix]) -> Vec<usize> {
        let at = |k: &Fix| fixes.iter().position(|f| f.time_ms == k.time_ms).unwrap();
        kept.iter().map(at).collect()
    }

    #[test]
    fn a_stop_on_a_straight_line_stays() {
        let fixes = with_stop();
        let kept = fewest(&fixes, 5.0);
        assert!(kept.len() <= 6, "{kept:?}");
        assert!(kept.iter().any(|i| (590..=610).contains(i)), "{kept:?}");
        assert!(kept.iter().any(|i| (1190..=1210).contains(i)), "{kept:?}");
        assert!(max_sed_m(&fixes, &kept) <= 5.0);
        assert!(max_sed_m(&fixes, &[0, 1799]) > 100.0);
    }

    #[test]
    fn few_fixes_stay_as_they_are() {
        let fixes = with_stop();
        assert_eq!(fewest(&fixes[..0], 5.0), [0; 0]);
        assert_eq!(fewest(&fixes[..1], 5.0), [0]);
        assert_eq!(fewest(&fixes[..2], 5.0), [0, 1]);
        assert_eq!(streamed(&fixes[..1], 5.0).len(), 1);
        assert_eq!(streamed(&fixes[..2], 5.0).len(), 2);
    }

    #[test]
    fn zoom_levels_get_coarser_outwards() {
        assert!((tolerance_at_zoom(19, 35.0) - 5.0).abs() < 1e-9);
        assert!((tolerance_at_zoom(12, 35.0) - 15.7).abs() < 0.1);
        assert!(tolerance_at_zoom(8, 35.0) > 200.0);
    }

    proptest! {
        #[test]
        fn the_bound_holds_whatever_the_way(
            steps in prop::collection::vec((1..120_000_i64, -200.0..200.0_f64, -200.0..200.0_f64), 2..200),
            tolerance in 0.5..50.0_f64,
        ) {
            let (mut ms, mut east, mut north) = (0, 0.0, 0.0);
            let fixes: Vec<Fix> = steps.iter().map(|(dt, de, dn)| {
                ms += dt; east += de; north += dn;
                fix(ms, east, north)
            }).collect();
            let kept = fewest(&fixes, tolerance);
            prop_assert!(max_sed_m(&fixes, &kept) <= tolerance);
            prop_assert_eq!((kept[0], *kept.last().unwrap()), (0, fixes.len() - 1));
            prop_assert!(kept.windows(2).all(|w| w[0] < w[1]));
            let kept = indices(&fixes, &streamed(&fixes, tolerance));
            prop_assert!(max_sed_m(&fixes, &kept) <= tolerance);
            prop_assert_eq!((kept[0], *kept.last().unwrap()), (0, fixes.len() - 1));
            prop_assert!(kept.windows(2).all(|w| w[0] < w[1]));
        }
    }
}
