//! What each way to ask the sensors costs on a simulated day, and what it
//! makes of the distance.

use gridwalk_domain::Fix;
use gridwalk_track::StoredFix;
use gridwalk_track::filter::{Arrived, Filter};
use gridwalk_track::geometry::distance_m;
use gridwalk_track::plan::{Planner, Power, Priority, Request};
use gridwalk_track::route::Route;
use serde::Serialize;
use std::collections::HashMap;

use crate::days::{Day, Plan};

/// A way to ask.
#[derive(Clone, Copy, Debug)]
pub enum Policy {
    /// The same all day: milliseconds, metres of displacement.
    Fixed(u32, f32),
    /// As the core plans it.
    Planned(Power),
}

/// From here on the receiver sleeps between two fixes, in milliseconds: as
/// Android's driver does.
const SLEEPS_FROM_MS: u32 = 10_000;
/// Seconds that it then needs to find a position again: a hot start, with some
/// to settle.
const WAKES_S: usize = 5;
/// It gives up after this many seconds, until it is asked again.
const GIVES_UP_S: usize = 60;

/// What one day came to.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Cost {
    /// Fixes delivered.
    pub fixes: usize,
    /// Seconds that the receiver was on.
    pub on_s: usize,
    /// Distance against the truth, in percent.
    pub error: f64,
    /// Seconds of gaps.
    pub gap_s: i64,
    /// Bytes of all chunks.
    pub bytes: usize,
}

/// Lives through a day with a policy.
#[must_use]
pub fn live(day: &Day, plan: Plan, policy: Policy) -> Cost {
    let by_second: HashMap<i64, &Fix> = day.fixes.iter().map(|f| (f.time_ms, f)).collect();
    let start = day.start_ms();
    let mut sensor = Sensor::default();
    let mut filter = Filter::default();
    let mut planner = Planner::default();
    let mut stored: Vec<StoredFix> = Vec::new();
    for second in 0..plan.seconds {
        let now_ms = start + 1000 * second as i64;
        let request = match policy {
            Policy::Fixed(every_ms, displacement_m) => Request {
                every_ms,
                priority: Priority::High,
                displacement_m,
            },
            Policy::Planned(power) => planner.ask(now_ms, power),
        };
        let Some(fix) = sensor.second(second, &request, by_second.get(&now_ms).copied()) else {
            continue;
        };
        let kept = filter.take(fix, Arrived::of(fix));
        if kept.refused.is_none() {
            planner.saw(&kept.fix, now_ms);
        }
        stored.push(kept);
    }
    let bytes = stored
        .chunks(300)
        .filter_map(|c| gridwalk_track::codec::encode(c).ok())
        .map(|c| c.len())
        .sum();
    let fixes = stored.len();
    let route = Route::build(&[stored], &[]);
    let truth: f64 = route
        .segments
        .iter()
        .map(|s| day.walked_m(s[0].time_ms, s[s.len() - 1].time_ms))
        .sum();
    Cost {
        fixes,
        on_s: sensor.on_s,
        error: (route.distance_m / truth - 1.0) * 100.0,
        gap_s: route.gap_ms() / 1000,
        bytes,
    }
}

/// The receiver.
#[derive(Default)]
struct Sensor {
    on_s: usize,
    /// When it delivered last.
    delivered: Option<(usize, Fix)>,
    /// Since when it has been searching.
    woke: Option<usize>,
    /// When it gave up.
    slept: Option<usize>,
}

impl Sensor {
    /// One second: what it delivers of what can be seen.
    fn second<'a>(
        &mut self,
        now: usize,
        request: &Request,
        seen: Option<&'a Fix>,
    ) -> Option<&'a Fix> {
        let every = request.every_ms as usize / 1000;
        let sleeps = request.every_ms >= SLEEPS_FROM_MS;
        let last = self.slept.max(self.delivered.map(|(at, _)| at));
        let due = last.is_none_or(|at| now >= at + every);
        if sleeps && !due && last.is_none_or(|at| now + WAKES_S < at + every) {
            self.woke = None;
            return None;
        }
        self.on_s += 1;
        let woke = *self.woke.get_or_insert(now);
        if !due || (sleeps && now < woke + WAKES_S) {
            return None;
        }
        let Some(fix) = seen else {
            if sleeps && now >= woke + GIVES_UP_S {
                self.slept = Some(now);
                self.woke = None;
            }
            return None;
        };
        let near = |(_, before): &(usize, Fix)| {
            distance_m(before.position, fix.position) < f64::from(request.displacement_m)
        };
        if self.delivered.as_ref().is_some_and(near) {
            return None;
        }
        self.delivered = Some((now, *fix));
        if sleeps {
            self.woke = None;
        }
        Some(fix)
    }
}
