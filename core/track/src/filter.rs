//! Decides, fix by fix, what the route may use.
//!
//! A state machine over the fixes as they arrive: nothing is corrected and
//! nothing is dropped, a fix is used or it is refused with a [`Refusal`] that
//! is stored beside it.
//!
//! Two of the rules could lock out the rest of a patrol if they trusted what
//! they believed first: a clock that was wrong for one fix makes every later
//! one look out of order, one position kilometres off makes every later one
//! look like a spike. So each of them gives way after a few fixes in a row
//! that agree with each other: then it was the belief that was wrong. The
//! route sees the jump that is left and makes a gap of it.

use gridwalk_domain::{Fix, Position};

use crate::geometry::distance_m;
use crate::{Refusal, StoredFix, quantise};

/// What the filter holds against a fix. The defaults are for a person on foot
/// or on a scooter; cars and trains pass them too.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rules {
    /// A fix less accurate than this many metres is refused.
    pub accuracy_m: f32,
    /// How far a fix may be ahead of the clocks, in milliseconds.
    pub ahead_ms: i64,
    /// How long before the patrol began its first fix may have been measured,
    /// in milliseconds: phones hand out the last position they knew.
    pub before_ms: i64,
    /// Nobody is faster, in metres a second.
    pub speed_mps: f64,
    /// Nobody gains speed faster, in metres a second each second.
    pub acceleration_mps2: f64,
    /// Slack in metres that a jump may have beside both accuracies.
    pub slack_m: f64,
    /// The accuracy of a fix that does not know its own, in metres.
    pub assumed_accuracy_m: f64,
    /// After how many refused fixes that agree with each other a wrong belief
    /// about the place gives way.
    pub agreeing_places: u8,
    /// The same for a wrong belief about the time.
    pub agreeing_times: u8,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            accuracy_m: 50.0,
            ahead_ms: 120_000,
            before_ms: 60_000,
            speed_mps: 70.0,
            acceleration_mps2: 10.0,
            slack_m: 5.0,
            assumed_accuracy_m: 15.0,
            agreeing_places: 3,
            agreeing_times: 5,
        }
    }
}

/// What the phone's clocks showed when a fix arrived.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrived {
    /// The wall clock: milliseconds since 1970.
    pub wall_ms: i64,
    /// The monotonic clock, counting sleep, in milliseconds; comparable only
    /// within one start of the phone (call [`Filter::break_off`] after one).
    pub mono_ms: i64,
}

impl Arrived {
    /// For a fix replayed from a file: as if it had arrived when it was made.
    #[must_use]
    pub fn of(fix: &Fix) -> Self {
        Self {
            wall_ms: fix.time_ms,
            mono_ms: fix.time_ms,
        }
    }
}

/// How many used fixes are remembered to tell a repeated one from a late one.
const REMEMBERED: usize = 32;

/// The state of the filter for one patrol.
#[derive(Clone, Debug)]
pub struct Filter {
    rules: Rules,
    /// When the patrol began, by the phone's wall clock.
    began_ms: Option<i64>,
    last: Option<Last>,
    recent: [Option<(i64, Position)>; REMEMBERED],
    next: usize,
    doubted_time: Option<Doubt>,
    doubted_place: Option<Doubt>,
}

/// The last fix that was used.
#[derive(Clone, Copy, Debug)]
struct Last {
    fix: Fix,
    arrived: Arrived,
    /// Metres a second between the fixes so far, smoothed; `None` where the
    /// motion is not known (at the start, after a break).
    speed_mps: Option<f64>,
    /// Whether the next fix is measured against this one's place.
    tied: bool,
}

/// The last of some fixes refused for the same reason, and how many agreed.
#[derive(Clone, Copy, Debug)]
struct Doubt {
    fix: Fix,
    arrived: Arrived,
    agreeing: u8,
}

impl Default for Filter {
    fn default() -> Self {
        Self::new(Rules::default())
    }
}

impl Filter {
    /// A filter that has seen nothing yet.
    #[must_use]
    pub fn new(rules: Rules) -> Self {
        Self {
            rules,
            began_ms: None,
            last: None,
            recent: [None; REMEMBERED],
            next: 0,
            doubted_time: None,
            doubted_place: None,
        }
    }

