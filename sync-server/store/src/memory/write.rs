//! Writing: every change leaves behind what undoes it.

use gridwalk_domain::{DeviceId, EntityId, Epoch, OpId, Sha256, StreamKey, TenantId};
use std::collections::BTreeMap;
use std::ops::DerefMut;

use super::{OpKey, Tables, Tx};
use crate::rows::{
    AssignmentRow, AuditRow, BlobRow, BootRow, ChunkRow, ChunkSpan, CodeRow, ContactRow, DeviceRow,
    EntityRow, EntryRow, GridChangeRow, GridRow, HeldChunkRow, LawRow, OpRow, OpSummary,
    PositionRow, Purged, ReadingRow, ReceiptRow, SessionRow, StreamHead, SuccessionRow, TagRow,
    TenantRow, UploadRow, UserRow, WorkerRow,
};
use crate::{StoreError, Write};

type Result<T, E = StoreError> = std::result::Result<T, E>;
type Table<K, V> = fn(&mut Tables) -> &mut BTreeMap<K, V>;

fn refused<T>(why: &str) -> Result<T> {
    Err(StoreError::Refused(why.to_owned()))
}

impl<T: DerefMut<Target = Tables>> Tx<T> {
    pub(super) fn undo_to(&mut self, length: usize) {
        while self.undo.len() > length {
            if let Some(undo) = self.undo.pop() {
                undo(&mut self.tables);
            }
        }
    }

    fn swap<K: Ord + Clone + 'static, V: Clone + 'static>(
        &mut self,
        table: Table<K, V>,
        key: K,
        value: Option<V>,
    ) -> Option<V> {
        let rows = table(&mut self.tables);
        let old = match value {
            Some(value) => rows.insert(key.clone(), value),
            None => rows.remove(&key),
        };
        let before = old.clone();
        self.undo.push(Box::new(move |tables| {
            match before {
                Some(row) => table(tables).insert(key, row),
                None => table(tables).remove(&key),
            };
        }));
        old
    }

    fn put<K: Ord + Clone + 'static, V: Clone + 'static>(
        &mut self,
        table: Table<K, V>,
        key: K,
        value: V,
    ) -> Result<()> {
        self.swap(table, key, Some(value));
        Ok(())
    }

    fn add<K: Ord + Clone + 'static, V: Clone + 'static>(
        &mut self,
        table: Table<K, V>,
        key: K,
        value: V,
    ) -> Result<()> {
        if table(&mut self.tables).contains_key(&key) {
            return refused("there is one of that name");
        }
        self.put(table, key, value)
    }

    /// Stores an op under its key, with what finds it as held and waiting.
    fn put_op(&mut self, key: OpKey, row: OpRow) -> Result<()> {
        let (tenant, _, n) = key;
        let before = self.tables.ops.get(&key).map(|row| row.summary.clone());
        if let Some(before) = before {
            self.swap(|t| &mut t.held_ops, (tenant, before.entity, n), None);
            if let Some(wait) = before.wait {
                self.swap(|t| &mut t.waiting_ops, (tenant, wait, n), None);
            }
        }
        let now = &row.summary;
        if now.is_held() {
            self.put(|t| &mut t.held_ops, (tenant, now.entity, n), key)?;
        }
        if let Some(wait) = now.wait {
            self.put(|t| &mut t.waiting_ops, (tenant, wait, n), key)?;
        }
        self.put(|t| &mut t.ops, key, row)
    }

    fn op(&self, tenant: TenantId, op: OpId, sha256: Sha256) -> Result<(OpKey, OpRow)> {
        let range = (tenant, op, 0)..=(tenant, op, u64::MAX);
        let mut rows = self.tables.ops.range(range);
        let found = rows.find(|(_, row)| row.summary.sha256 == sha256);
        match found {
            Some((key, row)) => Ok((*key, row.clone())),
            None => refused("no such op is stored"),
        }
    }
}

impl<T: DerefMut<Target = Tables>> Write for Tx<T> {
    fn savepoint(&mut self) -> Result<()> {
        self.savepoints.push(self.undo.len());
        Ok(())
    }

    fn release(&mut self) -> Result<()> {
        match self.savepoints.pop() {
            Some(_) => Ok(()),
            None => refused("no savepoint is open"),
        }
    }

    fn rollback(&mut self) -> Result<()> {
        match self.savepoints.pop() {
            Some(length) => {
                self.undo_to(length);
                Ok(())
            }
            None => refused("no savepoint is open"),
        }
    }

