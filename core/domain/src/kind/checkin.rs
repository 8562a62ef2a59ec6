//! `CheckIn` (签到): the worker was at a site, or says why they could not be. A
//! visit that the track shows needs no record: the server credits it from the
//! fixes.

use serde_json::Value;

use super::Kind;
use crate::{Entity, EntityId, Position, check};

/// The table.
pub const KIND: Kind = Kind {
    name: "checkin",
    fields: &[
        ("worker", check::id),
        ("grid", check::id),
        ("site", check::id),
        ("patrol", check::id),
        ("place", check::place),
        // Why the site was not visited: a word; then the record is no visit.
        ("missed", check::word),
        ("note", check::long_text),
    ],
    required: &["worker", "grid", "site"],
    fixed: &["worker", "grid", "site", "patrol"],
    ..Kind::RECORD
};

/// A check-in, read from its record.
#[derive(Clone, Debug, PartialEq)]
pub struct CheckIn {
    /// Its record.
    pub id: EntityId,
    /// Which site.
    pub site: EntityId,
    /// In which patrol; none where it was made outside of one.
    pub patrol: Option<EntityId>,
    /// When: milliseconds since 1970.
    pub at_ms: i64,
    /// Where the worker then was, where that was known.
    pub at: Option<Position>,
    /// Why the site was not visited; none for a visit.
    pub missed: Option<String>,
    /// What the worker said about it.
    pub note: Option<String>,
}

impl CheckIn {
    /// What a record of this kind says; none for another one or one that is
    /// deleted.
    #[must_use]
    pub fn of(record: &Entity) -> Option<Self> {
        if record.kind != KIND.name || record.deleted.is_some() {
            return None;
        }
        let id = |field: &str| record.text(field).and_then(|id| id.parse().ok());
        let place = |value: &Value| serde_json::from_value(value.clone()).ok();
        Some(Self {
            id: record.id,
            site: id("site")?,
            patrol: id("patrol"),
            at_ms: record.created.at_ms,
            at: record.value("place").and_then(place),
            missed: record.text("missed").map(str::to_owned),
            note: record.text("note").map(str::to_owned),
        })
    }
}
