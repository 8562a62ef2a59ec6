//! One position from the phone.

use serde::{Deserialize, Serialize};

/// A place on the earth, WGS-84, in degrees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Position {
    /// Latitude in degrees, −90 to 90.
    pub lat: f64,
    /// Longitude in degrees, −180 to 180.
    pub lon: f64,
}

impl Position {
    /// Whether both coordinates are finite and within the range of the earth.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.lat.is_finite()
            && self.lon.is_finite()
            && self.lat.abs() <= 90.0
            && self.lon.abs() <= 180.0
    }

    /// The distance to another place in metres, along a great circle of a
    /// sphere of the earth's mean radius: within 0.5 % of the ellipsoid's.
    #[must_use]
    pub fn distance_m(&self, other: &Self) -> f64 {
        const EARTH_RADIUS_M: f64 = 6_371_008.8;
        let (here, there) = (self.lat.to_radians(), other.lat.to_radians());
        let north = ((there - here) / 2.0).sin();
        let east = ((other.lon - self.lon).to_radians() / 2.0).sin();
        let half = north * north + here.cos() * there.cos() * east * east;
        2.0 * EARTH_RADIUS_M * half.sqrt().min(1.0).asin()
    }
}

/// One position from the phone (定位点), as the sensor reported it.
///
/// Nothing is corrected here: what the filter thinks of a fix is kept beside
/// it, never in its place.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Fix {
    /// When the position was measured: milliseconds since 1970 (UTC).
    pub time_ms: i64,
    /// Where, WGS-84.
    #[serde(flatten)]
    pub position: Position,
    /// Horizontal accuracy in metres (68 % radius), where the phone knows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub accuracy_m: Option<f32>,
    /// Altitude in metres, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub altitude_m: Option<f32>,
    /// Speed over ground in metres a second, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub speed_mps: Option<f32>,
    /// Bearing in degrees from north, clockwise, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bearing_deg: Option<f32>,
    /// Whether the system says that an app made this position up.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub mocked: bool,
}

/// Why there is no usable fix for a stretch of a patrol (轨迹中断的原因).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GapCause {
    /// The worker paused the patrol.
    Paused,
    /// The system or the worker killed the app.
    AppKilled,
    /// Permission to use the location was withdrawn.
    PermissionOff,
    /// The location service of the phone was switched off.
    LocationOff,
    /// The battery was too low to go on measuring.
    BatteryLow,
    /// The phone was off or restarted.
    PhoneOff,
    /// The sensor ran and found no position.
    NoSignal,
    /// Nothing is known of the cause.
    #[serde(other)]
    Unknown,
}
