//! Copies of all data, their check, and the way back: the same for folders and
//! for a simulation in memory.
//!
//! A backup counts only once it was checked. From then on `restore` takes it
//! without being forced, and phones may forget what the oldest such backup has
//! (its receipts are the watermarks that `hello` tells). Which backups these are
//! is kept outside of the database, so that a restored one cannot forget it.

use gridwalk_domain::{DeviceId, Rng, Sha256, StreamDigest, TenantId};
use gridwalk_store::{
    AuditRow, DeviceRow, Read, Store, StoreError, StreamHead, Write, read, write,
};
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use super::{Admin, AdminError};
use crate::blobs::{Blobs, failed};
use crate::hash::hash_of;
use crate::keep::{self, Book, Entry, Floor, Kept, Watermark};
use crate::replay;
use crate::service::{KEEP, Tools};
use crate::sync::new_epoch;

/// The notes by which a copy knows that it is one.
const BACKUP: &str = "backup";
const MADE: &str = "backup made";

/// How many checked backups can be restored, where nothing else is said.
pub const KEPT_BACKUPS: usize = 2;

/// A copy of all data.
pub struct Backup {
    /// The database's copy.
    pub store: Arc<dyn Store>,
    /// The attachments.
    pub blobs: Arc<dyn Blobs>,
}

/// A backup that was checked.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Verified {
    /// Which.
    pub backup: String,
    /// When it was made.
    pub made_ms: i64,
    /// The oldest backup that may be restored now, without being forced.
    pub floor: String,
    /// Streams whose count and digest were computed anew.
    pub streams: usize,
    /// Attachments whose bytes were hashed.
    pub blobs: usize,
}

/// What was restored.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Restored {
    /// Which backup.
    pub backup: String,
    /// When it was made.
    pub made_ms: i64,
}

fn damaged(why: impl Into<String>) -> StoreError {
    StoreError::Damaged(why.into())
}

/// A copy's name and age.
fn named(tx: &dyn Read) -> Result<(String, i64), StoreError> {
    let not_one = || damaged("this is no backup");
    let id = tx.note(BACKUP)?.ok_or_else(not_one)?;
    let made_ms = tx.note(MADE)?.and_then(|text| text.parse().ok());
    Ok((id, made_ms.ok_or_else(not_one)?))
}

fn blob_hashes(store: &dyn Store) -> Result<Vec<Sha256>, StoreError> {
    read(store, |tx| {
        let mut all = Vec::new();
        for tenant in tx.tenants()? {
            all.extend(tx.blob_hashes(tenant.id)?);
        }
        all.sort_unstable();
        all.dedup();
        Ok(all)
    })
}

fn floor(tools: &Tools) -> Result<Floor, StoreError> {
    let mut lines = keep::read::<Floor>(&*tools.keep, Book::Floor)?;
    Ok(lines.pop().unwrap_or_default())
}

fn set_floor(tools: &Tools, floor: &Floor) -> Result<(), StoreError> {
    keep::rewrite::<Floor>(&*tools.keep, Book::Floor, |_| vec![floor.clone()])
}

