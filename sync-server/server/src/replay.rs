//! What is kept outside of the database, brought back into it: at each start,
//! after a restore, and when a phone shows that the data went back in time.
//!
//! To replay what is there already changes nothing. The ledger comes first: what
//! was purged stays purged, whatever the journal says.

use gridwalk_domain::wire::Outcome;
use gridwalk_domain::{SealedOp, Sha256, TenantId};
use gridwalk_store::{
    CodeRow, DeviceRow, DeviceStanding, OpRow, OpSummary, Purged, Read, StoreError, Wait,
    WorkerRow, Write, read, write,
};
use std::collections::{BTreeMap, BTreeSet};

use crate::batch::{Batch, Incoming, UNFINISHED};
use crate::blobs::{failed, find_again, remove_unkept};
use crate::keep::{self, Book, Enrolment, Entry, Instead, Order, orders};
use crate::service::Tools;

/// The note that names the version which last judged what it could not.
const JUDGED_BY: &str = "judged by";

/// Replays, judges again what an older version could not, and finishes what was
/// begun.
pub(crate) fn at_start(tools: &Tools) -> Result<(), StoreError> {
    write::<_, StoreError>(&*tools.store, |tx| {
        replay(tx, tools)?;
        judge_after_upgrade(tx, tools)
    })?;
    if let Err(error) = finish(tools) {
        // Nobody is shown what was purged; its bytes go at the next start.
        tracing::error!(%error, "a purge could not be finished; it is tried again at the next start");
    }
    Ok(())
}

fn judge_after_upgrade(tx: &mut dyn Write, tools: &Tools) -> Result<(), StoreError> {
    let version = &tools.settings.version;
    if tx.note(JUDGED_BY)?.as_ref() == Some(version) {
        return Ok(());
    }
    for tenant in tx.tenants()? {
        let mut batch = Batch::open(tx, tools, tenant.id, tools.now_ms())?;
        batch.has_come(Wait::Upgrade);
        batch.store(tx)?;
    }
    tx.put_note(JUDGED_BY, version)
}

/// Brings back the ledger, then the journal.
pub(crate) fn replay(tx: &mut dyn Write, tools: &Tools) -> Result<(), StoreError> {
    replay_ledger(tx, tools)?;
    let mut of_tenant: BTreeMap<TenantId, Vec<Entry>> = BTreeMap::new();
    for entry in keep::read::<Entry>(&*tools.keep, Book::Journal)? {
        of_tenant.entry(entry.tenant).or_default().push(entry);
    }
    for (tenant, entries) in of_tenant {
        if tx.tenant(tenant)?.is_some() {
            replay_journal(tx, tools, tenant, entries)?;
        }
    }
    Ok(())
}

fn replay_ledger(tx: &mut dyn Write, tools: &Tools) -> Result<(), StoreError> {
    let mut known: BTreeMap<TenantId, bool> = BTreeMap::new();
    for order in orders(&*tools.keep)? {
        let tenant = order.tenant();
        let exists = match known.get(&tenant) {
            Some(exists) => *exists,
            None => tx.tenant(tenant)?.is_some(),
        };
        known.insert(tenant, exists);
        if exists {
            carry_out(tx, tools, &order)?;
        }
    }
    Ok(())
}

/// Carries out an order again, where that was not done.
fn carry_out(tx: &mut dyn Write, tools: &Tools, order: &Order) -> Result<(), StoreError> {
    let tenant = order.tenant();
    let done = |tx: &dyn Read, what| Ok::<_, StoreError>(!tx.purged(tenant, &[what])?.is_empty());
    match order {
        Order::PurgeEntity {
            entity, ops, blobs, ..
        } => {
            if done(tx, Purged::Entity(*entity))? {
                return Ok(());
            }
            let mut batch = Batch::open(tx, tools, tenant, tools.now_ms())?;
            batch.purge_entity(tx, *entity)?;
            batch.remember_purged(tx, *entity, ops)?;
            batch.forget_unshown(tx, blobs)?;
            batch.store(tx).map(drop)
        }
        Order::PurgeBlob { blob, .. } => {
            if done(tx, Purged::Blob(*blob))? {
                return Ok(());
            }
            let mut batch = Batch::open(tx, tools, tenant, tools.now_ms())?;
            batch.purge_blob(tx, *blob)?;
            batch.store(tx).map(drop)
        }
        Order::Late { entity, ops, .. } => {
            let mut batch = Batch::open(tx, tools, tenant, tools.now_ms())?;
            batch.remember_purged(tx, *entity, ops)?;
            batch.store(tx).map(drop)
        }
        Order::Enrol(enrolment) => enrol(tx, enrolment),
        Order::Revoke {
            at_ms,
            device,
            stolen,
            ..
        } => {
            let standing = if *stolen {
                DeviceStanding::Stolen
            } else {
                DeviceStanding::SendOnly
            };
            match tx.device(*device)? {
                // Enrolled again since: it was given back.
                Some(row) if row.enrolled_ms < *at_ms => revoke(tx, row, standing),
                _ => Ok(()),
            }
        }
    }
}

