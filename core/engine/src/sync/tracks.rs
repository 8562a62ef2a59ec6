//! Sending sealed chunks.

use gridwalk_domain::wire::tracks::{CONTENT_TYPE, NamedChunk, encode};
use gridwalk_domain::wire::{TrackOutcome, TracksResponse};

use super::call::Step;
use super::pace::{Batches, Carried, Guilty, Then};
use super::{Phase, Run};
use crate::attachments::Which;
use crate::chunks::{self, Due};
use crate::core::begin;
use crate::error::EngineError;
use crate::observe::Touched;
use crate::view;

/// Chunks of one request: what is cut around one at fault begins here.
const MOST: usize = 256;

impl Run<'_> {
    /// Sends what is due, oldest first. What was deferred in this sync waits
    /// for the next one.
    pub(super) fn tracks(&mut self) -> Step<()> {
        let account = self.me.account;
        let unsent = self
            .shared
            .with(|core| view::amount(&core.conn, account, Which::All))?;
        self.meter
            .plan(Phase::Tracks, unsent.chunks.items, unsent.chunks.bytes);
        let mut batches = Batches::new(self.pace(self.limits.tracks_bytes), MOST);
        let mut after = 0;
        loop {
            let (items, bytes) = batches.next(self.line.room());
            let server_ms = self.server_ms();
            let due = self.shared.with(|core| {
                let due = chunks::due(&core.conn, account, server_ms, after, items, bytes)?;
                let tx = begin(&mut core.conn)?;
                chunks::tried(&tx, &due)?;
                tx.commit()?;
                Ok(due)
            })?;
            let (Some(first), Some(last)) = (due.first(), due.last()) else {
                break;
            };
            let carried = Carried {
                items: due.len(),
                bytes: due.iter().map(|due| due.chunk.body.len()).sum(),
                n: first.n,
                tries: first.tries,
            };
            self.tell(Phase::Tracks);
            let since = self.shared.now().mono_ms;
            match self.send_chunks(&due) {
                Ok(()) => {
                    after = last.n;
                    let (items, bytes) = (carried.items as u64, carried.bytes as u64);
                    self.meter.did(Phase::Tracks, items, bytes);
                    let took = self.shared.now().mono_ms - since;
                    let guilty = batches.passed(carried, took);
                    self.park_chunk(guilty)?;
                }
                Err(halt) => {
                    self.broke(&halt, carried.bytes);
                    match batches.refused(carried, halt)? {
                        Then::Smaller => {}
                        Then::Skip => after = last.n,
                        Then::Park(guilty) => {
                            self.park_chunk(Some(guilty))?;
                            after = last.n;
                        }
                    }
                }
            }
        }
        let guilty = batches.end()?;
        self.park_chunk(guilty)
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
        self.keep(answer.receipt, |tx, word| {
            for outcome in &answer.outcomes {
                chunks::settle(tx, word, &outcome.chunk, &outcome.outcome)?;
            }
            let patrols = chunks.iter().map(|chunk| chunk.name.patrol);
            Ok(((), Touched::records(patrols)))
        })?;
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
        Ok(())
    }

    fn park_chunk(&mut self, guilty: Option<Guilty>) -> Step<()> {
        let Some(Guilty { n, code, why }) = guilty else {
            return Ok(());
        };
        let server_ms = self.server_ms();
        self.report.refused += 1;
        Ok(self.shared.change(|core| {
            let tx = begin(&mut core.conn)?;
            let record = chunks::park(&tx, n, server_ms, &code, &why)?;
            tx.commit()?;
            Ok(((), Touched::records(record)))
        })?)
    }
}
