//! Writing.

use gridwalk_domain::{DeviceId, EntityId, Epoch, OpId, Sha256, StreamKey, TenantId};
use gridwalk_store::{
    AssignmentRow, AuditRow, BlobRow, BootRow, ChunkRow, ChunkSpan, CodeRow, ContactRow, DeviceRow,
    EntityRow, EntryRow, GridChangeRow, GridRow, HeldChunkRow, LawRow, OpRow, OpSummary,
    PositionRow, Purged, ReadingRow, ReceiptRow, SessionRow, StoreError, StreamHead, SuccessionRow,
    TagRow, TenantRow, UploadRow, UserRow, WorkerRow, Write,
};
use rusqlite::params;

use crate::bind::{all, json, level, number, one, run, run_number, stream};
use crate::read::{law_sort, purged};
use crate::rows::standing;
use crate::{Tx, pack};

type Result<T, E = StoreError> = std::result::Result<T, E>;

impl Tx<'_> {
    fn run(&self, sql: &str, values: impl rusqlite::Params) -> Result<usize> {
        run(self.connection, sql, values)
    }

    fn innermost(&mut self) -> Result<usize> {
        match self.savepoints.checked_sub(1) {
            Some(n) => {
                self.savepoints = n;
                Ok(n)
            }
            None => Err(StoreError::Refused("no savepoint is open".to_owned())),
        }
    }
}

