//! What this phone shows: the server's state with its worker's own ops on top.
//!
//! An own op is on top while it waits, and once it was taken until the pulled
//! state lists it. The cursor of its stream does not tell: a record comes once,
//! at its last change, which may be pages after the op's own number. What the
//! server refused leaves the top, and so does what was taken into a stream that
//! was read anew and does not list its record any more. A record that the server refused from the
//! start, however, is shown as this phone made it: nobody's report may vanish
//! from their own list.
//!
//! A state that this version cannot read (a newer server wrote it) is kept and
//! not shown.

use gridwalk_domain::{Entity, EntityId, OpId, apply};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::error::{Fault, Inner};
use crate::outbox;

/// Own ops that the pulled state need not hold yet.
const ON_TOP: &str = "
    SELECT id, body FROM op
    WHERE entity = ?1 AND account = ?2
      AND (state = 'ready' OR state = 'taken' AND stream IS NOT NULL)
    ORDER BY n";

/// All own ops, where the server refused the first.
const REFUSED: &str = "
    SELECT id, body FROM op WHERE entity = ?1 AND account = ?2
      AND (SELECT state FROM op WHERE entity = ?1 AND account = ?2 ORDER BY n LIMIT 1)
          IN ('rejected', 'quarantined')
    ORDER BY n";

/// The state of one entity; none where this phone knows none.
pub(crate) fn load(conn: &Connection, account: i64, id: EntityId) -> Inner<Option<Entity>> {
    with_own(conn, account, id, base(conn, id)?)
}

/// The same, for the screen: what belongs to a stream that the worker does not
/// follow any more has left it.
pub(crate) fn shown(conn: &Connection, account: i64, id: EntityId) -> Inner<Option<Entity>> {
    match base(conn, id)? {
        Base::None if !is_at_home(conn, account, id)? => Ok(None),
        base => with_own(conn, account, id, base),
    }
}

/// Whether own ops are on an entity whose home is followed.
fn is_at_home(conn: &Connection, account: i64, id: EntityId) -> Inner<bool> {
    let mut query = conn.prepare_cached(
        "SELECT 1 FROM op JOIN stream ON stream.key = op.home
         WHERE op.entity = ?1 AND op.account = ?2",
    )?;
    Ok(query.exists(params![id.as_bytes(), account])?)
}

fn with_own(conn: &Connection, account: i64, id: EntityId, base: Base) -> Inner<Option<Entity>> {
    let mut state = match base {
        Base::None => None,
        Base::Read(entity) => Some(*entity),
        Base::Unreadable => return Ok(None),
    };
    on_top(conn, account, id, &mut state, ON_TOP)?;
    if state.is_none() {
        on_top(conn, account, id, &mut state, REFUSED)?;
    }
    Ok(state)
}

enum Base {
    None,
    Read(Box<Entity>),
    Unreadable,
}

fn base(conn: &Connection, id: EntityId) -> Inner<Base> {
    let mut query = conn.prepare_cached("SELECT state FROM base WHERE entity = ?1")?;
    let json: Option<String> = query
        .query_row([id.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(match json.map(|json| serde_json::from_str(&json)) {
        None => Base::None,
        Some(Ok(entity)) => Base::Read(Box::new(entity)),
        Some(Err(_)) => Base::Unreadable,
    })
}

fn on_top(
    conn: &Connection,
    account: i64,
    id: EntityId,
    state: &mut Option<Entity>,
    sql: &str,
) -> Inner<()> {
    let mut query = conn.prepare_cached(sql)?;
    let mut rows = query.query(params![id.as_bytes(), account])?;
    while let Some(row) = rows.next()? {
        let op = OpId::from_bytes(row.get(0)?);
        if state.as_ref().is_some_and(|state| state.ops.contains(&op)) {
            continue;
        }
        let op = outbox::read(row.get_ref(1)?.as_str().map_err(|_| Fault::Row("an op"))?)?;
        // What does not fit any more (the server went back, others were
        // faster) is left out of the picture; the outbox keeps it.
        let _ = apply(state, &op, op.at.wall_ms);
    }
    Ok(())
}

/// All entities of a kind of which this phone knows something.
pub(crate) fn ids(conn: &Connection, account: i64, kind: &str) -> Inner<Vec<EntityId>> {
    let mut query = conn.prepare_cached(
        "SELECT entity FROM base WHERE kind = ?1
         UNION SELECT entity FROM op WHERE kind = ?1 AND account = ?2",
    )?;
    let rows = query.query_map(params![kind, account], |row| row.get::<_, [u8; 16]>(0))?;
    let ids: Result<Vec<_>, _> = rows.map(|row| row.map(EntityId::from_bytes)).collect();
    Ok(ids?)
}

#[cfg(test)]
#[path = "overlay_tests.rs"]
mod tests;