    /// Begins a patrol at this time of the wall clock: what was measured long
    /// before it is out of order. (Where it is the clock that is wrong, this
    /// gives way like every belief about the time.)
    pub fn begin(&mut self, wall_ms: i64) {
        self.began_ms = Some(wall_ms);
    }

    /// Goes on after a restart from the last fix that was used. The motion
    /// across the restart is not judged: it will be a gap.
    pub fn resume_after(&mut self, last_used: &Fix, arrived: Arrived) {
        self.accept(last_used, arrived, None);
        self.break_off();
    }

    /// Forgets the motion, after a pause or a restart of the phone: the next
    /// fix may be anywhere, but not before the last.
    pub fn break_off(&mut self) {
        if let Some(last) = &mut self.last {
            last.speed_mps = None;
            last.tied = false;
        }
        self.doubted_place = None;
        self.doubted_time = None;
    }

    /// [`quantise`] and [`Filter::judge`] in one: what is to be stored.
    pub fn take(&mut self, fix: &Fix, arrived: Arrived) -> StoredFix {
        let fix = quantise(fix);
        StoredFix {
            fix,
            refused: self.judge(&fix, arrived),
        }
    }

    /// Why the route may not use this fix; `None` where it may.
    ///
    /// The fix is to be quantised already, so that whoever repeats this later
    /// comes to the same answer.
    pub fn judge(&mut self, fix: &Fix, arrived: Arrived) -> Option<Refusal> {
        if let Some(reason) = self.unusable_by_itself(fix) {
            return Some(reason);
        }
        if let Some(reason) = self.wrong_time(fix, arrived) {
            return Some(reason);
        }
        if fix.mocked {
            return Some(Refusal::Mocked);
        }
        if fix
            .accuracy_m
            .is_some_and(|a| a < 0.0 || a > self.rules.accuracy_m)
        {
            return Some(Refusal::Inaccurate);
        }
        match self.motion(fix) {
            Ok(speed_mps) => {
                self.accept(fix, arrived, speed_mps);
                None
            }
            Err(Jump) => self.doubt_place(fix, arrived),
        }
    }

    fn unusable_by_itself(&self, fix: &Fix) -> Option<Refusal> {
        if !fix.position.is_valid() {
            return Some(Refusal::OutOfRange);
        }
        // Quantised zeros are exact.
        let null_island = fix.position.lat.abs() < 1e-9 && fix.position.lon.abs() < 1e-9;
        null_island.then_some(Refusal::NullIsland)
    }

    /// Whether the time fits; where it does not for long enough, the new time
    /// is believed.
    fn wrong_time(&mut self, fix: &Fix, arrived: Arrived) -> Option<Refusal> {
        let reason = self.time_refusal(fix, arrived);
        if reason == Some(Refusal::Duplicate) {
            return reason;
        }
        let Some(reason) = reason else {
            self.doubted_time = None;
            return None;
        };
        let agreeing = match &self.doubted_time {
            Some(doubt) if agree_in_time(doubt, fix, arrived) => doubt.agreeing + 1,
            _ => 1,
        };
        if agreeing < self.rules.agreeing_times {
            self.doubted_time = Some(Doubt {
                fix: *fix,
                arrived,
                agreeing,
            });
            return Some(reason);
        }
        // A new reckoning of time: distances per second across it mean nothing.
        self.break_off();
        None
    }

