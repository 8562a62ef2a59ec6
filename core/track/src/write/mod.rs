//! Writes tracks for other programs: CSV, GPX 1.1, GeoJSON.

mod geojson_text;
mod gpx_text;

use std::fmt::Write as _;

use chrono::{DateTime, SecondsFormat};
use gridwalk_domain::{Fix, GapCause};

use crate::StoredFix;
use crate::route::Route;

/// What a file says of a route beside its geometry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Labels {
    /// The name of the track.
    pub name: String,
    /// More about it.
    pub description: Option<String>,
}

/// The fixes as CSV, with the columns that [`crate::read::csv`] reads:
/// `t_ms,lat,lon,alt,acc,speed,bearing`, empty where unknown.
#[must_use]
pub fn csv(fixes: &[Fix]) -> String {
    let mut out = String::from("t_ms,lat,lon,alt,acc,speed,bearing\n");
    for fix in fixes {
        csv_fields(&mut out, fix);
        out.push('\n');
    }
    out
}

/// The stored fixes as CSV, the refused ones too: the columns of [`csv`], then
/// `mocked` (1 or 0) and `refused` (the reason, empty for a used fix).
#[must_use]
pub fn csv_stored(fixes: &[StoredFix]) -> String {
    let mut out = String::from("t_ms,lat,lon,alt,acc,speed,bearing,mocked,refused\n");
    for stored in fixes {
        csv_fields(&mut out, &stored.fix);
        let reason = stored.refused.map_or("", crate::Refusal::as_str);
        // Writing to a String cannot fail.
        let _ = writeln!(out, ",{},{reason}", u8::from(stored.fix.mocked));
    }
    out
}

fn csv_fields(out: &mut String, fix: &Fix) {
    let _ = write!(
        out,
        "{},{},{}",
        fix.time_ms, fix.position.lat, fix.position.lon
    );
    for value in [
        fix.altitude_m,
        fix.accuracy_m,
        fix.speed_mps,
        fix.bearing_deg,
    ] {
        out.push(',');
        if let Some(value) = value {
            let _ = write!(out, "{value}");
        }
    }
}

/// The route as GPX 1.1: one track with a segment for each of the route's, so
/// that no program draws a line over a gap. Accuracy and speed are extensions.
#[must_use]
pub fn gpx(route: &Route, labels: &Labels) -> String {
    gpx_text::write(route, labels)
}

/// The route as a GeoJSON FeatureCollection: a line for each segment (with the
/// times of its points), a feature without geometry for each gap, a point for
/// each stop.
#[must_use]
pub fn geojson(route: &Route, labels: &Labels) -> String {
    geojson_text::write(route, labels)
}

/// A time as files write it; `None` for one that no calendar has.
fn time(ms: i64) -> Option<String> {
    DateTime::from_timestamp_millis(ms).map(|t| t.to_rfc3339_opts(SecondsFormat::AutoSi, true))
}

fn cause(cause: GapCause) -> &'static str {
    match cause {
        GapCause::Paused => "paused",
        GapCause::AppKilled => "app_killed",
        GapCause::PermissionOff => "permission_off",
        GapCause::LocationOff => "location_off",
        GapCause::BatteryLow => "battery_low",
        GapCause::PhoneOff => "phone_off",
        GapCause::NoSignal => "no_signal",
        GapCause::Unknown => "unknown",
    }
}
