//! What is taken out for good.

use gridwalk_domain::wire::{OpRef, Outcome, ReceiptOf};
use gridwalk_domain::{EntityId, Sha256};
use gridwalk_store::{OpRow, OpSummary, Purged, Read, StoreError, Wait, Write};
use std::collections::BTreeSet;

use super::Batch;
use crate::keep::{Book, Order, append, orders};

/// What went with a record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct PurgedEntity {
    /// Its ops.
    pub(crate) ops: Vec<OpRef>,
    /// The attachments that no other record shows.
    pub(crate) blobs: Vec<Sha256>,
}

/// That attachments, uploads, the journal and the store's files may still hold
/// what was purged: kept until they do not.
pub(crate) const UNFINISHED: &str = "purging";

impl Batch<'_> {
    /// Purges a record: its state, the bodies of its ops, its chunks, and the
    /// attachments that only it showed. Their bytes are to be removed after the
    /// commit.
    pub(crate) fn purge_entity(
        &mut self,
        tx: &mut dyn Write,
        entity: EntityId,
    ) -> Result<PurgedEntity, StoreError> {
        let tenant = self.tenant.id;
        self.see(tx, vec![entity])?;
        let mut rows = tx.held_ops(tenant, Some(entity))?;
        let (mut blobs, mut taken) = (BTreeSet::new(), Vec::new());
        if let Some(loaded) = self.entities.get_mut(&entity) {
            blobs.extend(loaded.row.iter().flat_map(|row| row.blobs.iter().copied()));
            if loaded.read(&self.tools.states).is_err() {
                // What it has taken cannot be told from its state.
                rows.extend(tx.ops_on(tenant, entity)?);
            }
            if let Some(state) = &loaded.state {
                taken.clone_from(&state.ops);
                blobs.extend(state.blobs());
            }
        }
        for op in taken {
            let of_id = tx.op_rows(tenant, op)?;
            rows.extend(of_id.into_iter().filter(|row| row.summary.entity == entity));
        }
        let mut ops: Vec<OpRef> = Vec::new();
        for row in rows {
            let op = OpRef {
                id: row.summary.id,
                sha256: row.summary.sha256,
            };
            if ops.contains(&op) {
                continue;
            }
            ops.push(op);
            self.strip(row);
        }
        self.erase(tx, entity)?;
        let blobs = self.unshown(tx, entity, &blobs)?;
        for blob in &blobs {
            self.drop_blob(tx, *blob)?;
            tx.add_purged(tenant, Purged::Unshown(*blob))?;
        }
        tx.drop_chunks(tenant, entity)?;
        tx.add_purged(tenant, Purged::Entity(entity))?;
        tx.put_note(UNFINISHED, "1")?;
        Ok(PurgedEntity { ops, blobs })
    }

    /// Forgets what an op says.
    fn strip(&mut self, row: OpRow) {
        self.stripped.push((row.summary.id, row.summary.sha256));
        let summary = OpSummary {
            outcome: Outcome::Purged,
            wait: None,
            reissued: None,
            ..row.summary.clone()
        };
        // What needs it goes on without it.
        self.woken.insert(Wait::Op(summary.id));
        self.note(row, summary);
    }

    /// Remembers ops that were purged and are not stored here: a backup from
    /// before them was restored.
    pub(crate) fn remember_purged(
        &mut self,
        tx: &dyn Read,
        entity: EntityId,
        ops: &[OpRef],
    ) -> Result<(), StoreError> {
        self.know(tx, ops.iter().map(|op| op.id).collect())?;
        for op in ops {
            if self.outcome(op.id, op.sha256).is_some() {
                continue;
            }
            let summary = OpSummary {
                id: op.id,
                sha256: op.sha256,
                entity,
                creates: false,
                outcome: Outcome::Purged,
                wait: None,
                reissued: None,
            };
            self.woken.insert(Wait::Op(op.id));
            self.add(OpRow {
                summary,
                device: None,
                received_ms: self.now_ms,
                body: String::new(),
            });
        }
        Ok(())
    }

    /// Forgets attachments that went with a record, where no other one shows them:
    /// a backup from before it was restored.
    pub(crate) fn forget_unshown(
        &mut self,
        tx: &mut dyn Write,
        blobs: &[Sha256],
    ) -> Result<(), StoreError> {
        for blob in blobs {
            if tx.holders(self.tenant.id, *blob)?.is_empty() {
                self.drop_blob(tx, *blob)?;
                tx.add_purged(self.tenant.id, Purged::Unshown(*blob))?;
            }
        }
        Ok(())
    }

    /// Leaves of a record the number alone.
    fn erase(&mut self, tx: &dyn Read, entity: EntityId) -> Result<(), StoreError> {
        let Some(loaded) = self.entities.get_mut(&entity) else {
            return Ok(());
        };
        let exists = !loaded.listed.is_empty();
        if exists && !loaded.purged {
            let (tenant, rev) = (self.tenant.id, loaded.rev + 1);
            let revs = (loaded.rev, rev);
            self.numbers
                .change(tx, tenant, entity, revs, &mut loaded.listed, &[])?;
            loaded.rev = rev;
            loaded.changed = true;
        }
        loaded.purged = true;
        loaded.state = None;
        Ok(())
    }

    /// Which of these attachments nothing shows besides this record: no other
    /// record, and no op in quarantine that might make one.
    fn unshown(
        &self,
        tx: &dyn Read,
        entity: EntityId,
        blobs: &BTreeSet<Sha256>,
    ) -> Result<Vec<Sha256>, StoreError> {
        let mut unshown = Vec::new();
        for blob in blobs {
            let holders = tx.holders(self.tenant.id, *blob)?;
            if holders.iter().all(|row| row.entity == entity) {
                unshown.push(*blob);
            }
        }
        if unshown.is_empty() {
            return Ok(unshown);
        }
        let held = tx.held_ops(self.tenant.id, None)?;
        let others = held.iter().filter(|row| row.summary.entity != entity);
        let texts: Vec<&str> = others.map(|row| row.body.as_str()).collect();
        unshown.retain(|blob| {
            let name = blob.to_string();
            !texts.iter().any(|text| text.contains(&name))
        });
        Ok(unshown)
    }

    /// Purges an attachment by itself, and its thumbnails: they are struck from
    /// every record that shows them, and never taken again.
    pub(crate) fn purge_blob(
        &mut self,
        tx: &mut dyn Write,
        blob: Sha256,
    ) -> Result<(), StoreError> {
        let thumbs = self.strike_blob(tx, blob)?;
        self.purge_blobs(tx, thumbs)
    }

    /// The thumbnails of what was purged by itself and came again.
    pub(super) fn purge_thumbs(&mut self, tx: &mut dyn Write) -> Result<(), StoreError> {
        let thumbs = std::mem::take(&mut self.thumbs);
        self.purge_blobs(tx, thumbs)
    }

    /// Purges what nobody ordered by name: each gets an order of its own, so that
    /// it is finished, and done again after a restore.
    fn purge_blobs(
        &mut self,
        tx: &mut dyn Write,
        mut blobs: BTreeSet<Sha256>,
    ) -> Result<(), StoreError> {
        let (tenant, mut ordered) = (self.tenant.id, None);
        while let Some(blob) = blobs.pop_first() {
            // Whoever wrote them may have named them in a circle.
            if !tx.purged(tenant, &[Purged::Blob(blob)])?.is_empty() {
                continue;
            }
            let ordered = match &mut ordered {
                Some(ordered) => ordered,
                unread => unread.insert(self.ordered_blobs()?),
            };
            if ordered.insert(blob) {
                let order = Order::PurgeBlob {
                    tenant,
                    at_ms: self.now_ms,
                    blob,
                };
                append(&*self.tools.keep, Book::Ledger, &[order])?;
            }
            blobs.extend(self.strike_blob(tx, blob)?);
        }
        Ok(())
    }

    /// The attachments of this district that the ledger has an order for.
    fn ordered_blobs(&self) -> Result<BTreeSet<Sha256>, StoreError> {
        let orders = orders(&*self.tools.keep)?.into_iter();
        let blobs = orders.filter_map(|order| match order {
            Order::PurgeBlob { tenant, blob, .. } if tenant == self.tenant.id => Some(blob),
            _ => None,
        });
        Ok(blobs.collect())
    }

    /// Purges one; gives its thumbnails.
    fn strike_blob(
        &mut self,
        tx: &mut dyn Write,
        blob: Sha256,
    ) -> Result<BTreeSet<Sha256>, StoreError> {
        let mut thumbs = BTreeSet::new();
        let tenant = self.tenant.id;
        let holders = tx.holders(tenant, blob)?;
        let holders: Vec<EntityId> = holders.iter().map(|row| row.entity).collect();
        self.see(tx, holders.clone())?;
        for entity in holders {
            let Some(loaded) = self.entities.get_mut(&entity) else {
                continue;
            };
            if loaded.read(&self.tools.states).is_err() {
                let text = format!("record {entity} cannot be read");
                return Err(StoreError::Damaged(text));
            }
            let Some(state) = &mut loaded.state else {
                continue;
            };
            let before = state.clone();
            thumbs.extend(state.thumbs_of(blob));
            state.strike_blob(blob);
            if *state != before {
                self.publish(tx, entity)?;
            }
        }
        self.drop_blob(tx, blob)?;
        tx.put_note(UNFINISHED, "1")?;
        tx.add_purged(tenant, Purged::Blob(blob))?;
        Ok(thumbs)
    }

    /// Forgets an attachment, what is on its way of it, and tells the phones that
    /// it came from.
    fn drop_blob(&mut self, tx: &mut dyn Write, blob: Sha256) -> Result<(), StoreError> {
        let tenant = self.tenant.id;
        for device in tx.blob_senders(tenant, blob)? {
            let of = ReceiptOf::Blob {
                sha256: blob,
                purged: true,
            };
            self.receipts.entry(device).or_default().push(of);
        }
        for upload in tx.uploads_of(tenant, blob)? {
            tx.drop_upload(&upload.id)?;
        }
        tx.drop_blob(tenant, blob)
    }
}