    fn time_refusal(&self, fix: &Fix, arrived: Arrived) -> Option<Refusal> {
        let ahead_of = |limit: i64| fix.time_ms > limit.saturating_add(self.rules.ahead_ms);
        let Some(last) = &self.last else {
            let earliest = self
                .began_ms
                .map(|ms| ms.saturating_sub(self.rules.before_ms));
            return if ahead_of(arrived.wall_ms) {
                Some(Refusal::Future)
            } else if earliest.is_some_and(|ms| fix.time_ms < ms) {
                Some(Refusal::OutOfOrder)
            } else {
                None
            };
        };
        if fix.time_ms <= last.fix.time_ms {
            let known = (fix.time_ms, fix.position);
            let repeated = self.recent.iter().flatten().any(|seen| *seen == known);
            return Some(if repeated {
                Refusal::Duplicate
            } else {
                Refusal::OutOfOrder
            });
        }
        let elapsed = arrived.mono_ms.saturating_sub(last.arrived.mono_ms).max(0);
        // A phone whose wall clock is years behind still measures good fixes:
        // one clock that vouches for the time is enough.
        let future =
            ahead_of(arrived.wall_ms) && ahead_of(last.fix.time_ms.saturating_add(elapsed));
        future.then_some(Refusal::Future)
    }

    /// The smoothed speed after this fix, where one could have come here.
    fn motion(&self, fix: &Fix) -> Result<Option<f64>, Jump> {
        let Some(last) = self.last.filter(|last| last.tied) else {
            return Ok(None);
        };
        let seconds = seconds_between(&last.fix, fix);
        let metres = distance_m(last.fix.position, fix.position);
        let known = last.speed_mps.unwrap_or(self.rules.speed_mps);
        let fastest = self
            .rules
            .speed_mps
            .min(known + self.rules.acceleration_mps2 * seconds.max(1.0));
        let uncertain = self.accuracy(&last.fix) + self.accuracy(fix) + self.rules.slack_m;
        if metres > fastest * seconds + uncertain {
            return Err(Jump);
        }
        let speed = (metres / seconds.max(0.2)).min(self.rules.speed_mps);
        // Some seconds of memory, so that noise between two fixes is no speed.
        let weight = (seconds / 5.0).clamp(0.1, 1.0);
        Ok(Some(match last.speed_mps {
            Some(before) => before + (speed - before) * weight,
            None => speed,
        }))
    }

    fn doubt_place(&mut self, fix: &Fix, arrived: Arrived) -> Option<Refusal> {
        let agreeing = match &self.doubted_place {
            Some(doubt) if self.agree_in_place(doubt, fix) => doubt.agreeing + 1,
            _ => 1,
        };
        if agreeing < self.rules.agreeing_places {
            self.doubted_place = Some(Doubt {
                fix: *fix,
                arrived,
                agreeing,
            });
            return Some(Refusal::Spike);
        }
        self.accept(fix, arrived, None);
        None
    }

    fn agree_in_place(&self, doubt: &Doubt, fix: &Fix) -> bool {
        let seconds = seconds_between(&doubt.fix, fix);
        let metres = distance_m(doubt.fix.position, fix.position);
        let uncertain = self.accuracy(&doubt.fix) + self.accuracy(fix) + self.rules.slack_m;
        // No older than a minute, so that two wild fixes of one hour do not
        // make a third believable.
        seconds <= 60.0 && metres <= self.rules.speed_mps.min(20.0) * seconds + uncertain
    }

    fn accuracy(&self, fix: &Fix) -> f64 {
        fix.accuracy_m
            .map_or(self.rules.assumed_accuracy_m, f64::from)
    }

    fn accept(&mut self, fix: &Fix, arrived: Arrived, speed_mps: Option<f64>) {
        self.last = Some(Last {
            fix: *fix,
            arrived,
            speed_mps,
            tied: true,
        });
        self.recent[self.next] = Some((fix.time_ms, fix.position));
        self.next = (self.next + 1) % REMEMBERED;
        self.doubted_place = None;
    }
}

/// Further than anybody moves.
struct Jump;

/// Whether two doubted fixes are as far apart in their own time as in their
/// arrival, give or take two seconds, and in order.
fn agree_in_time(doubt: &Doubt, fix: &Fix, arrived: Arrived) -> bool {
    let by_fix = fix.time_ms.saturating_sub(doubt.fix.time_ms);
    let by_clock = arrived.mono_ms.saturating_sub(doubt.arrived.mono_ms);
    by_fix > 0 && by_fix.abs_diff(by_clock) <= 2_000
}

