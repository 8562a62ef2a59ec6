//! What waits for a person, and their decision.

use gridwalk_domain::wire::{ChunkName, ChunkOutcome, OpRef, Outcome, ReceiptOf, TrackOutcome};
use gridwalk_domain::{DeviceId, EntityId, OpId, Sha256, TenantId};
use gridwalk_store::{HeldChunkRow, OpRow, Read, Write};
use serde::Serialize;

use super::Admin;
use super::error::AdminError;
use super::people::audit;
use crate::batch::{Batch, Undecided, reason};
use crate::error::Error;
use crate::keep::{Book, Entry, Instead, append};
use crate::service::Tools;
use crate::sync::{add_receipts, take_held_chunk};

/// Something in quarantine: an op by the hash of its body, a chunk by that of its
/// name and content.
pub type HeldRef = Sha256;

/// What is in quarantine.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Held {
    /// Ops, in the order in which they came.
    pub ops: Vec<HeldOp>,
    /// Chunks of tracks.
    pub chunks: Vec<HeldChunk>,
}

/// An op in quarantine.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HeldOp {
    /// What a decision names: the hash of its body.
    pub hash: HeldRef,
    /// Its id.
    pub id: OpId,
    /// The record it is about.
    pub entity: EntityId,
    /// The phone that sent it.
    pub device: Option<DeviceId>,
    /// When it came.
    pub received_ms: i64,
    /// Why it is here.
    pub code: String,
    /// Whether it is judged again by itself when what it lacks arrives.
    pub waits: bool,
    /// What it says.
    pub body: String,
}

/// A chunk in quarantine.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct HeldChunk {
    /// What a decision names: a hash of its name and content.
    pub hash: HeldRef,
    /// Its name.
    #[serde(flatten)]
    pub chunk: ChunkName,
    /// The phone that sent it.
    pub device: DeviceId,
    /// When it came.
    pub received_ms: i64,
    /// Why it is here.
    pub code: String,
    /// Whether it is judged again by itself when what it lacks arrives.
    pub waits: bool,
}

fn op(row: OpRow) -> Option<HeldOp> {
    let Outcome::Quarantined { reason } = row.summary.outcome else {
        return None;
    };
    Some(HeldOp {
        hash: row.summary.sha256,
        id: row.summary.id,
        entity: row.summary.entity,
        device: row.device,
        received_ms: row.received_ms,
        code: reason.code,
        waits: row.summary.wait.is_some(),
        body: row.body,
    })
}

fn name(row: &HeldChunkRow) -> ChunkName {
    ChunkName {
        patrol: row.span.key.patrol,
        run: row.span.key.run,
        first: row.span.first,
        count: row.span.count,
    }
}

/// Two chunks may have the same content and say that it is of different patrols.
fn chunk_hash(row: &HeldChunkRow) -> HeldRef {
    let span = &row.span;
    let name = [
        span.key.patrol.as_bytes(),
        &span.key.run.0.to_be_bytes()[..],
        &span.first.to_be_bytes(),
        &span.count.to_be_bytes(),
        &row.sha256.0,
    ];
    Sha256::of(&name.concat())
}

fn chunk(row: &HeldChunkRow) -> Option<HeldChunk> {
    let TrackOutcome::Quarantined { reason } = &row.outcome else {
        return None;
    };
    Some(HeldChunk {
        hash: chunk_hash(row),
        chunk: name(row),
        device: row.device,
        received_ms: row.received_ms,
        code: reason.code.clone(),
        waits: row.wait.is_some(),
    })
}

/// What a hash names.
enum Found {
    Op(TenantId, Box<OpRow>),
    Chunk(TenantId, Box<HeldChunkRow>),
}

fn find(tx: &dyn Read, hash: HeldRef) -> Result<Option<Found>, Error> {
    for tenant in tx.tenants()? {
        let tenant = tenant.id;
        let ops = tx.held_ops(tenant, None)?;
        let op = ops.into_iter().find(|row| {
            let held = matches!(row.summary.outcome, Outcome::Quarantined { .. });
            held && row.summary.sha256 == hash
        });
        if let Some(row) = op {
            return Ok(Some(Found::Op(tenant, Box::new(row))));
        }
        let chunks = tx.held_chunks(tenant, None)?;
        let chunk = chunks.into_iter().find(|row| {
            let held = matches!(row.outcome, TrackOutcome::Quarantined { .. });
            held && chunk_hash(row) == hash
        });
        if let Some(row) = chunk {
            return Ok(Some(Found::Chunk(tenant, Box::new(row))));
        }
    }
    Ok(None)
}

/// A decision of a person.
type Decided = Result<Option<Entry>, AdminError>;

