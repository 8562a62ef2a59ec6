//! What to ask of the phone's sensors: as little as tells the same truth.
//!
//! A receiver that is asked once a second never sleeps, and eight hours of that
//! are half a battery. Somebody who stands still is as well described by a fix
//! every few seconds. So the plan is dense while the worker moves, sparse while
//! they stand, and sparse and less demanding where no position can be had.
//!
//! Two things it never does. It asks for no minimal displacement while a patrol
//! runs: a phone that is silent because nobody moves looks like one that is
//! silent because it is lost, and [`crate::route`] must tell a stop from a gap.
//! And it never asks more rarely than twice within the silence that makes a
//! gap, so that one fix may fail to come.
//!
//! Android's own driver switches the receiver off between fixes that are asked
//! ten seconds or more apart (`GnssLocationProvider`): below that only bytes
//! are saved, above it the battery.

use gridwalk_domain::{Fix, Position};

use crate::geometry::distance_m;

/// How much the position may cost.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Priority {
    /// The best that the phone has: its satellite receiver.
    High,
    /// Whatever is cheap: where there is no position to be had anyway.
    Balanced,
}

/// What to ask of the sensors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Request {
    /// Milliseconds between two positions.
    pub every_ms: u32,
    /// How much they may cost.
    pub priority: Priority,
    /// Metres that the phone must have moved for a position to be delivered;
    /// 0 while a patrol runs (see above).
    pub displacement_m: f32,
}

/// How the phone is supplied.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Power {
    /// How full the battery is, in percent, where that is known.
    pub percent: Option<u8>,
    /// Whether it is being charged.
    pub charging: bool,
    /// Whether the system saves power.
    pub saving: bool,
}

impl Power {
    /// At or below this many percent the plan saves.
    const LOW: u8 = 20;

    /// Whether there is little left.
    #[must_use]
    pub fn is_low(&self) -> bool {
        let low = self.saving || self.percent.is_some_and(|p| p <= Self::LOW);
        low && !self.charging
    }
}

/// When the plan changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// Asked while the worker moves, in milliseconds.
    pub moving_ms: u32,
    /// The same on a low battery, on foot.
    pub walking_low_ms: u32,
    /// The same on a low battery, faster than `riding_mps`.
    pub riding_low_ms: u32,
    /// Asked while they stand.
    pub still_ms: u32,
    /// The same on a low battery.
    pub still_low_ms: u32,
    /// Asked where no position comes.
    pub lost_ms: u32,
    /// Staying within this many metres (or the accuracy, where that is worse)
    /// for `still_after_ms` is standing.
    pub reach_m: f64,
    /// See `reach_m`.
    pub still_after_ms: i64,
    /// Whoever is this fast, in metres a second, stands no more.
    pub moving_mps: f32,
    /// Whoever is this fast rides: corners are further apart in metres, but not
    /// in seconds.
    pub riding_mps: f32,
    /// After this many milliseconds without a usable position there is none to
    /// be had.
    pub lost_after_ms: i64,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            moving_ms: 1_000,
            walking_low_ms: 10_000,
            riding_low_ms: 5_000,
            still_ms: 20_000,
            still_low_ms: 30_000,
            lost_ms: 30_000,
            reach_m: 20.0,
            still_after_ms: 30_000,
            moving_mps: 1.0,
            riding_mps: 3.0,
            lost_after_ms: 180_000,
        }
    }
}

/// Watches a patrol's fixes and plans the next ones.
#[derive(Clone, Debug, Default)]
pub struct Planner {
    rules: Rules,
    place: Option<Place>,
    riding: bool,
    /// The monotonic clock at the last usable fix, or where watching began.
    seen_ms: Option<i64>,
}

/// Where the worker may be standing.
#[derive(Clone, Copy, Debug)]
struct Place {
    at: Position,
    reach_m: f64,
    since_ms: i64,
}

