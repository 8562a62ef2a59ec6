//! What the server holds, for the checks at the end.

use gridwalk_domain::{Entity, EntityId, OpId, Sha256, StreamKey, TenantId};
use gridwalk_store::{ChunkRow, EntityFilter, HeldChunkRow, OpSummary, StoreError};
use std::collections::{BTreeMap, BTreeSet};

use super::Server;

/// A record on the server.
#[derive(Clone, Debug)]
pub struct Record {
    /// At which revision.
    pub rev: u64,
    /// Its home stream.
    pub home: StreamKey,
    /// Its state.
    pub state: Entity,
}

/// What the server holds of one district.
#[derive(Clone, Debug, Default)]
pub struct View {
    /// Every op and what became of it.
    pub ops: BTreeMap<OpId, Vec<OpSummary>>,
    /// Every record, deleted ones too.
    pub records: BTreeMap<EntityId, Record>,
    /// Records that were purged.
    pub purged: BTreeSet<EntityId>,
    /// Every chunk of a patrol.
    pub chunks: BTreeMap<EntityId, Vec<ChunkRow>>,
    /// Chunks kept aside.
    pub held: Vec<HeldChunkRow>,
    /// Attachments that are whole.
    pub blobs: BTreeSet<Sha256>,
}

impl View {
    /// Reads it.
    ///
    /// # Errors
    /// Where the store fails or holds what cannot be read.
    pub fn of(server: &Server, tenant: TenantId) -> Result<Self, StoreError> {
        server.read(|tx| {
            let mut view = Self::default();
            for op in tx.ops(tenant, &tx.op_ids(tenant)?)? {
                view.ops.entry(op.id).or_default().push(op);
            }
            let mut ids: BTreeSet<EntityId> =
                view.ops.values().flatten().map(|op| op.entity).collect();
            ids.extend(
                tx.find(tenant, &EntityFilter::default())?
                    .iter()
                    .map(|row| row.id),
            );
            let ids: Vec<EntityId> = ids.into_iter().collect();
            for row in tx.entities(tenant, &ids)? {
                let damaged = |why: serde_json::Error| StoreError::Damaged(why.to_string());
                let Some(state) = &row.state else {
                    view.purged.insert(row.id);
                    continue;
                };
                let record = Record {
                    rev: row.rev,
                    home: row.home,
                    state: serde_json::from_str(state).map_err(damaged)?,
                };
                view.records.insert(row.id, record);
                let chunks = tx.chunks(tenant, row.id)?;
                if !chunks.is_empty() {
                    view.chunks.insert(row.id, chunks);
                }
            }
            view.held = tx.held_chunks(tenant, None)?;
            view.blobs = tx.blob_hashes(tenant)?.into_iter().collect();
            Ok(view)
        })
    }
}
