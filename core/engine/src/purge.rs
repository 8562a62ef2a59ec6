//! Erasing what was purged (docs/adr/0005).
//!
//! A purge beats everything: what the server said, this phone's own ops, fixes
//! and photos, and what somebody who left had not sent yet. Files go after the
//! transaction that strikes their rows; a list of them survives the app's
//! death. Deleted rows are overwritten in the data file (`secure_delete`), but
//! not copies of them that SQLite left behind when it moved them: the file is
//! written anew, and the log, which still has the old pages, copied back and cut
//! (docs/adr/0007).

use gridwalk_domain::{EntityId, Sha256};
use rusqlite::{Connection, Transaction};
use std::collections::BTreeSet;

use crate::core::{Core, Shared, begin};
use crate::error::{Inner, Result};
use crate::identity::{RunningPatrol, RunningShift};
use crate::store::aside;
use crate::store::meta::{self, name};

/// Erases all that this phone holds of an entity, whoever's it is.
pub(crate) fn entity(tx: &Transaction<'_>, id: EntityId) -> Inner<()> {
    let shown = {
        let mut query =
            tx.prepare_cached("SELECT DISTINCT sha256 FROM attachment WHERE entity = ?1")?;
        let rows = query.query_map([id.as_bytes()], |row| Ok(Sha256(row.get(0)?)))?;
        rows.collect::<rusqlite::Result<Vec<_>>>()?
    };
    for delete in [
        "DELETE FROM need WHERE op IN (SELECT id FROM op WHERE entity = ?1)",
        "DELETE FROM op WHERE entity = ?1",
        "DELETE FROM chunk WHERE patrol = ?1",
        "DELETE FROM attachment WHERE entity = ?1",
        "DELETE FROM base WHERE entity = ?1",
    ] {
        tx.prepare_cached(delete)?.execute([id.as_bytes()])?;
    }
    for sha256 in shown {
        unshown(tx, sha256)?;
    }
    if meta::get::<RunningPatrol>(tx, name::PATROL)?.is_some_and(|running| running.id == id) {
        meta::remove(tx, name::PATROL)?;
    }
    if meta::get::<RunningShift>(tx, name::SHIFT)?.is_some_and(|running| running.id == id) {
        meta::remove(tx, name::SHIFT)?;
    }
    unclean(tx)
}

/// A record that showed an attachment was purged. Where another one here shows it
/// too it is to be sent again: the server may have let it go.
pub(crate) fn unshown(tx: &Transaction<'_>, sha256: Sha256) -> Inner<()> {
    if !named(tx, "SELECT 1 FROM attachment WHERE sha256 = ?1", sha256)? {
        return with_its_records(tx, sha256);
    }
    tx.prepare_cached(
        "UPDATE blob SET state = 'ready', doubted = 0, upload = NULL, receipt = NULL
         WHERE sha256 = ?1",
    )?
    .execute([sha256.0])?;
    Ok(())
}

/// Erases an attachment, whichever records show it, drafts too.
pub(crate) fn blob(tx: &Transaction<'_>, sha256: Sha256) -> Inner<()> {
    tx.prepare_cached("DELETE FROM draft_photo WHERE sha256 = ?1")?
        .execute([sha256.0])?;
    with_its_records(tx, sha256)
}

/// Erases an attachment that went with the last record that showed it. A draft is
/// none, and keeps its photo.
pub(crate) fn with_its_records(tx: &Transaction<'_>, sha256: Sha256) -> Inner<()> {
    for delete in [
        "DELETE FROM blob WHERE sha256 = ?1",
        "DELETE FROM attachment WHERE sha256 = ?1",
        "DELETE FROM fetched_for WHERE sha256 = ?1",
    ] {
        tx.prepare_cached(delete)?.execute([sha256.0])?;
    }
    ordered(tx, &[sha256])?;
    unclean(tx)
}

/// The server ordered that these attachments' files go, also where a damaged data
/// file lies beside that may name them.
pub(crate) fn ordered(tx: &Transaction<'_>, gone: &[Sha256]) -> Inner<()> {
    let mut all: BTreeSet<Sha256> = meta::get(tx, name::ORDERED)?.unwrap_or_default();
    all.extend(gone);
    meta::put(tx, name::ORDERED, &all)?;
    gone.iter().try_for_each(|sha256| unwanted(tx, *sha256))
}

/// A row that named this attachment is gone: where it was the last one, the
/// file is to be removed.
pub(crate) fn unwanted(tx: &Transaction<'_>, sha256: Sha256) -> Inner<()> {
    tx.prepare_cached("INSERT INTO unwanted (sha256) VALUES (?1) ON CONFLICT DO NOTHING")?
        .execute([sha256.0])?;
    Ok(())
}

