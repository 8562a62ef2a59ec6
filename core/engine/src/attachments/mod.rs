//! Attachments: what leaves the phone is decided at the save.
//!
//! The type is read from the bytes, metadata goes (position, serial numbers,
//! thumbnails; the orientation stays), and what is left is hashed and stored,
//! one file for each content, before the record's transaction. A crash between
//! the two leaves a file that nobody names; the same photo finds it again.

mod strip;
mod vault;

pub(crate) use strip::{Photo, clean};
pub(crate) use vault::{PIECE, Vault};

use gridwalk_domain::{EntityId, Sha256};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::error::Inner;
use crate::outbox::PARKED_MS;

/// Notes that a record shows an attachment whose file is in place.
pub(crate) fn refer(
    tx: &Transaction<'_>,
    record: EntityId,
    photo: &Photo,
    sha256: Sha256,
    now_ms: i64,
) -> Inner<()> {
    let bytes = i64::try_from(photo.bytes.len()).unwrap_or(i64::MAX);
    tx.prepare_cached(
        "INSERT INTO blob (sha256, bytes, mime, saved_ms) VALUES (?1, ?2, ?3, ?4) ON CONFLICT DO NOTHING",
    )?
    .execute(params![sha256.0, bytes, photo.mime, now_ms])?;
    tx.prepare_cached(
        "INSERT INTO attachment (entity, sha256) VALUES (?1, ?2) ON CONFLICT DO NOTHING",
    )?
    .execute(params![record.as_bytes(), sha256.0])?;
    Ok(())
}

/// An attachment that is due to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub(crate) sha256: Sha256,
    pub(crate) bytes: u64,
    /// The path of the upload that was begun.
    pub(crate) upload: Option<String>,
}

/// The next attachment to send, those of `skip` aside: oldest first.
pub(crate) fn due(conn: &Connection, skip: &[Sha256], now_ms: i64) -> Inner<Option<Due>> {
    let mut query = conn.prepare_cached(
        "SELECT sha256, bytes, upload FROM blob WHERE state = 'ready' AND (next_ms <= ?1 OR next_ms > ?1 + ?2) ORDER BY saved_ms, sha256",
    )?;
    let mut rows = query.query(params![now_ms, PARKED_MS])?;
    while let Some(row) = rows.next()? {
        let sha256 = Sha256(row.get(0)?);
        if !skip.contains(&sha256) {
            let bytes = u64::try_from(row.get::<_, i64>(1)?).unwrap_or(0);
            return Ok(Some(Due {
                sha256,
                bytes,
                upload: row.get(2)?,
            }));
        }
    }
    Ok(None)
}

/// Notes where the upload goes on, or that it begins anew; counts the try.
pub(crate) fn begun(tx: &Transaction<'_>, sha256: Sha256, upload: Option<&str>) -> Inner<()> {
    tx.prepare_cached("UPDATE blob SET upload = ?2, tries = tries + 1 WHERE sha256 = ?1")?
        .execute(params![sha256.0, upload])?;
    Ok(())
}

/// The server has it whole.
pub(crate) fn take(tx: &Transaction<'_>, sha256: Sha256) -> Inner<()> {
    tx.prepare_cached(
        "UPDATE blob SET state = 'taken', upload = NULL, code = NULL, why = NULL WHERE sha256 = ?1",
    )?
    .execute([sha256.0])?;
    Ok(())
}

/// The server refuses it; it is kept and tried again later.
pub(crate) fn park(
    tx: &Transaction<'_>,
    sha256: Sha256,
    until_ms: i64,
    code: &str,
    why: &str,
) -> Inner<()> {
    tx.prepare_cached(
        "UPDATE blob SET next_ms = ?2, code = ?3, why = ?4, upload = NULL WHERE sha256 = ?1",
    )?
    .execute(params![sha256.0, until_ms, code, why])?;
    Ok(())
}

/// The records that show an attachment.
pub(crate) fn shown_by(conn: &Connection, sha256: Sha256) -> Inner<Vec<EntityId>> {
    let mut query = conn.prepare_cached("SELECT entity FROM attachment WHERE sha256 = ?1")?;
    let rows = query.query_map([sha256.0], |row| row.get::<_, [u8; 16]>(0))?;
    Ok(rows
        .map(|row| row.map(EntityId::from_bytes))
        .collect::<Result<_, _>>()?)
}

/// The size of an attachment that is on this phone.
pub(crate) fn size(conn: &Connection, sha256: Sha256) -> Inner<Option<u64>> {
    let mut query = conn.prepare_cached("SELECT bytes FROM blob WHERE sha256 = ?1")?;
    let bytes: Option<i64> = query.query_row([sha256.0], |row| row.get(0)).optional()?;
    Ok(bytes.map(|bytes| u64::try_from(bytes).unwrap_or(0)))
}
