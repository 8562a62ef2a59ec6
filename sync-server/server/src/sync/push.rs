//! `push`: ops come in, each gets an outcome.

use gridwalk_domain::wire::{MAX_PUSH_OPS, OpOutcome, Outcome, PushRequest, PushResponse};
use gridwalk_store::{DeviceStanding, Write, nested};
use std::sync::Arc;

use super::line::check_receipt;
use super::{Phone, last_receipt};
use crate::batch::{Batch, Incoming, Told};
use crate::error::{Error, Fault};
use crate::service::{Service, Tools};

/// An op that came, or what became of one that could not even be read.
type Opened = Result<Incoming, OpOutcome>;
/// What became of each.
type Taken = Result<Vec<OpOutcome>, Error>;

impl Service {
    /// Takes ops; on return the outcomes are durable.
    ///
    /// # Errors
    /// 413 for too many ops, 409 for a phone of another time line, or where the
    /// store fails: nothing is stored then.
    pub fn push(&self, phone: &Phone, request: PushRequest) -> Result<PushResponse, Error> {
        if request.ops.len() > MAX_PUSH_OPS {
            let text = format!("At most {MAX_PUSH_OPS} ops are taken at a time.");
            return Err(Fault::new(413, "too_large", text).into());
        }
        let too_old = request.v < self.tools.settings.min_v;
        let ops: Vec<Opened> = request.ops.into_iter().map(Incoming::open).collect();
        let (ops, now_ms) = (Arc::new(ops), self.now_ms());
        let take = |how: fn(&Asked<'_>, &mut dyn Write, &[Opened]) -> Taken| {
            let (phone, ops) = (phone.clone(), Arc::clone(&ops));
            self.commit_with(move |tx, tools| {
                let phone = phone.now(tx)?;
                check_receipt(tx, &phone, phone.seen)?;
                let asked = Asked {
                    tools,
                    phone: &phone,
                    too_old,
                    now_ms,
                };
                let outcomes = how(&asked, tx, &ops)?;
                let receipt = last_receipt(tx, phone.tenant, phone.id)?;
                Ok(PushResponse { outcomes, receipt })
            })
        };
        self.on_this_line(phone, || match take(|asked, tx, ops| asked.take(tx, ops)) {
            Err(Error::Store(error)) if !error.ends_transaction() => {
                // One of them is more than the store can take: the others must
                // not suffer from it.
                tracing::error!(%error, "a batch failed in the store; taking its ops one by one");
                take(|asked, tx, ops| asked.one_by_one(tx, ops))
            }
            other => other,
        })
    }
}

/// Who pushes, and when.
struct Asked<'a> {
    tools: &'a Tools,
    phone: &'a Phone,
    too_old: bool,
    now_ms: i64,
}

impl Asked<'_> {
    fn take(&self, tx: &mut dyn Write, ops: &[Opened]) -> Taken {
        let device = &self.phone.device;
        let mut batch = Batch::open(tx, self.tools, device.tenant, self.now_ms)?;
        batch.sent_by(tx, device, self.too_old)?;
        batch.load(tx, ops.iter().filter_map(|op| op.as_ref().ok()))?;
        // What a stolen phone sends it sends once.
        let deferring = device.standing != DeviceStanding::Stolen;
        let mut told = Vec::with_capacity(ops.len());
        for op in ops {
            told.push(match op {
                Ok(op) => batch.take(tx, op, Some(device.id), deferring)?,
                Err(outcome) => Told::Not(outcome.clone()),
            });
        }
        batch.free(tx)?;
        let outcomes = told.into_iter().map(|told| batch.tell(told)).collect();
        batch.store(tx)?;
        Ok(outcomes)
    }

    /// Takes each op in a savepoint of its own. One that the store cannot take is
    /// not stored, and said to be so: send it again later.
    fn one_by_one(&self, tx: &mut dyn Write, ops: &[Opened]) -> Taken {
        let mut outcomes = Vec::with_capacity(ops.len());
        for op in ops {
            match nested(tx, |tx| self.take(tx, std::slice::from_ref(op))) {
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
}
