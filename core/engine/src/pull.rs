//! What the phone keeps of the streams it follows.
//!
//! A page and its cursor are one transaction. States are stored as the text
//! that came: what a newer server wrote survives, whether this version knows it
//! or not. An entity stays while any stream lists it, at its highest revision;
//! revisions of another epoch do not compare, what comes replaces. A stream
//! that begins anew (`reset`, or this phone dropped its cursor) gets a new round
//! number: when its last page is
//! in, what still bears an older one did not come again and goes.

use gridwalk_domain::wire::{
    Cursor, Outcome, ReceiptOf, ReceiptPage, Revised, StreamEnd, StreamPage,
};
use gridwalk_domain::{Entity, EntityId, Epoch, Sha256, StreamDigest, StreamKey};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;
use std::collections::BTreeSet;

use crate::error::{Fault, Inner};
use crate::outbox::{self, Settled, Word};
use crate::{attachments, chunks, purge};

/// A state as the text that came.
pub(crate) type Raw = Box<RawValue>;

/// A stream is read again from its start for a difference at most this often.
const REREAD_MS: i64 = 24 * 3_600_000;

/// Where the phone stands in a stream.
pub(crate) fn cursor(conn: &Connection, key: StreamKey) -> Inner<Option<Cursor>> {
    let mut query = conn.prepare_cached("SELECT epoch, seq, tag FROM stream WHERE key = ?1")?;
    let row = query.query_row([key.to_string()], |row| {
        let epoch: Option<[u8; 16]> = row.get(0)?;
        let (seq, tag) = (row.get::<_, i64>(1)?, row.get::<_, i64>(2)?);
        Ok(epoch.map(|epoch| Cursor {
            epoch: Epoch::from_bytes(epoch),
            seq: seq.cast_unsigned(),
            tag: tag.cast_unsigned(),
        }))
    });
    Ok(row.optional()?.flatten())
}

/// Drops cursors: the next pull reads from the start, and when its last page is
/// in, what did not come again goes.
pub(crate) const ANEW: &str =
    "UPDATE stream SET epoch = NULL, seq = 0, tag = 0, round = round + 1, resetting = 1";

fn begin_anew(tx: &Transaction<'_>, key: &str) -> Inner<()> {
    tx.prepare_cached("INSERT INTO stream (key) VALUES (?1) ON CONFLICT DO NOTHING")?
        .execute([key])?;
    tx.prepare_cached(&format!("{ANEW} WHERE key = ?1"))?
        .execute([key])?;
    Ok(())
}

fn move_cursor(tx: &Transaction<'_>, key: &str, cursor: Option<Cursor>) -> Inner<()> {
    tx.prepare_cached(
        "INSERT INTO stream (key, epoch, seq, tag) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET epoch = ?2, seq = ?3, tag = ?4",
    )?
    .execute(params![
        key,
        cursor.as_ref().map(|cursor| cursor.epoch.as_bytes()),
        cursor.map_or(0, |cursor| cursor.seq.cast_signed()),
        cursor.map_or(0, |cursor| cursor.tag.cast_signed()),
    ])?;
    Ok(())
}

