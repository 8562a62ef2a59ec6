//! Synthetic patrol days with the truth beside them.
//!
//! Somebody walks streets at right angles, rides a scooter now and then, and
//! stands where there is something to do. A phone follows with the errors of
//! real ones: a slow drift, a faster one, a little white noise, bad places
//! where all of it grows, jumps there, and silences. The figures are fitted to
//! what real phones at one fix a second show: lying still one walks 580 to
//! 1,460 m an hour, 830 in the middle; the second differences of a walk have a
//! root mean square of 0.55 m (0.17 to 0.95); accuracy keeps its value for some
//! twenty fixes and then moves by a metre.

use gridwalk_domain::{Fix, Position};

use crate::random::Random;

/// What kind of day.
#[derive(Clone, Copy, Debug)]
pub struct Plan {
    /// How long, in seconds.
    pub seconds: usize,
    /// Whether there is a scooter, or only feet.
    pub scooter: bool,
    /// Whether the phone's speed may be too low (three days in ten are).
    pub slow_speed: bool,
    /// Whether the phone lies still the whole time.
    pub still: bool,
}

impl Plan {
    /// Eight hours, on foot and by scooter.
    pub const DAY: Self = Self {
        seconds: 28_800,
        scooter: true,
        slow_speed: false,
        still: false,
    };
    /// Eight hours on foot.
    pub const WALK: Self = Self {
        scooter: false,
        ..Self::DAY
    };
    /// An hour on a table.
    pub const STILL: Self = Self {
        seconds: 3600,
        still: true,
        ..Self::DAY
    };
}

/// A day as the phone saw it and as it was.
#[derive(Clone, Debug)]
pub struct Day {
    /// What the phone delivered.
    pub fixes: Vec<Fix>,
    /// Where the worker was at each of these fixes.
    pub truth: Vec<Position>,
    /// When the day began: milliseconds since 1970.
    start_ms: i64,
    /// Metres walked up to each second.
    walked: Vec<f64>,
    /// Whether the worker stood, at each second.
    stood: Vec<bool>,
}

/// Metres in a degree of latitude.
const DEGREE_M: f64 = 111_195.08;
const NINE_O_CLOCK_MS: i64 = 1_795_222_800_000;

impl Day {
    /// Makes a day; the same seed makes the same day.
    #[must_use]
    pub fn new(seed: u64, plan: Plan) -> Self {
        let random = &mut Random::new(seed);
        let way = way(random, plan);
        let seen = seen(random, plan, &way);
        let start_ms = NINE_O_CLOCK_MS + 86_400_000 * (seed % 300).cast_signed();
        let origin = Position {
            lat: random.between(34.9, 35.2),
            lon: random.between(118.1, 118.5),
        };
        let place = |(east, north): (f64, f64)| Position {
            lat: origin.lat + north / DEGREE_M,
            lon: origin.lon + east / (DEGREE_M * origin.lat.to_radians().cos()),
        };
        let mut day = Self {
            fixes: vec![],
            truth: vec![],
            start_ms,
            walked: vec![],
            stood: vec![],
        };
        let mut sum = 0.0;
        for (second, at) in way.iter().enumerate() {
            sum += at.speed;
            day.walked.push(sum);
            day.stood.push(at.mode == Mode::Stand);
            let Some(seen) = &seen[second] else { continue };
            day.truth.push(place(at.place));
            day.fixes.push(Fix {
                time_ms: start_ms + 1000 * i64::try_from(second).unwrap_or(0),
                position: place(seen.place),
                accuracy_m: Some(seen.accuracy),
                altitude_m: None,
                speed_mps: Some(seen.speed),
                bearing_deg: None,
                mocked: false,
            });
        }
        day
    }

    /// When the day began: milliseconds since 1970.
    #[must_use]
    pub fn start_ms(&self) -> i64 {
        self.start_ms
    }

    /// The distance truly walked between two times, in metres.
    #[must_use]
    pub fn walked_m(&self, from_ms: i64, to_ms: i64) -> f64 {
        self.walked[self.second(to_ms)] - self.walked[self.second(from_ms)]
    }

    /// How long the worker truly stood between two times, in seconds.
    #[must_use]
    pub fn stood_s(&self, from_ms: i64, to_ms: i64) -> usize {
        self.stood[self.second(from_ms)..self.second(to_ms)]
            .iter()
            .filter(|s| **s)
            .count()
    }