/// Makes a phone known, where that was not done. Its worker, where they were lost
/// too, comes back with no grid: what the phone sends waits in quarantine until
/// they are given one.
fn enrol(tx: &mut dyn Write, enrolment: &Enrolment) -> Result<(), StoreError> {
    let Enrolment { tenant, at_ms, .. } = *enrolment;
    let known = tx.device(enrolment.device)?;
    // Since then it was enrolled again, or stolen.
    if known
        .as_ref()
        .is_some_and(|row| row.enrolled_ms >= at_ms || row.standing == DeviceStanding::Stolen)
    {
        return Ok(());
    }
    let worker = enrolment.worker.id;
    if tx.workers(tenant, Some(&[worker]))?.is_empty() {
        let name = enrolment.worker.name.clone();
        tx.put_worker(tenant, &WorkerRow { id: worker, name })?;
    }
    let others = tx.devices(tenant, Some(worker))?.into_iter();
    let others: Vec<_> = others.filter(|row| row.id != enrolment.device).collect();
    let replaced = others.iter().any(|row| row.enrolled_ms > at_ms);
    let device = DeviceRow {
        id: enrolment.device,
        tenant,
        worker,
        token: enrolment.token,
        send_token: enrolment.send_token,
        standing: if replaced {
            DeviceStanding::SendOnly
        } else {
            DeviceStanding::Active
        },
        watermark: known.map_or(0, |row| row.watermark),
        platform: enrolment.platform.clone(),
        enrolled_ms: at_ms,
    };
    match tx.put_device(&device) {
        // An earlier version wrote down what it then refused: a token that another
        // phone has. It is refused once more, and stops nothing.
        Err(StoreError::Refused(why)) => {
            tracing::error!(device = %device.id, why, "an enrolment in the ledger is passed over");
            return Ok(());
        }
        done => done?,
    }
    for row in others.into_iter().filter(|row| row.enrolled_ms <= at_ms) {
        revoke(tx, row, DeviceStanding::SendOnly)?;
    }
    match tx.code(enrolment.code)? {
        Some(code) if code.used_by.is_none() => tx.put_code(&CodeRow {
            used_by: Some(enrolment.device),
            ..code
        }),
        _ => Ok(()),
    }
}

/// Takes rights from a phone; never gives any back.
pub(crate) fn revoke(
    tx: &mut dyn Write,
    row: DeviceRow,
    standing: DeviceStanding,
) -> Result<(), StoreError> {
    if row.standing == standing || row.standing == DeviceStanding::Stolen {
        return Ok(());
    }
    tx.put_device(&DeviceRow { standing, ..row })
}

fn replay_journal(
    tx: &mut dyn Write,
    tools: &Tools,
    tenant: TenantId,
    entries: Vec<Entry>,
) -> Result<(), StoreError> {
    let mut opened = Vec::new();
    for entry in entries {
        match Incoming::open(entry.op.clone()) {
            Ok(op) => opened.push((entry, op)),
            Err(outcome) => {
                let text = format!("the journal has an op that cannot be read: {outcome:?}");
                return Err(StoreError::Damaged(text));
            }
        }
    }
    let mut batch = Batch::open(tx, tools, tenant, tools.now_ms())?;
    batch.load(tx, opened.iter().map(|(_, op)| op))?;
    let mut shown = BTreeSet::new();
    for (entry, op) in opened {
        batch.replay(tx, &op, entry.instead_of)?;
        shown.extend(entry.op.blobs());
    }
    batch.store(tx)?;
    find_again(tx, tools, tenant, &shown)
}