/// Keeps a page of receipts: what became of what this phone sent, in case an
/// answer was lost, and what was decided later. Returns the records that this
/// bears on.
pub(crate) fn keep_receipts(
    tx: &Transaction<'_>,
    word: &Word,
    key: StreamKey,
    page: &ReceiptPage,
) -> Inner<BTreeSet<EntityId>> {
    let mut touched = BTreeSet::new();
    for receipt in &page.items {
        match &receipt.of {
            ReceiptOf::Op(op) => {
                let Some(id) = op.op else { continue };
                let settled = outbox::settle(tx, word, id, op.sha256, &op.outcome)?;
                // Also where it was let go before: copies of it may be left.
                if op.outcome == Outcome::Purged {
                    purge::unclean(tx)?;
                }
                if let Some((entity, settled)) = settled {
                    touched.insert(entity);
                    if settled != Settled::Unknown {
                        outbox::receipt(tx, word.account, id, receipt.n)?;
                    }
                }
            }
            ReceiptOf::Chunk(chunk) => {
                chunks::settle(tx, word, &chunk.chunk, &chunk.outcome)?;
                chunks::receipt(tx, &chunk.chunk, receipt.n)?;
                touched.insert(chunk.chunk.patrol);
            }
            ReceiptOf::Blob {
                sha256,
                purged: true,
            } => {
                touched.extend(attachments::shown_by(tx, word.account, *sha256)?);
                purge::unshown(tx, *sha256)?;
            }
            ReceiptOf::Blob { sha256, .. } => {
                attachments::take(tx, word, *sha256)?;
                attachments::receipt(tx, word.account, *sha256, receipt.n)?;
                touched.extend(attachments::shown_by(tx, word.account, *sha256)?);
            }
            ReceiptOf::Unknown => {}
        }
    }
    if page.cursor.is_some() {
        move_cursor(tx, &key.to_string(), page.cursor)?;
    }
    Ok(touched)
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
    page: &StreamPage<Raw>,
    epoch: Epoch,
    server_ms: i64,
) -> Inner<Kept> {
    let name = key.to_string();
    let mut kept = Kept::default();
    if page.reset {
        begin_anew(tx, &name)?;
    }
    let (round, resetting) = tx
        .prepare_cached("SELECT round, resetting FROM stream WHERE key = ?1")?
        .query_row([&name], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?))
        })
        .optional()?
        .unwrap_or((0, false));
    for revised in &page.entities {
        keep_entity(tx, &name, revised, epoch, round)?;
        kept.touched.insert(revised.id);
    }
    if page.cursor.is_some() || page.reset {
        move_cursor(tx, &name, page.cursor)?;
    }
    if resetting && !page.more {
        for gone in unlisted(tx, "stream = ?1 AND round < ?2", params![name, round])? {
            off_the_top(tx, &name, gone)?;
            kept.touched.insert(gone);
        }
        tx.prepare_cached("UPDATE stream SET resetting = 0 WHERE key = ?1")?
            .execute([&name])?;
    }
    if let Some(end) = page.end.filter(|_| !page.more) {
        kept.differs = held(tx, &name)? != end && reread(tx, &name, server_ms)?;
    }
    Ok(kept)
}

fn keep_entity(
    tx: &Transaction<'_>,
    stream: &str,
    revised: &Revised<Raw>,
    epoch: Epoch,
    round: i64,
) -> Inner<()> {
    let rev = i64::try_from(revised.rev).map_err(|_| Fault::Row("a revision"))?;
    let id = revised.id;
    tx.prepare_cached(
        "INSERT INTO listing (stream, entity, rev, round) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET rev = ?3, round = ?4",
    )?
    .execute(params![stream, id.as_bytes(), rev, round])?;
    let Some(state) = &revised.state else {
        return purge::entity(tx, id);
    };
    let text = state.get();
    let (kind, conflicts) = about(text);
    tx.prepare_cached(
        "INSERT INTO base (entity, kind, epoch, rev, conflicts, state) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
         ON CONFLICT DO UPDATE SET kind = ?2, epoch = ?3, rev = ?4, conflicts = ?5, state = ?6
         WHERE epoch <> excluded.epoch OR excluded.rev >= rev",
    )?
    .execute(params![id.as_bytes(), kind, epoch.as_bytes(), rev, conflicts, text])?;
    for sha256 in struck(text) {
        purge::blob(tx, sha256)?;
    }
    Ok(())
}

/// What a state is, and how many of its fields were written twice. One that
/// this version cannot read is kept, and not shown.
fn about(text: &str) -> (String, i64) {
    #[derive(Deserialize)]
    struct Head {
        kind: String,
    }
    if let Ok(entity) = serde_json::from_str::<Entity>(text) {
        let conflicts = i64::try_from(entity.conflicts()).unwrap_or(i64::MAX);
        return (entity.kind, conflicts);
    }
    let head = serde_json::from_str(text);
    (
        head.map_or_else(|_| String::new(), |head: Head| head.kind),
        0,
    )
}

