//! Patrols: what the location service hands in, what the screen of the patrol
//! shows.

use gridwalk_domain as domain;
use gridwalk_engine as inner;
use gridwalk_track as track;

use crate::text::{list, write_optional};
use crate::{Position, SendState};

/// One position from the phone, as the sensor reported it.
#[derive(Clone, Copy, Debug, PartialEq, uniffi::Record)]
pub struct Fix {
    /// When it was measured: milliseconds since 1970 (UTC).
    pub time_ms: i64,
    /// Latitude in degrees, WGS-84.
    pub lat: f64,
    /// Longitude in degrees, WGS-84.
    pub lon: f64,
    /// Horizontal accuracy in metres (68 % radius), where the phone knows it.
    pub accuracy_m: Option<f32>,
    /// Altitude in metres, where known.
    pub altitude_m: Option<f32>,
    /// Speed over ground in metres a second, where known.
    pub speed_mps: Option<f32>,
    /// Bearing in degrees from north, clockwise, where known.
    pub bearing_deg: Option<f32>,
    /// Whether the system says that an app made this position up.
    pub mocked: bool,
}

impl From<domain::Fix> for Fix {
    fn from(fix: domain::Fix) -> Self {
        Self {
            time_ms: fix.time_ms,
            lat: fix.position.lat,
            lon: fix.position.lon,
            accuracy_m: fix.accuracy_m,
            altitude_m: fix.altitude_m,
            speed_mps: fix.speed_mps,
            bearing_deg: fix.bearing_deg,
            mocked: fix.mocked,
        }
    }
}

impl From<Fix> for domain::Fix {
    fn from(fix: Fix) -> Self {
        Self {
            time_ms: fix.time_ms,
            position: domain::Position {
                lat: fix.lat,
                lon: fix.lon,
            },
            accuracy_m: fix.accuracy_m,
            altitude_m: fix.altitude_m,
            speed_mps: fix.speed_mps,
            bearing_deg: fix.bearing_deg,
            mocked: fix.mocked,
        }
    }
}

/// What became of fixes that were handed in.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Recorded {
    /// The patrol.
    pub patrol: String,
    /// Fixes of this patrol that are durable against a kill, all told.
    pub acked: u64,
    /// Those of this call that are kept but not on the route.
    pub refused: Vec<RefusedFix>,
}

impl From<inner::Recorded> for Recorded {
    fn from(recorded: inner::Recorded) -> Self {
        Self {
            patrol: recorded.patrol.to_string(),
            acked: recorded.acked,
            refused: list(recorded.refused),
        }
    }
}

/// A fix that is kept but not on the route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct RefusedFix {
    /// Its number since the engine was opened, from 0.
    pub ordinal: u32,
    /// Why.
    pub why: FixRefusal,
}

impl From<inner::RefusedFix> for RefusedFix {
    fn from(fix: inner::RefusedFix) -> Self {
        Self {
            ordinal: fix.ordinal,
            why: fix.why.into(),
        }
    }
}

/// Why a fix is not on the route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum FixRefusal {
    /// Not on the earth.
    OutOfRange,
    /// 0° N 0° E: what broken sensors report.
    NullIsland,
    /// Too inaccurate to be of use.
    Inaccurate,
    /// The same again.
    Duplicate,
    /// Older than one that came before.
    OutOfOrder,
    /// From the future.
    Future,
    /// An app made it up.
    Mocked,
    /// Nobody moves that fast.
    Spike,
}

impl From<track::Refusal> for FixRefusal {
    fn from(refusal: track::Refusal) -> Self {
        match refusal {
            track::Refusal::OutOfRange => Self::OutOfRange,
            track::Refusal::NullIsland => Self::NullIsland,
            track::Refusal::Inaccurate => Self::Inaccurate,
            track::Refusal::Duplicate => Self::Duplicate,
            track::Refusal::OutOfOrder => Self::OutOfOrder,
            track::Refusal::Future => Self::Future,
            track::Refusal::Mocked => Self::Mocked,
            track::Refusal::Spike => Self::Spike,
        }
    }
}

