//! Rows to store.

use gridwalk_domain::wire::{OpOutcome, Outcome, Reason, ReceiptOf};
use gridwalk_domain::{
    DeviceId, EntityId, GridId, GridLevel, OpId, RunId, Sha256, StreamKey, TenantId, WorkerId,
};

use crate::rows::{
    ChunkKey, ChunkRow, ChunkSpan, EntityRow, GridRow, Listing, OpRow, OpSummary, ReceiptRow,
    TenantRow,
};
use crate::{Read, Store, StoreError, Write};

pub(super) type Result<T, E = StoreError> = std::result::Result<T, E>;

pub(super) const T: TenantId = TenantId::from_bytes([1; 16]);
pub(super) const OTHER: TenantId = TenantId::from_bytes([2; 16]);

pub(super) fn write<V>(store: &impl Store, run: impl FnMut(&mut dyn Write) -> Result<V>) -> V {
    crate::write(store, run).unwrap()
}

pub(super) fn read<V>(store: &impl Store, run: impl FnMut(&dyn Read) -> Result<V>) -> V {
    crate::read(store, run).unwrap()
}

pub(super) const fn grid_id(n: u8) -> GridId {
    GridId::from_bytes([n; 16])
}

pub(super) const fn worker(n: u8) -> WorkerId {
    WorkerId::from_bytes([n; 16])
}

pub(super) const fn device(n: u8) -> DeviceId {
    DeviceId::from_bytes([n; 16])
}

pub(super) const fn entity_id(n: u8) -> EntityId {
    EntityId::from_bytes([n; 16])
}

pub(super) const fn op_id(n: u8) -> OpId {
    OpId::from_bytes([n; 16])
}

pub(super) fn hash(n: u8) -> Sha256 {
    Sha256([n; 32])
}

pub(super) const fn records(n: u8) -> StreamKey {
    StreamKey::Records(grid_id(n))
}

pub(super) fn tenant(id: TenantId) -> TenantRow {
    TenantRow {
        id,
        utc_offset_min: 480,
        notice: None,
        grids_version: 0,
        law_version: 0,
    }
}

pub(super) fn grid(n: u8, code: &str, level: GridLevel, parent: Option<GridId>) -> GridRow {
    GridRow {
        id: grid_id(n),
        code: code.parse().unwrap(),
        parent,
        level,
        name: format!("网格 {n}"),
        synthetic: n.is_multiple_of(2),
        closed_ms: None,
    }
}

pub(super) fn applied(n: u8, seq: u64) -> Outcome {
    Outcome::Applied {
        stream: records(n),
        seq,
    }
}

pub(super) fn quarantined() -> Outcome {
    Outcome::Quarantined {
        reason: Reason {
            code: "unknown_base".into(),
            text: "…".into(),
        },
    }
}

pub(super) fn op(n: u8, entity: u8, outcome: Outcome) -> OpRow {
    OpRow {
        summary: OpSummary {
            id: op_id(n),
            sha256: hash(n),
            entity: entity_id(entity),
            creates: n == entity,
            outcome,
            wait: None,
            reissued: None,
        },
        device: Some(device(7)),
        received_ms: i64::from(n),
        body: format!("{{\"n\":{n},\"text\":\"换行\\n 🙂\"}}"),
    }
}

pub(super) fn entity(n: u8, kind: &str, grid: u8, at_ms: i64) -> EntityRow {
    EntityRow {
        id: entity_id(n),
        kind: kind.into(),
        home: records(grid),
        rev: 1,
        grid: Some(grid_id(grid)),
        worker: Some(worker(9)),
        parent: None,
        at_ms,
        day: i32::try_from(at_ms / 1000).unwrap(),
        status: Some("on".into()),
        deleted: false,
        due_ms: None,
        listed: vec![Listing {
            stream: records(grid),
            seq: u64::from(n),
        }],
        blobs: vec![],
        state: Some(format!("{{\"id\":{n}}}")),
    }
}

pub(super) fn receipt(n: u64) -> ReceiptRow {
    let outcome = OpOutcome {
        op: Some(op_id(1)),
        sha256: hash(1),
        outcome: applied(3, n),
    };
    ReceiptRow {
        n,
        tag: u64::MAX - n,
        of: ReceiptOf::Op(outcome),
    }
}

pub(super) fn span(patrol: u8, run: u64, first: u32, count: u32) -> ChunkSpan {
    let key = ChunkKey {
        patrol: entity_id(patrol),
        run: RunId(run),
    };
    ChunkSpan { key, first, count }
}

pub(super) fn chunk(span: ChunkSpan) -> ChunkRow {
    ChunkRow {
        span,
        received_ms: 5,
        body: vec![0, 255, 128],
    }
}