    fn second(&self, ms: i64) -> usize {
        usize::try_from((ms - self.start_ms) / 1000)
            .unwrap_or(0)
            .min(self.walked.len() - 1)
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    Stand,
    Walk,
    Ride,
}

/// The truth of one second: metres from the origin, metres a second.
struct At {
    place: (f64, f64),
    speed: f64,
    mode: Mode,
}

fn way(random: &mut Random, plan: Plan) -> Vec<At> {
    let mut way: Vec<At> = Vec::with_capacity(plan.seconds);
    let mut place = (0.0, 0.0);
    let mut heading = random.pick(&[(1.0, 0.0), (1.0, 1.0), (1.0, 2.0), (1.0, 3.0)]);
    let mut block = 0.0;
    let mut wobble = 0.0;
    let mut mode = if plan.still { Mode::Stand } else { Mode::Walk };
    while way.len() < plan.seconds {
        let (length, pace, gain) = match mode {
            Mode::Stand => (random.normal(180_f64.ln(), 1.0).exp(), 0.0, 0.0),
            Mode::Walk => (random.between(120.0, 900.0), random.normal(1.25, 0.12), 0.6),
            Mode::Ride => (random.between(60.0, 300.0), random.between(4.0, 7.5), 1.3),
        };
        let mut speed = 0.0;
        let mut left = length.clamp(20.0, 2400.0);
        while left > 0.0 && way.len() < plan.seconds {
            left -= 1.0;
            if mode != Mode::Stand {
                let wanted = pace * random.normal(1.0, 0.05);
                speed += (wanted - speed).clamp(-gain, gain);
                block -= speed;
                if block <= 0.0 {
                    block = random.between(40.0, 220.0);
                    heading += random.pick(&[(0.4, 0.0), (0.28, 1.0), (0.28, -1.0), (0.04, 2.0)]);
                }
                wobble = 0.95 * wobble + random.normal(0.0, 0.02);
                let angle = heading * std::f64::consts::FRAC_PI_2 + wobble;
                place = (place.0 + speed * angle.sin(), place.1 + speed * angle.cos());
            }
            way.push(At { place, speed, mode });
        }
        mode = match mode {
            _ if plan.still => Mode::Stand,
            Mode::Walk | Mode::Ride => Mode::Stand,
            Mode::Stand if plan.scooter && random.chance(0.3) => Mode::Ride,
            Mode::Stand => Mode::Walk,
        };
    }
    way
}

/// What the phone reports in one second.
struct Seen {
    place: (f64, f64),
    accuracy: f32,
    speed: f32,
}

fn seen(random: &mut Random, plan: Plan, way: &[At]) -> Vec<Option<Seen>> {
    // How good this phone is on this day.
    let quality = random.normal(0.0, 0.45).exp().clamp(0.35, 2.6);
    let slow = if plan.slow_speed && random.chance(0.3) {
        random.between(0.72, 0.92)
    } else {
        1.0
    };
    let mut errors = Errors::new(random, quality);
    let mut silent = 0;
    let mut seen = Vec::with_capacity(way.len());
    for at in way {
        let error = errors.next(random, at.mode != Mode::Stand);
        if errors.bad && silent == 0 && random.chance(1.0 / 500.0) {
            silent = (random.between(30.0, 300.0)) as u32;
        }
        let noise = errors.noise();
        let speed = match at.mode {
            Mode::Stand if random.chance(0.85) => 0.0,
            Mode::Stand => random.normal(0.0, 0.25).abs() * noise,
            _ => (at.speed * slow + random.normal(0.0, 0.18) * noise).max(0.0),
        };
        let lost = silent > 0 || random.chance(0.003);
        silent = silent.saturating_sub(1);
        seen.push((!lost).then_some(Seen {
            place: (at.place.0 + error.0, at.place.1 + error.1),
            accuracy: errors.accuracy as f32,
            speed: speed as f32,
        }));
    }
    seen
}

/// The errors of a phone's positions, from second to second.
struct Errors {
    quality: f64,
    /// In a bad place: between high houses, indoors.
    bad: bool,
    slow: (f64, f64),
    fast: (f64, f64),
    jump: Option<(u32, (f64, f64), f64)>,
    accuracy: f64,
    /// What the jump of the moment adds to it.
    told: f64,
}

impl Errors {
    fn new(random: &mut Random, quality: f64) -> Self {
        let mut drift = || random.normal(0.0, 2.2) * quality;
        let slow = (drift(), drift());
        let accuracy = (3.6 * quality).max(2.0).round();
        Self {
            quality,
            bad: false,
            slow,
            fast: (0.0, 0.0),
            jump: None,
            accuracy,
            told: 0.0,
        }
    }

