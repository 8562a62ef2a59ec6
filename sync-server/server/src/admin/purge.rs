//! Purging: an operator's order that takes a record or an attachment out of
//! everything for good.

use gridwalk_domain::{EntityId, Sha256, TenantId};
use gridwalk_store::Read;
use serde::Serialize;

use super::Admin;
use super::error::AdminError;
use super::people::audit;
use crate::batch::Batch;
use crate::error::Error;
use crate::keep::{Book, Order, append};
use crate::replay;

/// What went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PurgeReport {
    /// Ops whose body went.
    pub ops: usize,
    /// Attachments that went with the record, or the one that was purged.
    pub blobs: usize,
}

/// The district that something belongs to: where it is known, or the only one.
fn district(
    tx: &dyn Read,
    mut knows: impl FnMut(&dyn Read, TenantId) -> Result<bool, Error>,
) -> Result<Result<TenantId, AdminError>, Error> {
    let tenants = tx.tenants()?;
    for row in &tenants {
        if knows(tx, row.id)? {
            return Ok(Ok(row.id));
        }
    }
    Ok(match tenants.as_slice() {
        [] => Err(AdminError::NoDistrict),
        [only] => Ok(only.id),
        _ => Err(AdminError::ChooseDistrict),
    })
}

impl Admin<'_> {
    /// Purges a record, with its ops, chunks and what only it shows; also one that
    /// has not come yet.
    ///
    /// # Errors
    /// [`AdminError`]. After an error the order stands in the ledger, perhaps: it
    /// is carried out by the next start, or by asking again.
    pub fn purge_entity(&self, entity: EntityId) -> Result<PurgeReport, AdminError> {
        let now_ms = self.service.now_ms();
        let report = self.service.commit_with(move |tx, tools| {
            let knows = |tx: &dyn Read, tenant| {
                let known = !tx.entities(tenant, &[entity])?.is_empty()
                    || !tx.held_ops(tenant, Some(entity))?.is_empty();
                Ok(known)
            };
            let tenant = match district(tx, knows)? {
                Ok(tenant) => tenant,
                Err(error) => return Ok(Err(error)),
            };
            let mut batch = Batch::open(tx, tools, tenant, now_ms)?;
            let gone = batch.purge_entity(tx, entity)?;
            let report = PurgeReport {
                ops: gone.ops.len(),
                blobs: gone.blobs.len(),
            };
            // Written and synced before the commit: what is begun is finished,
            // whatever happens.
            let order = Order::PurgeEntity {
                tenant,
                at_ms: now_ms,
                entity,
                ops: gone.ops,
                blobs: gone.blobs,
            };
            append(&*tools.keep, Book::Ledger, &[order])?;
            batch.store(tx)?;
            let on = format!("entity/{entity}");
            tx.add_audit(tenant, &audit(now_ms, "purge", &on))?;
            Ok(Ok(report))
        })??;
        self.service.routes.forget(entity);
        replay::finish(&self.service.tools)?;
        Ok(report)
    }

    /// Purges an attachment by itself: every record that shows it keeps its hash
    /// alone, and it is not taken again.
    ///
    /// # Errors
    /// As [`Self::purge_entity`].
    pub fn purge_blob(&self, blob: Sha256) -> Result<PurgeReport, AdminError> {
        let now_ms = self.service.now_ms();
        self.service.commit_with(move |tx, tools| {
            let knows = |tx: &dyn Read, tenant| {
                let known = !tx.holders(tenant, blob)?.is_empty()
                    || !tx.blobs(tenant, &[blob])?.is_empty()
                    || !tx.uploads_of(tenant, blob)?.is_empty();
                Ok(known)
            };
            let tenant = match district(tx, knows)? {
                Ok(tenant) => tenant,
                Err(error) => return Ok(Err(error)),
            };
            let order = Order::PurgeBlob {
                tenant,
                at_ms: now_ms,
                blob,
            };
            append(&*tools.keep, Book::Ledger, &[order])?;
            let mut batch = Batch::open(tx, tools, tenant, now_ms)?;
            batch.purge_blob(tx, blob)?;
            batch.store(tx)?;
            let on = format!("blob/{blob}");
            tx.add_audit(tenant, &audit(now_ms, "purge", &on))?;
            Ok(Ok(()))
        })??;
        replay::finish(&self.service.tools)?;
        Ok(PurgeReport { ops: 0, blobs: 1 })
    }
}