/// The attachments in a state that were purged by themselves.
fn struck(text: &str) -> BTreeSet<Sha256> {
    fn find(value: &Value, found: &mut BTreeSet<Sha256>) {
        match value {
            Value::Array(values) => values.iter().for_each(|value| find(value, found)),
            Value::Object(object) => {
                if object.get("purged") == Some(&Value::Bool(true)) {
                    let hash = object.get("sha256").and_then(Value::as_str);
                    found.extend(hash.and_then(|hash| hash.parse::<Sha256>().ok()));
                }
                object.values().for_each(|value| find(value, found));
            }
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    // Most states have none; the word is looked for before the text is read.
    if text.contains("\"purged\"")
        && let Ok(value) = serde_json::from_str(text)
    {
        find(&value, &mut found);
    }
    found
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
    let mut gone = 0;
    for id in &struck {
        gone += tx
            .prepare_cached(
                "DELETE FROM base WHERE entity = ?1 AND NOT EXISTS (SELECT 1 FROM listing WHERE entity = ?1)",
            )?
            .execute([id])?;
    }
    // It may have been purged in a time line that this phone never heard of.
    if gone > 0 {
        purge::unclean(tx)?;
    }
    Ok(struck.into_iter().map(EntityId::from_bytes).collect())
}

/// Own ops that were taken into a stream which does not list their record any
/// more are not shown on top of nothing.
fn off_the_top(tx: &Transaction<'_>, stream: &str, record: EntityId) -> Inner<()> {
    tx.prepare_cached(
        "UPDATE op SET stream = NULL, seq = NULL WHERE entity = ?1 AND state = 'taken' AND stream = ?2",
    )?
    .execute(params![record.as_bytes(), stream])?;
    Ok(())
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
fn reread(tx: &Transaction<'_>, stream: &str, server_ms: i64) -> Inner<bool> {
    let changed = tx
        .prepare_cached(
            "UPDATE stream SET reread_ms = ?2
             WHERE key = ?1 AND (reread_ms IS NULL OR reread_ms + ?3 <= ?2 OR reread_ms > ?2)",
        )?
        .execute(params![stream, server_ms, REREAD_MS])?;
    if changed > 0 {
        begin_anew(tx, stream)?;
    }
    Ok(changed > 0)
}

/// Follows these streams. The others are forgotten with what only they listed;
/// own ops stay in the outbox and leave the screen.
pub(crate) fn follow(tx: &Transaction<'_>, followed: &[StreamKey]) -> Inner<BTreeSet<EntityId>> {
    let mut query = tx.prepare("SELECT key FROM stream")?;
    let keys: Vec<String> = query
        .query_map([], |row| row.get(0))?
        .collect::<Result<_, _>>()?;
    let mut touched = BTreeSet::new();
    for key in keys {
        let parsed: StreamKey = key.parse().map_err(|_| Fault::Row("a stream"))?;
        if matches!(parsed, StreamKey::Receipts(_)) || followed.contains(&parsed) {
            continue;
        }
        touched.extend(unlisted(tx, "stream = ?1", params![key])?);
        tx.execute("DELETE FROM stream WHERE key = ?1", [&key])?;
        touched.extend(at_home(tx, &key)?);
    }
    for key in followed {
        let known = tx
            .prepare_cached("INSERT INTO stream (key) VALUES (?1) ON CONFLICT DO NOTHING")?
            .execute([key.to_string()])?;
        if known > 0 {
            touched.extend(at_home(tx, &key.to_string())?);
        }
    }
    Ok(touched)
}

/// The entities of a home stream on which this phone has ops.
fn at_home(conn: &Connection, home: &str) -> Inner<Vec<EntityId>> {
    let mut query = conn.prepare_cached("SELECT DISTINCT entity FROM op WHERE home = ?1")?;
    let rows = query.query_map([home], |row| row.get::<_, [u8; 16]>(0))?;
    let ids: Result<Vec<_>, _> = rows.map(|row| row.map(EntityId::from_bytes)).collect();
    Ok(ids?)
}

#[cfg(test)]
#[path = "pull_tests.rs"]
mod tests;
