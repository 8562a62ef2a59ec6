//! `push`: ops come in, each gets an outcome.

use gridwalk_domain::wire::{MAX_PUSH_OPS, OpOutcome, Outcome, PushRequest, PushResponse};
use gridwalk_domain::{BadOp, OP_VERSION, OpBody, OpHead, SealedOp, Sha256};
use gridwalk_store::{DeviceRow, Write, nested};
use std::sync::Arc;

use super::check_version;
use super::ingest::{Batch, reason};
use crate::error::{Error, Fault};
use crate::service::Service;

/// An op whose head could be read.
pub(super) struct Incoming {
    pub(super) sha256: Sha256,
    pub(super) head: OpHead,
    /// Or why it cannot be judged by this version.
    pub(super) body: Result<OpBody, &'static str>,
    pub(super) text: String,
}

/// Reads what came; an op whose head cannot be read has its outcome already.
fn open(op: SealedOp) -> Result<Incoming, OpOutcome> {
    let head = op.head().map_err(|why| OpOutcome {
        op: None,
        sha256: op.sha256,
        outcome: Outcome::Rejected {
            reason: reason(
                match why {
                    BadOp::HashMismatch => "hash_mismatch",
                    BadOp::TooLarge(_) => "too_large",
                    BadOp::Head { .. } | BadOp::UnknownIntent => "unreadable",
                },
                &why,
            ),
        },
    })?;
    let body = match serde_json::from_str::<OpBody>(&op.body) {
        _ if head.v > OP_VERSION => Err("unknown_version"),
        Ok(body) => Ok(body),
        Err(_) => Err("unknown_intent"),
    };
    Ok(Incoming {
        sha256: op.sha256,
        head,
        body,
        text: op.body,
    })
}

impl Service {
    /// Takes ops; on return the outcomes are durable.
    ///
    /// # Errors
    /// 413 for too many ops, 426 for a version that is not spoken, or where the
    /// store fails: nothing is stored then.
    pub fn push(&self, device: &DeviceRow, request: PushRequest) -> Result<PushResponse, Error> {
        check_version(request.v)?;
        if request.ops.len() > MAX_PUSH_OPS {
            let text = format!("At most {MAX_PUSH_OPS} ops are taken at a time.");
            return Err(Fault::new(413, "too_large", text).into());
        }
        let ops: Vec<_> = request.ops.into_iter().map(open).collect();
        let ops = Arc::new(ops);
        let (device, rng, now_ms) = (device.clone(), Arc::clone(&self.rng), self.now_ms());
        let outcomes = self.commit(move |tx| {
            let take = |tx: &mut dyn Write, ops: &[_]| take(tx, &device, &*rng, now_ms, ops);
            match nested(tx, |tx| take(tx, &ops)) {
                Err(Error::Store(error)) if !error.ends_transaction() => {
                    // One of them is more than the store can take: the others
                    // must not suffer from it.
                    tracing::error!(%error, "a batch failed in the store; taking its ops one by one");
                    one_by_one(tx, &ops, take)
                }
                other => other,
            }
        })?;
        Ok(PushResponse {
            outcomes,
            receipt: None,
        })
    }
}

type Opened = Result<Incoming, OpOutcome>;

fn take(
    tx: &mut dyn Write,
    device: &DeviceRow,
    rng: &dyn gridwalk_domain::Rng,
    now_ms: i64,
    ops: &[Opened],
) -> Result<Vec<OpOutcome>, Error> {
    let readable = ops.iter().filter_map(|op| op.as_ref().ok());
    let mut batch = Batch::load(tx, device, now_ms, readable)?;
    let outcomes = ops
        .iter()
        .map(|op| match op {
            Err(outcome) => outcome.clone(),
            Ok(op) => OpOutcome {
                op: Some(op.head.id),
                sha256: op.sha256,
                outcome: batch.take(op),
            },
        })
        .collect();
    batch.store(tx, rng)?;
    Ok(outcomes)
}

/// Takes each op in a savepoint of its own. One that the store cannot take is
/// not stored, and said to be so: send it again later.
fn one_by_one(
    tx: &mut dyn Write,
    ops: &[Opened],
    take: impl Fn(&mut dyn Write, &[Opened]) -> Result<Vec<OpOutcome>, Error>,
) -> Result<Vec<OpOutcome>, Error> {
    let mut outcomes = Vec::with_capacity(ops.len());
    for op in ops {
        match nested(tx, |tx| take(tx, std::slice::from_ref(op))) {
            Ok(outcome) => outcomes.extend(outcome),
            Err(Error::Store(error)) if !error.ends_transaction() => {
                let (id, sha256) = match op {
                    Ok(op) => (Some(op.head.id), op.sha256),
                    Err(outcome) => (outcome.op, outcome.sha256),
                };
                tracing::error!(%error, "an op failed in the store");
                let outcome = Outcome::Deferred { missing: vec![] };
                outcomes.push(OpOutcome {
                    op: id,
                    sha256,
                    outcome,
                });
            }
            Err(other) => return Err(other),
        }
    }
    Ok(outcomes)
}
