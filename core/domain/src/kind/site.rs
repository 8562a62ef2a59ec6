//! `Site` (必到点): a place that must be visited, and how often.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Access, Kind};
use crate::rights::Who;
use crate::{Entity, EntityId, Position, check};

/// The table.
pub const KIND: Kind = Kind {
    name: "site",
    fields: &[
        ("grid", check::id),
        ("name", check::title),
        // What it is: market, school, warehouse, elder …
        ("sort", check::word),
        ("place", check::place),
        ("radius_m", radius),
        ("every", every),
        ("times", times),
        ("until_ms", check::time_ms),
    ],
    required: &["grid", "name", "place", "radius_m", "every"],
    fixed: &["grid"],
    access: Access {
        create: SETTERS,
        read: &[Who::Gridworker, Who::Supervisor, Who::Administrator],
        write: SETTERS,
        append: &[Who::Gridworker, Who::Supervisor],
        delete: SETTERS,
    },
    ..Kind::RECORD
};

/// Who says what must be visited.
const SETTERS: &[Who] = &[Who::Supervisor, Who::Administrator];

/// In what a site is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Every {
    /// In each patrol of its grid.
    Patrol,
    /// On each day.
    Day,
    /// In each week, which begins on Monday.
    Week,
}

/// A site, read from its record.
#[derive(Clone, Debug, PartialEq)]
pub struct Site {
    /// Its record.
    pub id: EntityId,
    /// What people call it.
    pub name: String,
    /// What it is: a code, where somebody said it.
    pub sort: Option<String>,
    /// Its middle.
    pub at: Position,
    /// Its radius in metres.
    pub radius_m: f64,
    /// In what it is due …
    pub every: Every,
    /// … and how often in that.
    pub times: u32,
    /// Since when it is due: when its record was made.
    pub from_ms: i64,
    /// Until when; none where no end is set.
    pub until_ms: Option<i64>,
}

impl Site {
    /// What a record of this kind says; none for another kind, one that is
    /// deleted, or one that a newer version wrote in a way this one cannot read.
    #[must_use]
    pub fn of(record: &Entity) -> Option<Self> {
        if record.kind != KIND.name || record.deleted.is_some() {
            return None;
        }
        let number = |field: &str| record.value(field).and_then(Value::as_u64);
        Some(Self {
            id: record.id,
            name: record.text("name")?.to_owned(),
            sort: record.text("sort").map(str::to_owned),
            at: serde_json::from_value(record.value("place")?.clone()).ok()?,
            radius_m: record.value("radius_m")?.as_f64()?,
            every: serde_json::from_value(record.value("every")?.clone()).ok()?,
            times: number("times")
                .and_then(|n| u32::try_from(n).ok())
                .unwrap_or(1),
            from_ms: record.created.at_ms,
            until_ms: record.value("until_ms").and_then(Value::as_i64),
        })
    }
}

/// Smaller than a phone's error a circle means nothing, larger than a village
/// it is no place.
fn radius(value: &Value) -> Result<(), String> {
    let fits = value.as_f64().is_some_and(|m| (5.0..=1000.0).contains(&m));
    fits.then_some(())
        .ok_or_else(|| "expected metres from 5 to 1,000".to_owned())
}

fn every(value: &Value) -> Result<(), String> {
    serde_json::from_value::<Every>(value.clone())
        .map(drop)
        .map_err(|_| "expected patrol, day or week".to_owned())
}

fn times(value: &Value) -> Result<(), String> {
    let fits = value.as_u64().is_some_and(|n| (1..=20).contains(&n));
    fits.then_some(())
        .ok_or_else(|| "expected a whole number from 1 to 20".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn what_no_site_can_be_is_refused() {
        for (check, good, bad) in [
            (radius as crate::Check, json!(30), json!(2)),
            (radius, json!(1000.0), json!("30")),
            (every, json!("week"), json!("month")),
            (times, json!(2), json!(0)),
            (times, json!(20), json!(1.5)),
        ] {
            assert_eq!(check(&good), Ok(()));
            assert!(
                check(&bad).is_err_and(|why| why.starts_with("expected")),
                "{bad}"
            );
        }
    }
}
