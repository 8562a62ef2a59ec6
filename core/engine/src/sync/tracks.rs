//! Sending sealed chunks.

use gridwalk_domain::wire::tracks::{CONTENT_TYPE, NamedChunk, encode};
use gridwalk_domain::wire::{TrackOutcome, TracksResponse};

use super::call::Step;
use super::{Phase, Run, at_fault};
use crate::chunks::{self, Due};
use crate::core::begin;
use crate::error::EngineError;
use crate::observe::Touched;
use crate::view;

impl Run<'_> {
    /// Sends what is due, oldest first. What was deferred in this sync waits
    /// for the next one.
    pub(super) fn tracks(&mut self) -> Step<()> {
        let account = self.me.account;
        let unsent = self.shared.with(|core| view::unsent(&core.conn, account))?;
        self.meter.plan(Phase::Tracks, unsent.chunks, 0);
        let mut bytes = self.limits.tracks_bytes;
        let mut after = 0;
        loop {
            let (limit, server_ms) = (bytes, self.server_ms());
            let due = self.shared.with(|core| {
                let due = chunks::due(&core.conn, account, server_ms, after, limit)?;
                let tx = begin(&mut core.conn)?;
                chunks::tried(&tx, &due)?;
                tx.commit()?;
                Ok(due)
            })?;
            let Some(last) = due.last() else {
                return Ok(());
            };
            let last = last.n;
            self.tell(Phase::Tracks);
            match self.send_chunks(&due) {
                Ok(()) => {
                    after = last;
                    self.meter.did(Phase::Tracks, due.len() as u64, 0);
                    bytes = (bytes * 2).min(self.limits.tracks_bytes);
                }
                Err(halt) => match at_fault(&halt) {
                    Some(_) if due.len() > 1 => bytes = size(&due) / 2,
                    Some((code, text)) => {
                        self.park_chunk(&due[0], code, text)?;
                        after = last;
                    }
                    None => return Err(halt),
                },
            }
        }
    }

    fn send_chunks(&mut self, due: &[Due]) -> Step<()> {
        let chunks: Vec<NamedChunk> = due.iter().map(|due| due.chunk.clone()).collect();
        let answer: TracksResponse =
            self.line
                .post_bytes("/v1/tracks", CONTENT_TYPE, encode(&chunks))?;
        let named = answer.outcomes.iter().map(|outcome| outcome.chunk);
        if !named.eq(chunks.iter().map(|chunk| chunk.name)) {
            let message = "expected one outcome for each chunk, in order".to_owned();
            return Err(EngineError::BadAnswer { message }.into());
        }
        self.news = true;
        for outcome in &answer.outcomes {
            match outcome.outcome {
                TrackOutcome::Stored | TrackOutcome::Duplicate => self.report.chunks_sent += 1,
                TrackOutcome::Deferred => self.report.deferred += 1,
                TrackOutcome::Purged | TrackOutcome::Unknown => {}
                TrackOutcome::Quarantined { .. } | TrackOutcome::Rejected { .. } => {
                    self.report.refused += 1;
                }
            }
        }
        self.keep(answer.receipt, |tx, word| {
            for outcome in &answer.outcomes {
                chunks::settle(tx, word, &outcome.chunk, &outcome.outcome)?;
            }
            let patrols = chunks.iter().map(|chunk| chunk.name.patrol);
            Ok(((), Touched::records(patrols)))
        })
    }

    fn park_chunk(&mut self, due: &Due, code: &str, text: &str) -> Step<()> {
        let server_ms = self.server_ms();
        self.report.refused += 1;
        Ok(self.shared.change(|core| {
            let tx = begin(&mut core.conn)?;
            chunks::park(&tx, due.n, server_ms, code, text)?;
            tx.commit()?;
            Ok(((), Touched::records([due.chunk.name.patrol])))
        })?)
    }
}

fn size(due: &[Due]) -> usize {
    due.iter().map(|due| due.chunk.body.len() + 48).sum()
}
