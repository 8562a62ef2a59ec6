//! Pulling what changed.

use gridwalk_domain::StreamKey;
use gridwalk_domain::wire::{PROTOCOL_VERSION, PullRequest, PullResponse, Standing};
use std::collections::{BTreeMap, BTreeSet};

use super::call::{Halt, Step};
use super::hello::followed;
use super::{Phase, Run};
use crate::error::EngineError;
use crate::observe::Touched;
use crate::pull::{self, Raw};
use crate::view;

impl Run<'_> {
    /// Pulls page after page until there are no more. Receipts come first, so
    /// that an answer that was lost is never missed for long. Below the
    /// server's oldest version pulls stop; what was sent is kept there and
    /// judged again after an upgrade.
    pub(super) fn pull(&mut self, phase: Phase) -> Step<()> {
        // A phone that was stolen is told nothing more.
        let silent = self.too_old || self.standing == Standing::Wipe;
        if !self.news || silent {
            return Ok(());
        }
        let receipts = StreamKey::Receipts(self.me.device);
        loop {
            self.tell(phase);
            let request = self.shared.with(|core| {
                let mut streams = BTreeMap::new();
                for key in followed(core, &self.me) {
                    streams.insert(*key, pull::cursor(&core.conn, *key)?);
                }
                Ok(PullRequest {
                    v: PROTOCOL_VERSION,
                    receipts: pull::cursor(&core.conn, receipts)?,
                    streams,
                    unsent: view::unsent(&core.conn, self.me.account)?,
                })
            })?;
            let answer: PullResponse<Raw> = match self.line.post("/v1/pull", &request) {
                Err(halt) if is_too_old(&halt) => {
                    self.too_old = true;
                    self.report.upgrade_needed = true;
                    return Ok(());
                }
                other => other?,
            };
            if let Some(stranger) = answer
                .streams
                .keys()
                .find(|key| !request.streams.contains_key(key))
            {
                let message = format!("a stream that was not asked for: {stranger}");
                return Err(EngineError::BadAnswer { message }.into());
            }
            let mut cursors = answer.streams.values().filter_map(|page| page.cursor);
            if cursors.any(|cursor| cursor.epoch != self.epoch) {
                return Err(Halt::HelloAgain);
            }
            let moved = answer.receipts.cursor != request.receipts
                || answer
                    .streams
                    .iter()
                    .any(|(key, page)| Some(&page.cursor) != request.streams.get(key));
            if !self.keep_answer(phase, receipts, &answer, moved)? {
                let server_ms = self.server_ms();
                self.note(|line| line.pulled_ms = Some(server_ms))?;
                self.news = false;
                return Ok(());
            }
        }
    }

    /// Keeps an answer in one transaction; says whether there is more to pull.
    fn keep_answer(
        &mut self,
        phase: Phase,
        receipts: StreamKey,
        answer: &PullResponse<Raw>,
        moved: bool,
    ) -> Step<bool> {
        let server_ms = self.server_ms();
        let epoch = self.epoch;
        let reread = self.keep(answer.receipts.cursor, |tx, word| {
            let mut touched: BTreeSet<_> =
                pull::keep_receipts(tx, word, receipts, &answer.receipts)?;
            let mut reread = 0;
            for (key, page) in &answer.streams {
                let kept = pull::keep_page(tx, *key, page, epoch, server_ms)?;
                touched.extend(kept.touched);
                reread += u64::from(kept.differs);
            }
            Ok((reread, Touched::records(touched)))
        })?;
        if reread > 0 {
            self.note(|line| line.rereads += reread)?;
        }
        let pulled: usize = answer
            .streams
            .values()
            .map(|page| page.entities.len())
            .sum();
        self.meter.did(phase, pulled as u64, 0);
        self.report.entities_pulled += pulled as u64;
        self.report.snapshots += reread;
        let more = answer.receipts.more || answer.streams.values().any(|page| page.more);
        // A server that promises more and gives none would be asked for ever.
        if more && !moved {
            let message = "more was promised and none came".to_owned();
            return Err(EngineError::BadAnswer { message }.into());
        }
        Ok(more || reread > 0)
    }
}

fn is_too_old(halt: &Halt) -> bool {
    matches!(
        halt,
        Halt::Failed(EngineError::ServerError { status: 426, .. })
    )
}
