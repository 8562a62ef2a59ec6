//! The outbox: what was saved and what became of it.
//!
//! A row is written in the transaction of the save and never changed but for
//! its state. `ready` waits to be sent (or was sent, and no outcome came);
//! `taken` stands on the server; `rejected` and `quarantined` are kept and
//! listed. A row that is `ready` with a reason is parked: the server refused
//! the request that carried it alone, and it is tried again daily.

use gridwalk_domain::wire::{Outcome, Reason};
use gridwalk_domain::{
    EntityId, Intent, Moment, OP_VERSION, OpBody, OpId, Rng, SealedOp, Sha256, apply,
};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::entities;
use crate::error::{EngineError, Fault, Inner};
use crate::identity::Me;
use crate::pull;

/// How long a parked row rests. One that would rest longer was parked before
/// the phone's clock was set back, and is due.
pub(crate) const PARKED_MS: i64 = 24 * 3_600_000;

/// Writes ops for one author at one instant.
pub(crate) struct Pen<'a> {
    pub(crate) me: &'a Me,
    pub(crate) at: Moment,
    pub(crate) rng: &'a dyn Rng,
}

impl Pen<'_> {
    /// Saves one op, after asking [`apply`] whether it can be taken by what
    /// this phone shows.
    pub(crate) fn write(
        &self,
        tx: &Transaction<'_>,
        entity: EntityId,
        kind: &str,
        needs: Vec<OpId>,
        intent: Intent,
    ) -> Inner<OpId> {
        let body = OpBody {
            v: OP_VERSION,
            id: OpId::draw(self.at.wall_ms, self.rng),
            tenant: self.me.tenant,
            entity,
            kind: kind.to_owned(),
            by: self.me.author(),
            prev: tail(tx, entity)?,
            needs,
            at: self.at,
            nonce: OpBody::draw_nonce(self.rng),
            intent,
        };
        let mut state = entities::load(tx, entity)?;
        apply(&mut state, &body, self.at.wall_ms).map_err(|refusal| invalid(&refusal))?;
        let sealed = body.seal().map_err(|bad| EngineError::Invalid {
            field: kind.to_owned(),
            why: bad.to_string(),
        })?;
        tx.prepare_cached(
            "INSERT INTO op (id, entity, kind, body, sha256, saved_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        )?
        .execute(params![
            body.id.as_bytes(),
            entity.as_bytes(),
            kind,
            sealed.body,
            sealed.sha256.0,
            self.at.wall_ms
        ])?;
        Ok(body.id)
    }
}

fn invalid(refusal: &gridwalk_domain::Refusal) -> EngineError {
    match refusal {
        gridwalk_domain::Refusal::BadValue { field, why } => EngineError::Invalid {
            field: field.clone(),
            why: why.clone(),
        },
        other => EngineError::Invalid {
            field: "status".to_owned(),
            why: other.to_string(),
        },
    }
}

/// This phone's last op on an entity: the `prev` of the next.
pub(crate) fn tail(conn: &Connection, entity: EntityId) -> Inner<Option<OpId>> {
    let mut query =
        conn.prepare_cached("SELECT id FROM op WHERE entity = ?1 ORDER BY n DESC LIMIT 1")?;
    let id: Option<[u8; 16]> = query
        .query_row([entity.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(id.map(OpId::from_bytes))
}

/// This phone's first op on an entity: where the phone made it, its `create`.
pub(crate) fn first(conn: &Connection, entity: EntityId) -> Inner<Option<OpId>> {
    let mut query =
        conn.prepare_cached("SELECT id FROM op WHERE entity = ?1 ORDER BY n LIMIT 1")?;
    let id: Option<[u8; 16]> = query
        .query_row([entity.as_bytes()], |row| row.get(0))
        .optional()?;
    Ok(id.map(OpId::from_bytes))
}

/// An op that is due to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub(crate) n: i64,
    pub(crate) id: OpId,
    pub(crate) sealed: SealedOp,
}

/// The next ops to send after row `after`: at most `ops` and `bytes`, but one
/// at least.
pub(crate) fn due(
    conn: &Connection,
    after: i64,
    now_ms: i64,
    ops: usize,
    bytes: usize,
) -> Inner<Vec<Due>> {
    let mut query = conn.prepare_cached(
        "SELECT n, id, body, sha256 FROM op
         WHERE state = 'ready' AND n > ?1 AND (next_ms <= ?2 OR next_ms > ?2 + ?4) ORDER BY n LIMIT ?3",
    )?;
    let limit = i64::try_from(ops.max(1)).unwrap_or(i64::MAX);
    let mut rows = query.query(params![after, now_ms, limit, PARKED_MS])?;
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

/// What an outcome did to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    Taken {
        conflict: bool,
    },
    Refused,
    /// `again`: something that the server lacks was put back into the queue.
    Deferred {
        again: bool,
    },
}

