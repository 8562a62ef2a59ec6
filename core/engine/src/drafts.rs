//! Drafts: reports that are not made yet, on this phone alone.
//!
//! A draft is no op: no sync sends it and no stream lists it. It belongs to the
//! worker who wrote it. Whoever else uses the phone sees nothing of it; when its
//! author logs in again it is there. Its photos lie where all attachments lie.

use gridwalk_domain::{EntityId, Sha256, WorkerId};
use rusqlite::{Connection, OptionalExtension as _, Transaction, params};

use crate::attachments;
use crate::error::{EngineError, Fault, Inner};
use crate::purge;

/// The most drafts of one worker.
const MOST: i64 = 200;
/// The largest draft, its photos aside, in bytes: what an op may hold.
const MAX_BYTES: usize = 48 * 1024;

/// A draft as it is kept.
#[derive(PartialEq)]
pub(crate) struct Kept {
    pub(crate) saved_ms: i64,
    /// JSON.
    pub(crate) body: String,
    pub(crate) photos: Vec<Photo>,
}

/// A photo of a draft.
#[derive(PartialEq)]
pub(crate) struct Photo {
    /// Which of those that were saved.
    pub(crate) n: i64,
    pub(crate) sha256: Sha256,
    pub(crate) bytes: usize,
}

fn invalid(why: String) -> Fault {
    let field = "draft".to_owned();
    EngineError::Invalid { field, why }.into()
}

/// Keeps a draft, in place of an earlier one of this identity. The files of its
/// photos are in place.
pub(crate) fn save(
    tx: &Transaction<'_>,
    worker: WorkerId,
    id: EntityId,
    saved_ms: i64,
    body: &str,
    photos: &[attachments::Kept],
) -> Inner<()> {
    if body.len() > MAX_BYTES {
        let size = body.len();
        return Err(invalid(format!(
            "{size} bytes; at most {MAX_BYTES} are taken"
        )));
    }
    let before = photos_of(tx, id)?;
    tx.execute("DELETE FROM draft_photo WHERE draft = ?1", [id.as_bytes()])?;
    tx.prepare_cached(
        "INSERT INTO draft (id, worker, saved_ms, body) VALUES (?1, ?2, ?3, ?4)
         ON CONFLICT DO UPDATE SET saved_ms = ?3, body = ?4",
    )?
    .execute(params![id.as_bytes(), worker.as_bytes(), saved_ms, body])?;
    for (n, photo) in (0_i64..).zip(photos) {
        let (sha256, bytes) = (photo.sha256, photo.bytes());
        let bytes = i64::try_from(bytes).unwrap_or(i64::MAX);
        tx.prepare_cached(
            "INSERT INTO draft_photo (draft, n, sha256, bytes) VALUES (?1, ?2, ?3, ?4)",
        )?
        .execute(params![id.as_bytes(), n, sha256.0, bytes])?;
        tx.prepare_cached("DELETE FROM unwanted WHERE sha256 = ?1")?
            .execute([sha256.0])?;
    }
    let count: i64 = tx
        .prepare_cached("SELECT count(*) FROM draft WHERE worker = ?1")?
        .query_row([worker.as_bytes()], |row| row.get(0))?;
    if count > MOST {
        return Err(invalid(format!(
            "there are {MOST} drafts; submit or discard some"
        )));
    }
    let_go(tx, &before)
}

/// A draft of the worker's.
pub(crate) fn load(conn: &Connection, worker: WorkerId, id: EntityId) -> Inner<Kept> {
    let mut query =
        conn.prepare_cached("SELECT saved_ms, body FROM draft WHERE id = ?1 AND worker = ?2")?;
    let row = query.query_row(params![id.as_bytes(), worker.as_bytes()], |row| {
        Ok((row.get(0)?, row.get(1)?))
    });
    let (saved_ms, body) = row.optional()?.ok_or(EngineError::NotFound)?;
    Ok(Kept {
        saved_ms,
        body,
        photos: photos_of(conn, id)?,
    })
}