/// Why there is no usable fix for a stretch of a patrol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
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
    Unknown,
}

impl From<domain::GapCause> for GapCause {
    fn from(cause: domain::GapCause) -> Self {
        match cause {
            domain::GapCause::Paused => Self::Paused,
            domain::GapCause::AppKilled => Self::AppKilled,
            domain::GapCause::PermissionOff => Self::PermissionOff,
            domain::GapCause::LocationOff => Self::LocationOff,
            domain::GapCause::BatteryLow => Self::BatteryLow,
            domain::GapCause::PhoneOff => Self::PhoneOff,
            domain::GapCause::NoSignal => Self::NoSignal,
            domain::GapCause::Unknown => Self::Unknown,
        }
    }
}

impl From<GapCause> for domain::GapCause {
    fn from(cause: GapCause) -> Self {
        match cause {
            GapCause::Paused => Self::Paused,
            GapCause::AppKilled => Self::AppKilled,
            GapCause::PermissionOff => Self::PermissionOff,
            GapCause::LocationOff => Self::LocationOff,
            GapCause::BatteryLow => Self::BatteryLow,
            GapCause::PhoneOff => Self::PhoneOff,
            GapCause::NoSignal => Self::NoSignal,
            GapCause::Unknown => Self::Unknown,
        }
    }
}

/// What the location service knows about its sensor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum SensorMark {
    /// From here on there is no position, and this is why.
    Lost {
        /// Why.
        cause: GapCause,
    },
    /// Positions come again.
    Found,
    /// From here on a position is asked for this often.
    Asked {
        /// Milliseconds between two positions.
        every_ms: u32,
    },
}

impl From<SensorMark> for domain::MarkKind {
    fn from(mark: SensorMark) -> Self {
        match mark {
            SensorMark::Lost { cause } => Self::Lost {
                cause: cause.into(),
            },
            SensorMark::Found => Self::Found,
            SensorMark::Asked { every_ms } => Self::Asked { every_ms },
        }
    }
}

/// What a patrol came to.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct PatrolSummary {
    /// The patrol.
    pub patrol: String,
    /// When it began.
    pub started_ms: i64,
    /// When it ended.
    pub ended_ms: i64,
    /// Metres walked, gaps left out.
    pub distance_m: f64,
    /// Seconds in motion.
    pub moving_s: i64,
    /// Fixes recorded.
    pub fixes: u64,
    /// Those of them that are on the route.
    pub used: u64,
    /// Gaps in the route.
    pub gaps: u64,
    /// Seconds of gaps.
    pub gap_s: i64,
    /// Stops on the way.
    pub stops: u64,
}

impl From<inner::PatrolSummary> for PatrolSummary {
    fn from(summary: inner::PatrolSummary) -> Self {
        Self {
            patrol: summary.patrol.to_string(),
            started_ms: summary.started_ms,
            ended_ms: summary.ended_ms,
            distance_m: summary.distance_m,
            moving_s: summary.moving_s,
            fixes: summary.fixes,
            used: summary.used,
            gaps: summary.gaps,
            gap_s: summary.gap_s,
            stops: summary.stops,
        }
    }
}

/// A patrol, as it stands on this phone.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct PatrolView {
    /// Its id.
    pub id: String,
    /// `active`, `paused` or `finished`.
    pub status: String,
    /// Where, by the grid's id.
    pub grid: Option<String>,
    /// Whose, by the worker's id.
    pub worker: Option<String>,
    /// In which shift.
    pub shift: Option<String>,
    /// When it began.
    pub started_ms: i64,
    /// When it ended.
    pub ended_ms: Option<i64>,
    /// Fixes recorded on this phone.
    pub fixes: u64,
    /// Metres walked, once it is finished.
    pub distance_m: Option<f64>,
    /// Seconds in motion, once it is finished.
    pub moving_s: Option<i64>,
    /// Whether it was made on this phone.
    pub mine: bool,
    /// Whether the server has it.
    pub send: SendState,
}

