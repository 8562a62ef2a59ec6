//! Distance, stops and moving time of one segment.
//!
//! A phone that lies still walks some 800 m an hour if every fix is believed.
//! So three things are done: only accurate fixes count; a step counts when it
//! led ten metres away from where the last one ended; and where the worker
//! stands, in a small box for a minute or without speed for some seconds,
//! nothing counts at all: the way goes from the middle of one stop to the
//! middle of the next. The speed that phones report is not integrated (it is
//! often a tenth too low), it only tells standing from moving.

use std::collections::VecDeque;

use gridwalk_domain::Fix;

use super::Stop;
use crate::geometry::{Metres, Plane};

/// How distance and stops are found.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct MotionRules {
    /// Fixes less accurate than this many metres do not count.
    pub accuracy_m: f32,
    /// A step counts when it led this many metres away.
    pub displacement_m: f64,
    /// Staying within a box of this diagonal, in metres, ...
    pub stop_box_m: f64,
    /// ... for this many milliseconds ...
    pub stop_ms: i64,
    /// ... and as many fixes is a stop.
    pub stop_fixes: usize,
    /// A stop lasts until the fixes are further than this many metres from its
    /// middle, and two stops nearer to each other than this are one place.
    pub merge_m: f64,
    /// Fixes further off for less than this many milliseconds do not end a
    /// stop: nobody walks so far and back in that time, but positions do.
    pub astray_ms: i64,
    /// A step from one fix to the next that is this many metres longer than
    /// twice what the speed allows is none: the position was corrected.
    pub correction_m: f64,
    /// Below this reported speed, in metres a second, ...
    pub still_mps: f32,
    /// ... for this many milliseconds, nothing counts either.
    pub still_ms: i64,
}

impl Default for MotionRules {
    fn default() -> Self {
        Self {
            accuracy_m: 20.0,
            displacement_m: 10.0,
            stop_box_m: 20.0,
            stop_ms: 60_000,
            stop_fixes: 4,
            merge_m: 25.0,
            astray_ms: 30_000,
            correction_m: 6.0,
            still_mps: 0.4,
            still_ms: 10_000,
        }
    }
}

/// What a segment shows.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Motion {
    pub(super) distance_m: f64,
    pub(super) moving_ms: i64,
    pub(super) stops: Vec<Stop>,
}

/// An accurate fix on the segment's plane.
#[derive(Clone, Copy)]
struct Point {
    ms: i64,
    /// Where the phone says.
    told: Metres,
    /// The same without the jumps of corrections: only steps count.
    at: Metres,
    speed: Option<f32>,
}

/// The accurate fixes of a segment. Where a position leaps, between high
/// houses or when a better one is found, the leap is taken out of all that
/// follow: it was no step.
fn points(segment: &[Fix], plane: &Plane, rules: &MotionRules) -> Vec<Point> {
    let mut points: Vec<Point> = Vec::with_capacity(segment.len());
    let mut leapt = Metres::default();
    let mut pace = 0.0_f64;
    let accurate = |f: &&Fix| f.accuracy_m.is_none_or(|a| a <= rules.accuracy_m);
    for fix in segment.iter().filter(accurate) {
        let told = plane.metres(fix.position);
        if let Some(before) = points.last() {
            #[expect(clippy::cast_precision_loss, reason = "milliseconds of a segment")]
            let seconds = (fix.time_ms - before.ms) as f64 / 1000.0;
            let step = before.told.distance(told);
            let fast = fix.speed_mps.map_or(0.0, f64::from).max(pace);
            let most = rules.correction_m + 2.0 * fast * seconds;
            if seconds <= LEAP_S && step > most {
                leapt.east += before.told.east - told.east;
                leapt.north += before.told.north - told.north;
            }
            // Leaps count too: where they are many they are this phone's noise,
            // and taking out the larger half of it would be a drift.
            let weight = (seconds / PACE_S).min(1.0);
            pace += (step.min(most) / seconds.max(0.2) - pace) * weight;
        }
        points.push(Point {
            ms: fix.time_ms,
            told,
            at: Metres {
                east: told.east + leapt.east,
                north: told.north + leapt.north,
            },
            speed: fix.speed_mps,
        });
    }
    points
}

/// Over a longer time, in seconds, nothing is called a leap.
const LEAP_S: f64 = 5.0;
/// The pace is remembered for about this many seconds.
const PACE_S: f64 = 8.0;

pub(super) fn of(segment: &[Fix], rules: &MotionRules) -> Motion {
    let (Some(first), Some(last)) = (segment.first(), segment.last()) else {
        return Motion::default();
    };
    let plane = Plane::around(first.position);
    let points = points(segment, &plane, rules);
    let held = merged(held(&points, rules), rules);
    let stops: Vec<Stop> = held
        .iter()
        .map(|h| Stop {
            from_ms: points[h.first].ms,
            to_ms: points[h.last].ms,
            at: plane.position(middle(&points[h.first..=h.last], |p| p.told)),
        })
        .collect();
    let stood: i64 = stops.iter().map(Stop::duration_ms).sum();
    Motion {
        distance_m: walked(&points, &held, rules),
        moving_ms: (last.time_ms - first.time_ms - stood).max(0),
        stops,
    }
}

/// A run of points that stay in one place.
#[derive(Clone, Copy)]
struct Held {
    first: usize,
    last: usize,
    middle: Metres,
}