/// Seconds from one fix to a later one.
fn seconds_between(a: &Fix, b: &Fix) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "exact below 285,000 years")]
    let ms = b.time_ms.saturating_sub(a.time_ms) as f64;
    ms / 1000.0
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(second: i64, north_m: f64) -> Fix {
        Fix {
            time_ms: 1_700_000_000_000 + second * 1000,
            position: Position {
                lat: 35.0 + north_m / 111_195.0,
                lon: 118.0,
            },
            accuracy_m: Some(5.0),
            altitude_m: None,
            speed_mps: None,
            bearing_deg: None,
            mocked: false,
        }
    }

    fn verdicts(fixes: &[Fix]) -> Vec<Option<Refusal>> {
        let mut filter = Filter::default();
        fixes
            .iter()
            .map(|f| filter.take(f, Arrived::of(f)).refused)
            .collect()
    }

    fn walk(seconds: std::ops::Range<i64>) -> Vec<Fix> {
        seconds.map(|s| at(s, 1.3 * s as f64)).collect()
    }

    #[test]
    fn a_walk_is_used_whole() {
        assert!(verdicts(&walk(0..600)).iter().all(Option::is_none));
    }

    #[test]
    fn each_senseless_value_has_its_reason() {
        let good = at(0, 0.0);
        let mut nan = at(1, 0.0);
        nan.position.lat = f64::NAN;
        let mut far = at(2, 0.0);
        far.position.lon = 181.0;
        let mut null = at(3, 0.0);
        null.position = Position {
            lat: 0.0,
            lon: -0.0,
        };
        let mut vague = at(4, 0.0);
        vague.accuracy_m = Some(900.0);
        let mut invalid = at(5, 0.0);
        invalid.accuracy_m = Some(-1.0);
        let mut mocked = at(6, 0.0);
        mocked.mocked = true;
        let late = at(-5, 0.0);
        let spike = at(7, 4_000.0);
        let last = at(8, 0.0);
        use Refusal::*;
        assert_eq!(
            verdicts(&[
                good, nan, far, null, vague, invalid, mocked, good, late, spike, last
            ]),
            [
                None,
                Some(OutOfRange),
                Some(OutOfRange),
                Some(NullIsland),
                Some(Inaccurate),
                Some(Inaccurate),
                Some(Mocked),
                Some(Duplicate),
                Some(OutOfOrder),
                Some(Spike),
                None
            ]
        );
    }

    #[test]
    fn a_bunch_delivered_twice_is_refused_as_duplicates() {
        let bunch = walk(0..10);
        let twice: Vec<Fix> = bunch.iter().chain(&bunch).copied().collect();
        let got = verdicts(&twice);
        assert!(got[..10].iter().all(Option::is_none));
        assert!(got[10..].iter().all(|r| *r == Some(Refusal::Duplicate)));
    }

    #[test]
    fn a_fix_from_the_future_does_not_freeze_the_rest() {
        let mut fixes = walk(0..20);
        let mut filter = Filter::default();
        for f in &fixes[..10] {
            assert_eq!(filter.judge(&quantise(f), Arrived::of(f)), None);
        }
        let arrived = Arrived::of(&fixes[10]);
        let mut wrong = fixes[10];
        wrong.time_ms += 86_400_000;
        assert_eq!(
            filter.judge(&quantise(&wrong), arrived),
            Some(Refusal::Future)
        );
        for f in &mut fixes[11..] {
            assert_eq!(filter.judge(&quantise(f), Arrived::of(f)), None);
        }
    }

    #[test]
    fn a_clock_set_back_in_mid_patrol_costs_a_few_fixes_only() {
        for shift in [
            -86_400_000_i64,
            -620_000_000_000,
            86_400_000,
            620_000_000_000,
        ] {
            let mut filter = Filter::default();
            let mut refused = 0;
            for (i, f) in walk(0..200).iter().enumerate() {
                let arrived = Arrived {
                    wall_ms: f.time_ms,
                    mono_ms: f.time_ms,
                };
                let mut f = *f;
                if i >= 100 {
                    f.time_ms += shift; // The sensor's time, against both clocks of the phone.
                }
                refused += usize::from(filter.judge(&quantise(&f), arrived).is_some());
            }
            assert_eq!(refused, 4, "shifted by {shift}");
        }
    }

    #[test]
    fn a_phone_whose_wall_clock_is_twenty_years_behind_records_all_but_the_first_four() {
        let mut filter = Filter::default();
        let refused: Vec<_> = walk(0..100)
            .iter()
            .map(|f| {
                let arrived = Arrived {
                    wall_ms: f.time_ms - 631_152_000_000,
                    mono_ms: f.time_ms / 7 * 7,
                };
                filter.judge(&quantise(f), arrived)
            })
            .collect();
        assert!(refused[..4].iter().all(|r| *r == Some(Refusal::Future)));
        assert!(refused[4..].iter().all(Option::is_none));
    }

    #[test]
    fn the_position_of_an_hour_ago_is_no_part_of_the_patrol() {
        let begun = || {
            let mut filter = Filter::default();
            filter.begin(at(0, 0.0).time_ms);
            filter
        };
        let mut filter = begun();
        let now = Arrived::of(&at(1, 0.0));
        assert_eq!(
            filter.take(&at(-3600, 900.0), now).refused,
            Some(Refusal::OutOfOrder)
        );
        assert_eq!(filter.take(&at(-2, 0.0), now).refused, None);
        // A wall clock that is an hour fast costs four fixes, not the patrol.
        let mut filter = begun();
        let refused: Vec<_> = walk(-3600..-3500)
            .iter()
            .map(|f| {
                let arrived = Arrived {
                    wall_ms: f.time_ms + 3_600_000,
                    mono_ms: f.time_ms,
                };
                filter.take(f, arrived).refused
            })
            .collect();
        assert!(refused[..4].iter().all(|r| *r == Some(Refusal::OutOfOrder)));
        assert!(refused[4..].iter().all(Option::is_none));
    }

    #[test]
    fn a_wrong_first_position_gives_way_to_the_third_that_contradicts_it() {
        let mut fixes = walk(0..10);
        fixes[0] = at(0, 7_000.0);
        let got = verdicts(&fixes);
        assert_eq!(got[0], None);
        assert_eq!(got[1..3], [Some(Refusal::Spike); 2]);
        assert!(got[3..].iter().all(Option::is_none));
    }

    #[test]
    fn after_a_pause_the_next_fix_may_be_anywhere() {
        let mut filter = Filter::default();
        for f in walk(0..10) {
            filter.take(&f, Arrived::of(&f));
        }
        let far = at(11, 3_000.0);
        assert_eq!(
            filter.clone().take(&far, Arrived::of(&far)).refused,
            Some(Refusal::Spike)
        );
        filter.break_off();
        assert_eq!(filter.take(&far, Arrived::of(&far)).refused, None);
    }

    #[test]
    fn after_a_restart_old_fixes_are_still_old() {
        let mut filter = Filter::default();
        let last = quantise(&at(100, 0.0));
        filter.resume_after(&last, Arrived::of(&last));
        assert_eq!(
            filter.judge(&last, Arrived::of(&last)),
            Some(Refusal::Duplicate)
        );
        let old = at(50, 0.0);
        assert_eq!(
            filter.judge(&quantise(&old), Arrived::of(&last)),
            Some(Refusal::OutOfOrder)
        );
    }

    proptest! {
        #[test]
        fn used_fixes_are_valid_and_whatever_comes_is_answered(
            raw in prop::collection::vec(
                (any::<i64>(), any::<f64>(), any::<f64>(), any::<Option<f32>>(), any::<bool>(), any::<(i64, i64)>()),
                0..60,
            ),
        ) {
            let mut filter = Filter::default();
            for (time_ms, lat, lon, accuracy_m, mocked, (wall_ms, mono_ms)) in raw {
                let fix = Fix {
                    time_ms, position: Position { lat, lon }, accuracy_m,
                    altitude_m: None, speed_mps: None, bearing_deg: None, mocked,
                };
                let kept = filter.take(&fix, Arrived { wall_ms, mono_ms });
                if kept.refused.is_none() {
                    prop_assert!(kept.fix.position.is_valid() && !kept.fix.mocked);
                }
            }
        }
    }
}
