//! Purging: an operator's order that takes a record or an attachment out of
//! everything for good.

use gridwalk_domain::{EntityId, Sha256, TenantId};
use gridwalk_store::{Read, StoreError, Write};
use serde::Serialize;

use super::Admin;
use super::error::AdminError;
use super::people::audit;
use crate::batch::Batch;
use crate::error::Error;
use crate::keep::{Book, Keep, Order, append};
use crate::replay;

/// What went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PurgeReport {
    /// Ops whose body went.
    pub ops: usize,
    /// Attachments that went with the record, or the one that was purged.
    pub blobs: usize,
}

/// What an order is written with.
struct Purging<'a> {
    keep: &'a dyn Keep,
    tenant: TenantId,
    at_ms: i64,
}

/// The district that was named, or those that know something; where none does,
/// the only one there is.
fn districts(
    tx: &dyn Read,
    named: Option<TenantId>,
    mut knows: impl FnMut(&dyn Read, TenantId) -> Result<bool, Error>,
) -> Result<Result<Vec<TenantId>, AdminError>, Error> {
    if let Some(named) = named {
        return Ok(Ok(vec![named]));
    }
    let all: Vec<TenantId> = tx.tenants()?.iter().map(|row| row.id).collect();
    let mut knowing = Vec::new();
    for tenant in &all {
        if knows(tx, *tenant)? {
            knowing.push(*tenant);
        }
    }
    Ok(match (knowing.is_empty(), all.len()) {
        (false, _) => Ok(knowing),
        (true, 0) => Err(AdminError::NoDistrict),
        (true, 1) => Ok(all),
        (true, _) => Err(AdminError::ChooseDistrict),
    })
}

impl Admin<'_> {
    /// Takes something out of every district that it is to go from, in one commit.
    /// `take` writes its order into the ledger, which is synced before the commit:
    /// what is begun is finished, whatever happens.
    fn purge(
        &self,
        district: Option<&str>,
        on: String,
        mut knows: impl FnMut(&dyn Read, TenantId) -> Result<bool, Error> + Send + 'static,
        mut take: impl FnMut(
            &mut dyn Write,
            &mut Batch<'_>,
            Purging<'_>,
        ) -> Result<PurgeReport, StoreError>
        + Send
        + 'static,
    ) -> Result<PurgeReport, AdminError> {
        let named = district.map(|code| self.tenant_of(Some(code)));
        let named = named.transpose()?;
        let now_ms = self.service.now_ms();
        let report = self.service.commit_with(move |tx, tools| {
            let tenants = match districts(tx, named, &mut knows)? {
                Ok(tenants) => tenants,
                Err(error) => return Ok(Err(error)),
            };
            let mut report = PurgeReport::default();
            for tenant in tenants {
                let mut batch = Batch::open(tx, tools, tenant, now_ms)?;
                let keep = &*tools.keep;
                let purging = Purging {
                    keep,
                    tenant,
                    at_ms: now_ms,
                };
                let gone = take(tx, &mut batch, purging)?;
                report.ops += gone.ops;
                report.blobs += gone.blobs;
                batch.store(tx)?;
                tx.add_audit(tenant, &audit(now_ms, "purge", &on))?;
            }
            Ok(Ok(report))
        })??;
        Ok(report)
    }

    /// Purges a record, with its ops, chunks and what only it shows; also one that
    /// has not come yet: then its district is to be named where there are several.
    ///
    /// # Errors
    /// [`AdminError`]. After an error the order stands in the ledger, perhaps: it
    /// is carried out by the next start, or by asking again.
    pub fn purge_entity(
        &self,
        entity: EntityId,
        district: Option<&str>,
    ) -> Result<PurgeReport, AdminError> {
        let knows = move |tx: &dyn Read, tenant| {
            let known = !tx.entities(tenant, &[entity])?.is_empty()
                || !tx.held_ops(tenant, Some(entity))?.is_empty();
            Ok(known)
        };
        let on = format!("entity/{entity}");
        let report = self.purge(district, on, knows, move |tx, batch, purging| {
            let gone = batch.purge_entity(tx, entity)?;
            let report = PurgeReport {
                ops: gone.ops.len(),
                blobs: gone.blobs.len(),
            };
            let order = Order::PurgeEntity {
                tenant: purging.tenant,
                at_ms: purging.at_ms,
                entity,
                ops: gone.ops,
                blobs: gone.blobs,
            };
            append(purging.keep, Book::Ledger, &[order])?;
            Ok(report)
        })?;
        self.service.routes.forget(entity);
        replay::finish(&self.service.tools)?;
        Ok(report)
    }

    /// Purges an attachment by itself, in the district that is named or in all that
    /// know it: every record that shows it keeps its hash alone, and it is not
    /// taken again.
    ///
    /// # Errors
    /// As [`Self::purge_entity`].
    pub fn purge_blob(
        &self,
        blob: Sha256,
        district: Option<&str>,
    ) -> Result<PurgeReport, AdminError> {
        let knows = move |tx: &dyn Read, tenant| {
            let known = !tx.holders(tenant, blob)?.is_empty()
                || !tx.blobs(tenant, &[blob])?.is_empty()
                || !tx.uploads_of(tenant, blob)?.is_empty();
            Ok(known)
        };
        let on = format!("blob/{blob}");
        self.purge(district, on, knows, move |tx, batch, purging| {
            let order = Order::PurgeBlob {
                tenant: purging.tenant,
                at_ms: purging.at_ms,
                blob,
            };
            batch.purge_blob(tx, blob)?;
            append(purging.keep, Book::Ledger, &[order])?;
            Ok(PurgeReport::default())
        })?;
        replay::finish(&self.service.tools)?;
        Ok(PurgeReport { ops: 0, blobs: 1 })
    }
}
