//! What of a fix is kept, and how finely.
//!
//! The engine quantises before it judges or stores, so that phone and server
//! decide from the same numbers and a chunk gives back exactly what went in.
//! Below a micro-degree (11 cm), a metre of accuracy and a decimetre a second
//! there is nothing but noise in a phone's fixes, and noise is what costs.
//!
//! All of it is one multiplication and one rounding in IEEE arithmetic: the
//! same on every platform.

use gridwalk_domain::{Fix, Position};

/// Which fields of a fix are kept beside time and position.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Keep {
    /// Horizontal accuracy, in steps of 1 m.
    pub accuracy: bool,
    /// Speed, in steps of 0.1 m/s.
    pub speed: bool,
    /// Altitude, in steps of 1 m.
    pub altitude: bool,
}

impl Keep {
    /// Time, position and flags alone.
    pub const POSITION: Self = Self {
        accuracy: false,
        speed: false,
        altitude: false,
    };
    /// Accuracy as well.
    pub const ACCURACY: Self = Self {
        accuracy: true,
        ..Self::POSITION
    };
    /// Accuracy and speed: what a patrol keeps.
    pub const SPEED: Self = Self {
        speed: true,
        ..Self::ACCURACY
    };
    /// Everything that a chunk can hold.
    pub const ALL: Self = Self {
        altitude: true,
        ..Self::SPEED
    };
}

impl Default for Keep {
    fn default() -> Self {
        Self::SPEED
    }
}

/// The fix as a patrol keeps it: [`quantise_keeping`] with accuracy and speed
/// (speed tells standing from moving), without altitude and bearing.
#[must_use]
pub fn quantise(fix: &Fix) -> Fix {
    quantise_keeping(fix, Keep::default())
}

/// The fix at the chunk's quantum: degrees in millionths, accuracy and
/// altitude in metres, speed in decimetres a second; the time as it is.
///
/// Doing it twice changes nothing. A coordinate that is no number stays one;
/// an infinite or absurd one is held at ±2147.483646°, still out of range. A
/// positive accuracy is at least 1 m; a negative one (how iOS says that the
/// position is invalid) becomes −1 m; a negative speed is no speed. Bearing is
/// never kept.
#[must_use]
pub fn quantise_keeping(fix: &Fix, keep: Keep) -> Fix {
    let units = Units::of(fix, keep);
    units.fix(fix.time_ms, fix.mocked)
}

/// A fix's numbers in whole steps, as the chunk codes them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Units {
    /// Millionths of a degree; [`NOT_A_NUMBER`] where it is none.
    pub(crate) lat: i32,
    /// Millionths of a degree; [`NOT_A_NUMBER`] where it is none.
    pub(crate) lon: i32,
    /// Metres; [`UNKNOWN_ACCURACY`] where there is none.
    pub(crate) accuracy: i32,
    /// Tenths of a metre a second; [`UNKNOWN_SPEED`] where there is none.
    pub(crate) speed: i32,
    /// Metres; [`UNKNOWN_ALTITUDE`] where there is none.
    pub(crate) altitude: i32,
}

/// A coordinate that is not a number.
pub(crate) const NOT_A_NUMBER: i32 = i32::MIN;
/// No accuracy; one below −1, which is a negative (invalid) one.
pub(crate) const UNKNOWN_ACCURACY: i32 = -2;
/// No speed.
pub(crate) const UNKNOWN_SPEED: i32 = -1;
/// No altitude; one below the lowest that is kept.
pub(crate) const UNKNOWN_ALTITUDE: i32 = -LIMIT - 1;
/// Accuracy and altitude are held at this many metres, speed at this many
/// tenths: exact in an `f32`.
pub(crate) const LIMIT: i32 = 100_000;

impl Units {
    pub(crate) fn of(fix: &Fix, keep: Keep) -> Self {
        let accuracy = fix.accuracy_m.filter(|a| keep.accuracy && !a.is_nan());
        let speed = fix.speed_mps.filter(|s| keep.speed && *s >= 0.0);
        let altitude = fix.altitude_m.filter(|a| keep.altitude && !a.is_nan());
        Self {
            lat: coordinate(fix.position.lat),
            lon: coordinate(fix.position.lon),
            accuracy: match accuracy {
                None => UNKNOWN_ACCURACY,
                Some(a) if a < 0.0 => -1,
                Some(a) if a > 0.0 => steps(a, 1.0).max(1),
                Some(_) => 0,
            },
            speed: speed.map_or(UNKNOWN_SPEED, |s| steps(s, 10.0)),
            altitude: altitude.map_or(UNKNOWN_ALTITUDE, |a| steps(a, 1.0)),
        }
    }

