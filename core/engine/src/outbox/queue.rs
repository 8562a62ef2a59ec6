//! What is due to be sent.

use gridwalk_domain::{EntityId, OpId, SealedOp, Sha256};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use super::RESTS;
use crate::error::Inner;

/// An op that is due to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub(crate) n: i64,
    pub(crate) id: OpId,
    pub(crate) sealed: SealedOp,
    pub(crate) tries: i64,
}

/// The next ops of an account to send after row `after`: at most `ops` and
/// `bytes`, but one at least. What comes after a parked op in its lane, or
/// needs it, waits with it.
pub(crate) fn due(
    conn: &Connection,
    account: i64,
    server_ms: i64,
    after: i64,
    ops: usize,
    bytes: usize,
) -> Inner<Vec<Due>> {
    let mut query = conn.prepare_cached(&format!(
        "WITH RECURSIVE held (id) AS (
             SELECT id FROM op WHERE account = ?1 AND state = 'ready' AND {RESTS}
             UNION SELECT op.id FROM held JOIN op ON op.prev = held.id
             UNION SELECT need.op FROM held JOIN need ON need.need = held.id
         )
         SELECT n, id, body, sha256, tries FROM op
         WHERE account = ?1 AND state = 'ready' AND n > ?3 AND id NOT IN (SELECT id FROM held)
         ORDER BY n LIMIT ?4"
    ))?;
    let limit = i64::try_from(ops.max(1)).unwrap_or(i64::MAX);
    let mut rows = query.query(params![account, server_ms, after, limit])?;
    let (mut out, mut used) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let body: String = row.get(2)?;
        // What JSON puts around and into a body that is itself JSON: quotes
        // are escaped.
        used += body.len() + body.matches(['"', '\\']).count() + 100;
        if used > bytes && !out.is_empty() {
            break;
        }
        let sealed = SealedOp {
            sha256: Sha256(row.get(3)?),
            body,
        };
        out.push(Due {
            n: row.get(0)?,
            id: OpId::from_bytes(row.get(1)?),
            sealed,
            tries: row.get(4)?,
        });
    }
    Ok(out)
}

/// Notes that these are about to be sent.
pub(crate) fn tried(tx: &Transaction<'_>, ops: &[Due]) -> Inner<()> {
    let mut update = tx.prepare_cached("UPDATE op SET tries = tries + 1 WHERE n = ?1")?;
    for op in ops {
        update.execute([op.n])?;
    }
    Ok(())
}

/// Parks an op that the server refuses even alone. Returns its record.
pub(crate) fn park(
    tx: &Transaction<'_>,
    n: i64,
    server_ms: i64,
    code: &str,
    why: &str,
) -> Inner<Option<EntityId>> {
    let entity: Option<[u8; 16]> = tx
        .prepare_cached(
            "UPDATE op SET parked_ms = ?2, code = ?3, why = ?4
             WHERE n = ?1 AND state = 'ready' RETURNING entity",
        )?
        .query_row(params![n, server_ms, code, why], |row| row.get(0))
        .optional()?;
    Ok(entity.map(EntityId::from_bytes))
}

/// An op that was held as sent waits to be sent again: the server lost it.
/// Returns its record.
pub(crate) fn send_again(tx: &Transaction<'_>, account: i64, op: OpId) -> Inner<Option<EntityId>> {
    let entity: Option<[u8; 16]> = tx
        .prepare_cached(
            "UPDATE op SET state = 'ready', doubted = 0, parked_ms = NULL, epoch = NULL,
                 stream = NULL, seq = NULL, receipt = NULL, code = NULL, why = NULL
             WHERE id = ?1 AND account = ?2 AND state <> 'ready' RETURNING entity",
        )?
        .query_row(params![op.as_bytes(), account], |row| row.get(0))
        .optional()?;
    Ok(entity.map(EntityId::from_bytes))
}

/// Another version of server or app may take what was parked.
pub(crate) fn unpark(tx: &Transaction<'_>, account: i64) -> Inner<()> {
    for table in ["op", "chunk", "blob"] {
        tx.execute(
            &format!(
                "UPDATE {table} SET parked_ms = NULL, code = NULL, why = NULL
                 WHERE account = ?1 AND parked_ms IS NOT NULL"
            ),
            [account],
        )?;
    }
    Ok(())
}