/// The worker's drafts, the latest first.
pub(crate) fn ids(conn: &Connection, worker: WorkerId) -> Inner<Vec<EntityId>> {
    let mut query =
        conn.prepare_cached("SELECT id FROM draft WHERE worker = ?1 ORDER BY saved_ms DESC, id")?;
    let rows = query.query_map([worker.as_bytes()], |row| row.get::<_, [u8; 16]>(0))?;
    let ids: rusqlite::Result<Vec<_>> = rows.map(|row| row.map(EntityId::from_bytes)).collect();
    Ok(ids?)
}

/// How many the worker has.
pub(crate) fn count(conn: &Connection, worker: WorkerId) -> Inner<u64> {
    Ok(ids(conn, worker)?.len() as u64)
}

/// Takes a draft away, as it was seen; what was written since is not lost.
pub(crate) fn remove(
    tx: &Transaction<'_>,
    worker: WorkerId,
    id: EntityId,
    seen: &Kept,
) -> Inner<()> {
    let now = load(tx, worker, id)?;
    if now != *seen {
        return Err(EngineError::NotFound.into());
    }
    tx.prepare_cached("DELETE FROM draft WHERE id = ?1")?
        .execute([id.as_bytes()])?;
    tx.execute("DELETE FROM draft_photo WHERE draft = ?1", [id.as_bytes()])?;
    let_go(tx, &now.photos)
}

fn photos_of(conn: &Connection, id: EntityId) -> Inner<Vec<Photo>> {
    let mut query = conn
        .prepare_cached("SELECT n, sha256, bytes FROM draft_photo WHERE draft = ?1 ORDER BY n")?;
    let rows = query.query_map([id.as_bytes()], |row| {
        let bytes: i64 = row.get(2)?;
        Ok(Photo {
            n: row.get(0)?,
            sha256: Sha256(row.get(1)?),
            bytes: usize::try_from(bytes).unwrap_or(0),
        })
    })?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

/// Files that only these named are to be removed.
fn let_go(tx: &Transaction<'_>, photos: &[Photo]) -> Inner<()> {
    photos
        .iter()
        .try_for_each(|photo| purge::unwanted(tx, photo.sha256))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::begin;
    use crate::store;

    const WORKER: WorkerId = WorkerId::from_bytes([1; 16]);
    const DRAFT: EntityId = EntityId::from_bytes([2; 16]);

    fn saved(tx: &Transaction<'_>, saved_ms: i64, photo: u8) {
        save(tx, WORKER, DRAFT, saved_ms, "{}", &[]).expect("saves");
        let photo = params![DRAFT.as_bytes(), [photo; 32]];
        let insert = "INSERT INTO draft_photo (draft, n, sha256, bytes) VALUES (?1, 0, ?2, 9)";
        tx.execute(insert, photo).expect("saves");
    }

    #[test]
    fn a_draft_that_was_saved_since_it_was_seen_keeps_its_photos() {
        for (again_ms, photo) in [(1, 8), (2, 7), (2, 8)] {
            let mut conn = store::in_memory();
            let tx = begin(&mut conn).expect("begins");
            saved(&tx, 1, 7);
            let seen = load(&tx, WORKER, DRAFT).expect("there");
            saved(&tx, again_ms, photo);
            let removed = remove(&tx, WORKER, DRAFT, &seen);
            assert!(removed.is_err(), "it is not what was seen");
            let kept = load(&tx, WORKER, DRAFT).expect("there");
            let photos: Vec<_> = kept.photos.iter().map(|one| one.sha256).collect();
            assert_eq!(photos, [Sha256([photo; 32])]);
            remove(&tx, WORKER, DRAFT, &kept).expect("goes as it was seen");
            assert!(load(&tx, WORKER, DRAFT).is_err());
        }
    }
}