impl Admin<'_> {
    /// All that is in quarantine, of a district or of all.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn quarantine(&self, tenant: Option<TenantId>) -> Result<Held, AdminError> {
        let held = self.service.read(|tx| {
            let mut held = Held::default();
            let tenants = tx.tenants()?.into_iter().map(|row| row.id);
            for id in tenants.filter(|id| tenant.is_none_or(|tenant| tenant == *id)) {
                held.ops
                    .extend(tx.held_ops(id, None)?.into_iter().filter_map(op));
                held.chunks
                    .extend(tx.held_chunks(id, None)?.iter().filter_map(chunk));
            }
            Ok(held)
        });
        Ok(held?)
    }

    /// Takes something out of quarantine. Whose it is, where, and what it builds
    /// on is not asked any more; where something else bears its name, it is
    /// stored under another one.
    ///
    /// # Errors
    /// [`AdminError`]; nothing is changed then.
    pub fn accept(&self, hash: HeldRef) -> Result<(), AdminError> {
        self.decide(hash, true)
    }

    /// Refuses something in quarantine for good; it is kept.
    ///
    /// # Errors
    /// [`AdminError`]; nothing is changed then.
    pub fn refuse(&self, hash: HeldRef) -> Result<(), AdminError> {
        self.decide(hash, false)
    }

    fn decide(&self, hash: HeldRef, accepts: bool) -> Result<(), AdminError> {
        let now_ms = self.service.now_ms();
        let entry = self.service.commit_with(move |tx, tools| {
            let decision = Decision {
                tools,
                accepts,
                now_ms,
            };
            let (tenant, decided) = match find(tx, hash)? {
                None => return Ok(Err(AdminError::NotHeld(hash.to_string()))),
                Some(Found::Op(tenant, row)) => (tenant, decision.op(tx, tenant, &row)?),
                Some(Found::Chunk(tenant, row)) => (tenant, decision.chunk(tx, tenant, &row)?),
            };
            if decided.is_ok() {
                let what = if accepts {
                    "quarantine accept"
                } else {
                    "quarantine refuse"
                };
                tx.add_audit(tenant, &audit(now_ms, what, &format!("sha256/{hash}")))?;
            }
            Ok(decided)
        })??;
        // Until it is there, a database that goes back in time has the phone's op
        // in quarantine again: nothing is lost.
        Ok(append(
            &*self.service.tools.keep,
            Book::Journal,
            entry.as_slice(),
        )?)
    }
}

struct Decision<'a> {
    tools: &'a Tools,
    accepts: bool,
    now_ms: i64,
}

impl Decision<'_> {
    fn op(&self, tx: &mut dyn Write, tenant: TenantId, row: &OpRow) -> Result<Decided, Error> {
        let not_held = || AdminError::NotHeld(row.summary.sha256.to_string());
        let mut batch = Batch::open(tx, self.tools, tenant, self.now_ms)?;
        let decided = if self.accepts {
            batch.accept(tx, row)?
        } else {
            batch.refuse(tx, row)?.map(|()| None)
        };
        let sealed = match decided {
            Ok(sealed) => sealed,
            Err(Undecided::NotHeld) => return Ok(Err(not_held())),
            Err(Undecided::Still(outcome)) => {
                let why = match outcome {
                    Outcome::Quarantined { reason } | Outcome::Rejected { reason } => reason.text,
                    other => format!("{other:?}"),
                };
                return Ok(Err(AdminError::Still(why)));
            }
        };
        batch.store(tx)?;
        Ok(Ok(sealed.map(|op| Entry {
            tenant,
            at_ms: self.now_ms,
            op,
            instead_of: Some(Instead {
                op: OpRef {
                    id: row.summary.id,
                    sha256: row.summary.sha256,
                },
                device: row.device,
            }),
        })))
    }

    fn chunk(
        &self,
        tx: &mut dyn Write,
        tenant: TenantId,
        row: &HeldChunkRow,
    ) -> Result<Decided, Error> {
        if self.accepts {
            return Ok(
                match take_held_chunk(tx, self.tools, tenant, row, self.now_ms)? {
                    Ok(()) => Ok(None),
                    Err(TrackOutcome::Quarantined { reason }) => {
                        Err(AdminError::Still(reason.text))
                    }
                    Err(other) => Err(AdminError::Still(format!("{other:?}"))),
                },
            );
        }
        let reason = reason("refused", &"a person refused it");
        let outcome = TrackOutcome::Rejected { reason };
        let refused = HeldChunkRow {
            outcome: outcome.clone(),
            wait: None,
            ..row.clone()
        };
        tx.hold_chunk(tenant, &refused)?;
        let chunk = name(row);
        let of = vec![ReceiptOf::Chunk(ChunkOutcome { chunk, outcome })];
        add_receipts(tx, &*self.tools.rng, tenant, row.device, of)?;
        Ok(Ok(None))
    }
}