    pub(crate) fn fix(&self, time_ms: i64, mocked: bool) -> Fix {
        Fix {
            time_ms,
            position: Position {
                lat: degrees(self.lat),
                lon: degrees(self.lon),
            },
            accuracy_m: (self.accuracy != UNKNOWN_ACCURACY).then(|| metres(self.accuracy)),
            altitude_m: (self.altitude != UNKNOWN_ALTITUDE).then(|| metres(self.altitude)),
            speed_mps: (self.speed != UNKNOWN_SPEED).then(|| metres(self.speed) / 10.0),
            bearing_deg: None,
            mocked,
        }
    }
}

fn coordinate(degrees: f64) -> i32 {
    if degrees.is_nan() {
        return NOT_A_NUMBER;
    }
    let limit = f64::from(i32::MAX - 1);
    whole((degrees * 1e6).clamp(-limit, limit))
}

fn degrees(millionths: i32) -> f64 {
    if millionths == NOT_A_NUMBER {
        f64::NAN
    } else {
        f64::from(millionths) / 1e6
    }
}

fn steps(value: f32, per_unit: f64) -> i32 {
    let limit = f64::from(LIMIT);
    whole((f64::from(value) * per_unit).clamp(-limit, limit))
}

/// The nearest whole number, halves away from zero.
#[expect(
    clippy::cast_possible_truncation,
    reason = "callers clamp to what an i32 holds"
)]
fn whole(value: f64) -> i32 {
    (value + 0.5_f64.copysign(value)) as i32
}

#[expect(
    clippy::cast_precision_loss,
    reason = "at most LIMIT, which an f32 holds exactly"
)]
fn metres(steps: i32) -> f32 {
    steps as f32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn fix(lat: f64, lon: f64) -> Fix {
        Fix {
            time_ms: 1,
            position: Position { lat, lon },
            accuracy_m: None,
            altitude_m: None,
            speed_mps: None,
            bearing_deg: Some(10.0),
            mocked: false,
        }
    }

    fn same_bits(a: &Fix, b: &Fix) -> bool {
        format!("{a:?}") == format!("{b:?}")
    }

    #[test]
    fn keeps_a_micro_degree_a_metre_and_a_decimetre_a_second() {
        let mut f = fix(35.123_456_78, 118.000_000_4);
        f.accuracy_m = Some(3.79);
        f.speed_mps = Some(1.27);
        f.altitude_m = Some(70.6);
        let kept = quantise(&f);
        assert_eq!(
            kept.position,
            Position {
                lat: 35.123_457,
                lon: 118.0
            }
        );
        assert_eq!(kept.accuracy_m, Some(4.0));
        assert_eq!(kept.speed_mps, Some(1.3));
        assert_eq!((kept.altitude_m, kept.bearing_deg), (None, None));
        assert_eq!(quantise_keeping(&f, Keep::ALL).altitude_m, Some(71.0));
        assert_eq!(quantise_keeping(&f, Keep::POSITION).accuracy_m, None);
    }

    #[test]
    fn what_makes_no_sense_stays_recognisable() {
        assert!(quantise(&fix(f64::NAN, 1.0)).position.lat.is_nan());
        assert!(!quantise(&fix(1e300, f64::NEG_INFINITY)).position.is_valid());
        let mut f = fix(1.0, 1.0);
        f.accuracy_m = Some(-5.0);
        f.speed_mps = Some(-1.0);
        assert_eq!(
            (quantise(&f).accuracy_m, quantise(&f).speed_mps),
            (Some(-1.0), None)
        );
        f.accuracy_m = Some(0.2);
        assert_eq!(quantise(&f).accuracy_m, Some(1.0));
    }

    proptest! {
        #[test]
        fn quantising_twice_changes_nothing(
            lat in any::<f64>(), lon in any::<f64>(), near in -200.0..200.0f64,
            acc in any::<Option<f32>>(), speed in any::<Option<f32>>(), alt in any::<Option<f32>>(),
        ) {
            for (lat, lon) in [(lat, lon), (near, near / 2.0)] {
                let f = Fix { accuracy_m: acc, speed_mps: speed, altitude_m: alt, ..fix(lat, lon) };
                for keep in [Keep::POSITION, Keep::ACCURACY, Keep::SPEED, Keep::ALL] {
                    let once = quantise_keeping(&f, keep);
                    prop_assert!(same_bits(&once, &quantise_keeping(&once, keep)));
                }
            }
        }
    }
}