impl From<inner::PatrolView> for PatrolView {
    fn from(patrol: inner::PatrolView) -> Self {
        Self {
            id: patrol.id.to_string(),
            status: patrol.status,
            grid: write_optional(patrol.grid),
            worker: write_optional(patrol.worker),
            shift: write_optional(patrol.shift),
            started_ms: patrol.started_ms,
            ended_ms: patrol.ended_ms,
            fixes: patrol.fixes,
            distance_m: patrol.distance_m,
            moving_s: patrol.moving_s,
            mine: patrol.mine,
            send: patrol.send.into(),
        }
    }
}

/// The route of a patrol. What lies between two segments was not walked as far
/// as anybody knows, and is never drawn.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct RouteView {
    /// The patrol.
    pub patrol: String,
    /// Stretches with fixes.
    pub segments: Vec<Vec<RoutePoint>>,
    /// Stretches without, with their causes.
    pub gaps: Vec<Gap>,
    /// Where the worker stayed.
    pub stops: Vec<Stop>,
    /// Metres walked, gaps left out.
    pub distance_m: f64,
    /// Seconds in motion.
    pub moving_s: i64,
    /// Fixes recorded.
    pub fixes: u64,
    /// Those of them that are on the route.
    pub used: u64,
}

impl From<inner::RouteView> for RouteView {
    fn from(route: inner::RouteView) -> Self {
        Self {
            patrol: route.patrol.to_string(),
            segments: route.segments.into_iter().map(list).collect(),
            gaps: list(route.gaps),
            stops: list(route.stops),
            distance_m: route.distance_m,
            moving_s: route.moving_s,
            fixes: route.fixes,
            used: route.used,
        }
    }
}

/// A point of a route.
#[derive(Clone, Copy, Debug, PartialEq, uniffi::Record)]
pub struct RoutePoint {
    /// When.
    pub time_ms: i64,
    /// Latitude in degrees, WGS-84.
    pub lat: f64,
    /// Longitude in degrees, WGS-84.
    pub lon: f64,
}

impl From<domain::Fix> for RoutePoint {
    fn from(fix: domain::Fix) -> Self {
        Self {
            time_ms: fix.time_ms,
            lat: fix.position.lat,
            lon: fix.position.lon,
        }
    }
}

/// A stretch with no usable fix.
#[derive(Clone, Copy, Debug, PartialEq, uniffi::Record)]
pub struct Gap {
    /// From when.
    pub from_ms: i64,
    /// Until when.
    pub to_ms: i64,
    /// Why.
    pub cause: GapCause,
    /// The last known position before it.
    pub from: Option<Position>,
    /// The first known position after it.
    pub to: Option<Position>,
}

impl From<track::route::Gap> for Gap {
    fn from(gap: track::route::Gap) -> Self {
        Self {
            from_ms: gap.from_ms,
            to_ms: gap.to_ms,
            cause: gap.cause.into(),
            from: gap.from.map(Into::into),
            to: gap.to.map(Into::into),
        }
    }
}

/// Where the worker stayed for a while.
#[derive(Clone, Copy, Debug, PartialEq, uniffi::Record)]
pub struct Stop {
    /// From when.
    pub from_ms: i64,
    /// Until when.
    pub to_ms: i64,
    /// Where.
    pub at: Position,
}

impl From<track::route::Stop> for Stop {
    fn from(stop: track::route::Stop) -> Self {
        Self {
            from_ms: stop.from_ms,
            to_ms: stop.to_ms,
            at: stop.at.into(),
        }
    }
}

/// A format of files for a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum ExportFormat {
    /// GPX 1.1.
    Gpx,
    /// GeoJSON.
    GeoJson,
    /// CSV.
    Csv,
}

impl From<ExportFormat> for inner::Format {
    fn from(format: ExportFormat) -> Self {
        match format {
            ExportFormat::Gpx => Self::Gpx,
            ExportFormat::GeoJson => Self::GeoJson,
            ExportFormat::Csv => Self::Csv,
        }
    }
}
