//! `tracks`: sealed chunks come in, each gets an outcome.
//!
//! A fix is named by (patrol, run, ordinal), however chunks are cut: what is
//! stored of a run never overlaps, and the same name with another content is
//! kept aside.

use gridwalk_domain::wire::tracks::{NamedChunk, decode};
use gridwalk_domain::wire::{
    ChunkOutcome, MAX_TRACKS_BYTES, Reason, ReceiptOf, TrackOutcome, TracksResponse,
};
use gridwalk_domain::{EntityId, Rng, Sha256};
use gridwalk_store::{
    ChunkRow, ChunkSpan, DeviceRow, HeldChunkRow, PositionRow, StoreError, Write,
};
use gridwalk_track::codec::{self, ChunkError};
use gridwalk_track::{StoredFix, codec::header};
use std::collections::HashMap;
use std::sync::Arc;

use super::ingest::reason;
use super::receipts;
use crate::error::{Error, Fault};
use crate::service::Service;

/// A fix from further ahead than this does not say where a worker is now: a
/// phone whose clock runs ahead would freeze there.
const AHEAD_MS: i64 = 5 * 60_000;

/// What is known of a patrol that chunks are sent for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Patrol {
    /// It is here, and this worker's.
    Theirs,
    /// It is here, and somebody else's; or it is no patrol.
    Foreign,
    /// Its creation was refused or is in quarantine.
    Refused,
    /// It was never heard of.
    Unknown,
}

impl Service {
    /// Takes a block of chunks; on return the outcomes are durable.
    ///
    /// # Errors
    /// 400 for a block that cannot be read, 413 for one that is too large, or
    /// where the store fails: nothing is stored then.
    pub fn tracks(&self, device: &DeviceRow, block: &[u8]) -> Result<TracksResponse, Error> {
        if block.len() > MAX_TRACKS_BYTES {
            return Err(Fault::too_large(MAX_TRACKS_BYTES).into());
        }
        let chunks = decode(block).map_err(|why| Fault::new(400, "bad_block", why.to_string()))?;
        let chunks = Arc::new(chunks);
        let (device, rng, now_ms) = (device.clone(), Arc::clone(&self.rng), self.now_ms());
        let outcomes = self.commit(move |tx| take(tx, &device, &*rng, now_ms, &chunks))?;
        Ok(TracksResponse {
            outcomes,
            receipt: None,
        })
    }
}

fn take(
    tx: &mut dyn Write,
    device: &DeviceRow,
    rng: &dyn Rng,
    now_ms: i64,
    chunks: &[NamedChunk],
) -> Result<Vec<ChunkOutcome>, Error> {
    let patrols = patrols(tx, device, chunks)?;
    let mut taking = Taking {
        device,
        now_ms,
        last: None,
    };
    let (mut outcomes, mut of) = (Vec::new(), Vec::new());
    for chunk in chunks {
        let patrol = patrols
            .get(&chunk.name.patrol)
            .copied()
            .unwrap_or(Patrol::Unknown);
        let (outcome, news) = taking.chunk(tx, patrol, chunk)?;
        let outcome = ChunkOutcome {
            chunk: chunk.name,
            outcome,
        };
        if news {
            of.push(ReceiptOf::Chunk(outcome.clone()));
        }
        outcomes.push(outcome);
    }
    receipts::add(tx, rng, device.tenant, device.id, of)?;
    if let Some(position) = taking.last {
        let known = tx.position(device.tenant, device.worker)?;
        if known.is_none_or(|known| known.at_ms < position.at_ms) {
            tx.put_position(device.tenant, &position)?;
        }
    }
    Ok(outcomes)
}

fn patrols(
    tx: &dyn Write,
    device: &DeviceRow,
    chunks: &[NamedChunk],
) -> Result<HashMap<EntityId, Patrol>, StoreError> {
    let mut ids: Vec<EntityId> = chunks.iter().map(|chunk| chunk.name.patrol).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut patrols = HashMap::new();
    for row in tx.entities(device.tenant, &ids)? {
        let theirs = row.kind == "patrol" && row.worker == Some(device.worker);
        patrols.insert(
            row.id,
            if theirs {
                Patrol::Theirs
            } else {
                Patrol::Foreign
            },
        );
    }
    for id in ids {
        if patrols.contains_key(&id) {
            continue;
        }
        let held = tx.held_ops(device.tenant, id)?;
        let refused = held.iter().any(|op| op.device == Some(device.id));
        patrols.insert(
            id,
            if refused {
                Patrol::Refused
            } else {
                Patrol::Unknown
            },
        );
    }
    Ok(patrols)
}

struct Taking<'a> {
    device: &'a DeviceRow,
    now_ms: i64,
    /// The last usable position of what was stored.
    last: Option<PositionRow>,
}

