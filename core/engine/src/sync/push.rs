//! Sending ops.

use gridwalk_domain::wire::{PROTOCOL_VERSION, PushRequest, PushResponse};
use std::collections::BTreeSet;

use super::call::Step;
use super::{Phase, Run, at_fault};
use crate::core::begin;
use crate::error::EngineError;
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
        let unsent = self.shared.with(|core| view::unsent(&core.conn, account))?;
        self.meter.plan(Phase::Push, unsent.ops, 0);
        let (mut after, mut ops) = (0, self.limits.push_ops);
        let mut pass = Pass::default();
        loop {
            let (ops_limit, bytes) = (ops, self.limits.push_bytes);
            let server_ms = self.server_ms();
            let due = self.shared.with(|core| {
                let due = outbox::due(&core.conn, account, server_ms, after, ops_limit, bytes)?;
                let tx = begin(&mut core.conn)?;
                outbox::tried(&tx, &due)?;
                tx.commit()?;
                Ok(due)
            })?;
            let Some(last) = due.last() else {
                return Ok(pass);
            };
            let last = last.n;
            self.tell(Phase::Push);
            match self.push_batch(&due) {
                Ok(batch) => {
                    pass.taken += batch.taken;
                    pass.deferred += batch.deferred;
                    pass.again |= batch.again;
                    self.meter.did(Phase::Push, due.len() as u64, 0);
                    after = last;
                    // What was cut small around an op at fault grows again.
                    ops = (ops * 2).min(self.limits.push_ops);
                }
                // Refused as a whole: halved until the op at fault is alone.
                Err(halt) => match at_fault(&halt) {
                    Some(_) if due.len() > 1 => ops = due.len() / 2,
                    Some((code, text)) => {
                        self.park(&due[0], code, text)?;
                        after = last;
                    }
                    None => return Err(halt),
                },
            }
        }
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
        let settled = self.keep(answer.receipt, |tx, word| {
            let (mut all, mut touched) = (Vec::new(), BTreeSet::new());
            for (op, outcome) in due.iter().zip(&answer.outcomes) {
                // An outcome without a name is for an op whose head the server
                // could not read; its place and hash tell which.
                let id = outcome.op.unwrap_or(op.id);
                if let Some((entity, settled)) =
                    outbox::settle(tx, word, id, outcome.sha256, &outcome.outcome)?
                {
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

    fn park(&mut self, op: &Due, code: &str, text: &str) -> Step<()> {
        let server_ms = self.server_ms();
        self.report.refused += 1;
        Ok(self.shared.change(|core| {
            let tx = begin(&mut core.conn)?;
            outbox::park(&tx, op.n, server_ms, code, text)?;
            tx.commit()?;
            Ok(((), Touched::status()))
        })?)
    }
}
