//! Reading: plain look-ups, and scans where production has an index.

use gridwalk_domain::{
    BootId, DeviceId, EntityId, Epoch, GridCode, GridId, OpId, RunId, Sha256, StreamKey, TenantId,
    UserId, WorkerId,
};
use std::collections::BTreeSet;
use std::ops::{Bound, Deref};

use super::{OpKey, Tables, Tx};
use crate::rows::{
    AssignmentRow, AuditRow, BlobRow, BootRow, ChunkRow, ChunkSpan, CodeRow, ContactRow, DeviceRow,
    EntityFilter, EntityRow, GridChangeRow, GridRow, HeldChunkRow, HolderRow, LawRow, LawSort,
    OpRow, OpSummary, PageRow, PositionRow, Purged, ReadingRow, ReceiptRow, SessionRow, StreamHead,
    SuccessionRow, Tag, TenantRow, TrackVersion, UploadRow, UserRow, Wait, WorkerRow,
};
use crate::{Read, StoreError};

type Result<T, E = StoreError> = std::result::Result<T, E>;

/// The rows of one tenant in a table whose key begins with it.
macro_rules! of_tenant {
    ($table:expr, $tenant:expr) => {
        $table
            .iter()
            .filter(|(key, _)| key.0 == $tenant)
            .map(|(_, row)| row)
    };
}

fn wanted<T: PartialEq>(list: Option<&[T]>, one: &T) -> bool {
    list.is_none_or(|list| list.contains(one))
}

impl Tables {
    /// These ops in the order in which they were stored.
    fn in_order(&self, keys: impl Iterator<Item = OpKey>) -> Vec<OpRow> {
        let mut keys: Vec<OpKey> = keys.collect();
        keys.sort_by_key(|key| key.2);
        let rows = keys.into_iter().filter_map(|key| self.ops.get(&key));
        rows.cloned().collect()
    }

    fn chunks_of(&self, tenant: TenantId, patrol: EntityId) -> impl Iterator<Item = &ChunkRow> {
        let from = (tenant, patrol, RunId(0), 0);
        let to = (tenant, patrol, RunId(u64::MAX), u32::MAX);
        self.chunks.range(from..=to).map(|(_, row)| row)
    }
}

impl<T: Deref<Target = Tables>> Read for Tx<T> {
    fn epoch(&self) -> Result<Option<Epoch>> {
        Ok(self.tables.epoch)
    }

    fn note(&self, name: &str) -> Result<Option<String>> {
        Ok(self.tables.notes.get(name).cloned())
    }

    fn tenants(&self) -> Result<Vec<TenantRow>> {
        Ok(self.tables.tenants.values().cloned().collect())
    }

    fn tenant(&self, tenant: TenantId) -> Result<Option<TenantRow>> {
        Ok(self.tables.tenants.get(&tenant).cloned())
    }

    fn laws(&self, tenant: TenantId, sort: LawSort) -> Result<Vec<LawRow>> {
        let rows = (tenant, sort, 0)..=(tenant, sort, u32::MAX);
        let rows = self.tables.laws.range(rows);
        Ok(rows.map(|(_, row)| row.clone()).collect())
    }

    fn grids(&self, tenant: TenantId) -> Result<Vec<GridRow>> {
        let mut rows: Vec<_> = of_tenant!(self.tables.grids, tenant).cloned().collect();
        rows.sort_by(|a, b| (a.level, &a.code).cmp(&(b.level, &b.code)));
        Ok(rows)
    }

    fn grids_by_code(&self, code: &GridCode) -> Result<Vec<(TenantId, GridRow)>> {
        let rows = self
            .tables
            .grids
            .iter()
            .filter(|(_, row)| row.code == *code && row.closed_ms.is_none());
        Ok(rows
            .map(|((tenant, _), row)| (*tenant, row.clone()))
            .collect())
    }

    fn successions(&self, tenant: TenantId) -> Result<Vec<SuccessionRow>> {
        Ok(of_tenant!(self.tables.successions, tenant)
            .copied()
            .collect())
    }

    fn grid_changes(&self, tenant: TenantId, grid: GridId) -> Result<Vec<GridChangeRow>> {
        let rows = (tenant, grid, 0)..=(tenant, grid, u64::MAX);
        let rows = self.tables.grid_changes.range(rows);
        Ok(rows.map(|(_, row)| row.clone()).collect())
    }