/// Keeps the outcome of an op. One for another hash than ours is not for what
/// this phone holds, and changes nothing.
pub(crate) fn settle(
    tx: &Transaction<'_>,
    op: OpId,
    sha256: Sha256,
    outcome: &Outcome,
) -> Inner<Option<(EntityId, Settled)>> {
    let row = tx
        .prepare_cached("SELECT entity FROM op WHERE id = ?1 AND sha256 = ?2")?
        .query_row(params![op.as_bytes(), sha256.0], |row| {
            row.get::<_, [u8; 16]>(0)
        })
        .optional()?;
    let Some(entity) = row else { return Ok(None) };
    let settled = match outcome {
        Outcome::Duplicate { first } => return settle(tx, op, sha256, first),
        Outcome::Applied { stream, seq } | Outcome::ConflictKept { stream, seq } => {
            let covered = pull::passed(tx, *stream, *seq)?;
            tx.prepare_cached(
                "UPDATE op SET state = 'taken', stream = ?2, seq = ?3, covered = ?4, code = NULL, why = NULL
                 WHERE id = ?1",
            )?
            .execute(params![op.as_bytes(), stream.to_string(), i64::try_from(*seq).unwrap_or(i64::MAX), covered])?;
            Settled::Taken {
                conflict: matches!(outcome, Outcome::ConflictKept { .. }),
            }
        }
        Outcome::Purged | Outcome::Unknown => Settled::Deferred { again: false },
        Outcome::Rejected { reason } => refuse(tx, op, "rejected", reason)?,
        Outcome::Quarantined { reason } => refuse(tx, op, "quarantined", reason)?,
        Outcome::Deferred { missing } => {
            // What the server lacks and this phone holds goes again, even
            // where it had been acknowledged.
            let mut again = tx.prepare_cached(
                "UPDATE op SET state = 'ready', next_ms = 0, covered = 0 WHERE id = ?1 AND state = 'taken'",
            )?;
            let mut count = 0;
            for op in missing {
                count += again.execute([op.as_bytes()])?;
            }
            Settled::Deferred { again: count > 0 }
        }
    };
    Ok(Some((EntityId::from_bytes(entity), settled)))
}

fn refuse(tx: &Transaction<'_>, op: OpId, state: &str, reason: &Reason) -> Inner<Settled> {
    tx.prepare_cached("UPDATE op SET state = ?2, code = ?3, why = ?4 WHERE id = ?1")?
        .execute(params![op.as_bytes(), state, reason.code, reason.text])?;
    Ok(Settled::Refused)
}

/// Parks an op that the server refuses even alone.
pub(crate) fn park(
    tx: &Transaction<'_>,
    op: &Due,
    now_ms: i64,
    code: &str,
    why: &str,
) -> Inner<()> {
    tx.prepare_cached(
        "UPDATE op SET next_ms = ?2, code = ?3, why = ?4 WHERE n = ?1 AND state = 'ready'",
    )?
    .execute(params![op.n, now_ms + PARKED_MS, code, why])?;
    Ok(())
}

/// The body of an op of this phone.
pub(crate) fn read(body: &str) -> Inner<OpBody> {
    serde_json::from_str(body).map_err(|_| Fault::Row("an op"))
}
