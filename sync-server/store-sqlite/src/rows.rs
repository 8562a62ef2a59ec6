//! Rows: which columns are asked for, and how they are read.

use gridwalk_domain::Position;
use gridwalk_store::{
    ChunkKey, ChunkRow, ChunkSpan, ContactRow, DeviceRow, EntityRow, GridRow, HeldChunkRow,
    OpSummary, PositionRow, StoreError, TenantRow, UploadRow, UserRow, WorkerRow,
};

use crate::bind::{Cells, run_of};

type Result<T, E = StoreError> = std::result::Result<T, E>;

pub(crate) const TENANT: &str = "SELECT tenant, utc_offset_min, notice, grids_version FROM tenants";
pub(crate) const GRID: &str = "SELECT tenant, id, code, parent, level, name, synthetic FROM grids";
pub(crate) const USER: &str = "SELECT id, tenant, name, password, role, grid FROM users";
pub(crate) const DEVICE: &str =
    "SELECT id, tenant, worker, token, platform, enrolled_ms FROM devices";
pub(crate) const CONTACT: &str =
    "SELECT device, worker, last_ms, unsent, reported_ms, app FROM contacts";
pub(crate) const ENTITY: &str = "SELECT id, kind, home, rev, grid, worker, parent, at_ms, day, status, deleted, state FROM entities";
pub(crate) const CHUNK: &str = "SELECT patrol, run, first, count, received_ms, body FROM chunks";
pub(crate) const HELD_CHUNK: &str =
    "SELECT patrol, run, first, count, sha256, device, received_ms, reason, body FROM held_chunks";
pub(crate) const POSITION: &str = "SELECT worker, at_ms, lat, lon FROM positions";
pub(crate) const UPLOAD: &str =
    "SELECT id, tenant, device, sha256, length, offset, at_ms FROM uploads";

pub(crate) fn tenant_row(cells: &Cells<'_>) -> Result<TenantRow> {
    Ok(TenantRow {
        id: cells.get(0)?,
        utc_offset_min: cells.signed32(1)?,
        notice: cells.maybe_json(2)?,
        grids_version: cells.number(3)?,
    })
}

pub(crate) fn grid_row(cells: &Cells<'_>) -> Result<GridRow> {
    Ok(GridRow {
        id: cells.get(1)?,
        code: cells.word(2)?,
        parent: cells.maybe(3)?,
        level: cells.level(4)?,
        name: cells.text(5)?,
        synthetic: cells.flag(6)?,
    })
}

pub(crate) fn user_row(cells: &Cells<'_>) -> Result<UserRow> {
    Ok(UserRow {
        id: cells.get(0)?,
        tenant: cells.get(1)?,
        name: cells.text(2)?,
        password: cells.text(3)?,
        role: cells.word(4)?,
        grid: cells.get(5)?,
    })
}

pub(crate) fn device_row(cells: &Cells<'_>) -> Result<DeviceRow> {
    Ok(DeviceRow {
        id: cells.get(0)?,
        tenant: cells.get(1)?,
        worker: cells.get(2)?,
        token: cells.get(3)?,
        platform: cells.text(4)?,
        enrolled_ms: cells.integer(5)?,
    })
}

pub(crate) fn contact_row(cells: &Cells<'_>) -> Result<ContactRow> {
    Ok(ContactRow {
        device: cells.get(0)?,
        worker: cells.get(1)?,
        last_ms: cells.integer(2)?,
        unsent: cells.maybe_json(3)?,
        reported_ms: cells.maybe_integer(4)?,
        app: cells.maybe_text(5)?,
    })
}

pub(crate) fn worker_row(cells: &Cells<'_>) -> Result<WorkerRow> {
    Ok(WorkerRow {
        id: cells.get(0)?,
        name: cells.text(1)?,
    })
}

pub(crate) fn summary(cells: &Cells<'_>) -> Result<OpSummary> {
    Ok(OpSummary {
        id: cells.get(0)?,
        sha256: cells.get(1)?,
        entity: cells.get(2)?,
        creates: cells.flag(3)?,
        outcome: cells.json(4)?,
    })
}

/// Without its attachments: they are in a table of their own.
pub(crate) fn entity_row(cells: &Cells<'_>) -> Result<EntityRow> {
    Ok(EntityRow {
        id: cells.get(0)?,
        kind: cells.text(1)?,
        home: cells.get(2)?,
        rev: cells.number(3)?,
        grid: cells.maybe(4)?,
        worker: cells.maybe(5)?,
        parent: cells.maybe(6)?,
        at_ms: cells.integer(7)?,
        day: cells.signed32(8)?,
        status: cells.maybe_text(9)?,
        deleted: cells.flag(10)?,
        blobs: Vec::new(),
        state: cells.text(11)?,
    })
}

pub(crate) fn span(cells: &Cells<'_>) -> Result<ChunkSpan> {
    Ok(ChunkSpan {
        key: ChunkKey {
            patrol: cells.get(0)?,
            run: run_of(cells.integer(1)?),
        },
        first: cells.number32(2)?,
        count: cells.number32(3)?,
    })
}

pub(crate) fn chunk_row(cells: &Cells<'_>) -> Result<ChunkRow> {
    Ok(ChunkRow {
        span: span(cells)?,
        received_ms: cells.integer(4)?,
        body: cells.blob(5)?,
    })
}

pub(crate) fn position_row(cells: &Cells<'_>) -> Result<PositionRow> {
    let (lat, lon) = (cells.real(2)?, cells.real(3)?);
    Ok(PositionRow {
        worker: cells.get(0)?,
        at_ms: cells.integer(1)?,
        at: Position { lat, lon },
    })
}

pub(crate) fn held_chunk_row(cells: &Cells<'_>) -> Result<HeldChunkRow> {
    Ok(HeldChunkRow {
        span: span(cells)?,
        sha256: cells.get(4)?,
        device: cells.get(5)?,
        received_ms: cells.integer(6)?,
        reason: cells.json(7)?,
        body: cells.blob(8)?,
    })
}

pub(crate) fn upload_row(cells: &Cells<'_>) -> Result<UploadRow> {
    Ok(UploadRow {
        id: cells.text(0)?,
        tenant: cells.get(1)?,
        device: cells.get(2)?,
        sha256: cells.get(3)?,
        length: cells.number(4)?,
        offset: cells.number(5)?,
        at_ms: cells.integer(6)?,
    })
}