    fn boundaries(
        &self,
        tenant: TenantId,
        grids: Option<&[GridId]>,
    ) -> Result<Vec<(GridId, String)>> {
        let rows = self.tables.boundaries.iter();
        let rows = rows.filter(|((owner, grid), _)| *owner == tenant && wanted(grids, grid));
        Ok(rows
            .map(|((_, grid), json)| (*grid, json.clone()))
            .collect())
    }

    fn workers(&self, tenant: TenantId, workers: Option<&[WorkerId]>) -> Result<Vec<WorkerRow>> {
        let rows = of_tenant!(self.tables.workers, tenant);
        Ok(rows
            .filter(|row| wanted(workers, &row.id))
            .cloned()
            .collect())
    }

    fn assignments(
        &self,
        tenant: TenantId,
        worker: Option<WorkerId>,
    ) -> Result<Vec<AssignmentRow>> {
        let rows = of_tenant!(self.tables.assignments, tenant);
        Ok(rows
            .filter(|row| worker.is_none_or(|worker| row.worker == worker))
            .copied()
            .collect())
    }

    fn user_by_name(&self, name: &str) -> Result<Option<UserRow>> {
        Ok(self
            .tables
            .users
            .values()
            .find(|row| row.name == name)
            .cloned())
    }

    fn user(&self, user: UserId) -> Result<Option<UserRow>> {
        Ok(self.tables.users.get(&user).cloned())
    }

    fn users(&self, tenant: TenantId, users: &[UserId]) -> Result<Vec<UserRow>> {
        let rows = self.tables.users.values();
        let rows = rows.filter(|row| row.tenant == tenant && users.contains(&row.id));
        Ok(rows.cloned().collect())
    }

    fn session(&self, token: Sha256) -> Result<Option<SessionRow>> {
        Ok(self.tables.sessions.get(&token).cloned())
    }

    fn device(&self, device: DeviceId) -> Result<Option<DeviceRow>> {
        Ok(self.tables.devices.get(&device).cloned())
    }

    fn device_by_token(&self, token: Sha256) -> Result<Option<DeviceRow>> {
        let mut rows = self.tables.devices.values();
        let bears = |row: &&DeviceRow| row.token == token || row.send_token == token;
        Ok(rows.find(bears).cloned())
    }

    fn devices(&self, tenant: TenantId, worker: Option<WorkerId>) -> Result<Vec<DeviceRow>> {
        let rows = self.tables.devices.values();
        let rows = rows
            .filter(|row| row.tenant == tenant && worker.is_none_or(|worker| row.worker == worker));
        Ok(rows.cloned().collect())
    }

    fn contacts(&self, tenant: TenantId) -> Result<Vec<ContactRow>> {
        Ok(of_tenant!(self.tables.contacts, tenant).cloned().collect())
    }

    fn contact(&self, tenant: TenantId, device: DeviceId) -> Result<Option<ContactRow>> {
        Ok(self.tables.contacts.get(&(tenant, device)).cloned())
    }

    fn boots(&self, tenant: TenantId, device: DeviceId, boots: &[BootId]) -> Result<Vec<BootRow>> {
        let rows = self.tables.boots.iter();
        let rows = rows.filter(|((owner, phone, boot), _)| {
            *owner == tenant && *phone == device && boots.contains(boot)
        });
        Ok(rows.map(|(_, row)| *row).collect())
    }

    fn code(&self, code: Sha256) -> Result<Option<CodeRow>> {
        Ok(self.tables.codes.get(&code).cloned())
    }

    fn ops(&self, tenant: TenantId, ops: &[OpId]) -> Result<Vec<OpSummary>> {
        let ids: BTreeSet<OpId> = ops.iter().copied().collect();
        let rows = ids.into_iter().flat_map(|id| {
            self.tables
                .ops
                .range((tenant, id, 0)..=(tenant, id, u64::MAX))
        });
        Ok(rows.map(|(_, row)| row.summary.clone()).collect())
    }

    fn op_ids(&self, tenant: TenantId) -> Result<Vec<OpId>> {
        let mut ids: Vec<_> = of_tenant!(self.tables.ops, tenant)
            .map(|row| row.summary.id)
            .collect();
        ids.dedup();
        Ok(ids)
    }

    fn op_rows(&self, tenant: TenantId, op: OpId) -> Result<Vec<OpRow>> {
        let rows = (tenant, op, 0)..=(tenant, op, u64::MAX);
        let rows = self.tables.ops.range(rows);
        Ok(rows.map(|(_, row)| row.clone()).collect())
    }

