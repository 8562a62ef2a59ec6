//! Reading.

use gridwalk_domain::{
    BootId, DeviceId, EntityId, Epoch, GridCode, GridId, OpId, Sha256, StreamKey, TenantId, UserId,
    WorkerId,
};
use gridwalk_store::{
    AssignmentRow, AuditRow, BlobRow, BootRow, ChunkRow, ChunkSpan, CodeRow, ContactRow, DeviceRow,
    EntityFilter, EntityRow, GridChangeRow, GridRow, HeldChunkRow, HolderRow, LawRow, LawSort,
    OpRow, OpSummary, PageRow, PositionRow, Purged, Read, ReadingRow, ReceiptRow, SessionRow,
    StoreError, StreamHead, SuccessionRow, Tag, TenantRow, TrackVersion, UploadRow, UserRow, Wait,
    WorkerRow,
};
use rusqlite::types::Value;
use rusqlite::{ToSql, params};
use std::collections::BTreeSet;
use std::rc::Rc;

use crate::bind::{Cells, all, damaged, each, list, number, one, run_number, stream, words};
use crate::rows::{
    CHUNK, CONTACT, DEVICE, ENTITY, GRID, HELD_CHUNK, OP, POSITION, TENANT, UPLOAD, USER,
    chunk_row, contact_row, device_row, entity_row, grid_row, held_chunk_row, op_row, position_row,
    span, summary, tenant_row, upload_row, user_row, worker_row,
};
use crate::{Tx, pack};

type Result<T, E = StoreError> = std::result::Result<T, E>;

/// In their order, each once.
fn sorted<T: Copy + Ord>(ids: &[T]) -> BTreeSet<T> {
    ids.iter().copied().collect()
}

/// What something waits for, as a list for `rarray`.
fn waits(waits: &[Wait]) -> Rc<Vec<Value>> {
    let packed = waits.iter().map(|wait| Value::Blob(pack::wait(wait)));
    Rc::new(packed.collect())
}

impl Tx<'_> {
    /// Whether anything of the table waits at all: most often nothing does.
    fn none_waits(&self, sql: &str, tenant: TenantId) -> Result<bool> {
        let found = one(self.connection, sql, params![tenant.as_bytes()], |_| Ok(()))?;
        Ok(found.is_none())
    }

    /// Where a stream stands.
    fn head(cells: &Cells<'_>, from: usize) -> Result<StreamHead> {
        Ok(StreamHead {
            seq: cells.number(from)?,
            count: cells.number(from + 1)?,
            digest: cells.get(from + 2)?,
            tag: cells.integer(from + 3)?.cast_unsigned(),
        })
    }
}