impl Write for Tx<'_> {
    fn savepoint(&mut self) -> Result<()> {
        self.run(&format!("SAVEPOINT s{}", self.savepoints), [])?;
        self.savepoints += 1;
        Ok(())
    }

    fn release(&mut self) -> Result<()> {
        let n = self.innermost()?;
        self.run(&format!("RELEASE s{n}"), [])?;
        Ok(())
    }

    fn rollback(&mut self) -> Result<()> {
        let n = self.innermost()?;
        self.run(&format!("ROLLBACK TO s{n}"), [])?;
        self.run(&format!("RELEASE s{n}"), [])?;
        Ok(())
    }

    fn set_epoch(&mut self, epoch: Epoch) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO meta (name, value) VALUES ('epoch', ?1)";
        self.run(sql, params![epoch.as_bytes()]).map(drop)
    }

    fn put_note(&mut self, name: &str, text: &str) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO meta (name, value) VALUES (?1, ?2)";
        self.run(sql, params![format!("note/{name}"), text.as_bytes()])
            .map(drop)
    }

    fn put_tenant(&mut self, row: &TenantRow) -> Result<()> {
        let notice = row.notice.as_ref().map(json).transpose()?;
        self.run(
            "INSERT OR REPLACE INTO tenants (tenant, utc_offset_min, notice, grids_version, law_version) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                row.id.as_bytes(),
                row.utc_offset_min,
                notice,
                number(row.grids_version)?,
                number(row.law_version)?
            ],
        )
        .map(drop)
    }

    fn add_law(&mut self, tenant: TenantId, row: &LawRow) -> Result<()> {
        self.run(
            "INSERT INTO laws (tenant, sort, version, at_ms, text) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                tenant.as_bytes(),
                law_sort(row.sort),
                row.version,
                row.at_ms,
                row.text
            ],
        )
        .map(drop)
    }

    fn put_grid(&mut self, tenant: TenantId, row: &GridRow, boundary: Option<&str>) -> Result<()> {
        let parent = row.parent.map(|id| *id.as_bytes());
        self.run(
            "INSERT INTO grids (tenant, id, code, parent, level, name, synthetic, closed_ms, boundary)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (tenant, id) DO UPDATE SET code = excluded.code, parent = excluded.parent,
                level = excluded.level, name = excluded.name, synthetic = excluded.synthetic,
                closed_ms = excluded.closed_ms, boundary = coalesce(excluded.boundary, boundary)",
            params![
                tenant.as_bytes(),
                row.id.as_bytes(),
                row.code.as_str(),
                parent,
                level(row.level),
                row.name,
                row.synthetic,
                row.closed_ms,
                boundary
            ],
        )
        .map(drop)
    }

    fn add_succession(&mut self, tenant: TenantId, row: SuccessionRow) -> Result<()> {
        self.run(
            "INSERT OR REPLACE INTO successions (tenant, grid, successor, at_ms) VALUES (?1, ?2, ?3, ?4)",
            params![
                tenant.as_bytes(),
                row.grid.as_bytes(),
                row.successor.as_bytes(),
                row.at_ms
            ],
        )
        .map(drop)
    }

    fn add_grid_change(&mut self, tenant: TenantId, row: &GridChangeRow) -> Result<()> {
        let parent = row.parent.map(|id| *id.as_bytes());
        self.run(
            "INSERT INTO grid_changes (tenant, grid, at_ms, code, parent, name, closed) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                tenant.as_bytes(),
                row.grid.as_bytes(),
                row.at_ms,
                row.code.as_str(),
                parent,
                row.name,
                row.closed
            ],
        )
        .map(drop)
    }

    fn put_worker(&mut self, tenant: TenantId, row: &WorkerRow) -> Result<()> {
        let sql = "INSERT OR REPLACE INTO workers (tenant, id, name) VALUES (?1, ?2, ?3)";
        self.run(sql, params![tenant.as_bytes(), row.id.as_bytes(), row.name])
            .map(drop)
    }

    fn put_assignment(&mut self, tenant: TenantId, row: &AssignmentRow) -> Result<()> {
        self.run(
            "INSERT OR REPLACE INTO assignments (tenant, worker, grid, from_ms, until_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                tenant.as_bytes(),
                row.worker.as_bytes(),
                row.grid.as_bytes(),
                row.from_ms,
                row.until_ms
            ],
        )
        .map(drop)
    }

    fn put_user(&mut self, row: &UserRow) -> Result<()> {
        self.run(
            "INSERT INTO users (id, tenant, name, password, role, grid) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (id) DO UPDATE SET tenant = excluded.tenant, name = excluded.name,
                password = excluded.password, role = excluded.role, grid = excluded.grid",
            params![
                row.id.as_bytes(),
                row.tenant.as_bytes(),
                row.name,
                row.password,
                row.role.to_string(),
                row.grid.as_bytes()
            ],
        )
        .map(drop)
    }

    fn put_session(&mut self, row: &SessionRow) -> Result<()> {
        self.run(
            "INSERT OR REPLACE INTO sessions (token, user, tenant, used_ms) VALUES (?1, ?2, ?3, ?4)",
            params![row.token.0, row.user.as_bytes(), row.tenant.as_bytes(), row.used_ms],
        )
        .map(drop)
    }

    fn drop_session(&mut self, token: Sha256) -> Result<()> {
        self.run("DELETE FROM sessions WHERE token = ?1", params![token.0])
            .map(drop)
    }

    fn put_device(&mut self, row: &DeviceRow) -> Result<()> {
        let crossed = "SELECT 1 FROM devices WHERE id <> ?1 AND (token = ?3 OR send_token = ?2)";
        let key = params![row.id.as_bytes(), row.token.0, row.send_token.0];
        let crossed = one(self.connection, crossed, key, |_| Ok(()))?;
        if row.token == row.send_token || crossed.is_some() {
            return Err(StoreError::Refused(
                "this token is given already".to_owned(),
            ));
        }
        self.run(
            "INSERT INTO devices (id, tenant, worker, token, send_token, standing, watermark, platform, enrolled_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)
             ON CONFLICT (id) DO UPDATE SET tenant = excluded.tenant, worker = excluded.worker,
                token = excluded.token, send_token = excluded.send_token,
                standing = excluded.standing, watermark = excluded.watermark,
                platform = excluded.platform, enrolled_ms = excluded.enrolled_ms",
            params![
                row.id.as_bytes(),
                row.tenant.as_bytes(),
                row.worker.as_bytes(),
                row.token.0,
                row.send_token.0,
                standing(row.standing),
                number(row.watermark)?,
                row.platform,
                row.enrolled_ms
            ],
        )
        .map(drop)
    }

    fn put_contact(&mut self, tenant: TenantId, row: &ContactRow) -> Result<()> {
        let unsent = row.unsent.as_ref().map(json).transpose()?;
        self.run(
            "INSERT OR REPLACE INTO contacts (tenant, device, worker, last_ms, unsent, reported_ms, app, rereads) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
            params![
                tenant.as_bytes(),
                row.device.as_bytes(),
                row.worker.as_bytes(),
                row.last_ms,
                unsent,
                row.reported_ms,
                row.app,
                number(row.rereads)?
            ],
        )
        .map(drop)
    }

    fn put_boot(&mut self, tenant: TenantId, device: DeviceId, row: BootRow) -> Result<()> {
        self.run(
            "INSERT OR REPLACE INTO boots (tenant, device, boot, start_ms) VALUES (?1, ?2, ?3, ?4)",
            params![
                tenant.as_bytes(),
                device.as_bytes(),
                row.boot.as_bytes(),
                row.start_ms
            ],
        )
        .map(drop)
    }

    fn put_code(&mut self, row: &CodeRow) -> Result<()> {
        let used_by = row.used_by.map(|id| *id.as_bytes());
        self.run(
            "INSERT OR REPLACE INTO codes (code, tenant, worker, expires_ms, used_by) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                row.code.0,
                row.tenant.as_bytes(),
                row.worker.as_bytes(),
                row.expires_ms,
                used_by
            ],
        )
        .map(drop)
    }

    fn add_ops(&mut self, tenant: TenantId, rows: &[OpRow]) -> Result<()> {
        for row in rows {
            let (op, device) = (&row.summary, row.device.map(|id| *id.as_bytes()));
            self.run(
                "INSERT INTO ops (tenant, id, sha256, entity, creates, held, outcome, wait, reissued, device, received_ms, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
                params![
                    tenant.as_bytes(),
                    op.id.as_bytes(),
                    op.sha256.0,
                    op.entity.as_bytes(),
                    op.creates,
                    op.is_held(),
                    pack::outcome(&op.outcome)?,
                    op.wait.as_ref().map(pack::wait),
                    op.reissued.map(|id| *id.as_bytes()),
                    device,
                    row.received_ms,
                    row.body
                ],
            )?;
        }
        Ok(())
    }

    fn set_outcome(&mut self, tenant: TenantId, op: &OpSummary) -> Result<()> {
        let changed = self.run(
            "UPDATE ops SET held = ?4, outcome = ?5, wait = ?6, reissued = ?7, creates = ?8 WHERE tenant = ?1 AND id = ?2 AND sha256 = ?3",
            params![
                tenant.as_bytes(),
                op.id.as_bytes(),
                op.sha256.0,
                op.is_held(),
                pack::outcome(&op.outcome)?,
                op.wait.as_ref().map(pack::wait),
                op.reissued.map(|id| *id.as_bytes()),
                op.creates
            ],
        )?;
        one_op(changed)
    }

    fn drop_body(&mut self, tenant: TenantId, op: OpId, sha256: Sha256) -> Result<()> {
        let sql = "UPDATE ops SET body = '' WHERE tenant = ?1 AND id = ?2 AND sha256 = ?3";
        one_op(self.run(sql, params![tenant.as_bytes(), op.as_bytes(), sha256.0])?)
    }

    fn put_entities(&mut self, tenant: TenantId, rows: &[EntityRow]) -> Result<()> {
        for row in rows {
            self.put_entity(tenant, row)?;
        }
        Ok(())
    }

    fn set_due(&mut self, tenant: TenantId, entity: EntityId, due_ms: Option<i64>) -> Result<()> {
        self.run(
            "UPDATE entities SET due_ms = ?3 WHERE tenant = ?1 AND id = ?2",
            params![tenant.as_bytes(), entity.as_bytes(), due_ms],
        )
        .map(drop)
    }

    fn put_entries(&mut self, tenant: TenantId, rows: &[EntryRow]) -> Result<()> {
        for row in rows {
            let (tenant, stream) = (tenant.as_bytes(), stream(&row.stream));
            if let Some(before) = row.before {
                let sql = "DELETE FROM entries WHERE tenant = ?1 AND stream = ?2 AND seq = ?3";
                self.run(sql, params![tenant, stream, number(before)?])?;
            }
            self.run(
                "INSERT INTO entries (tenant, stream, seq, entity) VALUES (?1, ?2, ?3, ?4)",
                params![tenant, stream, number(row.seq)?, row.entity.as_bytes()],
            )?;
        }
        Ok(())
    }

    fn put_heads(&mut self, tenant: TenantId, rows: &[(StreamKey, StreamHead)]) -> Result<()> {
        for (key, head) in rows {
            self.run(
                "INSERT OR REPLACE INTO heads (tenant, stream, seq, count, digest, tag) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    tenant.as_bytes(),
                    stream(key),
                    number(head.seq)?,
                    number(head.count)?,
                    head.digest.to_bytes(),
                    head.tag.cast_signed()
                ],
            )?;
        }
        Ok(())
    }

    fn add_tags(&mut self, tenant: TenantId, rows: &[TagRow]) -> Result<()> {
        for row in rows {
            self.run(
                "INSERT OR REPLACE INTO tags (tenant, stream, first, tag, at_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    tenant.as_bytes(),
                    stream(&row.stream),
                    number(row.first)?,
                    row.tag.cast_signed(),
                    row.at_ms
                ],
            )?;
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
            self.run(
                "INSERT INTO receipts (tenant, device, n, tag, what) VALUES (?1, ?2, ?3, ?4, ?5)",
                params![
                    tenant.as_bytes(),
                    device.as_bytes(),
                    number(row.n)?,
                    row.tag.cast_signed(),
                    pack::receipt(&row.of)?
                ],
            )?;
        }
        Ok(())
    }

    fn add_chunk(&mut self, tenant: TenantId, row: &ChunkRow) -> Result<()> {
        let (key, first) = (row.span.key, row.span.first);
        let taken = one(
            self.connection,
            "SELECT 1 FROM chunks WHERE tenant = ?1 AND patrol = ?2 AND run = ?3 AND first = ?4",
            params![
                tenant.as_bytes(),
                key.patrol.as_bytes(),
                run_number(key.run),
                first
            ],
            |_| Ok(()),
        )?;
        if taken.is_some() {
            return Err(StoreError::Refused("a chunk begins there".to_owned()));
        }
        self.run(
            "INSERT INTO chunks (tenant, patrol, run, first, count, received_ms, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                tenant.as_bytes(),
                key.patrol.as_bytes(),
                run_number(key.run),
                first,
                row.span.count,
                row.received_ms,
                row.body
            ],
        )
        .map(drop)
    }

    fn hold_chunk(&mut self, tenant: TenantId, row: &HeldChunkRow) -> Result<()> {
        let key = row.span.key;
        self.run(
            "INSERT OR REPLACE INTO held_chunks (tenant, patrol, run, first, count, sha256, device, received_ms, outcome, wait, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
            params![
                tenant.as_bytes(),
                key.patrol.as_bytes(),
                run_number(key.run),
                row.span.first,
                row.span.count,
                row.sha256.0,
                row.device.as_bytes(),
                row.received_ms,
                json(&row.outcome)?,
                row.wait.as_ref().map(pack::wait),
                row.body
            ],
        )
        .map(drop)
    }

    fn drop_held_chunk(&mut self, tenant: TenantId, span: ChunkSpan, sha256: Sha256) -> Result<()> {
        self.run(
            "DELETE FROM held_chunks WHERE tenant = ?1 AND patrol = ?2 AND run = ?3 AND first = ?4 AND sha256 = ?5 AND count = ?6",
            params![
                tenant.as_bytes(),
                span.key.patrol.as_bytes(),
                run_number(span.key.run),
                span.first,
                sha256.0,
                span.count
            ],
        )
        .map(drop)
    }

    fn drop_chunks(&mut self, tenant: TenantId, patrol: EntityId) -> Result<()> {
        for table in ["chunks", "held_chunks", "positions"] {
            let sql = format!("DELETE FROM {table} WHERE tenant = ?1 AND patrol = ?2");
            self.run(&sql, params![tenant.as_bytes(), patrol.as_bytes()])?;
        }
        Ok(())
    }

    fn put_position(&mut self, tenant: TenantId, row: &PositionRow) -> Result<()> {
        self.run(
            "INSERT OR REPLACE INTO positions (tenant, worker, patrol, at_ms, lat, lon) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
            params![
                tenant.as_bytes(),
                row.worker.as_bytes(),
                row.patrol.as_bytes(),
                row.at_ms,
                row.at.lat,
                row.at.lon
            ],
        )
        .map(drop)
    }

    fn put_blob(&mut self, tenant: TenantId, row: &BlobRow) -> Result<()> {
        self.run(
            "INSERT OR REPLACE INTO blobs (tenant, sha256, bytes, mime, received_ms) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                tenant.as_bytes(),
                row.sha256.0,
                number(row.bytes)?,
                row.mime,
                row.received_ms
            ],
        )
        .map(drop)
    }

    fn drop_blob(&mut self, tenant: TenantId, blob: Sha256) -> Result<()> {
        for sql in [
            "DELETE FROM blob_senders WHERE tenant = ?1 AND blob = ?2",
            "DELETE FROM blobs WHERE tenant = ?1 AND sha256 = ?2",
        ] {
            self.run(sql, params![tenant.as_bytes(), blob.0])?;
        }
        Ok(())
    }

    fn add_blob_sender(&mut self, tenant: TenantId, blob: Sha256, device: DeviceId) -> Result<()> {
        let sql = "INSERT OR IGNORE INTO blob_senders (tenant, blob, device) VALUES (?1, ?2, ?3)";
        self.run(sql, params![tenant.as_bytes(), blob.0, device.as_bytes()])
            .map(drop)
    }

    fn add_purged(&mut self, tenant: TenantId, what: Purged) -> Result<()> {
        let (sort, id) = purged(&what);
        let sql = "INSERT OR IGNORE INTO purged (tenant, sort, what) VALUES (?1, ?2, ?3)";
        self.run(sql, params![tenant.as_bytes(), sort, id])
            .map(drop)
    }

    fn put_upload(&mut self, row: &UploadRow) -> Result<()> {
        self.run(
            "INSERT OR REPLACE INTO uploads (id, tenant, device, sha256, length, offset, at_ms) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
            params![
                row.id,
                row.tenant.as_bytes(),
                row.device.as_bytes(),
                row.sha256.0,
                number(row.length)?,
                number(row.offset)?,
                row.at_ms
            ],
        )
        .map(drop)
    }

    fn drop_upload(&mut self, id: &str) -> Result<()> {
        self.run("DELETE FROM uploads WHERE id = ?1", params![id])
            .map(drop)
    }

    fn add_reading(&mut self, tenant: TenantId, row: &ReadingRow) -> Result<()> {
        self.run(
            "INSERT INTO readings (tenant, entity, at_ms, who) VALUES (?1, ?2, ?3, ?4)",
            params![tenant.as_bytes(), row.entity.as_bytes(), row.at_ms, row.who],
        )
        .map(drop)
    }

    fn add_audit(&mut self, tenant: TenantId, row: &AuditRow) -> Result<()> {
        self.run(
            "INSERT INTO audit (tenant, at_ms, who, what, \"on\") VALUES (?1, ?2, ?3, ?4, ?5)",
            params![tenant.as_bytes(), row.at_ms, row.who, row.what, row.on],
        )
        .map(drop)
    }

    fn prune_tags(&mut self, before_ms: i64) -> Result<()> {
        let old: Vec<(TenantId, StreamKey, u64)> = all(
            self.connection,
            "SELECT tenant, stream, max(first) FROM tags WHERE at_ms < ?1 GROUP BY tenant, stream",
            params![before_ms],
            |cells| Ok((cells.get(0)?, cells.get(1)?, cells.number(2)?)),
        )?;
        for (tenant, key, first) in old {
            let (tenant, key) = (tenant.as_bytes(), stream(&key));
            // The lowest one is the one that stands for the others already, or will.
            self.run(
                "INSERT OR IGNORE INTO tags (tenant, stream, first, tag, at_ms)
                 SELECT tenant, stream, 0, tag, ?3 FROM tags WHERE tenant = ?1 AND stream = ?2 ORDER BY first LIMIT 1",
                params![tenant, key, i64::MAX],
            )?;
            self.run(
                "DELETE FROM tags WHERE tenant = ?1 AND stream = ?2 AND first > 0 AND first <= ?3
                    AND first < (SELECT max(first) FROM tags WHERE tenant = ?1 AND stream = ?2)",
                params![tenant, key, number(first)?],
            )?;
        }
        Ok(())
    }

    fn prune_logins(&mut self, before_ms: i64) -> Result<()> {
        self.run(
            "DELETE FROM sessions WHERE used_ms < ?1",
            params![before_ms],
        )?;
        let sql = "DELETE FROM codes WHERE expires_ms < ?1 AND used_by IS NULL";
        self.run(sql, params![before_ms]).map(drop)
    }
}