    fn set_epoch(&mut self, epoch: Epoch) -> Result<()> {
        let before = self.tables.epoch.replace(epoch);
        self.undo
            .push(Box::new(move |tables| tables.epoch = before));
        Ok(())
    }

    fn put_note(&mut self, name: &str, text: &str) -> Result<()> {
        self.put(|t| &mut t.notes, name.to_owned(), text.to_owned())
    }

    fn put_tenant(&mut self, row: &TenantRow) -> Result<()> {
        self.put(|t| &mut t.tenants, row.id, row.clone())
    }

    fn add_law(&mut self, tenant: TenantId, row: &LawRow) -> Result<()> {
        let key = (tenant, row.sort, row.version);
        if self.tables.laws.contains_key(&key) {
            return refused("this version is there");
        }
        self.put(|t| &mut t.laws, key, row.clone())
    }

    fn put_grid(&mut self, tenant: TenantId, row: &GridRow, boundary: Option<&str>) -> Result<()> {
        let taken = |other: &GridRow| {
            let both_open = other.closed_ms.is_none() && row.closed_ms.is_none();
            both_open && other.code == row.code && other.id != row.id
        };
        let mut rows = self.tables.grids.iter();
        if rows.any(|((owner, _), other)| *owner == tenant && taken(other)) {
            return refused("another grid of the district bears this code");
        }
        self.put(|t| &mut t.grids, (tenant, row.id), row.clone())?;
        match boundary {
            Some(json) => self.put(|t| &mut t.boundaries, (tenant, row.id), json.to_owned()),
            None => Ok(()),
        }
    }

    fn add_succession(&mut self, tenant: TenantId, row: SuccessionRow) -> Result<()> {
        let key = (tenant, row.grid, row.successor);
        self.put(|t| &mut t.successions, key, row)
    }

    fn add_grid_change(&mut self, tenant: TenantId, row: &GridChangeRow) -> Result<()> {
        let range = (tenant, row.grid, 0)..=(tenant, row.grid, u64::MAX);
        let n = self.tables.grid_changes.range(range).count() as u64;
        self.put(|t| &mut t.grid_changes, (tenant, row.grid, n), row.clone())
    }

    fn put_worker(&mut self, tenant: TenantId, row: &WorkerRow) -> Result<()> {
        self.put(|t| &mut t.workers, (tenant, row.id), row.clone())
    }

    fn put_assignment(&mut self, tenant: TenantId, row: &AssignmentRow) -> Result<()> {
        let key = (tenant, row.worker, row.grid, row.from_ms);
        self.put(|t| &mut t.assignments, key, *row)
    }

    fn put_user(&mut self, row: &UserRow) -> Result<()> {
        let taken = |other: &UserRow| other.name == row.name && other.id != row.id;
        if self.tables.users.values().any(taken) {
            return refused("another user bears this name");
        }
        self.put(|t| &mut t.users, row.id, row.clone())
    }

    fn put_session(&mut self, row: &SessionRow) -> Result<()> {
        self.put(|t| &mut t.sessions, row.token, row.clone())
    }

    fn drop_session(&mut self, token: Sha256) -> Result<()> {
        self.swap(|t| &mut t.sessions, token, None);
        Ok(())
    }

    fn put_device(&mut self, row: &DeviceRow) -> Result<()> {
        let mine = [row.token, row.send_token];
        let taken = |other: &DeviceRow| {
            let theirs = [other.token, other.send_token];
            other.id != row.id && theirs.iter().any(|token| mine.contains(token))
        };
        if row.token == row.send_token || self.tables.devices.values().any(taken) {
            return refused("this token is given already");
        }
        self.put(|t| &mut t.devices, row.id, row.clone())
    }

    fn put_contact(&mut self, tenant: TenantId, row: &ContactRow) -> Result<()> {
        self.put(|t| &mut t.contacts, (tenant, row.device), row.clone())
    }

    fn put_boot(&mut self, tenant: TenantId, device: DeviceId, row: BootRow) -> Result<()> {
        self.put(|t| &mut t.boots, (tenant, device, row.boot), row)
    }

    fn put_code(&mut self, row: &CodeRow) -> Result<()> {
        self.put(|t| &mut t.codes, row.code, row.clone())
    }