/// The rows that name an attachment's file.
const NAMES: &str = "SELECT sha256 FROM blob UNION ALL SELECT sha256 FROM fetched
     UNION ALL SELECT sha256 FROM draft_photo";

/// Whether a row names an attachment's file.
fn is_named(conn: &Connection, sha256: Sha256) -> Inner<bool> {
    let query = format!("SELECT 1 FROM ({NAMES}) WHERE sha256 = ?1");
    named(conn, &query, sha256)
}

/// The attachments that a row names.
fn all_named(conn: &Connection) -> Inner<BTreeSet<Sha256>> {
    let mut query = conn.prepare(NAMES)?;
    let rows = query.query_map([], |row| Ok(Sha256(row.get(0)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn named(conn: &Connection, query: &str, sha256: Sha256) -> Inner<bool> {
    Ok(conn.prepare_cached(query)?.exists([sha256.0])?)
}

/// What was deleted shall not stay in the files.
pub(crate) fn unclean(tx: &Transaction<'_>) -> Inner<()> {
    meta::put(tx, name::UNCLEAN, &true)
}

impl Shared {
    /// Removes files that no row names: of saves that the app died in. Nothing
    /// else may run yet. A data file that was set aside may name them.
    pub(crate) fn tidy(&self) -> Result<()> {
        if aside::lies_beside(&*self.disk, &self.path)? {
            return Ok(());
        }
        self.with(|core| self.vault.tidy(&all_named(&core.conn)?))
    }

    /// A save is over: removes of what was stored for it what it did not come to
    /// name. Of a commit that failed nobody knows whether the disk has it; one that
    /// comes after it and is durable overwrites it in the log, so the file goes
    /// only after such a one.
    pub(crate) fn discard(&self, contents: &[Sha256]) -> Result<()> {
        self.with(|core| {
            let mut unnamed = Vec::new();
            for sha256 in contents {
                if !is_named(&core.conn, *sha256)? {
                    unnamed.push(*sha256);
                }
            }
            if unnamed.is_empty() {
                return Ok(());
            }
            let tx = begin(&mut core.conn)?;
            for sha256 in unnamed {
                unwanted(&tx, sha256)?;
            }
            tx.commit()?;
            core.remove_unwanted(self)
        })
    }

    /// Finishes what deletions began: stops a recorder whose patrol was purged,
    /// removes files that no row names, writes the data file anew. What the caller
    /// did is durable already, so what fails here is no failure of theirs: it is
    /// tried again with the next deletion, after each sync and at the next opening.
    pub(crate) fn clean_up(&self) {
        let _ = self.sweep();
    }

    fn sweep(&self) -> Result<()> {
        self.with(|core| {
            core.drop_purged_patrol()?;
            core.remove_unwanted(self)?;
            if meta::get::<bool>(&core.conn, name::UNCLEAN)?.is_some() {
                crate::store::rewrite(&core.conn)?;
                let tx = begin(&mut core.conn)?;
                meta::remove(&tx, name::UNCLEAN)?;
                tx.commit()?;
            }
            Ok(())
        })
    }
}

impl Core {
    /// Removes the files that are listed for it, but those that a row names again.
    /// While a damaged data file lies beside only those go that the server ordered
    /// to: of a photo that was never sent this may be the only one.
    fn remove_unwanted(&mut self, shared: &Shared) -> Inner<()> {
        let unwanted = {
            let mut query = self.conn.prepare_cached("SELECT sha256 FROM unwanted")?;
            let rows = query.query_map([], |row| Ok(Sha256(row.get(0)?)))?;
            rows.collect::<rusqlite::Result<Vec<_>>>()?
        };
        let ordered: BTreeSet<Sha256> = meta::get(&self.conn, name::ORDERED)?.unwrap_or_default();
        let spares = !unwanted.is_empty() && aside::lies_beside(&*shared.disk, &shared.path)?;
        for sha256 in unwanted {
            if spares && !ordered.contains(&sha256) {
                continue;
            }
            if !is_named(&self.conn, sha256)? {
                shared.vault.remove(sha256)?;
            }
            let tx = begin(&mut self.conn)?;
            tx.execute("DELETE FROM unwanted WHERE sha256 = ?1", [sha256.0])?;
            tx.commit()?;
        }
        if !ordered.is_empty() {
            let tx = begin(&mut self.conn)?;
            meta::remove(&tx, name::ORDERED)?;
            tx.commit()?;
        }
        Ok(())
    }

    fn drop_purged_patrol(&mut self) -> Inner<()> {
        let live = self.recorder.live.as_ref().map(|live| live.id);
        let running = meta::get::<RunningPatrol>(&self.conn, name::PATROL)?;
        if live.is_some() && live != running.map(|running| running.id) {
            self.recorder.live = None;
            self.recorder.journal.clear()?;
        }
        Ok(())
    }
}