/// Whether a store has all these receipts, with their tags: whether what gave them
/// is in its past.
fn covers(tx: &dyn Read, marks: &BTreeMap<DeviceId, Watermark>) -> Result<bool, StoreError> {
    for (device, mark) in marks {
        let Some(row) = tx.device(*device)? else {
            return Ok(false);
        };
        if tx.receipt_tag(row.tenant, *device, mark.n)? != Some(mark.tag) {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Tells each phone of this store what it may forget.
fn set_watermarks(
    tx: &mut dyn Write,
    marks: &BTreeMap<DeviceId, Watermark>,
) -> Result<(), StoreError> {
    for tenant in tx.tenants()? {
        for row in tx.devices(tenant.id, None)? {
            let watermark = marks.get(&row.id).map_or(0, |mark| mark.n);
            if row.watermark != watermark {
                tx.put_device(&DeviceRow { watermark, ..row })?;
            }
        }
    }
    Ok(())
}

impl Admin<'_> {
    /// Copies all data while it is served: the database of one moment into
    /// `folder` (where it keeps files), and the attachments that it knows.
    ///
    /// # Errors
    /// [`AdminError`]; what was begun may be left in `folder`.
    pub fn back_up_into(&self, folder: &Path, blobs: Arc<dyn Blobs>) -> Result<Backup, AdminError> {
        let tools = &self.service.tools;
        let store = tools.store.copy(folder)?;
        let rng: &dyn Rng = &*tools.rng;
        let (id, made) = (hex::encode(rng.bytes::<8>()), tools.now_ms().to_string());
        write::<_, StoreError>(&*store, |tx| {
            tx.put_note(BACKUP, &id)?;
            tx.put_note(MADE, &made)
        })?;
        for blob in blob_hashes(&*store)? {
            blobs.adopt(blob, &*tools.blobs).map_err(failed)?;
        }
        Ok(Backup { store, blobs })
    }

    /// Checks a backup: that the database can be read whole, that every stream
    /// counts what it lists, that every attachment is there with its hash. Then
    /// it may be restored, with the `kept` newest of those that were checked, and
    /// phones may forget what the oldest of them has.
    ///
    /// # Errors
    /// [`AdminError`]; then it counts as unchecked, and nothing else is changed.
    pub fn verify(&self, backup: &Backup, kept: usize) -> Result<Verified, AdminError> {
        let tools = &self.service.tools;
        backup.store.check()?;
        let streams = read(&*backup.store, |tx| recount(tx))?;
        let blobs = blob_hashes(&*backup.store)?;
        for blob in &blobs {
            check_blob(&*backup.blobs, *blob)?;
        }
        let mut floor = floor(tools)?;
        let journal = keep::read::<Entry>(&*tools.keep, Book::Journal)?;
        let now = read::<_, StoreError>(&*backup.store, |tx| {
            let (id, made_ms) = named(tx)?;
            if !covers(tx, &floor.told)? {
                return Ok(Err(AdminError::NotRestorable { backup: id }));
            }
            let mut receipts = BTreeMap::new();
            for tenant in tx.tenants()? {
                for device in tx.devices(tenant.id, None)? {
                    let last = tx.last_receipt(tenant.id, device.id)?;
                    receipts.extend(last.map(|(n, tag)| (device.id, Watermark { n, tag })));
                }
            }
            Ok(Ok(Kept {
                backup: id,
                made_ms,
                receipts,
                acts: acts_in(tx, &journal)?,
            }))
        })??;
        let verified = (now.backup.clone(), now.made_ms);
        // What is no part of the present's past has other receipts under the same
        // numbers: it says nothing about what phones may forget.
        let past = |kept: &Kept| read(&*tools.store, |tx| covers(tx, &kept.receipts));
        if !past(&now)? {
            return Err(AdminError::NotRestorable { backup: now.backup });
        }
        let mut of_the_past = Vec::new();
        for kept in floor.kept.drain(..) {
            if past(&kept)? {
                of_the_past.push(kept);
            }
        }
        floor.kept = of_the_past;
        floor.add(now, kept);
        set_floor(tools, &floor)?;
        let marks = floor.told.clone();
        self.service
            .commit(move |tx| Ok(set_watermarks(tx, &marks)?))?;
        let oldest = floor.kept.first();
        if let Some(oldest) = oldest {
            keep::rewrite::<Entry>(&*tools.keep, Book::Journal, |mut entries| {
                entries.retain(|entry| !oldest.acts.contains(&entry.op.sha256));
                entries
            })?;
        }
        Ok(Verified {
            backup: verified.0,
            made_ms: verified.1,
            floor: oldest.map(|kept| kept.backup.clone()).unwrap_or_default(),
            streams,
            blobs: blobs.len(),
        })
    }

    /// Goes back to a backup. A new time line begins; the ledger and the journal
    /// are replayed before anybody is served from it, also while another process
    /// serves the same data. `aside` is where the database is prepared; it is the
    /// caller's to remove.
    ///
    /// Without `force`, only a backup that was checked is taken, and only one
    /// that has all that phones rely on.
    ///
    /// # Errors
    /// [`AdminError`]; the data is as it was.
    pub fn restore_from(
        &self,
        backup: &Backup,
        aside: &Path,
        force: bool,
    ) -> Result<Restored, AdminError> {
        let tools = &self.service.tools;
        let floor = floor(tools)?;
        let (id, made_ms, covers) = read::<_, StoreError>(&*backup.store, |tx| {
            let (id, made_ms) = named(tx)?;
            Ok((id, made_ms, covers(tx, &floor.told)?))
        })?;
        let checked = floor.kept.iter().any(|kept| kept.backup == id);
        let may = force || (checked && covers);
        if !may {
            return Err(AdminError::NotRestorable { backup: id });
        }
        // The backup may bring back bytes that were purged since: from here on they
        // are to be removed again, whatever happens.
        replay::begin(tools)?;
        for blob in blob_hashes(&*backup.store)? {
            bring_back(&*tools.blobs, blob, &*backup.blobs)?;
        }
        let floor = if covers { floor } else { Floor::default() };
        let prepared = backup.store.copy(aside)?;
        prepare(tools, &prepared, &floor, &id)?;
        if !covers {
            // Phones must keep everything until a backup was checked again.
            set_floor(tools, &floor)?;
        }
        tools.store.replace(&*prepared)?;
        // What was written into the journal while this was prepared.
        self.service
            .commit_with(|tx, tools| Ok(replay::replay(tx, tools)?))?;
        replay::finish(tools)?;
        Ok(Restored {
            backup: id,
            made_ms,
        })
    }
}

/// Makes a copy fit to be served: a new time line, with all that is kept outside.
fn prepare(
    tools: &Tools,
    copy: &Arc<dyn Store>,
    floor: &Floor,
    backup: &str,
) -> Result<(), StoreError> {
    let keep = tools
        .keep
        .id()
        .map_err(|why| StoreError::Failed(format!("the journal's folder: {why}")))?;
    let of_copy = Tools {
        store: Arc::clone(copy),
        ..tools.clone()
    };
    let now_ms = tools.now_ms();
    write(&**copy, |tx| {
        tx.put_note(KEEP, &keep)?;
        set_watermarks(tx, &floor.told)?;
        new_epoch(tx, &of_copy)?;
        for tenant in tx.tenants()? {
            let line = AuditRow {
                at_ms: now_ms,
                who: "operator".to_owned(),
                what: "restore".to_owned(),
                on: format!("backup/{backup}"),
            };
            tx.add_audit(tenant.id, &line)?;
        }
        Ok(())
    })
}

/// Which ops of the journal this store has.
fn acts_in(tx: &dyn Read, journal: &[Entry]) -> Result<Vec<Sha256>, StoreError> {
    let mut acts = Vec::new();
    for entry in journal {
        let head = entry.op.head().map_err(|why| damaged(why.to_string()))?;
        let here = tx.ops(entry.tenant, &[head.id])?;
        if here.iter().any(|op| op.sha256 == entry.op.sha256) {
            acts.push(entry.op.sha256);
        }
    }
    Ok(acts)
}

/// Counts every stream anew; how many there are.
fn recount(tx: &dyn Read) -> Result<usize, StoreError> {
    let mut counted = 0;
    for tenant in tx.tenants()? {
        for (stream, head) in tx.streams(tenant.id)? {
            recount_one(tx, tenant.id, stream, &head)?;
            counted += 1;
        }
    }
    Ok(counted)
}

fn recount_one(
    tx: &dyn Read,
    tenant: TenantId,
    stream: gridwalk_domain::StreamKey,
    head: &StreamHead,
) -> Result<(), StoreError> {
    let listed = tx.listed(tenant, stream)?;
    let mut digest = StreamDigest::default();
    for (entity, rev) in &listed {
        digest.add(*entity, *rev);
    }
    if (listed.len() as u64, digest) == (head.count, head.digest) {
        Ok(())
    } else {
        Err(damaged(format!("{stream} does not list what it counts")))
    }
}

/// Takes an attachment from a backup, in the place of one that is missing or was
/// damaged.
fn bring_back(blobs: &dyn Blobs, blob: Sha256, from: &dyn Blobs) -> Result<(), StoreError> {
    if check_blob(blobs, blob).is_ok() {
        return Ok(());
    }
    // What is better stays: a damaged one is removed for one that is whole alone.
    if check_blob(from, blob).is_ok() {
        blobs.remove(blob).map_err(failed)?;
    }
    blobs.adopt(blob, from).map_err(failed)
}

fn check_blob(blobs: &dyn Blobs, blob: Sha256) -> Result<(), StoreError> {
    let missing = || damaged(format!("the attachment {blob} is missing"));
    let mut bytes = blobs.open(blob).map_err(failed)?.ok_or_else(missing)?;
    if hash_of(&mut bytes, |_| ()).map_err(failed)?.0 == blob {
        Ok(())
    } else {
        Err(damaged(format!(
            "the attachment {blob} is not what its hash names"
        )))
    }
}
