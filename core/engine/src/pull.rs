//! What the phone keeps of the streams it follows.
//!
//! A page and its cursor are one transaction. An entity stays while any stream
//! lists it, at its highest revision. A stream that begins anew (`reset`) gets
//! a new round number: when its last page is in, what still bears an older one
//! did not come again and goes.

use gridwalk_domain::wire::{
    Cursor, ReceiptOf, ReceiptPage, Revised, StreamEnd, StreamPage, TrackOutcome,
};
use gridwalk_domain::{EntityId, StreamDigest, StreamKey};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use std::collections::BTreeSet;

use crate::error::{Fault, Inner};
use crate::{attachments, chunks, outbox};

/// A stream is read again from its start for a difference at most this often.
const REREAD_MS: i64 = 24 * 3_600_000;

/// Where the phone stands in a stream.
pub(crate) fn cursor(conn: &Connection, key: StreamKey) -> Inner<Option<Cursor>> {
    let mut query = conn.prepare_cached("SELECT cursor FROM stream WHERE key = ?1")?;
    let json: Option<Option<String>> = query
        .query_row([key.to_string()], |row| row.get(0))
        .optional()?;
    json.flatten()
        .map(|json| serde_json::from_str(&json).map_err(|_| Fault::Row("a cursor")))
        .transpose()
}

/// Whether the pulled state of a stream holds this change already.
pub(crate) fn passed(conn: &Connection, key: StreamKey, seq: u64) -> Inner<bool> {
    let mut query =
        conn.prepare_cached("SELECT 1 FROM stream WHERE key = ?1 AND resetting = 0 AND seq >= ?2")?;
    let seq = i64::try_from(seq).unwrap_or(i64::MAX);
    Ok(query
        .query_row(params![key.to_string(), seq], |_| Ok(()))
        .optional()?
        .is_some())
}

fn move_cursor(tx: &Transaction<'_>, key: &str, cursor: Option<Cursor>) -> Inner<()> {
    let json = cursor
        .map(|cursor| serde_json::to_string(&cursor))
        .transpose()
        .map_err(|_| Fault::Row("a cursor"))?;
    let seq = cursor.map_or(0, |cursor| i64::try_from(cursor.seq).unwrap_or(i64::MAX));
    tx.prepare_cached(
        "INSERT INTO stream (key, cursor, seq) VALUES (?1, ?2, ?3)
         ON CONFLICT DO UPDATE SET cursor = ?2, seq = ?3",
    )?
    .execute(params![key, json, seq])?;
    Ok(())
}

/// Keeps a page of receipts: what became of what this phone sent, in case an
/// answer was lost. Returns the records that this bears on.
pub(crate) fn keep_receipts(
    tx: &Transaction<'_>,
    key: StreamKey,
    page: &ReceiptPage,
) -> Inner<BTreeSet<EntityId>> {
    let mut touched = BTreeSet::new();
    for receipt in &page.items {
        match &receipt.of {
            ReceiptOf::Op(op) => {
                if let Some(id) = op.op {
                    touched.extend(
                        outbox::settle(tx, id, op.sha256, &op.outcome)?.map(|(entity, _)| entity),
                    );
                }
            }
            ReceiptOf::Chunk(chunk) => {
                keep_chunk(tx, &chunk.chunk, &chunk.outcome)?;
                touched.insert(chunk.chunk.patrol);
            }
            ReceiptOf::Unknown => {}
            ReceiptOf::Blob { sha256 } => {
                attachments::take(tx, *sha256)?;
                touched.extend(attachments::shown_by(tx, *sha256)?);
            }
        }
    }
    if page.cursor.is_some() {
        move_cursor(tx, &key.to_string(), page.cursor)?;
    }
    Ok(touched)
}

/// Keeps the outcome of a chunk; says whether the server holds it.
pub(crate) fn keep_chunk(
    tx: &Transaction<'_>,
    name: &gridwalk_domain::wire::ChunkName,
    outcome: &TrackOutcome,
) -> Inner<()> {
    match outcome {
        TrackOutcome::Stored | TrackOutcome::Duplicate => chunks::take(tx, name),
        TrackOutcome::Deferred | TrackOutcome::Purged | TrackOutcome::Unknown => Ok(()),
        TrackOutcome::Quarantined { reason } => {
            chunks::refuse(tx, name, "quarantined", &reason.code, &reason.text)
        }
        TrackOutcome::Rejected { reason } => {
            chunks::refuse(tx, name, "rejected", &reason.code, &reason.text)
        }
    }
}

/// What keeping a page came to.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) touched: BTreeSet<EntityId>,
    /// Count or hash differ from the server's: the stream is to be read again.
    pub(crate) differs: bool,
}

