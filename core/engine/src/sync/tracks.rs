//! Sending sealed chunks.

use gridwalk_domain::wire::tracks::{CONTENT_TYPE, NamedChunk, encode};
use gridwalk_domain::wire::{ChunkName, TrackOutcome, TracksResponse};

use super::{Phase, Run, at_fault};
use crate::core::begin;
use crate::error::{EngineError, Result};
use crate::observe::Touched;
use crate::outbox::PARKED_MS;
use crate::{chunks, pull, view};

impl Run<'_> {
    /// Sends what is due, oldest first.
    pub(super) fn tracks(&mut self) -> Result<()> {
        let total = self
            .shared
            .with(|core| Ok(view::unsent(&core.conn)?.chunks))?;
        let mut bytes = self.limits.tracks_bytes;
        // What was deferred in this sync waits for the next one.
        let mut seen: Vec<ChunkName> = Vec::new();
        loop {
            let now_ms = self.shared.now().wall_ms;
            let (limit, skip) = (bytes, seen.as_slice());
            let due = self.shared.with(|core| {
                let due = chunks::due(&core.conn, skip, now_ms, limit)?;
                let tx = begin(&mut core.conn)?;
                chunks::tried(&tx, &due)?;
                tx.commit()?;
                Ok(due)
            })?;
            if due.is_empty() {
                return Ok(());
            }
            self.tell(
                Phase::Tracks,
                seen.len() as u64,
                total.max(seen.len() as u64),
            );
            match self.send_chunks(&due) {
                Ok(()) => {
                    seen.extend(due.iter().map(|chunk| chunk.name));
                    bytes = (bytes * 2).min(self.limits.tracks_bytes);
                }
                Err(error) => match at_fault(&error) {
                    Some(_) if due.len() > 1 => bytes = encode(&due).len() / 2,
                    Some((code, text)) => {
                        self.park_chunk(&due[0], code, text)?;
                        seen.push(due[0].name);
                    }
                    None => return Err(error),
                },
            }
        }
    }

    fn send_chunks(&mut self, due: &[NamedChunk]) -> Result<()> {
        let answer: TracksResponse =
            self.line
                .post_bytes("/v1/tracks", CONTENT_TYPE, encode(due))?;
        let named = answer.outcomes.iter().map(|outcome| outcome.chunk);
        if !named.eq(due.iter().map(|chunk| chunk.name)) {
            let message = "expected one outcome for each chunk, in order".to_owned();
            return Err(EngineError::BadAnswer { message });
        }
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
        self.shared.change(|core| {
            let tx = begin(&mut core.conn)?;
            for outcome in &answer.outcomes {
                pull::keep_chunk(&tx, &outcome.chunk, &outcome.outcome)?;
            }
            tx.commit()?;
            Ok((
                (),
                Touched::records(due.iter().map(|chunk| chunk.name.patrol)),
            ))
        })
    }

    fn park_chunk(&mut self, chunk: &NamedChunk, code: &str, text: &str) -> Result<()> {
        let until_ms = self.shared.now().wall_ms + PARKED_MS;
        self.report.refused += 1;
        self.shared.change(|core| {
            let tx = begin(&mut core.conn)?;
            chunks::park(&tx, &chunk.name, until_ms, code, text)?;
            tx.commit()?;
            Ok(((), Touched::records([chunk.name.patrol])))
        })
    }
}
