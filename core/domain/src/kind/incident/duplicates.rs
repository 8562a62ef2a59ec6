//! A hint: which other reports may be of the same thing. Near in place, in
//! time and in category, whoever made them. People decide.

use serde_json::Value;

use super::{KIND, REJECTED};
use crate::catalogue::Nearness;
use crate::entity::Entity;
use crate::{EntityId, Position};

const HOUR_MS: i64 = 3_600_000;

/// A report, as far as it can be compared: one that is there or is being
/// written.
#[derive(Clone, Debug, PartialEq)]
pub struct Report<'a> {
    /// Where.
    pub place: Position,
    /// How far off that may be, in metres.
    pub accuracy_m: f64,
    /// When it was found: milliseconds since 1970 (UTC).
    pub found_ms: i64,
    /// Its category; none where it is not classified yet.
    pub category: Option<&'a str>,
}

impl<'a> Report<'a> {
    /// What an incident says; none where it has no coordinates.
    #[must_use]
    pub fn of(entity: &'a Entity) -> Option<Self> {
        let place = entity.value("place")?;
        let found = entity.value("found_ms").and_then(Value::as_i64);
        Some(Self {
            place: serde_json::from_value(place.clone()).ok()?,
            accuracy_m: place
                .get("accuracy_m")
                .and_then(Value::as_f64)
                .unwrap_or(0.0),
            found_ms: found.unwrap_or(entity.created.at_ms),
            category: entity.text("category"),
        })
    }
}

/// A report that may be of the same thing.
#[derive(Clone, Debug, PartialEq)]
pub struct Duplicate {
    /// Which.
    pub incident: EntityId,
    /// Metres between the two places.
    pub apart_m: f64,
    /// Milliseconds between the two findings.
    pub apart_ms: i64,
}

/// The incidents among `others` that may be of the same thing as `report`, the
/// nearest place first. Rejected and deleted ones are not, closed ones may be:
/// it may have come back.
pub fn duplicates<'a>(
    report: &Report<'_>,
    others: impl IntoIterator<Item = &'a Entity>,
    near: Nearness,
) -> Vec<Duplicate> {
    let mut found: Vec<Duplicate> = others
        .into_iter()
        .filter_map(|other| compare(report, other, near))
        .collect();
    found.sort_by(|a, b| {
        a.apart_m
            .total_cmp(&b.apart_m)
            .then(a.incident.cmp(&b.incident))
    });
    found
}

fn compare(report: &Report<'_>, entity: &Entity, near: Nearness) -> Option<Duplicate> {
    let stands =
        entity.kind == KIND.name && entity.deleted.is_none() && entity.status() != Some(REJECTED);
    let other = Report::of(entity).filter(|_| stands)?;
    let apart_m = report.place.distance_m(&other.place);
    let within_m = f64::from(near.metres) + report.accuracy_m + other.accuracy_m;
    let apart_ms = report
        .found_ms
        .saturating_sub(other.found_ms)
        .saturating_abs();
    let one_category = match (report.category, other.category) {
        (Some(mine), Some(its)) => mine == its,
        // What is not classified may be anything.
        _ => true,
    };
    let may_be = apart_m <= within_m && apart_ms <= i64::from(near.hours) * HOUR_MS && one_category;
    may_be.then_some(Duplicate {
        incident: entity.id,
        apart_m,
        apart_ms,
    })
}

#[cfg(test)]
#[path = "duplicates_tests.rs"]
mod tests;
