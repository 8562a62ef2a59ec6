//! Pulling what changed.

use gridwalk_domain::StreamKey;
use gridwalk_domain::wire::{PROTOCOL_VERSION, PullRequest, PullResponse};
use std::collections::{BTreeMap, BTreeSet};

use super::{Phase, Run};
use crate::core::begin;
use crate::error::{EngineError, Result};
use crate::identity::Me;
use crate::observe::Touched;
use crate::{pull, view};

impl Run<'_> {
    /// Pulls page after page until there are no more. Receipts come first, so
    /// that an answer that was lost is never missed for long.
    pub(super) fn pull(&mut self, me: &Me) -> Result<()> {
        let receipts = StreamKey::Receipts(me.device);
        loop {
            self.tell(Phase::Pull, self.report.entities_pulled, 0);
            let request = self.shared.with(|core| {
                let mut streams = BTreeMap::new();
                for key in core.synced.iter().flat_map(|synced| &synced.scope.streams) {
                    streams.insert(*key, pull::cursor(&core.conn, *key)?);
                }
                Ok(PullRequest {
                    v: PROTOCOL_VERSION,
                    receipts: pull::cursor(&core.conn, receipts)?,
                    streams,
                    unsent: view::unsent(&core.conn)?,
                })
            })?;
            let answer: PullResponse = self.line.post("/v1/pull", &request)?;
            if let Some(stranger) = answer
                .streams
                .keys()
                .find(|key| !request.streams.contains_key(key))
            {
                let message = format!("a stream that was not asked for: {stranger}");
                return Err(EngineError::BadAnswer { message });
            }
            let moved = answer.receipts.cursor != request.receipts
                || answer
                    .streams
                    .iter()
                    .any(|(key, page)| Some(&page.cursor) != request.streams.get(key));
            if !self.keep(receipts, &answer, moved)? {
                return Ok(());
            }
        }
    }

    /// Keeps an answer in one transaction; says whether there is more to pull.
    fn keep(&mut self, receipts: StreamKey, answer: &PullResponse, moved: bool) -> Result<bool> {
        let now_ms = self.shared.now().wall_ms;
        let reread = self.shared.change(|core| {
            let tx = begin(&mut core.conn)?;
            let mut touched: BTreeSet<_> = pull::keep_receipts(&tx, receipts, &answer.receipts)?;
            let mut reread = 0;
            for (key, page) in &answer.streams {
                let kept = pull::keep_page(&tx, *key, page, now_ms)?;
                touched.extend(kept.touched);
                reread += u64::from(kept.differs);
            }
            tx.commit()?;
            Ok((reread, Touched::records(touched)))
        })?;
        let pulled: usize = answer
            .streams
            .values()
            .map(|page| page.entities.len())
            .sum();
        self.report.entities_pulled += pulled as u64;
        self.report.snapshots += reread;
        let more = answer.receipts.more || answer.streams.values().any(|page| page.more);
        // A server that promises more and gives none would be asked for ever.
        if more && !moved {
            return Err(EngineError::BadAnswer {
                message: "more was promised and none came".to_owned(),
            });
        }
        Ok(more || reread > 0)
    }
}
