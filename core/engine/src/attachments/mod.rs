//! Attachments: what leaves the phone is decided at the save.
//!
//! The type is read from the bytes, metadata goes (position, serial numbers;
//! the orientation stays), a picture gets a thumbnail, and what is left is hashed
//! and stored, one file for each content, before the record's transaction. Where
//! that fails the file goes again, and where the app dies between the two, the
//! next opening removes it: no purge could name what no row names. A thumbnail is
//! an attachment of its own, in the reference of its picture; it goes to the
//! server before everything that is large.

mod take;
mod vault;

pub use take::{Content, NewAttachment, NewPhoto};
pub(crate) use take::{Kept, Stored, Thumbs, keep, pretence, refer};
pub(crate) use vault::{PIECE, Vault};

use gridwalk_domain::{EntityId, Sha256};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::error::Inner;
use crate::outbox::{RESTS, Word};

/// An attachment that is due to be sent.
#[derive(Clone, Debug)]
pub(crate) struct Due {
    pub(crate) n: i64,
    pub(crate) sha256: Sha256,
    pub(crate) bytes: u64,
    /// Whether it is a thumbnail.
    pub(crate) thumb: bool,
    /// The path of the upload that was begun.
    pub(crate) upload: Option<String>,
    /// In how many syncs it was tried before.
    pub(crate) tries: i64,
}

/// Which attachments a sync goes through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Which {
    /// Thumbnails alone: what is large waits for another network.
    Thumbs,
    All,
}

/// The next attachment of an account to send after another one: thumbnails
/// first, then the oldest.
pub(crate) fn due(
    conn: &Connection,
    account: i64,
    server_ms: i64,
    which: Which,
    after: Option<&Due>,
) -> Inner<Option<Due>> {
    let mut query = conn.prepare_cached(&format!(
        "SELECT n, sha256, bytes, thumb_of IS NOT NULL, upload, tries FROM blob
         WHERE account = ?1 AND state = 'ready' AND NOT coalesce({RESTS}, 0)
           AND (thumb_of IS NULL, n) > (?3, ?4) AND (?5 OR thumb_of IS NOT NULL)
         ORDER BY thumb_of IS NULL, n LIMIT 1"
    ))?;
    let (large, n) = after.map_or((false, 0), |after| (!after.thumb, after.n));
    let values = params![account, server_ms, large, n, which == Which::All];
    let due = query.query_row(values, |row| {
        Ok(Due {
            n: row.get(0)?,
            sha256: Sha256(row.get(1)?),
            bytes: u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0),
            thumb: row.get(3)?,
            upload: row.get(4)?,
            tries: row.get(5)?,
        })
    });
    Ok(due.optional()?)
}

fn update(
    tx: &Transaction<'_>,
    account: i64,
    sha256: Sha256,
    set: &str,
    values: &[&dyn rusqlite::ToSql],
) -> Inner<()> {
    let mut all: Vec<&dyn rusqlite::ToSql> = vec![&account, &sha256.0];
    all.extend_from_slice(values);
    tx.prepare_cached(&format!(
        "UPDATE blob SET {set} WHERE account = ?1 AND sha256 = ?2"
    ))?
    .execute(all.as_slice())?;
    Ok(())
}

/// Notes that it is about to be sent.
pub(crate) fn tried(tx: &Transaction<'_>, due: &Due) -> Inner<()> {
    tx.prepare_cached("UPDATE blob SET tries = tries + 1 WHERE n = ?1")?
        .execute([due.n])?;
    Ok(())
}

/// Notes where the upload goes on, or that it begins anew.
pub(crate) fn begun(
    tx: &Transaction<'_>,
    account: i64,
    sha256: Sha256,
    upload: Option<&str>,
) -> Inner<()> {
    update(tx, account, sha256, "upload = ?3", params![upload])
}