    fn add_ops(&mut self, tenant: TenantId, rows: &[OpRow]) -> Result<()> {
        for row in rows {
            let id = row.summary.id;
            let mut known = self
                .tables
                .ops
                .range((tenant, id, 0)..=(tenant, id, u64::MAX));
            if known.any(|(_, other)| other.summary.sha256 == row.summary.sha256) {
                return refused("this op is stored");
            }
            let n = self.tables.ops_stored;
            // Numbers that an undone transaction used are not used again.
            self.tables.ops_stored += 1;
            self.put_op((tenant, id, n), row.clone())?;
        }
        Ok(())
    }

    fn set_outcome(&mut self, tenant: TenantId, summary: &OpSummary) -> Result<()> {
        let (key, row) = self.op(tenant, summary.id, summary.sha256)?;
        self.put_op(
            key,
            OpRow {
                summary: summary.clone(),
                ..row
            },
        )
    }

    fn drop_body(&mut self, tenant: TenantId, op: OpId, sha256: Sha256) -> Result<()> {
        let (key, row) = self.op(tenant, op, sha256)?;
        let body = String::new();
        self.put_op(key, OpRow { body, ..row })
    }

    fn put_entities(&mut self, tenant: TenantId, rows: &[EntityRow]) -> Result<()> {
        for row in rows {
            self.put(|t| &mut t.entities, (tenant, row.id), row.clone())?;
        }
        Ok(())
    }

    fn set_due(&mut self, tenant: TenantId, entity: EntityId, due_ms: Option<i64>) -> Result<()> {
        let Some(row) = self.tables.entities.get(&(tenant, entity)).cloned() else {
            return Ok(());
        };
        let row = EntityRow { due_ms, ..row };
        self.put(|t| &mut t.entities, (tenant, entity), row)
    }

    fn put_entries(&mut self, tenant: TenantId, rows: &[EntryRow]) -> Result<()> {
        for row in rows {
            if let Some(before) = row.before {
                self.swap(|t| &mut t.entries, (tenant, row.stream, before), None);
            }
            let place = (tenant, row.stream, row.seq);
            self.put(|t| &mut t.entries, place, row.entity)?;
        }
        Ok(())
    }

    fn put_heads(&mut self, tenant: TenantId, rows: &[(StreamKey, StreamHead)]) -> Result<()> {
        for (stream, head) in rows {
            self.put(|t| &mut t.heads, (tenant, *stream), *head)?;
        }
        Ok(())
    }

    fn add_tags(&mut self, tenant: TenantId, rows: &[TagRow]) -> Result<()> {
        for row in rows {
            self.put(|t| &mut t.tags, (tenant, row.stream, row.first), *row)?;
        }
        Ok(())
    }

    fn add_receipts(
        &mut self,
        tenant: TenantId,
        device: DeviceId,
        rows: &[ReceiptRow],
    ) -> Result<()> {
        for row in rows {
            self.add(|t| &mut t.receipts, (tenant, device, row.n), row.clone())?;
        }
        Ok(())
    }

    fn add_chunk(&mut self, tenant: TenantId, row: &ChunkRow) -> Result<()> {
        let (key, first) = (row.span.key, row.span.first);
        let key = (tenant, key.patrol, key.run, first);
        self.add(|t| &mut t.chunks, key, row.clone())
    }

    fn hold_chunk(&mut self, tenant: TenantId, row: &HeldChunkRow) -> Result<()> {
        let (key, span) = (row.span.key, row.span);
        let key = (
            tenant, key.patrol, key.run, span.first, row.sha256, span.count,
        );
        self.put(|t| &mut t.held_chunks, key, row.clone())
    }

    fn drop_held_chunk(&mut self, tenant: TenantId, span: ChunkSpan, sha256: Sha256) -> Result<()> {
        let (key, count) = (span.key, span.count);
        let key = (tenant, key.patrol, key.run, span.first, sha256, count);
        self.swap(|t| &mut t.held_chunks, key, None);
        Ok(())
    }

    fn drop_chunks(&mut self, tenant: TenantId, patrol: EntityId) -> Result<()> {
        let theirs = |key: (TenantId, EntityId)| key == (tenant, patrol);
        let stored = self.tables.chunks.keys();
        let stored: Vec<_> = stored.filter(|k| theirs((k.0, k.1))).copied().collect();
        let held = self.tables.held_chunks.keys();
        let held: Vec<_> = held.filter(|k| theirs((k.0, k.1))).copied().collect();
        let last = self.tables.positions.iter();
        let last = last.filter(|(key, row)| theirs((key.0, row.patrol)));
        let last: Vec<_> = last.map(|(key, _)| *key).collect();
        for key in stored {
            self.swap(|t| &mut t.chunks, key, None);
        }
        for key in held {
            self.swap(|t| &mut t.held_chunks, key, None);
        }
        for key in last {
            self.swap(|t| &mut t.positions, key, None);
        }
        Ok(())
    }