    fn ops_on(&self, tenant: TenantId, entity: EntityId) -> Result<Vec<OpRow>> {
        let rows = self.tables.ops.iter();
        let theirs = rows.filter(|(key, row)| key.0 == tenant && row.summary.entity == entity);
        Ok(self.tables.in_order(theirs.map(|(key, _)| *key)))
    }

    fn held_ops(&self, tenant: TenantId, entity: Option<EntityId>) -> Result<Vec<OpRow>> {
        let keys: Vec<_> = match entity {
            Some(entity) => {
                let rows = (tenant, entity, 0)..=(tenant, entity, u64::MAX);
                self.tables.held_ops.range(rows).collect()
            }
            None => {
                let rows = self.tables.held_ops.iter();
                rows.filter(|(key, _)| key.0 == tenant).collect()
            }
        };
        Ok(self.tables.in_order(keys.into_iter().map(|(_, key)| *key)))
    }

    fn waiting_ops(&self, tenant: TenantId, waits: &[Wait]) -> Result<Vec<OpRow>> {
        let waits: BTreeSet<Wait> = waits.iter().copied().collect();
        let keys = waits.into_iter().flat_map(|wait| {
            let rows = (tenant, wait, 0)..=(tenant, wait, u64::MAX);
            self.tables.waiting_ops.range(rows).map(|(_, key)| *key)
        });
        Ok(self.tables.in_order(keys))
    }

    fn entities(&self, tenant: TenantId, entities: &[EntityId]) -> Result<Vec<EntityRow>> {
        let ids: BTreeSet<EntityId> = entities.iter().copied().collect();
        let rows = ids.into_iter();
        Ok(rows
            .filter_map(|id| self.tables.entities.get(&(tenant, id)).cloned())
            .collect())
    }

    fn find(&self, tenant: TenantId, filter: &EntityFilter<'_>) -> Result<Vec<EntityRow>> {
        let in_grids = |row: &EntityRow| {
            filter
                .grids
                .is_none_or(|grids| row.grid.is_some_and(|grid| grids.contains(&grid)))
        };
        let rows = of_tenant!(self.tables.entities, tenant);
        let mut rows: Vec<_> = rows
            .filter(|row| {
                !row.deleted
                    && filter.kind.is_none_or(|kind| row.kind == kind)
                    && in_grids(row)
                    && filter.day.is_none_or(|day| row.day == day)
                    && filter
                        .status
                        .is_none_or(|status| row.status.as_deref() == Some(status))
                    && filter
                        .parent
                        .is_none_or(|parent| row.parent == Some(parent))
            })
            .cloned()
            .collect();
        rows.sort_by_key(|row| (row.at_ms, row.id));
        Ok(rows)
    }

    fn due(&self, tenant: TenantId, at_ms: i64, limit: usize) -> Result<Vec<EntityRow>> {
        let rows = of_tenant!(self.tables.entities, tenant);
        let due = |row: &&EntityRow| !row.deleted && row.due_ms.is_some_and(|due| due <= at_ms);
        let mut rows: Vec<_> = rows.filter(due).cloned().collect();
        rows.sort_by_key(|row| (row.due_ms, row.id));
        rows.truncate(limit);
        Ok(rows)
    }

    fn days(
        &self,
        tenant: TenantId,
        grids: Option<&[GridId]>,
        kinds: &[&str],
        limit: usize,
    ) -> Result<Vec<i32>> {
        let rows = of_tenant!(self.tables.entities, tenant);
        let rows = rows.filter(|row| {
            !row.deleted
                && kinds.contains(&row.kind.as_str())
                && grids.is_none_or(|grids| row.grid.is_some_and(|grid| grids.contains(&grid)))
        });
        let days: BTreeSet<i32> = rows.map(|row| row.day).collect();
        Ok(days.into_iter().rev().take(limit).collect())
    }

    fn holders(&self, tenant: TenantId, blob: Sha256) -> Result<Vec<HolderRow>> {
        let rows = of_tenant!(self.tables.entities, tenant);
        let rows = rows.filter(|row| row.blobs.contains(&blob));
        Ok(rows
            .map(|row| HolderRow {
                entity: row.id,
                kind: row.kind.clone(),
                grid: row.grid,
                deleted: row.deleted,
            })
            .collect())
    }

    fn purged(&self, tenant: TenantId, what: &[Purged]) -> Result<Vec<Purged>> {
        let what: BTreeSet<Purged> = what.iter().copied().collect();
        let rows = what.into_iter();
        Ok(rows
            .filter(|what| self.tables.purged.contains_key(&(tenant, *what)))
            .collect())
    }

