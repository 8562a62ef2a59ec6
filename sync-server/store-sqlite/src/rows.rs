//! Rows: which columns are asked for, and how they are read.

use gridwalk_domain::Position;
use gridwalk_store::{
    ChunkKey, ChunkRow, ChunkSpan, ContactRow, DeviceRow, DeviceStanding, EntityRow, GridRow,
    HeldChunkRow, Listing, OpRow, OpSummary, PositionRow, StoreError, TenantRow, UploadRow,
    UserRow, WorkerRow,
};

use crate::bind::{Cells, damaged, run_of};
use crate::pack;

type Result<T, E = StoreError> = std::result::Result<T, E>;

pub(crate) const TENANT: &str =
    "SELECT tenant, utc_offset_min, notice, grids_version, law_version FROM tenants";
pub(crate) const GRID: &str =
    "SELECT tenant, id, code, parent, level, name, synthetic, closed_ms FROM grids";
pub(crate) const USER: &str = "SELECT id, tenant, name, password, role, grid FROM users";
pub(crate) const DEVICE: &str = "SELECT id, tenant, worker, token, send_token, standing, watermark, platform, enrolled_ms FROM devices";
pub(crate) const CONTACT: &str =
    "SELECT device, worker, last_ms, unsent, reported_ms, app, rereads FROM contacts";
/// An op short of its body, then the rest of it.
pub(crate) const OP: &str = "SELECT id, sha256, entity, creates, outcome, wait, reissued, device, received_ms, body FROM ops";
pub(crate) const ENTITY: &str = "SELECT id, kind, rev, listed, grid, worker, parent, at_ms, day, status, deleted, due_ms, blobs, state FROM entities";
pub(crate) const CHUNK: &str = "SELECT patrol, run, first, count, received_ms, body FROM chunks";
pub(crate) const HELD_CHUNK: &str = "SELECT patrol, run, first, count, sha256, device, received_ms, outcome, wait, body FROM held_chunks";
pub(crate) const POSITION: &str = "SELECT worker, patrol, at_ms, lat, lon FROM positions";
pub(crate) const UPLOAD: &str =
    "SELECT id, tenant, device, sha256, length, offset, at_ms FROM uploads";

pub(crate) fn tenant_row(cells: &Cells<'_>) -> Result<TenantRow> {
    Ok(TenantRow {
        id: cells.get(0)?,
        utc_offset_min: cells.signed32(1)?,
        notice: cells.maybe_json(2)?,
        grids_version: cells.number(3)?,
        law_version: cells.number(4)?,
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
        closed_ms: cells.maybe_integer(7)?,
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

const STANDINGS: [DeviceStanding; 3] = [
    DeviceStanding::Active,
    DeviceStanding::SendOnly,
    DeviceStanding::Stolen,
];

pub(crate) const fn standing(standing: DeviceStanding) -> i64 {
    match standing {
        DeviceStanding::Active => 0,
        DeviceStanding::SendOnly => 1,
        DeviceStanding::Stolen => 2,
    }
}

fn standing_of(number: u64) -> Result<DeviceStanding> {
    let at = usize::try_from(number).ok();
    let found = at.and_then(|at| STANDINGS.get(at)).copied();
    found.ok_or_else(|| damaged("a standing that is not known"))
}

pub(crate) fn device_row(cells: &Cells<'_>) -> Result<DeviceRow> {
    Ok(DeviceRow {
        id: cells.get(0)?,
        tenant: cells.get(1)?,
        worker: cells.get(2)?,
        token: cells.get(3)?,
        send_token: cells.get(4)?,
        standing: standing_of(cells.number(5)?)?,
        watermark: cells.number(6)?,
        platform: cells.text(7)?,
        enrolled_ms: cells.integer(8)?,
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
        rereads: cells.number(6)?,
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
        outcome: pack::outcome_of(cells.bytes(4)?)?,
        wait: cells.maybe(5)?,
        reissued: cells.maybe(6)?,
    })
}

pub(crate) fn op_row(cells: &Cells<'_>) -> Result<OpRow> {
    Ok(OpRow {
        summary: summary(cells)?,
        device: cells.maybe(7)?,
        received_ms: cells.integer(8)?,
        body: cells.text(9)?,
    })
}

pub(crate) fn entity_row(cells: &Cells<'_>) -> Result<EntityRow> {
    let listed = pack::listed_of(cells.bytes(3)?)?;
    let home = listed.first().map(|Listing { stream, .. }| *stream);
    Ok(EntityRow {
        id: cells.get(0)?,
        kind: cells.text(1)?,
        home: home.ok_or_else(|| damaged("an entity without a home"))?,
        rev: cells.number(2)?,
        listed,
        grid: cells.maybe(4)?,
        worker: cells.maybe(5)?,
        parent: cells.maybe(6)?,
        at_ms: cells.integer(7)?,
        day: cells.signed32(8)?,
        status: cells.maybe_text(9)?,
        deleted: cells.flag(10)?,
        due_ms: cells.maybe_integer(11)?,
        blobs: pack::hashes_of(cells.bytes(12)?)?,
        state: cells.maybe_text(13)?,
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
    let (lat, lon) = (cells.real(3)?, cells.real(4)?);
    Ok(PositionRow {
        worker: cells.get(0)?,
        patrol: cells.get(1)?,
        at_ms: cells.integer(2)?,
        at: Position { lat, lon },
    })
}

pub(crate) fn held_chunk_row(cells: &Cells<'_>) -> Result<HeldChunkRow> {
    Ok(HeldChunkRow {
        span: span(cells)?,
        sha256: cells.get(4)?,
        device: cells.get(5)?,
        received_ms: cells.integer(6)?,
        outcome: cells.json(7)?,
        wait: cells.maybe(8)?,
        body: cells.blob(9)?,
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