/// An update must have met its op.
fn one_op(changed: usize) -> Result<()> {
    if changed == 1 {
        Ok(())
    } else {
        Err(StoreError::Refused("no such op is stored".to_owned()))
    }
}

impl Tx<'_> {
    /// Most changes leave alone all that indexes are about: then these are not
    /// written again.
    fn put_entity(&self, tenant: TenantId, row: &EntityRow) -> Result<()> {
        let (tenant, id) = (tenant.as_bytes(), row.id.as_bytes());
        let grid = row.grid.map(|id| *id.as_bytes());
        let worker = row.worker.map(|id| *id.as_bytes());
        let parent = row.parent.map(|id| *id.as_bytes());
        let (listed, blobs) = (pack::listed(&row.listed), pack::hashes(&row.blobs));
        let values = params![
            tenant,
            id,
            row.kind,
            number(row.rev)?,
            listed,
            grid,
            worker,
            parent,
            row.at_ms,
            row.day,
            row.status,
            row.deleted,
            blobs,
            row.state,
            row.due_ms
        ];
        let settled = "UPDATE entities SET rev = ?4, listed = ?5, state = ?14
             WHERE tenant = ?1 AND id = ?2 AND kind = ?3 AND grid IS ?6 AND worker IS ?7
                AND parent IS ?8 AND at_ms = ?9 AND day = ?10 AND status IS ?11
                AND deleted = ?12 AND blobs = ?13 AND due_ms IS ?15";
        if row.rev > 1 && self.run(settled, values)? == 1 {
            return Ok(());
        }
        self.run(
            "INSERT INTO entities (tenant, id, kind, rev, listed, grid, worker, parent, at_ms, day, status, deleted, blobs, state, due_ms)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)
             ON CONFLICT (tenant, id) DO UPDATE SET kind = excluded.kind, rev = excluded.rev,
                listed = excluded.listed, grid = excluded.grid, worker = excluded.worker,
                parent = excluded.parent, at_ms = excluded.at_ms, day = excluded.day,
                status = excluded.status, deleted = excluded.deleted, blobs = excluded.blobs,
                state = excluded.state, due_ms = excluded.due_ms",
            values,
        )?;
        if row.rev > 1 || !row.blobs.is_empty() {
            let sql = "DELETE FROM entity_blobs WHERE tenant = ?1 AND entity = ?2";
            self.run(sql, params![tenant, id])?;
        }
        for blob in &row.blobs {
            let sql =
                "INSERT OR IGNORE INTO entity_blobs (tenant, blob, entity) VALUES (?1, ?2, ?3)";
            self.run(sql, params![tenant, blob.0, id])?;
        }
        Ok(())
    }
}