impl Planner {
    /// By these rules.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            ..Self::default()
        }
    }

    /// A usable fix came in, by the phone's monotonic clock.
    pub fn saw(&mut self, fix: &Fix, mono_ms: i64) {
        self.seen_ms = Some(mono_ms);
        let faster_than = |mps: f32| fix.speed_mps.is_some_and(|s| s >= mps);
        self.riding = faster_than(self.rules.riding_mps);
        let fast = faster_than(self.rules.moving_mps);
        let stays = |place: &Place| distance_m(place.at, fix.position) <= place.reach_m;
        if fast || !self.place.as_ref().is_some_and(stays) {
            let accuracy = fix.accuracy_m.map_or(0.0, f64::from);
            self.place = Some(Place {
                at: fix.position,
                reach_m: self.rules.reach_m.max(accuracy),
                since_ms: mono_ms,
            });
        }
    }

    /// What to ask for at this time.
    pub fn ask(&mut self, mono_ms: i64, power: Power) -> Request {
        let since = *self.seen_ms.get_or_insert(mono_ms);
        let lost = mono_ms.saturating_sub(since) >= self.rules.lost_after_ms;
        let rules = &self.rules;
        let every_ms = match (lost, self.stands(mono_ms), power.is_low()) {
            (true, _, _) => rules.lost_ms,
            (_, true, false) => rules.still_ms,
            (_, true, true) => rules.still_low_ms,
            (_, false, false) => rules.moving_ms,
            (_, false, true) if self.riding => rules.riding_low_ms,
            (_, false, true) => rules.walking_low_ms,
        };
        Request {
            every_ms,
            priority: if lost {
                Priority::Balanced
            } else {
                Priority::High
            },
            displacement_m: 0.0,
        }
    }

    fn stands(&self, mono_ms: i64) -> bool {
        self.place
            .is_some_and(|p| mono_ms.saturating_sub(p.since_ms) >= self.rules.still_after_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::route::Rules as RouteRules;

    fn fix(north_m: f64, speed_mps: Option<f32>) -> Fix {
        Fix {
            time_ms: 0,
            position: Position {
                lat: 35.0 + north_m / 111_195.0,
                lon: 118.0,
            },
            accuracy_m: Some(6.0),
            altitude_m: None,
            speed_mps,
            bearing_deg: None,
            mocked: false,
        }
    }

    const FULL: Power = Power {
        percent: Some(80),
        charging: false,
        saving: false,
    };
    const LOW: Power = Power {
        percent: Some(12),
        ..FULL
    };

    /// A planner after these metres north, one a second.
    fn after(way: impl Iterator<Item = f64>, speed_mps: Option<f32>) -> (Planner, i64) {
        let mut planner = Planner::default();
        let mut now = 0;
        for north_m in way {
            planner.saw(&fix(north_m, speed_mps), now);
            now += 1000;
        }
        (planner, now)
    }

    #[test]
    fn dense_while_moving_and_sparse_while_standing() {
        let (mut walking, now) = after((0..300).map(|s| 1.2 * f64::from(s)), None);
        assert_eq!(walking.ask(now, FULL).every_ms, 1_000);
        assert_eq!(walking.ask(now, LOW).every_ms, 10_000);
        let (mut riding, now) = after((0..300).map(|s| 5.0 * f64::from(s)), Some(5.0));
        assert_eq!(riding.ask(now, LOW).every_ms, 5_000);
        let (mut standing, now) = after((0..300).map(|s| f64::from(s % 7)), Some(0.2));
        assert_eq!(standing.ask(now, FULL).every_ms, 20_000);
        assert_eq!(standing.ask(now, LOW).every_ms, 30_000);
        // One fix further off, or one with a speed, and it is dense again.
        let mut leaves = standing.clone();
        leaves.saw(&fix(30.0, None), now);
        assert_eq!(leaves.ask(now, FULL).every_ms, 1_000);
        standing.saw(&fix(3.0, Some(1.3)), now);
        assert_eq!(standing.ask(now, FULL).every_ms, 1_000);
    }

    #[test]
    fn a_low_battery_counts_only_where_it_is_not_charged() {
        let saving = Power {
            saving: true,
            ..FULL
        };
        let charging = Power {
            charging: true,
            ..LOW
        };
        assert!(LOW.is_low() && saving.is_low());
        assert!(!FULL.is_low() && !charging.is_low() && !Power::default().is_low());
    }

    #[test]
    fn where_no_position_comes_it_is_asked_for_less_and_cheaply() {
        let (mut planner, now) = after((0..10).map(f64::from), None);
        assert_eq!(planner.ask(now + 170_000, FULL).priority, Priority::High);
        let lost = planner.ask(now + 180_000, FULL);
        assert_eq!((lost.every_ms, lost.priority), (30_000, Priority::Balanced));
        planner.saw(&fix(500.0, None), now + 200_000);
        assert_eq!(planner.ask(now + 200_000, FULL).every_ms, 1_000);
        // The same where there never was one.
        let mut never = Planner::default();
        assert_eq!(never.ask(5_000, FULL).priority, Priority::High);
        assert_eq!(never.ask(185_000, FULL).priority, Priority::Balanced);
    }

    #[test]
    fn no_plan_makes_a_silence_that_is_a_gap() {
        let gap_ms = RouteRules::default().silence_ms;
        let rules = Rules::default();
        let asked = [rules.still_ms, rules.still_low_ms, rules.walking_low_ms];
        assert!(asked.iter().all(|every| i64::from(*every) * 2 <= gap_ms));
        let (mut planner, now) = after((0..300).map(|s| f64::from(s % 7)), None);
        assert!(planner.ask(now, FULL).displacement_m.abs() < f32::EPSILON);
    }
}