    fn put_position(&mut self, tenant: TenantId, row: &PositionRow) -> Result<()> {
        self.put(|t| &mut t.positions, (tenant, row.worker), *row)
    }

    fn put_blob(&mut self, tenant: TenantId, row: &BlobRow) -> Result<()> {
        self.put(|t| &mut t.blobs, (tenant, row.sha256), row.clone())
    }

    fn drop_blob(&mut self, tenant: TenantId, blob: Sha256) -> Result<()> {
        let senders = self.tables.blob_senders.keys();
        let senders: Vec<_> = senders
            .filter(|key| (key.0, key.1) == (tenant, blob))
            .copied()
            .collect();
        for key in senders {
            self.swap(|t| &mut t.blob_senders, key, None);
        }
        self.swap(|t| &mut t.blobs, (tenant, blob), None);
        Ok(())
    }

    fn add_blob_sender(&mut self, tenant: TenantId, blob: Sha256, device: DeviceId) -> Result<()> {
        self.put(|t| &mut t.blob_senders, (tenant, blob, device), ())
    }

    fn add_purged(&mut self, tenant: TenantId, what: Purged) -> Result<()> {
        self.put(|t| &mut t.purged, (tenant, what), ())
    }

    fn put_upload(&mut self, row: &UploadRow) -> Result<()> {
        self.put(|t| &mut t.uploads, row.id.clone(), row.clone())
    }

    fn drop_upload(&mut self, id: &str) -> Result<()> {
        self.swap(|t| &mut t.uploads, id.to_owned(), None);
        Ok(())
    }

    fn add_reading(&mut self, tenant: TenantId, row: &ReadingRow) -> Result<()> {
        let n = self.tables.readings_written;
        self.tables.readings_written += 1;
        self.put(|t| &mut t.readings, (tenant, n), row.clone())
    }

    fn add_audit(&mut self, tenant: TenantId, row: &AuditRow) -> Result<()> {
        let n = self.tables.audit_lines;
        self.tables.audit_lines += 1;
        self.put(|t| &mut t.audit, (tenant, n), row.clone())
    }

    fn prune_tags(&mut self, before_ms: i64) -> Result<()> {
        // The highest old tag of each stream; all below it go with it.
        let mut old: BTreeMap<(TenantId, StreamKey), u64> = BTreeMap::new();
        let mut last: BTreeMap<(TenantId, StreamKey), u64> = BTreeMap::new();
        for (key, row) in &self.tables.tags {
            last.insert((key.0, key.1), key.2);
            if row.at_ms < before_ms {
                old.insert((key.0, key.1), key.2);
            }
        }
        let goes = |key: &(TenantId, StreamKey, u64)| {
            let stream = (key.0, key.1);
            old.get(&stream).is_some_and(|old| key.2 <= *old) && last.get(&stream) != Some(&key.2)
        };
        let keys: Vec<_> = self
            .tables
            .tags
            .keys()
            .filter(|k| goes(k))
            .copied()
            .collect();
        for key in keys {
            let stream = (key.0, key.1);
            let tag = self.swap(|t| &mut t.tags, key, None).map(|row| row.tag);
            if let Some(tag) = tag.filter(|_| !self.tables.common_tags.contains_key(&stream)) {
                self.put(|t| &mut t.common_tags, stream, tag)?;
            }
        }
        Ok(())
    }

    fn prune_logins(&mut self, before_ms: i64) -> Result<()> {
        let idle = self
            .tables
            .sessions
            .values()
            .filter(|row| row.used_ms < before_ms);
        let idle: Vec<_> = idle.map(|row| row.token).collect();
        let over = self.tables.codes.values();
        let over = over.filter(|row| row.expires_ms < before_ms && row.used_by.is_none());
        let over: Vec<_> = over.map(|row| row.code).collect();
        for token in idle {
            self.swap(|t| &mut t.sessions, token, None);
        }
        for code in over {
            self.swap(|t| &mut t.codes, code, None);
        }
        Ok(())
    }
}