    fn heads(&self, tenant: TenantId, streams: &[StreamKey]) -> Result<Vec<StreamHead>> {
        let heads = streams.iter();
        Ok(heads
            .map(|stream| {
                self.tables
                    .heads
                    .get(&(tenant, *stream))
                    .copied()
                    .unwrap_or_default()
            })
            .collect())
    }

    fn streams(&self, tenant: TenantId) -> Result<Vec<(StreamKey, StreamHead)>> {
        let rows = self.tables.heads.iter();
        let rows = rows.filter(|(key, _)| key.0 == tenant);
        Ok(rows.map(|(key, head)| (key.1, *head)).collect())
    }

    fn listed(&self, tenant: TenantId, stream: StreamKey) -> Result<Vec<(EntityId, u64)>> {
        let rows = (tenant, stream, 0)..=(tenant, stream, u64::MAX);
        let ids = self.tables.entries.range(rows).map(|(_, id)| *id);
        Ok(ids
            .filter_map(|id| Some((id, self.tables.entities.get(&(tenant, id))?.rev)))
            .collect())
    }

    fn page(
        &self,
        tenant: TenantId,
        stream: StreamKey,
        after: u64,
        max_bytes: usize,
    ) -> Result<Vec<PageRow>> {
        let from = Bound::Excluded((tenant, stream, after));
        let to = Bound::Included((tenant, stream, u64::MAX));
        let mut page: Vec<PageRow> = Vec::new();
        let mut bytes = 0;
        for ((_, _, seq), id) in self.tables.entries.range((from, to)) {
            let Some(row) = self.tables.entities.get(&(tenant, *id)) else {
                continue;
            };
            bytes += row.state.as_ref().map_or(0, String::len) + 64;
            if bytes > max_bytes && !page.is_empty() {
                break;
            }
            page.push(PageRow {
                seq: *seq,
                entity: *id,
                rev: row.rev,
                state: row.state.clone(),
            });
        }
        Ok(page)
    }

    fn tag(&self, tenant: TenantId, stream: StreamKey, seq: u64) -> Result<Option<Tag>> {
        let rows = (tenant, stream, 0)..=(tenant, stream, seq);
        let own = self.tables.tags.range(rows).next_back();
        let common = self.tables.common_tags.get(&(tenant, stream));
        let own = own.map(|(_, row)| Tag::Own(row.tag));
        Ok(own.or(common.map(|tag| Tag::Common(*tag))))
    }