    fn noise(&self) -> f64 {
        if self.bad {
            2.5 * self.quality
        } else {
            self.quality
        }
    }

    fn next(&mut self, random: &mut Random, moving: bool) -> (f64, f64) {
        self.bad = if self.bad {
            !random.chance(1.0 / 160.0)
        } else {
            random.chance(1.0 / 900.0)
        };
        let noise = self.noise();
        let strength = noise * if moving { 1.0 } else { 0.3 };
        let mut pair =
            |deviation: f64| (random.normal(0.0, deviation), random.normal(0.0, deviation));
        let (slow, fast, white) = (
            pair(0.30 * strength),
            pair(0.22 * strength),
            pair(0.05 * noise),
        );
        let decayed = |v: (f64, f64), seconds: f64, add: (f64, f64)| {
            let keep = 1.0 - 1.0 / seconds;
            (v.0 * keep + add.0, v.1 * keep + add.1)
        };
        self.slow = decayed(self.slow, 90.0, slow);
        self.fast = decayed(self.fast, 8.0, fast);
        self.jumps(random, moving);
        self.accuracy(random, noise);
        let jump = self.jump.map_or((0.0, 0.0), |(_, by, _)| by);
        (
            self.slow.0 + self.fast.0 + white.0 + jump.0,
            self.slow.1 + self.fast.1 + white.1 + jump.1,
        )
    }

    fn jumps(&mut self, random: &mut Random, moving: bool) {
        let often = if moving { 1.0 / 60.0 } else { 1.0 / 240.0 };
        self.jump = match self.jump {
            Some((left, by, told)) if left > 1 => Some((left - 1, by, told)),
            Some(_) => None,
            None if self.bad && random.chance(often) => {
                let told = if random.chance(0.6) { 25.0 } else { 0.0 };
                let by = (random.normal(0.0, 22.0), random.normal(0.0, 22.0));
                Some((random.between(3.0, 25.0) as u32, by, told))
            }
            None => None,
        };
    }

    /// Accuracy follows the noise in steps, and keeps its value in between; a
    /// jump that the phone knows of shows at once.
    fn accuracy(&mut self, random: &mut Random, noise: f64) {
        let told = self.jump.map_or(0.0, |(_, _, told)| told);
        self.accuracy += told - std::mem::replace(&mut self.told, told);
        let aim = (3.6 * noise).clamp(2.0, 80.0) + told;
        let off = aim - self.accuracy;
        if off.abs() > 6.0 {
            if random.chance(0.3) {
                self.accuracy += (off * random.between(0.4, 1.1)).round();
            }
        } else if random.chance(0.05) {
            let step = if random.chance(0.5 + off / 12.0) {
                1.0
            } else {
                -1.0
            };
            self.accuracy += step * if random.chance(0.15) { 2.0 } else { 1.0 };
        }
        self.accuracy = self.accuracy.clamp(2.0, 100.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(day: &Day) -> impl Iterator<Item = (&Fix, &Fix)> {
        day.fixes.iter().zip(day.fixes.iter().skip(1))
    }

    #[test]
    fn the_same_seed_makes_the_same_day() {
        let day = Day::new(7, Plan::DAY);
        assert_eq!(day.fixes, Day::new(7, Plan::DAY).fixes);
        assert_ne!(day.fixes, Day::new(8, Plan::DAY).fixes);
        assert_eq!(day.fixes.len(), day.truth.len());
    }

    /// The bounds are those of real phones (see the head of this file).
    #[test]
    fn a_still_phone_walks_as_far_as_real_ones_do() {
        let mut walked: Vec<f64> = (0..40)
            .map(|seed| {
                let day = Day::new(seed, Plan::STILL);
                steps(&day)
                    .map(|(a, b)| gridwalk_track::geometry::distance_m(a.position, b.position))
                    .sum()
            })
            .collect();
        walked.sort_by(f64::total_cmp);
        assert!((600.0..1100.0).contains(&walked[20]), "{}", walked[20]);
    }

    #[test]
    fn accuracy_keeps_its_value_most_of_the_time() {
        let day = Day::new(3, Plan::DAY);
        let changes = steps(&day)
            .filter(|(a, b)| a.accuracy_m != b.accuracy_m)
            .count();
        let share = changes as f64 / day.fixes.len() as f64;
        assert!((0.02..0.12).contains(&share), "{share}");
    }
}
