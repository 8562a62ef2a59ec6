//! What this phone shows: the server's state with its own ops on top.
//!
//! An own op stays on top until the record was pulled at or after the number
//! that the op was given; one that the pulled state holds already is skipped by
//! [`apply`] itself. What the server refused leaves the top. A record that the
//! server refused from the start, however, is shown as this phone made it:
//! nobody's report may vanish from their own list.

use gridwalk_domain::{Entity, EntityId, apply};
use rusqlite::{Connection, OptionalExtension as _};

use crate::error::{Fault, Inner};
use crate::outbox;

/// The state of one entity; none where this phone knows none.
pub(crate) fn load(conn: &Connection, id: EntityId) -> Inner<Option<Entity>> {
    let mut state = base(conn, id)?;
    on_top(
        conn,
        id,
        &mut state,
        "SELECT body FROM op WHERE entity = ?1 AND covered = 0 AND state IN ('ready', 'taken') ORDER BY n",
    )?;
    if state.is_none() {
        on_top(
            conn,
            id,
            &mut state,
            "SELECT body FROM op WHERE entity = ?1
             AND (SELECT state FROM op WHERE entity = ?1 ORDER BY n LIMIT 1) IN ('rejected', 'quarantined')
             ORDER BY n",
        )?;
    }
    Ok(state)
}

fn base(conn: &Connection, id: EntityId) -> Inner<Option<Entity>> {
    let mut query = conn.prepare_cached("SELECT state FROM base WHERE entity = ?1")?;
    let json: Option<String> = query
        .query_row([id.as_bytes()], |row| row.get(0))
        .optional()?;
    json.map(|json| serde_json::from_str(&json).map_err(|_| Fault::Row("a record")))
        .transpose()
}

fn on_top(conn: &Connection, id: EntityId, state: &mut Option<Entity>, sql: &str) -> Inner<()> {
    let mut query = conn.prepare_cached(sql)?;
    let mut rows = query.query([id.as_bytes()])?;
    while let Some(row) = rows.next()? {
        let op = outbox::read(row.get_ref(0)?.as_str().map_err(|_| Fault::Row("an op"))?)?;
        // What does not fit any more (the server went back, others were
        // faster) is left out of the picture; the outbox keeps it.
        let _ = apply(state, &op, op.at.wall_ms);
    }
    Ok(())
}

/// All entities of a kind that this phone knows.
pub(crate) fn ids(conn: &Connection, kind: &str) -> Inner<Vec<EntityId>> {
    let mut query = conn.prepare_cached(
        "SELECT entity FROM base WHERE kind = ?1
         UNION SELECT entity FROM op WHERE kind = ?1 AND covered = 0",
    )?;
    let rows = query.query_map([kind], |row| row.get::<_, [u8; 16]>(0))?;
    let ids: Result<Vec<_>, _> = rows.map(|row| row.map(EntityId::from_bytes)).collect();
    Ok(ids?)
}