impl Read for Tx<'_> {
    fn epoch(&self) -> Result<Option<Epoch>> {
        let sql = "SELECT value FROM meta WHERE name = 'epoch'";
        one(self.connection, sql, [], |cells| cells.get(0))
    }

    fn note(&self, name: &str) -> Result<Option<String>> {
        let sql = "SELECT value FROM meta WHERE name = ?1";
        let value = one(self.connection, sql, params![format!("note/{name}")], |c| {
            c.blob(0)
        })?;
        let text = value.map(String::from_utf8).transpose();
        text.map_err(|_| damaged("a note that is no text"))
    }

    fn tenants(&self) -> Result<Vec<TenantRow>> {
        all(
            self.connection,
            &format!("{TENANT} ORDER BY tenant"),
            [],
            tenant_row,
        )
    }

    fn tenant(&self, tenant: TenantId) -> Result<Option<TenantRow>> {
        let sql = format!("{TENANT} WHERE tenant = ?1");
        one(
            self.connection,
            &sql,
            params![tenant.as_bytes()],
            tenant_row,
        )
    }

    fn laws(&self, tenant: TenantId, sort: LawSort) -> Result<Vec<LawRow>> {
        all(
            self.connection,
            "SELECT version, at_ms, text FROM laws WHERE tenant = ?1 AND sort = ?2 ORDER BY version",
            params![tenant.as_bytes(), law_sort(sort)],
            |cells| {
                Ok(LawRow {
                    sort,
                    version: cells.number32(0)?,
                    at_ms: cells.integer(1)?,
                    text: cells.text(2)?,
                })
            },
        )
    }

    fn grids(&self, tenant: TenantId) -> Result<Vec<GridRow>> {
        let sql = format!("{GRID} WHERE tenant = ?1 ORDER BY level, code");
        all(self.connection, &sql, params![tenant.as_bytes()], grid_row)
    }

    fn grids_by_code(&self, code: &GridCode) -> Result<Vec<(TenantId, GridRow)>> {
        let sql = format!("{GRID} WHERE code = ?1 AND closed_ms IS NULL ORDER BY tenant");
        all(self.connection, &sql, params![code.as_str()], |cells| {
            Ok((cells.get(0)?, grid_row(cells)?))
        })
    }

    fn successions(&self, tenant: TenantId) -> Result<Vec<SuccessionRow>> {
        all(
            self.connection,
            "SELECT grid, successor, at_ms FROM successions WHERE tenant = ?1 ORDER BY grid, successor",
            params![tenant.as_bytes()],
            |cells| {
                Ok(SuccessionRow {
                    grid: cells.get(0)?,
                    successor: cells.get(1)?,
                    at_ms: cells.integer(2)?,
                })
            },
        )
    }

    fn grid_changes(&self, tenant: TenantId, grid: GridId) -> Result<Vec<GridChangeRow>> {
        all(
            self.connection,
            "SELECT grid, at_ms, code, parent, name, closed FROM grid_changes WHERE tenant = ?1 AND grid = ?2 ORDER BY n",
            params![tenant.as_bytes(), grid.as_bytes()],
            |cells| {
                Ok(GridChangeRow {
                    grid: cells.get(0)?,
                    at_ms: cells.integer(1)?,
                    code: cells.word(2)?,
                    parent: cells.maybe(3)?,
                    name: cells.text(4)?,
                    closed: cells.flag(5)?,
                })
            },
        )
    }

    fn boundaries(
        &self,
        tenant: TenantId,
        grids: Option<&[GridId]>,
    ) -> Result<Vec<(GridId, String)>> {
        let row = |cells: &Cells<'_>| Ok((cells.get(0)?, cells.text(1)?));
        match grids {
            None => all(
                self.connection,
                "SELECT id, boundary FROM grids WHERE tenant = ?1 AND boundary IS NOT NULL ORDER BY id",
                params![tenant.as_bytes()],
                row,
            ),
            Some(grids) => all(
                self.connection,
                "SELECT id, boundary FROM grids WHERE tenant = ?1 AND boundary IS NOT NULL AND id IN rarray(?2) ORDER BY id",
                params![
                    tenant.as_bytes(),
                    list(grids.iter().map(|id| &id.as_bytes()[..]))
                ],
                row,
            ),
        }
    }

    fn workers(&self, tenant: TenantId, workers: Option<&[WorkerId]>) -> Result<Vec<WorkerRow>> {
        match workers {
            None => all(
                self.connection,
                "SELECT id, name FROM workers WHERE tenant = ?1 ORDER BY id",
                params![tenant.as_bytes()],
                worker_row,
            ),
            Some(workers) => all(
                self.connection,
                "SELECT id, name FROM workers WHERE tenant = ?1 AND id IN rarray(?2) ORDER BY id",
                params![
                    tenant.as_bytes(),
                    list(workers.iter().map(|id| &id.as_bytes()[..]))
                ],
                worker_row,
            ),
        }
    }

    fn assignments(
        &self,
        tenant: TenantId,
        worker: Option<WorkerId>,
    ) -> Result<Vec<AssignmentRow>> {
        let row = |cells: &Cells<'_>| {
            Ok(AssignmentRow {
                worker: cells.get(0)?,
                grid: cells.get(1)?,
                from_ms: cells.integer(2)?,
                until_ms: cells.maybe_integer(3)?,
            })
        };
        let sql = "SELECT worker, grid, from_ms, until_ms FROM assignments WHERE tenant = ?1";
        let order = "ORDER BY worker, grid, from_ms";
        match worker {
            None => {
                let sql = format!("{sql} {order}");
                all(self.connection, &sql, params![tenant.as_bytes()], row)
            }
            Some(worker) => {
                let sql = format!("{sql} AND worker = ?2 {order}");
                all(
                    self.connection,
                    &sql,
                    params![tenant.as_bytes(), worker.as_bytes()],
                    row,
                )
            }
        }
    }

    fn user_by_name(&self, name: &str) -> Result<Option<UserRow>> {
        one(
            self.connection,
            &format!("{USER} WHERE name = ?1"),
            params![name],
            user_row,
        )
    }

    fn user(&self, user: UserId) -> Result<Option<UserRow>> {
        let sql = format!("{USER} WHERE id = ?1");
        one(self.connection, &sql, params![user.as_bytes()], user_row)
    }

    fn users(&self, tenant: TenantId, users: &[UserId]) -> Result<Vec<UserRow>> {
        let sql = format!("{USER} WHERE tenant = ?1 AND id IN rarray(?2) ORDER BY id");
        let users = list(users.iter().map(|id| &id.as_bytes()[..]));
        all(
            self.connection,
            &sql,
            params![tenant.as_bytes(), users],
            user_row,
        )
    }

    fn session(&self, token: Sha256) -> Result<Option<SessionRow>> {
        let sql = "SELECT token, user, tenant, used_ms FROM sessions WHERE token = ?1";
        one(self.connection, sql, params![token.0], |cells| {
            Ok(SessionRow {
                token: cells.get(0)?,
                user: cells.get(1)?,
                tenant: cells.get(2)?,
                used_ms: cells.integer(3)?,
            })
        })
    }

    fn device(&self, device: DeviceId) -> Result<Option<DeviceRow>> {
        let sql = format!("{DEVICE} WHERE id = ?1");
        one(
            self.connection,
            &sql,
            params![device.as_bytes()],
            device_row,
        )
    }

    fn device_by_token(&self, token: Sha256) -> Result<Option<DeviceRow>> {
        let sql = format!("{DEVICE} WHERE token = ?1 OR send_token = ?1");
        one(self.connection, &sql, params![token.0], device_row)
    }

    fn devices(&self, tenant: TenantId, worker: Option<WorkerId>) -> Result<Vec<DeviceRow>> {
        let tenant = tenant.as_bytes();
        match worker {
            None => {
                let sql = format!("{DEVICE} WHERE tenant = ?1 ORDER BY id");
                all(self.connection, &sql, params![tenant], device_row)
            }
            Some(worker) => {
                let sql = format!("{DEVICE} WHERE tenant = ?1 AND worker = ?2 ORDER BY id");
                let key = params![tenant, worker.as_bytes()];
                all(self.connection, &sql, key, device_row)
            }
        }
    }

    fn contacts(&self, tenant: TenantId) -> Result<Vec<ContactRow>> {
        let sql = format!("{CONTACT} WHERE tenant = ?1 ORDER BY device");
        all(
            self.connection,
            &sql,
            params![tenant.as_bytes()],
            contact_row,
        )
    }

    fn contact(&self, tenant: TenantId, device: DeviceId) -> Result<Option<ContactRow>> {
        let sql = format!("{CONTACT} WHERE tenant = ?1 AND device = ?2");
        let key = params![tenant.as_bytes(), device.as_bytes()];
        one(self.connection, &sql, key, contact_row)
    }

    fn boots(&self, tenant: TenantId, device: DeviceId, boots: &[BootId]) -> Result<Vec<BootRow>> {
        let boots = list(boots.iter().map(|id| &id.as_bytes()[..]));
        all(
            self.connection,
            "SELECT boot, start_ms FROM boots WHERE tenant = ?1 AND device = ?2 AND boot IN rarray(?3) ORDER BY boot",
            params![tenant.as_bytes(), device.as_bytes(), boots],
            |cells| {
                Ok(BootRow {
                    boot: cells.get(0)?,
                    start_ms: cells.integer(1)?,
                })
            },
        )
    }

    fn code(&self, code: Sha256) -> Result<Option<CodeRow>> {
        let sql = "SELECT code, tenant, worker, expires_ms, used_by FROM codes WHERE code = ?1";
        one(self.connection, sql, params![code.0], |cells| {
            Ok(CodeRow {
                code: cells.get(0)?,
                tenant: cells.get(1)?,
                worker: cells.get(2)?,
                expires_ms: cells.integer(3)?,
                used_by: cells.maybe(4)?,
            })
        })
    }

    fn ops(&self, tenant: TenantId, ops: &[OpId]) -> Result<Vec<OpSummary>> {
        let sql = "SELECT id, sha256, entity, creates, outcome, wait, reissued FROM ops WHERE tenant = ?1 AND id = ?2 ORDER BY n";
        let mut out = Vec::new();
        for op in sorted(ops) {
            each(
                self.connection,
                sql,
                params![tenant.as_bytes(), op.as_bytes()],
                |cells| {
                    out.push(summary(cells)?);
                    Ok(true)
                },
            )?;
        }
        Ok(out)
    }

    fn op_ids(&self, tenant: TenantId) -> Result<Vec<OpId>> {
        let sql = "SELECT DISTINCT id FROM ops WHERE tenant = ?1 ORDER BY id";
        all(self.connection, sql, params![tenant.as_bytes()], |cells| {
            cells.get(0)
        })
    }

    fn op_rows(&self, tenant: TenantId, op: OpId) -> Result<Vec<OpRow>> {
        let sql = format!("{OP} WHERE tenant = ?1 AND id = ?2 ORDER BY n");
        let key = params![tenant.as_bytes(), op.as_bytes()];
        all(self.connection, &sql, key, op_row)
    }

    fn ops_on(&self, tenant: TenantId, entity: EntityId) -> Result<Vec<OpRow>> {
        let sql = format!("{OP} WHERE tenant = ?1 AND entity = ?2 ORDER BY n");
        let key = params![tenant.as_bytes(), entity.as_bytes()];
        all(self.connection, &sql, key, op_row)
    }

    fn held_ops(&self, tenant: TenantId, entity: Option<EntityId>) -> Result<Vec<OpRow>> {
        let tenant = tenant.as_bytes();
        match entity {
            None => {
                let sql = format!("{OP} WHERE tenant = ?1 AND held = 1 ORDER BY n");
                all(self.connection, &sql, params![tenant], op_row)
            }
            Some(entity) => {
                let sql = format!("{OP} WHERE tenant = ?1 AND entity = ?2 AND held = 1 ORDER BY n");
                let key = params![tenant, entity.as_bytes()];
                all(self.connection, &sql, key, op_row)
            }
        }
    }

    fn waiting_ops(&self, tenant: TenantId, causes: &[Wait]) -> Result<Vec<OpRow>> {
        let any = "SELECT 1 FROM ops WHERE tenant = ?1 AND wait IS NOT NULL LIMIT 1";
        if self.none_waits(any, tenant)? {
            return Ok(Vec::new());
        }
        let sql = format!("{OP} WHERE tenant = ?1 AND wait IN rarray(?2) ORDER BY n");
        let key = params![tenant.as_bytes(), waits(causes)];
        all(self.connection, &sql, key, op_row)
    }

    fn entities(&self, tenant: TenantId, entities: &[EntityId]) -> Result<Vec<EntityRow>> {
        let sql = format!("{ENTITY} WHERE tenant = ?1 AND id = ?2");
        let mut out = Vec::new();
        for id in sorted(entities) {
            let key = params![tenant.as_bytes(), id.as_bytes()];
            out.extend(one(self.connection, &sql, key, entity_row)?);
        }
        Ok(out)
    }

    fn find(&self, tenant: TenantId, filter: &EntityFilter<'_>) -> Result<Vec<EntityRow>> {
        let tenant_bytes = tenant.as_bytes();
        let grids = filter
            .grids
            .map(|grids| list(grids.iter().map(|id| &id.as_bytes()[..])));
        let parent = filter.parent.map(|id| *id.as_bytes());
        // Each shape of question is a statement of its own, so that each one
        // finds its index.
        let mut sql = format!("{ENTITY} WHERE tenant = ?1 AND deleted = 0");
        let mut values: Vec<&dyn ToSql> = vec![&tenant_bytes];
        if let Some(kind) = &filter.kind {
            values.push(kind);
            sql += &format!(" AND kind = ?{}", values.len());
        }
        if let Some(day) = &filter.day {
            values.push(day);
            sql += &format!(" AND day = ?{}", values.len());
        }
        if let Some(status) = &filter.status {
            values.push(status);
            sql += &format!(" AND status = ?{}", values.len());
        }
        if let Some(parent) = &parent {
            values.push(parent);
            sql += &format!(" AND parent = ?{}", values.len());
        }
        if let Some(grids) = &grids {
            values.push(grids);
            sql += &format!(" AND grid IN rarray(?{})", values.len());
        }
        sql += " ORDER BY at_ms, id";
        all(self.connection, &sql, values.as_slice(), entity_row)
    }

    fn due(&self, tenant: TenantId, at_ms: i64, limit: usize) -> Result<Vec<EntityRow>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let sql = format!(
            "{ENTITY} WHERE tenant = ?1 AND due_ms <= ?2 AND deleted = 0 ORDER BY due_ms, id LIMIT ?3"
        );
        let values = params![tenant.as_bytes(), at_ms, limit];
        all(self.connection, &sql, values, entity_row)
    }

    fn days(
        &self,
        tenant: TenantId,
        grids: Option<&[GridId]>,
        kinds: &[&str],
        limit: usize,
    ) -> Result<Vec<i32>> {
        let kinds = words(kinds.iter().copied());
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let day = |cells: &Cells<'_>| cells.signed32(0);
        match grids {
            None => all(
                self.connection,
                "SELECT DISTINCT day FROM entities WHERE tenant = ?1 AND deleted = 0 AND kind IN rarray(?2) ORDER BY day DESC LIMIT ?3",
                params![tenant.as_bytes(), kinds, limit],
                day,
            ),
            Some(grids) => all(
                self.connection,
                "SELECT DISTINCT day FROM entities WHERE tenant = ?1 AND deleted = 0 AND kind IN rarray(?2) AND grid IN rarray(?4) ORDER BY day DESC LIMIT ?3",
                params![
                    tenant.as_bytes(),
                    kinds,
                    limit,
                    list(grids.iter().map(|id| &id.as_bytes()[..]))
                ],
                day,
            ),
        }
    }

    fn holders(&self, tenant: TenantId, blob: Sha256) -> Result<Vec<HolderRow>> {
        all(
            self.connection,
            "SELECT e.id, e.kind, e.grid, e.deleted FROM entity_blobs b
             JOIN entities e ON e.tenant = b.tenant AND e.id = b.entity
             WHERE b.tenant = ?1 AND b.blob = ?2 ORDER BY e.id",
            params![tenant.as_bytes(), blob.0],
            |cells| {
                Ok(HolderRow {
                    entity: cells.get(0)?,
                    kind: cells.text(1)?,
                    grid: cells.maybe(2)?,
                    deleted: cells.flag(3)?,
                })
            },
        )
    }

    fn purged(&self, tenant: TenantId, what: &[Purged]) -> Result<Vec<Purged>> {
        let sql = "SELECT 1 FROM purged WHERE tenant = ?1 AND sort = ?2 AND what = ?3";
        let mut out = Vec::new();
        for what in sorted(what) {
            let (sort, id) = purged(&what);
            let key = params![tenant.as_bytes(), sort, id];
            out.extend(one(self.connection, sql, key, |_| Ok(what))?);
        }
        Ok(out)
    }

    fn heads(&self, tenant: TenantId, streams: &[StreamKey]) -> Result<Vec<StreamHead>> {
        let sql = "SELECT seq, count, digest, tag FROM heads WHERE tenant = ?1 AND stream = ?2";
        let head = |key: &StreamKey| {
            let key = params![tenant.as_bytes(), stream(key)];
            let found = one(self.connection, sql, key, |cells| Self::head(cells, 0))?;
            Ok(found.unwrap_or_default())
        };
        streams.iter().map(head).collect()
    }

    fn streams(&self, tenant: TenantId) -> Result<Vec<(StreamKey, StreamHead)>> {
        let sql =
            "SELECT stream, seq, count, digest, tag FROM heads WHERE tenant = ?1 ORDER BY stream";
        all(self.connection, sql, params![tenant.as_bytes()], |cells| {
            Ok((cells.get(0)?, Self::head(cells, 1)?))
        })
    }

    fn listed(&self, tenant: TenantId, key: StreamKey) -> Result<Vec<(EntityId, u64)>> {
        all(
            self.connection,
            "SELECT s.entity, e.rev FROM entries s
             CROSS JOIN entities e ON e.tenant = s.tenant AND e.id = s.entity
             WHERE s.tenant = ?1 AND s.stream = ?2 ORDER BY s.seq",
            params![tenant.as_bytes(), stream(&key)],
            |cells| Ok((cells.get(0)?, cells.number(1)?)),
        )
    }

    fn page(
        &self,
        tenant: TenantId,
        key: StreamKey,
        after: u64,
        max_bytes: usize,
    ) -> Result<Vec<PageRow>> {
        let mut page: Vec<PageRow> = Vec::new();
        let mut bytes = 0;
        each(
            self.connection,
            "SELECT s.seq, s.entity, e.rev, e.state FROM entries s
             CROSS JOIN entities e ON e.tenant = s.tenant AND e.id = s.entity
             WHERE s.tenant = ?1 AND s.stream = ?2 AND s.seq > ?3 ORDER BY s.seq",
            params![tenant.as_bytes(), stream(&key), number(after)?],
            |cells| {
                let row = PageRow {
                    seq: cells.number(0)?,
                    entity: cells.get(1)?,
                    rev: cells.number(2)?,
                    state: cells.maybe_text(3)?,
                };
                bytes += row.state.as_ref().map_or(0, String::len) + 64;
                let fits = bytes <= max_bytes || page.is_empty();
                if fits {
                    page.push(row);
                }
                Ok(fits)
            },
        )?;
        Ok(page)
    }

    fn tag(&self, tenant: TenantId, key: StreamKey, seq: u64) -> Result<Option<Tag>> {
        one(
            self.connection,
            "SELECT tag, first FROM tags WHERE tenant = ?1 AND stream = ?2 AND first <= ?3 ORDER BY first DESC LIMIT 1",
            params![tenant.as_bytes(), stream(&key), number(seq)?],
            |cells| {
                let tag = cells.integer(0)?.cast_unsigned();
                // The tag that stands for all forgotten ones lies before them.
                Ok(match cells.integer(1)? {
                    0 => Tag::Common(tag),
                    _ => Tag::Own(tag),
                })
            },
        )
    }

    fn receipts(
        &self,
        tenant: TenantId,
        device: DeviceId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<ReceiptRow>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        all(
            self.connection,
            "SELECT n, tag, what FROM receipts WHERE tenant = ?1 AND device = ?2 AND n > ?3 ORDER BY n LIMIT ?4",
            params![tenant.as_bytes(), device.as_bytes(), number(after)?, limit],
            |cells| {
                Ok(ReceiptRow {
                    n: cells.number(0)?,
                    tag: cells.integer(1)?.cast_unsigned(),
                    of: pack::receipt_of(cells.bytes(2)?)?,
                })
            },
        )
    }

    fn receipt_tag(&self, tenant: TenantId, device: DeviceId, n: u64) -> Result<Option<u64>> {
        one(
            self.connection,
            "SELECT tag FROM receipts WHERE tenant = ?1 AND device = ?2 AND n = ?3",
            params![tenant.as_bytes(), device.as_bytes(), number(n)?],
            |cells| Ok(cells.integer(0)?.cast_unsigned()),
        )
    }

    fn last_receipt(&self, tenant: TenantId, device: DeviceId) -> Result<Option<(u64, u64)>> {
        one(
            self.connection,
            "SELECT n, tag FROM receipts WHERE tenant = ?1 AND device = ?2 ORDER BY n DESC LIMIT 1",
            params![tenant.as_bytes(), device.as_bytes()],
            |cells| Ok((cells.number(0)?, cells.integer(1)?.cast_unsigned())),
        )
    }

    fn chunks_over(&self, tenant: TenantId, wanted: ChunkSpan) -> Result<Vec<ChunkRow>> {
        let (key, end) = (wanted.key, number(wanted.end())?);
        let sql = format!(
            "{CHUNK} WHERE tenant = ?1 AND patrol = ?2 AND run = ?3 AND first < ?4 AND first + count > ?5 ORDER BY first"
        );
        let run = run_number(key.run);
        let values = params![
            tenant.as_bytes(),
            key.patrol.as_bytes(),
            run,
            end,
            wanted.first
        ];
        all(self.connection, &sql, values, chunk_row)
    }

    fn spans_over(&self, tenant: TenantId, wanted: ChunkSpan) -> Result<Vec<ChunkSpan>> {
        let (key, end) = (wanted.key, number(wanted.end())?);
        all(
            self.connection,
            "SELECT patrol, run, first, count FROM chunks WHERE tenant = ?1 AND patrol = ?2 AND run = ?3
                AND first < ?4 AND first + count > ?5 ORDER BY first",
            params![
                tenant.as_bytes(),
                key.patrol.as_bytes(),
                run_number(key.run),
                end,
                wanted.first
            ],
            span,
        )
    }

    fn chunks(&self, tenant: TenantId, patrol: EntityId) -> Result<Vec<ChunkRow>> {
        let sql = format!("{CHUNK} WHERE tenant = ?1 AND patrol = ?2 ORDER BY run, first");
        all(
            self.connection,
            &sql,
            params![tenant.as_bytes(), patrol.as_bytes()],
            chunk_row,
        )
    }

    fn track_versions(&self, tenant: TenantId, patrols: &[EntityId]) -> Result<Vec<TrackVersion>> {
        let sql = "SELECT count(*), coalesce(sum(count), 0) FROM chunks WHERE tenant = ?1 AND patrol = ?2";
        let version = |patrol: &EntityId| {
            let key = params![tenant.as_bytes(), patrol.as_bytes()];
            let found = one(self.connection, sql, key, |cells| {
                Ok(TrackVersion {
                    chunks: cells.number(0)?,
                    fixes: cells.number(1)?,
                })
            })?;
            Ok(found.unwrap_or_default())
        };
        patrols.iter().map(version).collect()
    }

    fn spans(&self, tenant: TenantId) -> Result<Vec<ChunkSpan>> {
        let sql = "SELECT patrol, run, first, count FROM chunks WHERE tenant = ?1 ORDER BY patrol, run, first";
        all(self.connection, sql, params![tenant.as_bytes()], span)
    }

    fn held_chunk(
        &self,
        tenant: TenantId,
        span: ChunkSpan,
        sha256: Sha256,
    ) -> Result<Option<HeldChunkRow>> {
        let sql = format!(
            "{HELD_CHUNK} WHERE tenant = ?1 AND patrol = ?2 AND run = ?3 AND first = ?4 AND sha256 = ?5 AND count = ?6"
        );
        let (patrol, run) = (span.key.patrol, run_number(span.key.run));
        let key = params![
            tenant.as_bytes(),
            patrol.as_bytes(),
            run,
            span.first,
            sha256.0,
            span.count
        ];
        one(self.connection, &sql, key, held_chunk_row)
    }

    fn held_chunks(&self, tenant: TenantId, patrol: Option<EntityId>) -> Result<Vec<HeldChunkRow>> {
        let order = "ORDER BY patrol, run, first, sha256";
        match patrol {
            None => {
                let sql = format!("{HELD_CHUNK} WHERE tenant = ?1 {order}");
                all(
                    self.connection,
                    &sql,
                    params![tenant.as_bytes()],
                    held_chunk_row,
                )
            }
            Some(patrol) => {
                let sql = format!("{HELD_CHUNK} WHERE tenant = ?1 AND patrol = ?2 {order}");
                let key = params![tenant.as_bytes(), patrol.as_bytes()];
                all(self.connection, &sql, key, held_chunk_row)
            }
        }
    }

    fn waiting_chunks(&self, tenant: TenantId, causes: &[Wait]) -> Result<Vec<HeldChunkRow>> {
        let any = "SELECT 1 FROM held_chunks WHERE tenant = ?1 AND wait IS NOT NULL LIMIT 1";
        if self.none_waits(any, tenant)? {
            return Ok(Vec::new());
        }
        let sql = format!(
            "{HELD_CHUNK} WHERE tenant = ?1 AND wait IN rarray(?2) ORDER BY patrol, run, first, sha256"
        );
        let key = params![tenant.as_bytes(), waits(causes)];
        all(self.connection, &sql, key, held_chunk_row)
    }

    fn position(&self, tenant: TenantId, worker: WorkerId) -> Result<Option<PositionRow>> {
        let sql = format!("{POSITION} WHERE tenant = ?1 AND worker = ?2");
        let key = params![tenant.as_bytes(), worker.as_bytes()];
        one(self.connection, &sql, key, position_row)
    }

    fn positions(&self, tenant: TenantId) -> Result<Vec<PositionRow>> {
        let sql = format!("{POSITION} WHERE tenant = ?1 ORDER BY worker");
        all(
            self.connection,
            &sql,
            params![tenant.as_bytes()],
            position_row,
        )
    }

    fn blobs(&self, tenant: TenantId, blobs: &[Sha256]) -> Result<Vec<BlobRow>> {
        let sql = "SELECT sha256, bytes, mime, received_ms FROM blobs WHERE tenant = ?1 AND sha256 IN rarray(?2) ORDER BY sha256";
        let blobs = list(blobs.iter().map(|hash| &hash.0[..]));
        all(
            self.connection,
            sql,
            params![tenant.as_bytes(), blobs],
            |cells| {
                Ok(BlobRow {
                    sha256: cells.get(0)?,
                    bytes: cells.number(1)?,
                    mime: cells.text(2)?,
                    received_ms: cells.integer(3)?,
                })
            },
        )
    }

    fn blob_hashes(&self, tenant: TenantId) -> Result<Vec<Sha256>> {
        let sql = "SELECT sha256 FROM blobs WHERE tenant = ?1 ORDER BY sha256";
        all(self.connection, sql, params![tenant.as_bytes()], |cells| {
            cells.get(0)
        })
    }

    fn blob_senders(&self, tenant: TenantId, blob: Sha256) -> Result<Vec<DeviceId>> {
        let sql = "SELECT device FROM blob_senders WHERE tenant = ?1 AND blob = ?2 ORDER BY device";
        let key = params![tenant.as_bytes(), blob.0];
        all(self.connection, sql, key, |cells| cells.get(0))
    }

    fn upload(&self, id: &str) -> Result<Option<UploadRow>> {
        one(
            self.connection,
            &format!("{UPLOAD} WHERE id = ?1"),
            params![id],
            upload_row,
        )
    }

    fn upload_of(
        &self,
        tenant: TenantId,
        device: DeviceId,
        sha256: Sha256,
    ) -> Result<Option<UploadRow>> {
        let sql = format!("{UPLOAD} WHERE tenant = ?1 AND device = ?2 AND sha256 = ?3 ORDER BY id");
        let key = params![tenant.as_bytes(), device.as_bytes(), sha256.0];
        one(self.connection, &sql, key, upload_row)
    }

    fn uploads_of(&self, tenant: TenantId, sha256: Sha256) -> Result<Vec<UploadRow>> {
        let sql = format!("{UPLOAD} WHERE tenant = ?1 AND sha256 = ?2 ORDER BY id");
        let key = params![tenant.as_bytes(), sha256.0];
        all(self.connection, &sql, key, upload_row)
    }

    fn stale_uploads(&self, before_ms: i64) -> Result<Vec<UploadRow>> {
        let sql = format!("{UPLOAD} WHERE at_ms < ?1 ORDER BY id");
        all(self.connection, &sql, params![before_ms], upload_row)
    }

    fn readings(&self, tenant: TenantId, entity: Option<EntityId>) -> Result<Vec<ReadingRow>> {
        let row = |cells: &Cells<'_>| {
            Ok(ReadingRow {
                entity: cells.get(0)?,
                at_ms: cells.integer(1)?,
                who: cells.text(2)?,
            })
        };
        let sql = "SELECT entity, at_ms, who FROM readings WHERE tenant = ?1";
        match entity {
            None => {
                let sql = format!("{sql} ORDER BY n");
                all(self.connection, &sql, params![tenant.as_bytes()], row)
            }
            Some(entity) => {
                let sql = format!("{sql} AND entity = ?2 ORDER BY n");
                let key = params![tenant.as_bytes(), entity.as_bytes()];
                all(self.connection, &sql, key, row)
            }
        }
    }

    fn audit(&self, tenant: TenantId, limit: usize) -> Result<Vec<AuditRow>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let mut rows = all(
            self.connection,
            "SELECT at_ms, who, what, \"on\" FROM audit WHERE tenant = ?1 ORDER BY n DESC LIMIT ?2",
            params![tenant.as_bytes(), limit],
            |cells| {
                Ok(AuditRow {
                    at_ms: cells.integer(0)?,
                    who: cells.text(1)?,
                    what: cells.text(2)?,
                    on: cells.text(3)?,
                })
            },
        )?;
        rows.reverse();
        Ok(rows)
    }
}

pub(crate) const fn law_sort(sort: LawSort) -> i64 {
    match sort {
        LawSort::Catalogue => 1,
        LawSort::Calendar => 2,
    }
}

/// What was purged: its sort and its name.
pub(crate) fn purged(what: &Purged) -> (i64, &[u8]) {
    match what {
        Purged::Entity(id) => (1, id.as_bytes()),
        Purged::Blob(hash) => (2, &hash.0),
        Purged::Unshown(hash) => (3, &hash.0),
    }
}