/// The longest runs that stay in the box for long enough, from the left.
fn held(points: &[Point], rules: &MotionRules) -> Vec<Held> {
    let mut found = Vec::new();
    let mut window = Window::default();
    let mut end = 0;
    let mut start = 0;
    while start < points.len() {
        end = end.max(start);
        while end < points.len() && window.fits(points, end, rules.stop_box_m) {
            window.push(points, end);
            end += 1;
        }
        let last = end - 1;
        let long = points[last].ms - points[start].ms >= rules.stop_ms;
        if long && end - start >= rules.stop_fixes {
            let middle = middle(&points[start..=last], |p| p.at);
            let last = stays_until(points, last, middle, rules);
            // The box reached a few steps into the way here and the way on.
            let here = |i: &usize| middle.distance(points[*i].at) <= rules.displacement_m;
            let first = (start..=last).find(here).unwrap_or(start);
            let last = (first..=last).rfind(here).unwrap_or(last);
            found.push(Held {
                first,
                last,
                middle,
            });
            window = Window::default();
            start = last + 1;
            end = start;
        } else {
            start += 1;
            window.drop_before(start);
        }
    }
    found
}

/// The last point that is still in the place of a stop.
fn stays_until(points: &[Point], mut last: usize, middle: Metres, rules: &MotionRules) -> usize {
    for (i, p) in points.iter().enumerate().skip(last + 1) {
        if middle.distance(p.at) <= rules.merge_m {
            last = i;
        } else if p.ms - points[last].ms > rules.astray_ms {
            break;
        }
    }
    last
}

/// The bounds of a sliding window of points: for each side the candidates that
/// may still become the extreme, so that each point enters and leaves once.
#[derive(Default)]
struct Window {
    west: VecDeque<(usize, f64)>,
    east: VecDeque<(usize, f64)>,
    south: VecDeque<(usize, f64)>,
    north: VecDeque<(usize, f64)>,
}

impl Window {
    /// Whether the box around the window and one more point is small enough.
    fn fits(&self, points: &[Point], next: usize, diagonal: f64) -> bool {
        let p = points[next].at;
        let span = |low: &VecDeque<(usize, f64)>, high: &VecDeque<(usize, f64)>, v: f64| {
            let low = low.front().map_or(v, |(_, l)| l.min(v));
            let high = high.front().map_or(v, |(_, h)| h.max(v));
            high - low
        };
        let (wide, high) = (
            span(&self.west, &self.east, p.east),
            span(&self.south, &self.north, p.north),
        );
        wide * wide + high * high <= diagonal * diagonal
    }

    fn push(&mut self, points: &[Point], index: usize) {
        fn enter(queue: &mut VecDeque<(usize, f64)>, index: usize, value: f64, sign: f64) {
            while queue.back().is_some_and(|(_, v)| v * sign >= value * sign) {
                queue.pop_back();
            }
            queue.push_back((index, value));
        }
        let p = points[index].at;
        enter(&mut self.west, index, p.east, 1.0);
        enter(&mut self.east, index, p.east, -1.0);
        enter(&mut self.south, index, p.north, 1.0);
        enter(&mut self.north, index, p.north, -1.0);
    }

    fn drop_before(&mut self, start: usize) {
        for queue in [
            &mut self.west,
            &mut self.east,
            &mut self.south,
            &mut self.north,
        ] {
            while queue.front().is_some_and(|(i, _)| *i < start) {
                queue.pop_front();
            }
        }
    }
}

/// The median in each direction: an outlier does not move it.
fn middle(points: &[Point], of: impl Fn(&Point) -> Metres) -> Metres {
    fn median(mut values: Vec<f64>) -> f64 {
        let middle = values.len() / 2;
        *values.select_nth_unstable_by(middle, f64::total_cmp).1
    }
    Metres {
        east: median(points.iter().map(|p| of(p).east).collect()),
        north: median(points.iter().map(|p| of(p).north).collect()),
    }
}

/// Joins stops that follow each other in nearly the same place.
fn merged(held: Vec<Held>, rules: &MotionRules) -> Vec<Held> {
    let mut out: Vec<Held> = Vec::with_capacity(held.len());
    for next in held {
        match out.last_mut() {
            Some(before)
                if next.first == before.last + 1
                    && before.middle.distance(next.middle) < rules.merge_m =>
            {
                before.last = next.last;
            }
            _ => out.push(next),
        }
    }
    out
}

fn walked(points: &[Point], held: &[Held], rules: &MotionRules) -> f64 {
    let mut held = held.iter().peekable();
    let mut distance = 0.0;
    let Some(first) = points.first() else {
        return 0.0;
    };
    let mut anchor = first.at;
    let mut from_stop = false;
    let mut still_since: Option<i64> = None;
    let mut index = 0;
    while index < points.len() {
        if let Some(stop) = held.next_if(|h| h.first == index) {
            let step = anchor.distance(stop.middle);
            let least = if from_stop {
                rules.merge_m
            } else {
                rules.displacement_m / 2.0
            };
            if step >= least {
                distance += step;
                anchor = stop.middle;
            }
            from_stop = true;
            still_since = None;
            index = stop.last + 1;
            continue;
        }
        let p = points[index];
        index += 1;
        if p.speed.is_some_and(|s| s < rules.still_mps) {
            let since = *still_since.get_or_insert(p.ms);
            if p.ms - since >= rules.still_ms {
                continue;
            }
        } else {
            still_since = None;
        }
        let step = anchor.distance(p.at);
        if step >= rules.displacement_m {
            distance += step;
            anchor = p.at;
            from_stop = false;
        }
    }
    distance
}
