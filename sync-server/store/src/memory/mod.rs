//! A store in memory, for tests and simulations: the same contract, nothing
//! durable. One lock guards all tables; a transaction keeps a list of what
//! undoes it.

mod read;
mod write;

use gridwalk_domain::{
    BootId, DeviceId, EntityId, Epoch, GridId, OpId, RunId, Sha256, StreamKey, TenantId, UserId,
    WorkerId,
};
use std::any::Any;
use std::collections::BTreeMap;
use std::ops::Deref;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock};

use crate::rows::{
    AssignmentRow, AuditRow, BlobRow, BootRow, ChunkRow, CodeRow, ContactRow, DeviceRow, EntityRow,
    GridChangeRow, GridRow, HeldChunkRow, LawRow, LawSort, OpRow, PositionRow, Purged, ReadingRow,
    ReceiptRow, SessionRow, StreamHead, SuccessionRow, TagRow, TenantRow, UploadRow, UserRow, Wait,
    WorkerRow,
};
use crate::{Read, Store, StoreError, Write};

type HeldKey = (TenantId, EntityId, RunId, u32, Sha256, u32);
/// An op's place: its id, then the order in which bodies came under it.
type OpKey = (TenantId, OpId, u64);

#[derive(Clone, Default)]
struct Tables {
    epoch: Option<Epoch>,
    notes: BTreeMap<String, String>,
    tenants: BTreeMap<TenantId, TenantRow>,
    laws: BTreeMap<(TenantId, LawSort, u32), LawRow>,
    grids: BTreeMap<(TenantId, GridId), GridRow>,
    boundaries: BTreeMap<(TenantId, GridId), String>,
    successions: BTreeMap<(TenantId, GridId, GridId), SuccessionRow>,
    grid_changes: BTreeMap<(TenantId, GridId, u64), GridChangeRow>,
    workers: BTreeMap<(TenantId, WorkerId), WorkerRow>,
    assignments: BTreeMap<(TenantId, WorkerId, GridId, i64), AssignmentRow>,
    users: BTreeMap<UserId, UserRow>,
    sessions: BTreeMap<Sha256, SessionRow>,
    devices: BTreeMap<DeviceId, DeviceRow>,
    contacts: BTreeMap<(TenantId, DeviceId), ContactRow>,
    boots: BTreeMap<(TenantId, DeviceId, BootId), BootRow>,
    codes: BTreeMap<Sha256, CodeRow>,
    ops: BTreeMap<OpKey, OpRow>,
    ops_stored: u64,
    /// Held ops by entity, and those that wait, each in the order of arrival.
    held_ops: BTreeMap<(TenantId, EntityId, u64), OpKey>,
    waiting_ops: BTreeMap<(TenantId, Wait, u64), OpKey>,
    entities: BTreeMap<(TenantId, EntityId), EntityRow>,
    entries: BTreeMap<(TenantId, StreamKey, u64), EntityId>,
    heads: BTreeMap<(TenantId, StreamKey), StreamHead>,
    tags: BTreeMap<(TenantId, StreamKey, u64), TagRow>,
    common_tags: BTreeMap<(TenantId, StreamKey), u64>,
    receipts: BTreeMap<(TenantId, DeviceId, u64), ReceiptRow>,
    chunks: BTreeMap<(TenantId, EntityId, RunId, u32), ChunkRow>,
    held_chunks: BTreeMap<HeldKey, HeldChunkRow>,
    positions: BTreeMap<(TenantId, WorkerId), PositionRow>,
    blobs: BTreeMap<(TenantId, Sha256), BlobRow>,
    blob_senders: BTreeMap<(TenantId, Sha256, DeviceId), ()>,
    purged: BTreeMap<(TenantId, Purged), ()>,
    uploads: BTreeMap<String, UploadRow>,
    audit: BTreeMap<(TenantId, u64), AuditRow>,
    audit_lines: u64,
    readings: BTreeMap<(TenantId, u64), ReadingRow>,
    readings_written: u64,
}

type Undo = Box<dyn FnOnce(&mut Tables)>;

/// The store.
#[derive(Default)]
pub struct MemoryStore {
    tables: RwLock<Tables>,
}

impl MemoryStore {
    /// An empty one.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

/// A transaction over a guard of the tables.
struct Tx<T> {
    tables: T,
    undo: Vec<Undo>,
    savepoints: Vec<usize>,
}

impl<T: Deref<Target = Tables>> Tx<T> {
    const fn new(tables: T) -> Self {
        Self {
            tables,
            undo: Vec::new(),
            savepoints: Vec::new(),
        }
    }
}

impl Store for MemoryStore {
    fn read(
        &self,
        run: &mut dyn FnMut(&dyn Read) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        // A writer that panicked has undone nothing; tests see the panic itself.
        run(&Tx::new(
            self.tables.read().unwrap_or_else(PoisonError::into_inner),
        ))
    }

    fn write(
        &self,
        run: &mut dyn FnMut(&mut dyn Write) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut tx = Tx::new(self.tables.write().unwrap_or_else(PoisonError::into_inner));
        let result = run(&mut tx);
        if result.is_err() {
            tx.undo_to(0);
        }
        result
    }

    fn copy(&self, _folder: &Path) -> Result<Arc<dyn Store>, StoreError> {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        Ok(Arc::new(Self {
            tables: RwLock::new(tables.clone()),
        }))
    }

    fn replace(&self, copy: &dyn Store) -> Result<(), StoreError> {
        let other_sort = || StoreError::Refused("the copy is of another sort of store".to_owned());
        let copy = copy
            .as_any()
            .downcast_ref::<Self>()
            .ok_or_else(other_sort)?;
        let tables = {
            let tables = copy.tables.read().unwrap_or_else(PoisonError::into_inner);
            tables.clone()
        };
        *self.tables.write().unwrap_or_else(PoisonError::into_inner) = tables;
        Ok(())
    }

    fn check(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn scrub(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn it_keeps_the_contract() {
        // It keeps no files: any path does.
        crate::conformance::run(&super::MemoryStore::new, "nowhere".as_ref());
    }
}
