//! The index of the incidents that are shown: what lists and searches read.
//!
//! It follows by itself. Triggers note a record in `stale` and take it out of
//! `found` with whatever may change how it is shown: own ops, pulled states,
//! streams that come or go, who uses the phone. Each transaction that writes
//! ([`Tx`]) puts back what is shown still before it commits. So no way of
//! changing a record can forget the index, and what left the screen is out of
//! it in the transaction in which it left.
//!
//! Another version of the app may read other states: it makes the index anew
//! when it first opens the file.

use gridwalk_domain::{Entity, EntityId, kind, search};
use rusqlite::{Connection, Transaction, params};
use serde_json::Value;
use std::ops::Deref;

use crate::error::{Fault, Inner};
use crate::store::meta::{self, name};
use crate::{account, entities};

/// A transaction that writes.
pub(crate) struct Tx<'a>(pub(crate) Transaction<'a>);

impl Tx<'_> {
    /// Commits, with the index as the records are.
    pub(crate) fn commit(self) -> Inner<()> {
        settle(&self.0)?;
        Ok(self.0.commit()?)
    }
}

impl<'a> Deref for Tx<'a> {
    type Target = Transaction<'a>;

    fn deref(&self) -> &Transaction<'a> {
        &self.0
    }
}

/// Whether this version of the app made the index, and nothing waits for it.
pub(crate) fn is_whole(conn: &Connection, app: &str) -> Inner<bool> {
    let by: Option<String> = meta::get(conn, name::INDEXED_BY)?;
    let mut stale = conn.prepare_cached("SELECT 1 FROM stale")?;
    Ok(by.as_deref() == Some(app) && !stale.exists([])?)
}

/// Makes the index anew where another version of the app made it.
pub(crate) fn renew(tx: &Transaction<'_>, app: &str) -> Inner<()> {
    if meta::get::<String>(tx, name::INDEXED_BY)?.as_deref() != Some(app) {
        tx.execute_batch(
            "DELETE FROM found;
             INSERT INTO stale SELECT entity FROM base WHERE true ON CONFLICT DO NOTHING;
             INSERT INTO stale SELECT entity FROM op WHERE true ON CONFLICT DO NOTHING;",
        )?;
        meta::put(tx, name::INDEXED_BY, &app)?;
    }
    Ok(())
}

/// Puts what is stale and still shown back into the index. A record that
/// cannot be read stays stale: that must not keep others from being saved.
fn settle(tx: &Transaction<'_>) -> Inner<()> {
    let mut query = tx.prepare_cached("SELECT entity FROM stale")?;
    let rows = query.query_map([], |row| row.get::<_, [u8; 16]>(0))?;
    let stale: Vec<_> = rows.collect::<rusqlite::Result<_>>()?;
    if stale.is_empty() {
        return Ok(());
    }
    let account = account::number(tx)?;
    for id in stale.into_iter().map(EntityId::from_bytes) {
        match shown(tx, account, id) {
            Ok(None) => {}
            Ok(Some(entity)) => insert(tx, &entity)?,
            Err(Fault::Row(_)) => continue,
            Err(fault) => return Err(fault),
        }
        tx.prepare_cached("DELETE FROM stale WHERE entity = ?1")?
            .execute([id.as_bytes()])?;
    }
    Ok(())
}

fn shown(conn: &Connection, account: i64, id: EntityId) -> Inner<Option<Entity>> {
    let incident = kind::incident::KIND.name;
    let mut known = conn.prepare_cached(
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM base WHERE entity = ?1 AND kind = ?2)
             OR EXISTS (SELECT 1 FROM op WHERE entity = ?1 AND kind = ?2)",
    )?;
    if !known.exists(params![id.as_bytes(), incident])? {
        return Ok(None);
    }
    let entity = entities::shown(conn, account, id)?;
    Ok(entity.filter(|entity| entity.kind == incident && entity.deleted.is_none()))
}

fn insert(tx: &Transaction<'_>, entity: &Entity) -> Inner<()> {
    let degrees = |axis: &str| entity.value("place").and_then(|place| place[axis].as_f64());
    let found = entity.value("found_ms").and_then(Value::as_i64);
    tx.prepare_cached(
        "INSERT INTO found (found_ms, entity, status, category, lat, lon, text)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![
        found.unwrap_or(entity.created.at_ms),
        entity.id.as_bytes(),
        entity.status().unwrap_or_default(),
        entity.text("category").unwrap_or_default(),
        degrees("lat"),
        degrees("lon"),
        text(entity),
    ])?;
    Ok(())
}

/// What of an incident is searched, folded.
pub(crate) fn text(entity: &Entity) -> String {
    let title = entity.text("title").unwrap_or_default();
    let description = entity.text("description").unwrap_or_default();
    search::folded(&format!("{title}\n{description}"))
}
