//! From an entity's state to its row: what lists and rights ask for, in
//! columns of their own. A new kind of record that belongs to another one, or
//! is dated otherwise, is said here.

use gridwalk_domain::{Author, Entity, EntityId, StreamKey, WorkerId, kind};
use gridwalk_store::{EntityRow, Listing, StoreError};

use crate::clock;
use crate::law::Law;

const DAY_MS: i64 = 86_400_000;

/// The day of a district, counted from 1970-01-01.
pub(crate) fn day_of(at_ms: i64, utc_offset_min: i32) -> i32 {
    let local = at_ms.saturating_add(i64::from(utc_offset_min) * 60_000);
    i32::try_from(local.div_euclid(DAY_MS)).unwrap_or(if local < 0 { i32::MIN } else { i32::MAX })
}

/// The field that names the record which a record of this kind belongs to.
fn parent_field(kind: &str) -> Option<&'static str> {
    match kind {
        "incident" | "checkin" => Some("patrol"),
        "patrol" => Some("shift"),
        "notice_reading" => Some("notice"),
        _ => None,
    }
}

/// The state that a row holds.
pub(crate) fn state(row: &EntityRow) -> Result<Entity, StoreError> {
    let damaged = |why| StoreError::Damaged(format!("record {} cannot be read: {why}", row.id));
    serde_json::from_str(row.state.as_deref().unwrap_or_default()).map_err(damaged)
}

/// The row of an entity at a revision, with the streams that list it.
pub(crate) fn row(
    entity: &Entity,
    rev: u64,
    listed: Vec<Listing>,
    utc_offset_min: i32,
    law: &Law,
) -> Result<EntityRow, StoreError> {
    let state = serde_json::to_string(entity)
        .map_err(|why| StoreError::Refused(format!("a state cannot be written: {why}")))?;
    let grid = match entity.home {
        StreamKey::Records(grid) | StreamKey::Notices(grid) => Some(grid),
        StreamKey::Inbox(_) | StreamKey::Receipts(_) => kind::grid_of(entity),
    };
    let at_ms = entity.created.at_ms;
    Ok(EntityRow {
        id: entity.id,
        kind: entity.kind.clone(),
        home: entity.home,
        rev,
        grid,
        worker: worker(entity),
        parent: parent_field(&entity.kind)
            .and_then(|field| entity.text(field)?.parse::<EntityId>().ok()),
        at_ms,
        day: day_of(at_ms, utc_offset_min),
        status: entity.status().map(str::to_owned),
        deleted: entity.deleted.is_some(),
        due_ms: clock::due_ms(entity, law),
        listed,
        blobs: entity.blobs().into_iter().collect(),
        state: Some(state),
    })
}

/// What is left of a purged one: its number in the streams that listed it.
pub(crate) fn purged_row(
    id: EntityId,
    rev: u64,
    listed: Vec<Listing>,
) -> Result<EntityRow, StoreError> {
    let unlisted = || StoreError::Damaged("an entity that no stream lists".to_owned());
    let home = listed.first().ok_or_else(unlisted)?.stream;
    Ok(EntityRow {
        id,
        kind: String::new(),
        home,
        rev,
        grid: None,
        worker: None,
        parent: None,
        at_ms: 0,
        day: 0,
        status: None,
        deleted: true,
        due_ms: None,
        listed,
        blobs: Vec::new(),
        state: None,
    })
}

/// Whose it is: the field says it, else who made it.
fn worker(entity: &Entity) -> Option<WorkerId> {
    let author = match entity.created.by {
        Author::Worker { worker, .. } => Some(worker),
        Author::User { .. } | Author::Server { .. } => None,
    };
    let field = entity.text("worker").and_then(|id| id.parse().ok());
    field.or(author)
}

#[cfg(test)]
mod tests {
    use super::day_of;

    #[test]
    fn a_day_begins_at_the_districts_midnight() {
        let midnight = 1_763_740_800_000; // 2025-11-22T00:00:00+08:00
        assert_eq!(day_of(midnight - 1, 480) + 1, day_of(midnight, 480));
        assert_eq!(day_of(0, 0), 0);
        assert_eq!(day_of(-1, 0), -1);
        assert_eq!(day_of(i64::MIN, -600), i32::MIN);
    }
}
