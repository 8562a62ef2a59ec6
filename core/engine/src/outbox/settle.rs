//! What the server's outcomes do to the outbox.

use gridwalk_domain::wire::{Outcome, Reason};
use gridwalk_domain::{EntityId, Epoch, OpId, Sha256, StreamKey};
use rusqlite::{OptionalExtension as _, Transaction, params};

use super::send_again;
use crate::error::Inner;
use crate::purge;

/// For whom the server's word is, of which time line, and when it came.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word {
    pub(crate) account: i64,
    pub(crate) epoch: Epoch,
    /// By the phone's lifetime ([`crate::boots`]).
    pub(crate) lifetime_ms: i64,
}

/// What an outcome did to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Settled {
    Taken {
        conflict: bool,
    },
    Refused,
    Deferred {
        /// Something that the server lacks was put back into the queue.
        again: bool,
        /// The phone holds nothing of what the server lacks.
        lost: bool,
    },
    Purged,
    /// A word that this version does not know.
    Unknown,
}

/// Keeps the outcome of an op. One for another hash than ours is not for what
/// this phone holds, and changes nothing.
pub(crate) fn settle(
    tx: &Transaction<'_>,
    word: &Word,
    op: OpId,
    sha256: Sha256,
    outcome: &Outcome,
) -> Inner<Option<(EntityId, Settled)>> {
    let row = tx
        .prepare_cached("SELECT entity FROM op WHERE id = ?1 AND sha256 = ?2 AND account = ?3")?
        .query_row(params![op.as_bytes(), sha256.0, word.account], |row| {
            row.get::<_, [u8; 16]>(0)
        })
        .optional()?;
    let Some(entity) = row.map(EntityId::from_bytes) else {
        return Ok(None);
    };
    let settled = match outcome {
        Outcome::Duplicate { first } => return settle(tx, word, op, sha256, first),
        Outcome::Applied { stream, seq } => take(tx, word, op, *stream, *seq, false)?,
        Outcome::ConflictKept { stream, seq } => take(tx, word, op, *stream, *seq, true)?,
        Outcome::Rejected { reason } => refuse(tx, word, op, "rejected", reason)?,
        Outcome::Quarantined { reason } => refuse(tx, word, op, "quarantined", reason)?,
        Outcome::Deferred { missing } => defer(tx, word, missing)?,
        Outcome::Purged => {
            purge::entity(tx, entity)?;
            Settled::Purged
        }
        Outcome::Unknown => Settled::Unknown,
    };
    Ok(Some((entity, settled)))
}

fn take(
    tx: &Transaction<'_>,
    word: &Word,
    op: OpId,
    stream: StreamKey,
    seq: u64,
    conflict: bool,
) -> Inner<Settled> {
    tx.prepare_cached(
        "UPDATE op SET state = 'taken', doubted = 0, parked_ms = NULL, code = NULL, why = NULL,
             epoch = ?2, stream = ?3, seq = ?4,
             taken_ms = CASE state WHEN 'taken' THEN coalesce(taken_ms, ?5) ELSE ?5 END
         WHERE id = ?1",
    )?
    .execute(params![
        op.as_bytes(),
        word.epoch.as_bytes(),
        stream.to_string(),
        i64::try_from(seq).unwrap_or(i64::MAX),
        word.lifetime_ms
    ])?;
    Ok(Settled::Taken { conflict })
}

fn refuse(
    tx: &Transaction<'_>,
    word: &Word,
    op: OpId,
    state: &str,
    reason: &Reason,
) -> Inner<Settled> {
    tx.prepare_cached(
        "UPDATE op SET state = ?2, doubted = 0, parked_ms = NULL, code = ?3, why = ?4,
             epoch = ?5, stream = NULL, seq = NULL
         WHERE id = ?1",
    )?
    .execute(params![
        op.as_bytes(),
        state,
        reason.code,
        reason.text,
        word.epoch.as_bytes()
    ])?;
    Ok(Settled::Refused)
}

/// What the server lacks and this phone holds goes again, even where it had
/// been acknowledged.
fn defer(tx: &Transaction<'_>, word: &Word, missing: &[OpId]) -> Inner<Settled> {
    let (mut again, mut lost) = (false, true);
    for op in missing {
        again |= send_again(tx, word.account, *op)?.is_some();
        lost &= !tx
            .prepare_cached("SELECT 1 FROM op WHERE id = ?1 AND account = ?2")?
            .exists(params![op.as_bytes(), word.account])?;
    }
    Ok(Settled::Deferred { again, lost })
}

/// Notes the number of an op's receipt: the latest one, where its outcome was
/// decided anew.
pub(crate) fn receipt(tx: &Transaction<'_>, account: i64, op: OpId, n: u64) -> Inner<()> {
    tx.prepare_cached("UPDATE op SET receipt = ?3 WHERE id = ?1 AND account = ?2")?
        .execute(params![
            op.as_bytes(),
            account,
            i64::try_from(n).unwrap_or(i64::MAX)
        ])?;
    Ok(())
}
