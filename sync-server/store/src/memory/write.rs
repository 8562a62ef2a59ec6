//! Writing: every change leaves behind what undoes it.

use gridwalk_domain::{DeviceId, Epoch, Sha256, StreamKey, TenantId};
use std::collections::BTreeMap;
use std::ops::DerefMut;

use super::{Tables, Tx};
use crate::rows::{
    AssignmentRow, AuditRow, BlobRow, BootRow, ChunkRow, CodeRow, ContactRow, DeviceRow, EntityRow,
    EntryRow, GridRow, HeldChunkRow, OpRow, OpSummary, PositionRow, ReceiptRow, SessionRow,
    StreamHead, TagRow, TenantRow, UploadRow, UserRow, WorkerRow,
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

    /// A call that fails half way is undone whole.
    fn whole(&mut self, run: impl FnOnce(&mut Self) -> Result<()>) -> Result<()> {
        let length = self.undo.len();
        let result = run(self);
        if result.is_err() {
            self.undo_to(length);
        }
        result
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

    fn put_tenant(&mut self, row: &TenantRow) -> Result<()> {
        self.put(|t| &mut t.tenants, row.id, row.clone())
    }

    fn put_grid(&mut self, tenant: TenantId, row: &GridRow, boundary: Option<&str>) -> Result<()> {
        let taken = |other: &GridRow| other.code == row.code && other.id != row.id;
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
        let taken = |other: &DeviceRow| other.token == row.token && other.id != row.id;
        if self.tables.devices.values().any(taken) {
            return refused("another device has this token");
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
        self.whole(|tx| {
            for row in rows {
                let id = row.summary.id;
                let mut known = tx
                    .tables
                    .ops
                    .range((tenant, id, 0)..=(tenant, id, u64::MAX));
                if known.any(|(_, other)| other.summary.sha256 == row.summary.sha256) {
                    return refused("this op is stored");
                }
                let n = tx.tables.ops_stored;
                // Numbers that an undone transaction used are not used again.
                tx.tables.ops_stored += 1;
                tx.put(|t| &mut t.ops, (tenant, id, n), row.clone())?;
            }
            Ok(())
        })
    }

    fn set_outcome(&mut self, tenant: TenantId, summary: &OpSummary) -> Result<()> {
        let range = (tenant, summary.id, 0)..=(tenant, summary.id, u64::MAX);
        let mut rows = self.tables.ops.range(range);
        let found = rows.find(|(_, row)| row.summary.sha256 == summary.sha256);
        let Some((key, row)) = found.map(|(key, row)| (*key, row.clone())) else {
            return refused("no such op is stored");
        };
        let row = OpRow {
            summary: summary.clone(),
            ..row
        };
        self.put(|t| &mut t.ops, key, row)
    }

    fn put_entities(&mut self, tenant: TenantId, rows: &[EntityRow]) -> Result<()> {
        for row in rows {
            self.put(|t| &mut t.entities, (tenant, row.id), row.clone())?;
        }
        Ok(())
    }

    fn put_entries(&mut self, tenant: TenantId, rows: &[EntryRow]) -> Result<()> {
        for row in rows {
            let key = (tenant, row.stream, row.entity);
            if let Some(before) = self.swap(|t| &mut t.entries, key, Some(row.seq)) {
                self.swap(|t| &mut t.by_seq, (tenant, row.stream, before), None);
            }
            let place = (tenant, row.stream, row.seq);
            self.put(|t| &mut t.by_seq, place, row.entity)?;
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
            self.put(|t| &mut t.tags, (tenant, row.stream, row.seq), *row)?;
        }
        Ok(())
    }

    fn add_receipts(
        &mut self,
        tenant: TenantId,
        device: DeviceId,
        rows: &[ReceiptRow],
    ) -> Result<()> {
        self.whole(|tx| {
            for row in rows {
                tx.add(|t| &mut t.receipts, (tenant, device, row.n), row.clone())?;
            }
            Ok(())
        })
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

    fn put_position(&mut self, tenant: TenantId, row: &PositionRow) -> Result<()> {
        self.put(|t| &mut t.positions, (tenant, row.worker), *row)
    }

    fn put_blob(&mut self, tenant: TenantId, row: &BlobRow) -> Result<()> {
        self.put(|t| &mut t.blobs, (tenant, row.sha256), row.clone())
    }

    fn put_upload(&mut self, row: &UploadRow) -> Result<()> {
        self.put(|t| &mut t.uploads, row.id.clone(), row.clone())
    }

    fn drop_upload(&mut self, id: &str) -> Result<()> {
        self.swap(|t| &mut t.uploads, id.to_owned(), None);
        Ok(())
    }

    fn add_audit(&mut self, tenant: TenantId, row: &AuditRow) -> Result<()> {
        let n = self.tables.audit_lines;
        self.tables.audit_lines += 1;
        self.put(|t| &mut t.audit, (tenant, n), row.clone())
    }

    fn prune_tags(&mut self, before_ms: i64) -> Result<()> {
        let last = |tables: &Tables, key: &(TenantId, StreamKey, u64)| {
            tables.heads.get(&(key.0, key.1)).map(|head| head.seq) == Some(key.2)
        };
        let old = self.tables.tags.iter();
        let old = old.filter(|(key, row)| row.at_ms < before_ms && !last(&self.tables, key));
        let old: Vec<_> = old.map(|(key, _)| *key).collect();
        for key in old {
            self.swap(|t| &mut t.tags, key, None);
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
