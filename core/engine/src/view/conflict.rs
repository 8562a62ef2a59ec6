//! Fields that were written twice, for somebody to settle.

use gridwalk_domain::{Author, Entity, EntityId, Entry, OpId};
use rusqlite::params;
use serde_json::Value;

use super::owned;
use crate::core::Core;
use crate::entities;
use crate::error::Inner;

/// A field that was written twice: nothing anybody wrote is lost, and somebody
/// is to say what it shall be.
#[derive(Clone, Debug, PartialEq)]
pub struct ConflictView {
    /// The record.
    pub record: EntityId,
    /// What it is: `incident` …
    pub kind: String,
    /// Its title, where it has one.
    pub title: Option<String>,
    /// The field.
    pub field: String,
    /// What stands.
    pub standing: VersionView,
    /// What others wrote without having seen it: "also proposed by …".
    pub others: Vec<VersionView>,
}

/// What somebody wrote into a field.
#[derive(Clone, Debug, PartialEq)]
pub struct VersionView {
    /// By which op.
    pub op: OpId,
    /// By whom.
    pub by: Author,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// What.
    pub value: Value,
}

impl From<&Entry> for VersionView {
    fn from(entry: &Entry) -> Self {
        Self {
            op: entry.stamp.op,
            by: entry.stamp.by,
            at_ms: entry.stamp.at_ms,
            value: entry.value.clone(),
        }
    }
}

/// How a conflict is settled.
#[derive(Clone, Debug, PartialEq)]
pub enum Choice {
    /// By one of the versions, named by its op.
    Keep(OpId),
    /// By something else.
    Write(Value),
}

/// All fields that this phone shows as written twice, record by record.
pub(crate) fn conflicts(core: &Core) -> Inner<Vec<ConflictView>> {
    // Own edits that wait may conflict with what came down meanwhile.
    let candidates = "SELECT entity FROM base WHERE conflicts > 0
         UNION SELECT entity FROM op WHERE account = ?1 AND state = 'ready'";
    let mut out = Vec::new();
    for id in ids(core, candidates)? {
        if let Some(entity) = entities::shown(&core.conn, core.account(), id)? {
            out.extend(of(&entity));
        }
    }
    Ok(out)
}

/// How many fields wait to be settled, as the server has them; what this phone
/// settled already is not counted.
pub(super) fn count(core: &Core) -> Inner<u64> {
    let mut count = 0;
    for id in ids(
        core,
        "SELECT entity FROM base WHERE conflicts > 0 AND ?1 = ?1",
    )? {
        if let Some(entity) = entities::shown(&core.conn, core.account(), id)? {
            count += of(&entity).count() as u64;
        }
    }
    Ok(count)
}

fn ids(core: &Core, sql: &str) -> Inner<Vec<EntityId>> {
    let mut query = core.conn.prepare_cached(sql)?;
    let rows = query.query_map(params![core.account()], |row| row.get::<_, [u8; 16]>(0))?;
    let ids: rusqlite::Result<Vec<_>> = rows.map(|row| row.map(EntityId::from_bytes)).collect();
    Ok(ids?)
}

fn of(entity: &Entity) -> impl Iterator<Item = ConflictView> + '_ {
    let fields = entity
        .fields
        .iter()
        .filter(|(_, field)| entity.deleted.is_none() && !field.proposals.is_empty());
    fields.map(|(name, field)| ConflictView {
        record: entity.id,
        kind: entity.kind.clone(),
        title: owned(entity, "title"),
        field: name.clone(),
        standing: VersionView::from(&field.current),
        others: field.proposals.iter().map(VersionView::from).collect(),
    })
}