impl Taking<'_> {
    /// A chunk's outcome, and whether something was stored of it.
    fn chunk(
        &mut self,
        tx: &mut dyn Write,
        patrol: Patrol,
        chunk: &NamedChunk,
    ) -> Result<(TrackOutcome, bool), Error> {
        let span = ChunkSpan::from(chunk.name);
        if span.count == 0 || span.end() > u64::from(u32::MAX) {
            let reason = reason("bad_name", &"a chunk holds at least one fix, below 2³²");
            return Ok((TrackOutcome::Rejected { reason }, false));
        }
        match patrol {
            Patrol::Unknown => return Ok((TrackOutcome::Deferred, false)),
            Patrol::Foreign => {
                return self.hold(
                    tx,
                    chunk,
                    "foreign_author",
                    &"the patrol is not this worker's",
                );
            }
            Patrol::Refused => {
                let text = "the patrol was refused or is in quarantine";
                return self.hold(tx, chunk, "depends_on_refused", &text);
            }
            Patrol::Theirs => {}
        }
        let fixes = match read(chunk) {
            Ok(fixes) => fixes,
            Err(reason) => return self.hold(tx, chunk, &reason.code, &reason.text),
        };
        let over = tx.chunks_over(self.device.tenant, span)?;
        if over.is_empty() {
            self.store(tx, span, chunk.body.clone(), &fixes)?;
            return Ok((TrackOutcome::Stored, true));
        }
        let Some(new) = missing(span, &fixes, &over)? else {
            let text = "a fix of that name with another content is stored";
            return self.hold(tx, chunk, "other_content", &text);
        };
        if new.is_empty() {
            return Ok((TrackOutcome::Duplicate, false));
        }
        for (first, fixes) in new {
            let body = codec::encode(fixes).map_err(|why| StoreError::Refused(why.to_string()))?;
            let count = u32::try_from(fixes.len()).unwrap_or(u32::MAX);
            self.store(
                tx,
                ChunkSpan {
                    first,
                    count,
                    ..span
                },
                body,
                fixes,
            )?;
        }
        Ok((TrackOutcome::Stored, true))
    }

    fn store(
        &mut self,
        tx: &mut dyn Write,
        span: ChunkSpan,
        body: Vec<u8>,
        fixes: &[StoredFix],
    ) -> Result<(), StoreError> {
        let used = fixes.iter().filter(|stored| stored.refused.is_none());
        let past = used.filter(|stored| stored.fix.time_ms <= self.now_ms + AHEAD_MS);
        if let Some(last) = past.max_by_key(|stored| stored.fix.time_ms)
            && self.last.is_none_or(|known| known.at_ms < last.fix.time_ms)
        {
            self.last = Some(PositionRow {
                worker: self.device.worker,
                at_ms: last.fix.time_ms,
                at: last.fix.position,
            });
        }
        let row = ChunkRow {
            span,
            received_ms: self.now_ms,
            body,
        };
        tx.add_chunk(self.device.tenant, &row)
    }

    /// Keeps a chunk aside, untouched; the same one again is no news.
    fn hold(
        &self,
        tx: &mut dyn Write,
        chunk: &NamedChunk,
        code: &str,
        text: &dyn std::fmt::Display,
    ) -> Result<(TrackOutcome, bool), Error> {
        let row = HeldChunkRow {
            span: chunk.name.into(),
            sha256: Sha256::of(&chunk.body),
            device: self.device.id,
            received_ms: self.now_ms,
            reason: reason(code, text),
            body: chunk.body.clone(),
        };
        let same = tx.held_chunk(self.device.tenant, row.span, row.sha256)?;
        if let Some(HeldChunkRow { reason, .. }) = same {
            return Ok((TrackOutcome::Quarantined { reason }, false));
        }
        tx.hold_chunk(self.device.tenant, &row)?;
        let reason = row.reason;
        Ok((TrackOutcome::Quarantined { reason }, true))
    }
}

/// The fixes of a chunk, or why this version cannot read it.
fn read(chunk: &NamedChunk) -> Result<Vec<StoredFix>, Reason> {
    let bad = |error: ChunkError| {
        let code = match error {
            ChunkError::UnknownVersion(_) => "unknown_version",
            _ => "unreadable",
        };
        reason(code, &error)
    };
    let count = header(&chunk.body).map_err(bad)?.count;
    if u32::try_from(count).ok() != Some(chunk.name.count) {
        let text = "the chunk does not hold as many fixes as its name says";
        return Err(reason("unreadable", &text));
    }
    codec::decode(&chunk.body).map_err(bad)
}

/// Fixes that follow each other, and the ordinal of the first.
type Stretch<'a> = (u32, &'a [StoredFix]);

/// The stretches of fixes that are not stored yet; none where one that is stored
/// has another content.
fn missing<'a>(
    span: ChunkSpan,
    fixes: &'a [StoredFix],
    over: &[ChunkRow],
) -> Result<Option<Vec<Stretch<'a>>>, StoreError> {
    let first = span.first as usize;
    let mut known: Vec<bool> = vec![false; fixes.len()];
    for row in over {
        let stored = codec::decode(&row.body)
            .map_err(|why| StoreError::Damaged(format!("a stored chunk cannot be read: {why}")))?;
        for (at, stored) in (row.span.first as usize..).zip(&stored) {
            let Some(at) = at.checked_sub(first).filter(|at| *at < fixes.len()) else {
                continue;
            };
            if fixes[at] != *stored {
                return Ok(None);
            }
            known[at] = true;
        }
    }
    let mut new = Vec::new();
    let mut at = 0;
    while at < fixes.len() {
        let length = known[at..].iter().take_while(|k| **k == known[at]).count();
        if !known[at] {
            let ordinal = span.first + u32::try_from(at).unwrap_or(u32::MAX);
            new.push((ordinal, &fixes[at..at + length]));
        }
        at += length;
    }
    Ok(Some(new))
}