    fn receipts(
        &self,
        tenant: TenantId,
        device: DeviceId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<ReceiptRow>> {
        let from = Bound::Excluded((tenant, device, after));
        let to = Bound::Included((tenant, device, u64::MAX));
        let rows = self.tables.receipts.range((from, to)).take(limit);
        Ok(rows.map(|(_, row)| row.clone()).collect())
    }

    fn receipt_tag(&self, tenant: TenantId, device: DeviceId, n: u64) -> Result<Option<u64>> {
        let row = self.tables.receipts.get(&(tenant, device, n));
        Ok(row.map(|row| row.tag))
    }

    fn last_receipt(&self, tenant: TenantId, device: DeviceId) -> Result<Option<(u64, u64)>> {
        let rows = (tenant, device, 0)..=(tenant, device, u64::MAX);
        let last = self.tables.receipts.range(rows).next_back();
        Ok(last.map(|(_, row)| (row.n, row.tag)))
    }

    fn chunks_over(&self, tenant: TenantId, span: ChunkSpan) -> Result<Vec<ChunkRow>> {
        let rows = self.tables.chunks_of(tenant, span.key.patrol);
        let rows = rows.filter(|row| {
            row.span.key.run == span.key.run
                && row.span.end() > u64::from(span.first)
                && u64::from(row.span.first) < span.end()
        });
        Ok(rows.cloned().collect())
    }

    fn spans_over(&self, tenant: TenantId, span: ChunkSpan) -> Result<Vec<ChunkSpan>> {
        let rows = self.chunks_over(tenant, span)?;
        Ok(rows.into_iter().map(|row| row.span).collect())
    }

    fn chunks(&self, tenant: TenantId, patrol: EntityId) -> Result<Vec<ChunkRow>> {
        Ok(self.tables.chunks_of(tenant, patrol).cloned().collect())
    }

    fn track_versions(&self, tenant: TenantId, patrols: &[EntityId]) -> Result<Vec<TrackVersion>> {
        let version = |patrol: &EntityId| {
            let mut version = TrackVersion::default();
            for row in self.tables.chunks_of(tenant, *patrol) {
                version.chunks += 1;
                version.fixes += u64::from(row.span.count);
            }
            version
        };
        Ok(patrols.iter().map(version).collect())
    }

    fn spans(&self, tenant: TenantId) -> Result<Vec<ChunkSpan>> {
        Ok(of_tenant!(self.tables.chunks, tenant)
            .map(|row| row.span)
            .collect())
    }

    fn held_chunk(
        &self,
        tenant: TenantId,
        span: ChunkSpan,
        sha256: Sha256,
    ) -> Result<Option<HeldChunkRow>> {
        let (key, count) = (span.key, span.count);
        let key = (tenant, key.patrol, key.run, span.first, sha256, count);
        Ok(self.tables.held_chunks.get(&key).cloned())
    }

    fn held_chunks(&self, tenant: TenantId, patrol: Option<EntityId>) -> Result<Vec<HeldChunkRow>> {
        let rows = of_tenant!(self.tables.held_chunks, tenant);
        let rows = rows.filter(|row| patrol.is_none_or(|patrol| row.span.key.patrol == patrol));
        Ok(rows.cloned().collect())
    }

    fn waiting_chunks(&self, tenant: TenantId, waits: &[Wait]) -> Result<Vec<HeldChunkRow>> {
        let rows = of_tenant!(self.tables.held_chunks, tenant);
        let rows = rows.filter(|row| row.wait.is_some_and(|wait| waits.contains(&wait)));
        Ok(rows.cloned().collect())
    }

    fn position(&self, tenant: TenantId, worker: WorkerId) -> Result<Option<PositionRow>> {
        Ok(self.tables.positions.get(&(tenant, worker)).copied())
    }

    fn positions(&self, tenant: TenantId) -> Result<Vec<PositionRow>> {
        Ok(of_tenant!(self.tables.positions, tenant).copied().collect())
    }

    fn blobs(&self, tenant: TenantId, blobs: &[Sha256]) -> Result<Vec<BlobRow>> {
        let hashes: BTreeSet<Sha256> = blobs.iter().copied().collect();
        let rows = hashes.into_iter();
        Ok(rows
            .filter_map(|hash| self.tables.blobs.get(&(tenant, hash)).cloned())
            .collect())
    }

    fn blob_hashes(&self, tenant: TenantId) -> Result<Vec<Sha256>> {
        Ok(of_tenant!(self.tables.blobs, tenant)
            .map(|row| row.sha256)
            .collect())
    }

    fn blob_senders(&self, tenant: TenantId, blob: Sha256) -> Result<Vec<DeviceId>> {
        let (first, last) = (
            DeviceId::from_bytes([0; 16]),
            DeviceId::from_bytes([255; 16]),
        );
        let rows = (tenant, blob, first)..=(tenant, blob, last);
        let rows = self.tables.blob_senders.range(rows);
        Ok(rows.map(|(key, ())| key.2).collect())
    }

    fn upload(&self, id: &str) -> Result<Option<UploadRow>> {
        Ok(self.tables.uploads.get(id).cloned())
    }

    fn upload_of(
        &self,
        tenant: TenantId,
        device: DeviceId,
        sha256: Sha256,
    ) -> Result<Option<UploadRow>> {
        let mut rows = self.tables.uploads.values();
        let found =
            rows.find(|row| row.tenant == tenant && row.device == device && row.sha256 == sha256);
        Ok(found.cloned())
    }

    fn uploads_of(&self, tenant: TenantId, sha256: Sha256) -> Result<Vec<UploadRow>> {
        let rows = self.tables.uploads.values();
        let rows = rows.filter(|row| row.tenant == tenant && row.sha256 == sha256);
        Ok(rows.cloned().collect())
    }

    fn stale_uploads(&self, before_ms: i64) -> Result<Vec<UploadRow>> {
        let rows = self.tables.uploads.values();
        Ok(rows.filter(|row| row.at_ms < before_ms).cloned().collect())
    }

    fn readings(&self, tenant: TenantId, entity: Option<EntityId>) -> Result<Vec<ReadingRow>> {
        let rows = of_tenant!(self.tables.readings, tenant);
        let wanted = |row: &&ReadingRow| entity.is_none_or(|entity| row.entity == entity);
        Ok(rows.filter(wanted).cloned().collect())
    }

    fn audit(&self, tenant: TenantId, limit: usize) -> Result<Vec<AuditRow>> {
        let rows: Vec<_> = of_tenant!(self.tables.audit, tenant).collect();
        let from = rows.len().saturating_sub(limit);
        Ok(rows[from..].iter().copied().cloned().collect())
    }
}
