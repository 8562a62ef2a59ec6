//! Sending ops.

use gridwalk_domain::wire::{PROTOCOL_VERSION, PushRequest, PushResponse};
use rusqlite::Transaction;
use std::collections::BTreeSet;

use super::call::Step;
use super::pace::{Batches, Carried, Guilty, Then};
use super::{Phase, Run};
use crate::attachments::Which;
use crate::core::begin;
use crate::error::{EngineError, Inner};
use crate::observe::Touched;
use crate::outbox::{self, Due, Settled};
use crate::view;

/// How often the outbox is gone through while deferred ops become due.
const PASSES: usize = 3;

/// What going through the outbox, or a part of it, came to.
#[derive(Default)]
struct Pass {
    taken: u64,
    deferred: u64,
    /// Something that the server lacks was put back into the queue.
    again: bool,
}

impl Run<'_> {
    /// Sends what is due, in the order of the saves. An op that was deferred
    /// goes again once others were taken.
    pub(super) fn push(&mut self) -> Step<()> {
        for _ in 0..PASSES {
            let pass = self.push_once()?;
            self.report.deferred = pass.deferred;
            if pass.deferred == 0 || (pass.taken == 0 && !pass.again) {
                break;
            }
        }
        Ok(())
    }

    /// Goes through the outbox once.
    fn push_once(&mut self) -> Step<Pass> {
        let account = self.me.account;
        let unsent = self
            .shared
            .with(|core| view::amount(&core.conn, account, Which::All))?;
        self.meter
            .plan(Phase::Push, unsent.ops.items, unsent.ops.bytes);
        let pace = self.pace(self.limits.push_bytes);
        let mut batches = Batches::new(pace, self.limits.push_ops);
        let (mut after, mut pass) = (0, Pass::default());
        loop {
            let (ops, bytes) = batches.next(self.line.room());
            let server_ms = self.server_ms();
            let due = self.shared.with(|core| {
                let due = outbox::due(&core.conn, account, server_ms, after, ops, bytes)?;
                let tx = begin(&mut core.conn)?;
                outbox::tried(&tx, &due)?;
                tx.commit()?;
                Ok(due)
            })?;
            let (Some(first), Some(last)) = (due.first(), due.last()) else {
                break;
            };
            let carried = Carried {
                items: due.len(),
                bytes: due.iter().map(|op| op.sealed.body.len()).sum(),
                n: first.n,
                tries: first.tries,
            };
            self.tell(Phase::Push);
            let since = self.shared.now().mono_ms;
            match self.push_batch(&due) {
                Ok(batch) => {
                    pass.taken += batch.taken;
                    pass.deferred += batch.deferred;
                    pass.again |= batch.again;
                    after = last.n;
                    let (items, bytes) = (carried.items as u64, carried.bytes as u64);
                    self.meter.did(Phase::Push, items, bytes);
                    let took = self.shared.now().mono_ms - since;
                    let guilty = batches.passed(carried, took);
                    self.park(guilty)?;
                }
                Err(halt) => {
                    self.broke(&halt, carried.bytes);
                    match batches.refused(carried, halt)? {
                        Then::Smaller => {}
                        Then::Skip => after = last.n,
                        Then::Park(guilty) => {
                            self.park(Some(guilty))?;
                            after = last.n;
                        }
                    }
                }
            }
        }
        let guilty = batches.end()?;
        self.park(guilty)?;
        Ok(pass)
    }

    fn push_batch(&mut self, due: &[Due]) -> Step<Pass> {
        let ops = due.iter().map(|op| op.sealed.clone()).collect();
        let answer: PushResponse = self.line.post(
            "/v1/push",
            &PushRequest {
                v: PROTOCOL_VERSION,
                ops,
            },
        )?;
        if answer.outcomes.len() != due.len() {
            let message = "expected one outcome for each op".to_owned();
            return Err(EngineError::BadAnswer { message }.into());
        }
        self.news = true;
        let server_ms = self.server_ms();
        let settled = self.keep(answer.receipt, |tx, word| {
            let (mut all, mut touched) = (Vec::new(), BTreeSet::new());
            for (op, outcome) in due.iter().zip(&answer.outcomes) {
                // An outcome without a name is for an op whose head the server
                // could not read; its place and hash tell which.
                let id = outcome.op.unwrap_or(op.id);
                if let Some((entity, settled)) =
                    outbox::settle(tx, word, id, outcome.sha256, &outcome.outcome)?
                {
                    if settled
                        == (Settled::Deferred {
                            again: false,
                            lost: true,
                        })
                    {
                        rest_without(tx, op, server_ms)?;
                    }
                    all.push(settled);
                    touched.insert(entity);
                }
            }
            Ok((all, Touched::records(touched)))
        })?;
        let mut pass = Pass::default();
        for settled in settled {
            match settled {
                Settled::Taken { conflict } => {
                    pass.taken += 1;
                    self.report.conflicts += u64::from(conflict);
                }
                Settled::Refused => self.report.refused += 1,
                Settled::Deferred { again, .. } => {
                    pass.deferred += 1;
                    pass.again |= again;
                }
                Settled::Purged | Settled::Unknown => {}
            }
        }
        self.report.ops_sent += pass.taken;
        Ok(pass)
    }

    fn park(&mut self, guilty: Option<Guilty>) -> Step<()> {
        let Some(Guilty { n, code, why }) = guilty else {
            return Ok(());
        };
        let server_ms = self.server_ms();
        self.report.refused += 1;
        Ok(self.shared.change(|core| {
            let tx = begin(&mut core.conn)?;
            let record = outbox::park(&tx, n, server_ms, &code, &why)?;
            tx.commit()?;
            Ok(((), Touched::records(record)))
        })?)
    }
}

/// What must come before an op is neither on the server nor on this phone: the
/// op rests, so that it is listed and does not go with every sync.
fn rest_without(tx: &Transaction<'_>, op: &Due, server_ms: i64) -> Inner<()> {
    let why = "what must come before it is neither on the server nor on this phone";
    outbox::park(tx, op.n, server_ms, "missing", why)?;
    Ok(())
}