/// The server has it whole.
pub(crate) fn take(tx: &Transaction<'_>, word: &Word, sha256: Sha256) -> Inner<()> {
    update(
        tx,
        word.account,
        sha256,
        "state = 'taken', doubted = 0, parked_ms = NULL, upload = NULL, code = NULL, why = NULL,
         taken_ms = CASE state WHEN 'taken' THEN coalesce(taken_ms, ?3) ELSE ?3 END",
        params![word.lifetime_ms],
    )
}

/// Notes the number of its receipt.
pub(crate) fn receipt(tx: &Transaction<'_>, account: i64, sha256: Sha256, n: u64) -> Inner<()> {
    let n = i64::try_from(n).unwrap_or(i64::MAX);
    update(tx, account, sha256, "receipt = ?3", params![n])
}

/// Notes a number that the one of its receipt is not above, where that one is not
/// known: the server gives one for each content, and may have given it long ago.
pub(crate) fn receipt_by(tx: &Transaction<'_>, account: i64, sha256: Sha256, n: u64) -> Inner<()> {
    let n = i64::try_from(n).unwrap_or(i64::MAX);
    let set = "receipt = coalesce(receipt, ?3)";
    update(tx, account, sha256, set, params![n])
}

/// What was held as sent waits to be sent again: the server lost it.
pub(crate) fn send_again(tx: &Transaction<'_>, account: i64, sha256: Sha256) -> Inner<()> {
    let set = "state = 'ready', doubted = 0, upload = NULL, receipt = NULL";
    update(tx, account, sha256, set, params![])
}

/// The word for one whose file does not read as it was written.
pub(crate) const UNREADABLE: &str = "unreadable";

/// It cannot be sent now; it is kept and tried again later.
pub(crate) fn park(
    tx: &Transaction<'_>,
    account: i64,
    sha256: Sha256,
    server_ms: i64,
    code: &str,
    why: &str,
) -> Inner<()> {
    let set = "parked_ms = ?3, code = ?4, why = ?5, upload = NULL";
    update(tx, account, sha256, set, params![server_ms, code, why])
}

/// Its file is whole again, whoever's it is: what rested for that goes at once.
fn mended(tx: &Transaction<'_>, sha256: Sha256) -> Inner<()> {
    tx.prepare_cached(
        "UPDATE blob SET parked_ms = NULL, code = NULL, why = NULL
         WHERE sha256 = ?1 AND code = ?2",
    )?
    .execute(params![sha256.0, UNREADABLE])?;
    Ok(())
}

/// Whether an op of this phone names an attachment, whoever's it is and however far
/// it came.
pub(crate) fn is_in_outbox(conn: &Connection, sha256: Sha256) -> Inner<bool> {
    let mut query = conn.prepare_cached("SELECT 1 FROM op WHERE instr(body, ?1) > 0")?;
    Ok(query.exists([sha256.to_string()])?)
}

/// An account's records that show an attachment.
pub(crate) fn shown_by(conn: &Connection, account: i64, sha256: Sha256) -> Inner<Vec<EntityId>> {
    let mut query =
        conn.prepare_cached("SELECT entity FROM attachment WHERE sha256 = ?1 AND account = ?2")?;
    let rows = query.query_map(params![sha256.0, account], |row| row.get::<_, [u8; 16]>(0))?;
    Ok(rows
        .map(|row| row.map(EntityId::from_bytes))
        .collect::<Result<_, _>>()?)
}

/// The size of an account's attachment that is on this phone.
pub(crate) fn size(conn: &Connection, account: i64, sha256: Sha256) -> Inner<Option<u64>> {
    let mut query =
        conn.prepare_cached("SELECT bytes FROM blob WHERE sha256 = ?1 AND account = ?2")?;
    let bytes: Option<i64> = query
        .query_row(params![sha256.0, account], |row| row.get(0))
        .optional()?;
    Ok(bytes.map(|bytes| u64::try_from(bytes).unwrap_or(0)))
}