/// Keeps a page of a stream.
pub(crate) fn keep_page(
    tx: &Transaction<'_>,
    key: StreamKey,
    page: &StreamPage,
    now_ms: i64,
) -> Inner<Kept> {
    let name = key.to_string();
    let mut kept = Kept::default();
    if page.reset {
        tx.prepare_cached(
            "INSERT INTO stream (key, round, resetting) VALUES (?1, 1, 1)
             ON CONFLICT DO UPDATE SET round = round + 1, resetting = 1, cursor = NULL, seq = 0",
        )?
        .execute([&name])?;
    }
    let (round, resetting) = tx
        .prepare_cached("SELECT round, resetting FROM stream WHERE key = ?1")?
        .query_row([&name], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?))
        })
        .optional()?
        .unwrap_or((0, false));
    for revised in &page.entities {
        keep_entity(tx, &name, revised, round)?;
        kept.touched.insert(revised.id);
    }
    if page.cursor.is_some() || page.reset {
        move_cursor(tx, &name, page.cursor)?;
    }
    if resetting && !page.more {
        let gone = unlisted(tx, "stream = ?1 AND round < ?2", params![name, round])?;
        kept.touched.extend(gone);
        tx.prepare_cached("UPDATE stream SET resetting = 0 WHERE key = ?1")?
            .execute([&name])?;
    }
    if (!resetting || !page.more)
        && let Some(cursor) = page.cursor
    {
        cover(tx, &name, cursor.seq)?;
    }
    if let Some(end) = page.end.filter(|_| !page.more) {
        kept.differs = held(tx, &name)? != end && reread(tx, &name, now_ms)?;
    }
    Ok(kept)
}

fn keep_entity(tx: &Transaction<'_>, stream: &str, revised: &Revised, round: i64) -> Inner<()> {
    let rev = i64::try_from(revised.rev).map_err(|_| Fault::Row("a revision"))?;
    let id = revised.id;
    tx.prepare_cached(
        "INSERT INTO listing (stream, entity, rev, round) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET rev = ?3, round = ?4",
    )?
    .execute(params![stream, id.as_bytes(), rev, round])?;
    let Some(state) = &revised.state else {
        return Ok(());
    };
    let kind = &state.kind;
    let state = serde_json::to_string(state).map_err(|_| Fault::Row("a record"))?;
    tx.prepare_cached(
        "INSERT INTO base (entity, kind, rev, state) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET kind = ?2, rev = ?3, state = ?4 WHERE excluded.rev >= rev",
    )?
    .execute(params![id.as_bytes(), kind, rev, state])?;
    Ok(())
}

/// Own ops up to this number are in the pulled state now.
fn cover(tx: &Transaction<'_>, stream: &str, seq: u64) -> Inner<()> {
    tx.prepare_cached("UPDATE op SET covered = 1 WHERE covered = 0 AND state = 'taken' AND stream = ?1 AND seq <= ?2")?
        .execute(params![stream, i64::try_from(seq).unwrap_or(i64::MAX)])?;
    Ok(())
}

/// Strikes listings, and the entities that no stream lists any more. Own ops
/// stay in the outbox.
fn unlisted(
    tx: &Transaction<'_>,
    which: &str,
    values: &[&dyn rusqlite::ToSql],
) -> Inner<Vec<EntityId>> {
    let mut delete = tx.prepare(&format!(
        "DELETE FROM listing WHERE {which} RETURNING entity"
    ))?;
    let rows = delete.query_map(values, |row| row.get::<_, [u8; 16]>(0))?;
    let struck: Vec<[u8; 16]> = rows.collect::<Result<_, _>>()?;
    for id in &struck {
        tx.prepare_cached(
            "DELETE FROM base WHERE entity = ?1 AND NOT EXISTS (SELECT 1 FROM listing WHERE entity = ?1)",
        )?
        .execute([id])?;
    }
    Ok(struck.into_iter().map(EntityId::from_bytes).collect())
}

/// What of a stream this phone holds.
fn held(conn: &Connection, stream: &str) -> Inner<StreamEnd> {
    let mut query = conn.prepare_cached("SELECT entity, rev FROM listing WHERE stream = ?1")?;
    let mut rows = query.query([stream])?;
    let mut end = StreamEnd {
        count: 0,
        hash: StreamDigest::default(),
    };
    while let Some(row) = rows.next()? {
        let rev = u64::try_from(row.get::<_, i64>(1)?).map_err(|_| Fault::Row("a revision"))?;
        end.count += 1;
        end.hash.add(EntityId::from_bytes(row.get(0)?), rev);
    }
    Ok(end)
}

/// Drops the cursor, so that the next pull begins the stream anew; false where
/// that was done within the day and did not help.
fn reread(tx: &Transaction<'_>, stream: &str, now_ms: i64) -> Inner<bool> {
    let changed = tx
        .prepare_cached(
            "UPDATE stream SET cursor = NULL, seq = 0, reread_ms = ?2
             WHERE key = ?1 AND (reread_ms IS NULL OR reread_ms + ?3 <= ?2 OR reread_ms > ?2)",
        )?
        .execute(params![stream, now_ms, REREAD_MS])?;
    Ok(changed > 0)
}

/// Forgets the streams that the worker reads no more, and what only they
/// listed.
pub(crate) fn forget_all_but(
    tx: &Transaction<'_>,
    followed: &[StreamKey],
) -> Inner<BTreeSet<EntityId>> {
    let mut query = tx.prepare("SELECT key FROM stream")?;
    let keys: Vec<String> = query
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut touched = BTreeSet::new();
    for key in keys {
        let parsed: StreamKey = key.parse().map_err(|_| Fault::Row("a stream"))?;
        if !matches!(parsed, StreamKey::Receipts(_)) && !followed.contains(&parsed) {
            touched.extend(unlisted(tx, "stream = ?1", params![key])?);
            tx.execute("DELETE FROM stream WHERE key = ?1", [key])?;
        }
    }
    Ok(touched)
}

#[cfg(test)]
#[path = "pull_tests.rs"]
mod tests;