impl Batch<'_> {
    /// Takes an op of the journal, unless it is here. One that lacks something
    /// goes into quarantine.
    fn replay(
        &mut self,
        tx: &dyn Read,
        op: &Incoming,
        instead_of: Option<Instead>,
    ) -> Result<(), StoreError> {
        if self.outcome(op.head.id, op.sha256).is_some() {
            return Ok(());
        }
        self.take(tx, op, None, false)?;
        let outcome = self.outcome(op.head.id, op.sha256).cloned();
        let (Some(instead), Some(outcome)) = (instead_of, outcome) else {
            return Ok(());
        };
        let taken = matches!(
            outcome,
            Outcome::Applied { .. } | Outcome::ConflictKept { .. } | Outcome::Purged
        );
        if !taken {
            return Ok(());
        }
        let rows = tx.op_rows(self.tenant_id(), instead.op.id)?;
        let row = rows
            .into_iter()
            .find(|row| row.summary.sha256 == instead.op.sha256);
        let summary = OpSummary {
            id: instead.op.id,
            sha256: instead.op.sha256,
            entity: op.head.entity,
            creates: op.creates(),
            outcome,
            wait: None,
            reissued: Some(op.head.id),
        };
        match row {
            Some(row) => self.note(row, summary),
            None => self.add(OpRow {
                summary,
                device: instead.device,
                received_ms: op.head.at.wall_ms,
                body: String::new(),
            }),
        }
        Ok(())
    }
}

/// Notes that purged bytes may come back until [`finish`] was here, where any were
/// purged at all.
pub(crate) fn begin(tools: &Tools) -> Result<(), StoreError> {
    if purged_blobs(tools)?.is_empty() {
        return Ok(());
    }
    write(&*tools.store, |tx| tx.put_note(UNFINISHED, "1"))
}

/// Does what a purge leaves to be done outside of its transaction, where one was
/// begun: bytes of attachments, uploads under way, the journal, the store's
/// files.
pub(crate) fn finish(tools: &Tools) -> Result<(), StoreError> {
    let begun = read::<_, StoreError>(&*tools.store, |tx| tx.note(UNFINISHED))?;
    if begun.is_none_or(|note| note.is_empty()) {
        return Ok(());
    }
    for blob in purged_blobs(tools)? {
        remove_unkept(tools, blob)?;
    }
    for upload in tools.blobs.uploads().map_err(failed)? {
        let known = read::<_, StoreError>(&*tools.store, |tx| tx.upload(&upload))?;
        if known.is_none() {
            tools.blobs.discard(&upload).map_err(failed)?;
        }
    }
    clean_journal(tools)?;
    tools.store.scrub()?;
    write(&*tools.store, |tx| tx.put_note(UNFINISHED, ""))
}

fn purged_blobs(tools: &Tools) -> Result<Vec<Sha256>, StoreError> {
    let mut blobs = Vec::new();
    for order in orders(&*tools.keep)? {
        match order {
            Order::PurgeEntity { blobs: of, .. } => blobs.extend(of),
            Order::PurgeBlob { blob, .. } => blobs.push(blob),
            Order::Late { .. } | Order::Enrol(_) | Order::Revoke { .. } => {}
        }
    }
    Ok(blobs)
}

/// Takes out of the journal what is about purged records.
fn clean_journal(tools: &Tools) -> Result<(), StoreError> {
    let about_purged = |entry: &Entry| -> Result<bool, StoreError> {
        let entity = SealedOp::head(&entry.op).map(|head| head.entity);
        let Ok(entity) = entity else {
            return Ok(false);
        };
        let what = [Purged::Entity(entity)];
        let purged = read::<_, StoreError>(&*tools.store, |tx| tx.purged(entry.tenant, &what))?;
        Ok(!purged.is_empty())
    };
    let mut failed = None;
    keep::rewrite::<Entry>(&*tools.keep, Book::Journal, |mut entries| {
        entries.retain(|entry| match about_purged(entry) {
            Ok(purged) => !purged,
            Err(error) => {
                failed = Some(error);
                true
            }
        });
        entries
    })?;
    failed.map_or(Ok(()), Err)
}
