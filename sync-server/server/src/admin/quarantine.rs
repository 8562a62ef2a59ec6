//! What waits for a person, and their decision.

use gridwalk_domain::kind::mediation;
use gridwalk_domain::wire::{ChunkName, ChunkOutcome, OpRef, Outcome, ReceiptOf, TrackOutcome};
use gridwalk_domain::{DeviceId, Entity, EntityId, OpBody, OpHead, OpId, Sha256, TenantId, apply};
use gridwalk_store::{HeldChunkRow, OpRow, Read, Write};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

use super::Admin;
use super::error::AdminError;
use super::people::audit;
use crate::batch::{Batch, Undecided, reason};
use crate::error::Error;
use crate::keep::{Book, Entry, Instead, append};
use crate::project;
use crate::rights::Sight;
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

impl Held {
    fn add(
        &mut self,
        tx: &dyn Read,
        tenant: TenantId,
        reader: Option<&Sight<'_>>,
    ) -> Result<(), Error> {
        let rows = tx.held_ops(tenant, None)?.into_iter();
        let mut ops: Vec<HeldOp> = rows.filter_map(op).collect();
        let narrow = Narrow::of(tx, tenant, &ops)?;
        for op in &mut ops {
            narrow.redact(op, reader)?;
        }
        self.ops.extend(ops);
        let chunks = tx.held_chunks(tenant, None)?;
        self.chunks.extend(chunks.iter().filter_map(chunk));
        Ok(())
    }
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
    /// What it says; none where it is about a record of narrow readers, and nobody
    /// who may read that asked.
    pub body: Option<String>,
    /// Whether what it says was left out for that.
    pub redacted: bool,
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

/// An op, with what it says.
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
        body: Some(row.body),
        redacted: false,
    })
}

/// The records of narrow readers that ops of a district are about.
struct Narrow {
    records: BTreeMap<EntityId, Entity>,
}

impl Narrow {
    /// Those that stand, and those that one of these ops would make.
    fn of(tx: &dyn Read, tenant: TenantId, ops: &[HeldOp]) -> Result<Self, Error> {
        let ids: BTreeSet<EntityId> = ops.iter().map(|op| op.entity).collect();
        let ids: Vec<EntityId> = ids.into_iter().collect();
        let mut records = BTreeMap::new();
        for row in tx.entities(tenant, &ids)? {
            if mediation::is_narrow(&row.kind) && row.state.is_some() {
                records.insert(row.id, project::state(&row)?);
            }
        }
        for op in ops {
            let text = op.body.as_deref().unwrap_or_default();
            let Ok(body) = serde_json::from_str::<OpBody>(text) else {
                continue;
            };
            let mut made = None;
            if mediation::is_narrow(&body.kind) && apply(&mut made, &body, op.received_ms).is_ok() {
                records.extend(made.map(|made| (op.entity, made)));
            }
        }
        Ok(Self { records })
    }

    /// Leaves out what an op says, unless `reader` may read the record that it is
    /// about.
    fn redact(&self, op: &mut HeldOp, reader: Option<&Sight<'_>>) -> Result<(), Error> {
        let head = serde_json::from_str::<OpHead>(op.body.as_deref().unwrap_or_default());
        let record = self.records.get(&op.entity);
        let open = head.is_ok_and(|head| !mediation::is_narrow(&head.kind));
        if open && record.is_none() {
            return Ok(());
        }
        let read = match (reader, record) {
            (Some(reader), Some(record)) => reader.reads(record)?,
            _ => false,
        };
        if !read {
            op.body = None;
            op.redacted = true;
        }
        Ok(())
    }
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
    /// All that is in quarantine, of a district or of all. What ops say about
    /// records of narrow readers is left out.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn quarantine(&self, tenant: Option<TenantId>) -> Result<Held, AdminError> {
        let held = self.service.read(|tx| {
            let mut held = Held::default();
            let tenants = tx.tenants()?.into_iter().map(|row| row.id);
            for id in tenants.filter(|id| tenant.is_none_or(|tenant| tenant == *id)) {
                held.add(tx, id, None)?;
            }
            Ok(held)
        });
        Ok(held?)
    }

    /// All that is in quarantine in a user's district, with what ops say about
    /// records of narrow readers that this user may read. Of each such record it is
    /// written down that they read it.
    ///
    /// # Errors
    /// [`AdminError::UnknownUser`], and where the store fails.
    pub fn quarantine_as(&self, user: &str) -> Result<Held, AdminError> {
        let row = self.service.read(|tx| Ok(tx.user_by_name(user)?))?;
        let row = row.ok_or_else(|| AdminError::UnknownUser(user.to_owned()))?;
        let viewer = self.service.viewer_of(row)?;
        Ok(self.service.seen(&viewer, |sight| {
            let mut held = Held::default();
            held.add(sight.tx(), sight.viewer.tenant.id, Some(sight))?;
            Ok(held)
        })?)
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
