//! A store in memory, for tests and simulations: the same contract, nothing
//! durable. One lock guards all tables; a transaction keeps a list of what
//! undoes it.

mod read;
mod write;

use gridwalk_domain::{
    BootId, DeviceId, EntityId, Epoch, GridId, OpId, RunId, Sha256, StreamKey, TenantId, UserId,
    WorkerId,
};
use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::{PoisonError, RwLock};

use crate::rows::{
    AssignmentRow, AuditRow, BlobRow, BootRow, ChunkRow, CodeRow, ContactRow, DeviceRow, EntityRow,
    GridRow, HeldChunkRow, OpRow, PositionRow, ReceiptRow, SessionRow, StreamHead, TagRow,
    TenantRow, UploadRow, UserRow, WorkerRow,
};
use crate::{Read, Store, StoreError, Write};

type HeldKey = (TenantId, EntityId, RunId, u32, Sha256, u32);
/// An op's place: its id, then the order in which bodies came under it.
type OpKey = (TenantId, OpId, u64);

#[derive(Clone, Default)]
struct Tables {
    epoch: Option<Epoch>,
    tenants: BTreeMap<TenantId, TenantRow>,
    grids: BTreeMap<(TenantId, GridId), GridRow>,
    boundaries: BTreeMap<(TenantId, GridId), String>,
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
    entities: BTreeMap<(TenantId, EntityId), EntityRow>,
    entries: BTreeMap<(TenantId, StreamKey, EntityId), u64>,
    by_seq: BTreeMap<(TenantId, StreamKey, u64), EntityId>,
    heads: BTreeMap<(TenantId, StreamKey), StreamHead>,
    tags: BTreeMap<(TenantId, StreamKey, u64), TagRow>,
    receipts: BTreeMap<(TenantId, DeviceId, u64), ReceiptRow>,
    chunks: BTreeMap<(TenantId, EntityId, RunId, u32), ChunkRow>,
    held_chunks: BTreeMap<HeldKey, HeldChunkRow>,
    positions: BTreeMap<(TenantId, WorkerId), PositionRow>,
    blobs: BTreeMap<(TenantId, Sha256), BlobRow>,
    uploads: BTreeMap<String, UploadRow>,
    audit: BTreeMap<(TenantId, u64), AuditRow>,
    audit_lines: u64,
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

    /// Another store with the same rows: a backup.
    #[must_use]
    pub fn copy(&self) -> Self {
        let tables = self.tables.read().unwrap_or_else(PoisonError::into_inner);
        Self {
            tables: RwLock::new(tables.clone()),
        }
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
}

#[cfg(test)]
mod tests {
    use super::MemoryStore;
    use crate::{StoreError, read, write};
    use gridwalk_domain::Epoch;

    #[test]
    fn it_keeps_the_contract() {
        crate::conformance::run(&MemoryStore::new);
    }

    #[test]
    fn a_copy_goes_its_own_way() {
        let store = MemoryStore::new();
        let put = |epoch: u8| {
            let epoch = Epoch::from_bytes([epoch; 16]);
            write::<_, StoreError>(&store, |tx| tx.set_epoch(epoch)).expect("writes");
        };
        put(1);
        let copy = store.copy();
        put(2);
        let kept = read::<_, StoreError>(&copy, |tx| tx.epoch()).expect("reads");
        assert_eq!(kept, Some(Epoch::from_bytes([1; 16])));
    }
}
