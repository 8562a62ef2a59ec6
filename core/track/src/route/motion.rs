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
    /// ... for this many milliseconds is a stop.
    pub stop_ms: i64,
    /// Two stops nearer than this many metres to each other, with nothing
    /// between that led away, are one.
    pub merge_m: f64,
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
            merge_m: 25.0,
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
    at: Metres,
    speed: Option<f32>,
}

pub(super) fn of(segment: &[Fix], rules: &MotionRules) -> Motion {
    let (Some(first), Some(last)) = (segment.first(), segment.last()) else {
        return Motion::default();
    };
    let plane = Plane::around(first.position);
    let points: Vec<Point> = segment
        .iter()
        .filter(|f| f.accuracy_m.is_none_or(|a| a <= rules.accuracy_m))
        .map(|f| Point {
            ms: f.time_ms,
            at: plane.metres(f.position),
            speed: f.speed_mps,
        })
        .collect();
    let held = merged(held(&points, rules), rules);
    let stops: Vec<Stop> = held
        .iter()
        .map(|h| Stop {
            from_ms: points[h.first].ms,
            to_ms: points[h.last].ms,
            at: plane.position(h.middle),
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
        if points[last].ms - points[start].ms >= rules.stop_ms {
            found.push(Held {
                first: start,
                last,
                middle: middle(&points[start..=last]),
            });
            window = Window::default();
            start = end;
        } else {
            start += 1;
            window.drop_before(start);
        }
    }
    found
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
fn middle(points: &[Point]) -> Metres {
    fn median(mut values: Vec<f64>) -> f64 {
        let middle = values.len() / 2;
        *values.select_nth_unstable_by(middle, f64::total_cmp).1
    }
    Metres {
        east: median(points.iter().map(|p| p.at.east).collect()),
        north: median(points.iter().map(|p| p.at.north).collect()),
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
