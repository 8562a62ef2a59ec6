//! The cache of attachments that came from the server.
//!
//! A row is made when an attachment is asked for, with the records that show it;
//! when the last of them leaves this phone it goes, by triggers, whatever took
//! them away. Where the cache is full, what is large and was not looked at for
//! the longest time goes first, and thumbnails last. What this phone itself sends
//! or keeps has rows of its own and is no part of this.

use gridwalk_domain::{Entity, EntityId, Sha256};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};
use serde_json::Value;

use crate::core::{Core, begin};
use crate::error::Inner;

/// An attachment that somebody may want.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Wanted {
    pub(crate) sha256: Sha256,
    pub(crate) bytes: u64,
}

/// What this phone knows of an attachment that its records show.
#[derive(Debug, Default)]
pub(crate) struct Shown {
    /// The attachment itself.
    pub(crate) content: Option<Wanted>,
    /// Its thumbnail.
    pub(crate) thumb: Option<Wanted>,
    pub(crate) records: Vec<EntityId>,
}

/// What is no larger is a thumbnail, or as cheap as one: it comes over any
/// network, and stays when what is large goes.
pub(crate) const SMALL: u32 = 64 * 1024;

/// The records that were pulled and show an attachment, and what they say of it.
pub(crate) fn shown(conn: &Connection, sha256: Sha256) -> Inner<Shown> {
    let mut query = conn.prepare_cached("SELECT state FROM base WHERE instr(state, ?1) > 0")?;
    let mut rows = query.query([sha256.to_string()])?;
    let mut shown = Shown::default();
    while let Some(row) = rows.next()? {
        let state = serde_json::from_str::<Entity>(row.get_ref(0)?.as_str().unwrap_or_default());
        let Ok(state) = state else { continue };
        let references = state.references_to(sha256);
        if references.is_empty() || state.deleted.is_some() {
            continue;
        }
        shown.records.push(state.id);
        for reference in &references {
            shown.content = shown.content.or_else(|| wanted(reference));
            let thumb = reference.get("thumb");
            shown.thumb = shown.thumb.or_else(|| thumb.and_then(wanted));
        }
    }
    Ok(shown)
}

fn wanted(reference: &Value) -> Option<Wanted> {
    Some(Wanted {
        sha256: reference.get("sha256")?.as_str()?.parse().ok()?,
        bytes: reference.get("bytes")?.as_u64()?,
    })
}

/// Whether an attachment is on this phone: its own, or fetched.
pub(crate) fn is_here(conn: &Connection, account: i64, sha256: Sha256) -> Inner<bool> {
    let mut query = conn.prepare_cached(
        "SELECT 1 FROM blob WHERE sha256 = ?1 AND account = ?2
         UNION ALL SELECT 1 FROM fetched WHERE sha256 = ?1 AND whole",
    )?;
    Ok(query.exists(params![sha256.0, account])?)
}

const NEXT: &str = "(SELECT coalesce(max(used), 0) + 1 FROM fetched)";

/// Notes that an attachment is to come, for these records.
pub(crate) fn begun(tx: &Transaction<'_>, wanted: Wanted, records: &[EntityId]) -> Inner<()> {
    let bytes = i64::try_from(wanted.bytes).unwrap_or(i64::MAX);
    tx.prepare_cached(&format!(
        "INSERT INTO fetched (sha256, bytes, used) VALUES (?1, ?2, {NEXT})
         ON CONFLICT DO UPDATE SET used = {NEXT}"
    ))?
    .execute(params![wanted.sha256.0, bytes])?;
    for record in records {
        tx.prepare_cached(
            "INSERT INTO fetched_for (sha256, entity) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
        )?
        .execute(params![wanted.sha256.0, record.as_bytes()])?;
    }
    tx.prepare_cached("DELETE FROM unwanted WHERE sha256 = ?1")?
        .execute([wanted.sha256.0])?;
    Ok(())
}

/// Notes that it is whole; says whether it is wanted still.
pub(crate) fn whole(tx: &Transaction<'_>, sha256: Sha256) -> Inner<bool> {
    let rows = tx
        .prepare_cached("UPDATE fetched SET whole = 1 WHERE sha256 = ?1")?
        .execute([sha256.0])?;
    Ok(rows > 0)
}

/// Lets go of what is too much, but for the one that comes. What goes is removed
/// by the next sweep.
pub(crate) fn make_room(tx: &Transaction<'_>, coming: Sha256, most: u64) -> Inner<bool> {
    let most = i64::try_from(most).unwrap_or(i64::MAX);
    let gone = tx
        .prepare_cached(
            "DELETE FROM fetched_for WHERE sha256 IN (
                 SELECT sha256 FROM (
                     SELECT sha256, sum(bytes) OVER (
                         ORDER BY sha256 = ?1 DESC, bytes > ?3, used DESC, sha256) AS kept
                     FROM fetched)
                 WHERE kept > ?2 AND sha256 <> ?1)",
        )?
        .execute(params![coming.0, most, SMALL])?;
    Ok(gone > 0)
}

/// The length of an attachment that was fetched; it counts as looked at.
pub(crate) fn look(core: &mut Core, sha256: Sha256) -> Inner<Option<u64>> {
    let bytes: Option<i64> = core
        .conn
        .prepare_cached("SELECT bytes FROM fetched WHERE sha256 = ?1 AND whole")?
        .query_row([sha256.0], |row| row.get(0))
        .optional()?;
    if bytes.is_some() {
        // Looking goes on where the disk is full.
        let _ = used(core, sha256);
    }
    Ok(bytes.map(|bytes| u64::try_from(bytes).unwrap_or(0)))
}

fn used(core: &mut Core, sha256: Sha256) -> Inner<()> {
    let tx = begin(&mut core.conn)?;
    tx.execute(
        &format!("UPDATE fetched SET used = {NEXT} WHERE sha256 = ?1"),
        [sha256.0],
    )?;
    tx.commit()
}
