//! `tracks`: sealed chunks come in, each gets an outcome.
//!
//! A fix is named by (patrol, run, ordinal), however chunks are cut: what is
//! stored of a run never overlaps, and the same name with another content is
//! kept aside.

use gridwalk_domain::wire::tracks::{NamedChunk, decode};
use gridwalk_domain::wire::{
    ChunkName, ChunkOutcome, Cursor, MAX_TRACKS_BYTES, Reason, ReceiptOf, TrackOutcome,
    TracksResponse,
};
use gridwalk_domain::{DeviceId, EntityId, Rng, RunId, Sha256, TenantId, WorkerId};
use gridwalk_store::{
    ChunkRow, ChunkSpan, DeviceStanding, HeldChunkRow, PositionRow, Purged, Read, StoreError, Wait,
    Write,
};
use gridwalk_track::codec::{self, ChunkError};
use gridwalk_track::{StoredFix, codec::header};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::line::check_receipt;
use super::{Phone, add_receipts, last_receipt};
use crate::batch::reason;
use crate::error::{Error, Fault};
use crate::service::{Service, Tools};

/// A fix from further ahead than this does not say where a worker is now: a
/// phone whose clock runs ahead would freeze there.
const AHEAD_MS: i64 = 5 * 60_000;

/// Fixes of one request, and of one patrol: eleven days at one a second. Fixes that
/// hardly differ take so few bytes that the block's own limit says little.
const MOST_FIXES: u64 = 1_000_000;

/// What is known of a patrol that chunks are sent for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Patrol {
    /// It is here, and this worker's.
    Theirs,
    /// It is here, and somebody else's; or it is no patrol.
    Foreign,
    /// Its creation was refused or is in quarantine.
    Refused,
    /// It was purged.
    Purged,
    /// It was never heard of.
    Unknown,
}

impl Service {
    /// Takes a block of chunks; on return the outcomes are durable.
    ///
    /// # Errors
    /// 400 for a block that cannot be read, 413 for one that is too large, 409
    /// for a phone of another time line, or where the store fails: nothing is
    /// stored then.
    pub fn tracks(&self, phone: &Phone, block: &[u8]) -> Result<TracksResponse, Error> {
        if block.len() > MAX_TRACKS_BYTES {
            return Err(Fault::too_large(MAX_TRACKS_BYTES).into());
        }
        let chunks = decode(block).map_err(|why| Fault::new(400, "bad_block", why.to_string()))?;
        let fixes: u64 = chunks.iter().map(|chunk| u64::from(chunk.name.count)).sum();
        if fixes > MOST_FIXES {
            let text = format!("At most {MOST_FIXES} fixes are taken at once.");
            return Err(Fault::new(413, "too_large", text).into());
        }
        let (chunks, now_ms) = (Arc::new(chunks), self.now_ms());
        self.on_this_line(phone, || {
            let (phone, chunks) = (phone.clone(), Arc::clone(&chunks));
            self.commit_with(move |tx, tools| {
                let phone = phone.now(tx)?;
                check_receipt(tx, &phone, phone.seen)?;
                let outcomes = take(tx, tools, &phone, now_ms, &chunks)?;
                let receipt = last_receipt(tx, phone.tenant, phone.id)?;
                Ok(TracksResponse { outcomes, receipt })
            })
        })
    }
}

fn take(
    tx: &mut dyn Write,
    tools: &Tools,
    phone: &Phone,
    now_ms: i64,
    chunks: &[NamedChunk],
) -> Result<Vec<ChunkOutcome>, Error> {
    let (tenant, stolen) = (phone.tenant, phone.standing == DeviceStanding::Stolen);
    let ids = chunks.iter().map(|chunk| chunk.name.patrol);
    let patrols = patrols(tx, tenant, phone.id, phone.worker, ids.collect())?;
    let mut taking = Taking::new(tenant, phone.id, phone.worker, now_ms);
    let (mut outcomes, mut of) = (Vec::new(), Vec::new());
    for chunk in chunks {
        let patrol = patrols.get(&chunk.name.patrol).copied();
        let patrol = patrol.unwrap_or(Patrol::Unknown);
        let (outcome, news) = taking.chunk(tx, patrol, stolen, chunk)?;
        let outcome = ChunkOutcome {
            chunk: chunk.name,
            outcome,
        };
        if news {
            of.push(ReceiptOf::Chunk(outcome.clone()));
        }
        outcomes.push(outcome);
    }
    add_receipts(tx, &*tools.rng, tenant, phone.id, of)?;
    taking.keep_position(tx)?;
    Ok(outcomes)
}

fn patrols(
    tx: &dyn Read,
    tenant: TenantId,
    device: DeviceId,
    worker: WorkerId,
    ids: BTreeSet<EntityId>,
) -> Result<BTreeMap<EntityId, Patrol>, StoreError> {
    let ids: Vec<EntityId> = ids.into_iter().collect();
    let mut patrols = BTreeMap::new();
    for row in tx.entities(tenant, &ids)? {
        let theirs = row.kind == "patrol" && row.worker == Some(worker);
        let patrol = match (&row.state, theirs) {
            (None, _) => Patrol::Purged,
            (Some(_), true) => Patrol::Theirs,
            (Some(_), false) => Patrol::Foreign,
        };
        patrols.insert(row.id, patrol);
    }
    for id in ids {
        if patrols.contains_key(&id) {
            continue;
        }
        let purged = tx.purged(tenant, &[Purged::Entity(id)])?;
        let held = tx.held_ops(tenant, Some(id))?;
        let refused = held
            .iter()
            .any(|op| op.summary.creates && op.device == Some(device));
        let patrol = match (purged.is_empty(), refused) {
            (false, _) => Patrol::Purged,
            (true, true) => Patrol::Refused,
            (true, false) => Patrol::Unknown,
        };
        patrols.insert(id, patrol);
    }
    Ok(patrols)
}

/// What became of a chunk's fixes, short of where it is kept.
enum Fate {
    /// All of them are stored, some of them just now.
    Stored,
    /// All of them had been.
    Duplicate,
    /// It is to be kept aside.
    Aside(Reason, Option<Wait>),
}

fn aside(code: &str, text: &dyn std::fmt::Display, wait: Option<Wait>) -> Fate {
    Fate::Aside(reason(code, text), wait)
}

fn too_many() -> Fate {
    let text = format!("a patrol has at most {MOST_FIXES} fixes");
    aside("too_many_fixes", &text, None)
}

/// Chunks of one phone.
struct Taking {
    tenant: TenantId,
    device: DeviceId,
    worker: WorkerId,
    now_ms: i64,
    /// The last usable position of what was stored.
    last: Option<PositionRow>,
    /// How many fixes are stored of the patrols that were met.
    stored: BTreeMap<EntityId, u64>,
}

impl Taking {
    const fn new(tenant: TenantId, device: DeviceId, worker: WorkerId, now_ms: i64) -> Self {
        Self {
            tenant,
            device,
            worker,
            now_ms,
            last: None,
            stored: BTreeMap::new(),
        }
    }

    /// A chunk's outcome, and whether something was stored of it.
    fn chunk(
        &mut self,
        tx: &mut dyn Write,
        patrol: Patrol,
        stolen: bool,
        chunk: &NamedChunk,
    ) -> Result<(TrackOutcome, bool), Error> {
        let span = ChunkSpan::from(chunk.name);
        if span.count == 0 || span.end() > u64::from(u32::MAX) {
            let reason = reason("bad_name", &"a chunk holds at least one fix, below 2³²");
            return Ok((TrackOutcome::Rejected { reason }, false));
        }
        let fate = match patrol {
            Patrol::Purged => return Ok((TrackOutcome::Purged, false)),
            _ if stolen => aside("revoked", &"the phone was reported stolen", None),
            Patrol::Unknown => return Ok((TrackOutcome::Deferred, false)),
            _ => self.fate(tx, patrol, chunk)?,
        };
        match fate {
            Fate::Stored => Ok((TrackOutcome::Stored, true)),
            Fate::Duplicate => Ok((TrackOutcome::Duplicate, false)),
            Fate::Aside(reason, wait) => self.hold(tx, chunk, reason, wait),
        }
    }

    /// Stores what can be stored of a chunk.
    fn fate(
        &mut self,
        tx: &mut dyn Write,
        patrol: Patrol,
        chunk: &NamedChunk,
    ) -> Result<Fate, StoreError> {
        let of_patrol = Some(Wait::Entity(chunk.name.patrol));
        match patrol {
            Patrol::Theirs => {}
            Patrol::Foreign => {
                let text = "the patrol is not this worker's";
                return Ok(aside("foreign_author", &text, None));
            }
            Patrol::Refused | Patrol::Purged | Patrol::Unknown => {
                let text = "the patrol was refused or is in quarantine";
                return Ok(aside("depends_on_refused", &text, of_patrol));
            }
        }
        let span = ChunkSpan::from(chunk.name);
        let fixes = match read(chunk) {
            Ok(fixes) => fixes,
            Err(reason) => {
                let newer = reason.code == "unknown_version";
                return Ok(Fate::Aside(reason, newer.then_some(Wait::Upgrade)));
            }
        };
        let over = tx.chunks_over(self.tenant, span)?;
        if over.is_empty() {
            if !self.fits(tx, span.key.patrol, fixes.len())? {
                return Ok(too_many());
            }
            self.store(tx, span, chunk.body.clone(), &fixes)?;
            return Ok(Fate::Stored);
        }
        let Some(new) = missing(span, &fixes, &over)? else {
            let text = "a fix of that name with another content is stored";
            return Ok(aside("other_content", &text, None));
        };
        if new.is_empty() {
            return Ok(Fate::Duplicate);
        }
        let more = new.iter().map(|(_, fixes)| fixes.len()).sum();
        if !self.fits(tx, span.key.patrol, more)? {
            return Ok(too_many());
        }
        for (first, fixes) in new {
            let body = codec::encode(fixes).map_err(|why| StoreError::Refused(why.to_string()))?;
            let count = u32::try_from(fixes.len()).unwrap_or(u32::MAX);
            let span = ChunkSpan {
                first,
                count,
                ..span
            };
            self.store(tx, span, body, fixes)?;
        }
        Ok(Fate::Stored)
    }

    /// Whether a patrol may have so many fixes more.
    fn fits(&mut self, tx: &dyn Read, patrol: EntityId, more: usize) -> Result<bool, StoreError> {
        let stored = match self.stored.get(&patrol) {
            Some(stored) => *stored,
            None => {
                let version = tx.track_versions(self.tenant, &[patrol])?;
                version.first().map_or(0, |version| version.fixes)
            }
        };
        self.stored.insert(patrol, stored);
        Ok(stored + more as u64 <= MOST_FIXES)
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
                worker: self.worker,
                patrol: span.key.patrol,
                at_ms: last.fix.time_ms,
                at: last.fix.position,
            });
        }
        *self.stored.entry(span.key.patrol).or_default() += u64::from(span.count);
        let row = ChunkRow {
            span,
            received_ms: self.now_ms,
            body,
        };
        tx.add_chunk(self.tenant, &row)
    }

    /// Keeps a chunk aside, untouched; the same one again is no news.
    fn hold(
        &self,
        tx: &mut dyn Write,
        chunk: &NamedChunk,
        reason: Reason,
        wait: Option<Wait>,
    ) -> Result<(TrackOutcome, bool), Error> {
        let row = HeldChunkRow {
            span: chunk.name.into(),
            sha256: Sha256::of(&chunk.body),
            device: self.device,
            received_ms: self.now_ms,
            outcome: TrackOutcome::Quarantined { reason },
            wait,
            body: chunk.body.clone(),
        };
        if let Some(same) = tx.held_chunk(self.tenant, row.span, row.sha256)? {
            return Ok((same.outcome, false));
        }
        tx.hold_chunk(self.tenant, &row)?;
        Ok((row.outcome, true))
    }

    fn keep_position(self, tx: &mut dyn Write) -> Result<(), StoreError> {
        let Some(position) = self.last else {
            return Ok(());
        };
        let known = tx.position(self.tenant, self.worker)?;
        if known.is_none_or(|known| known.at_ms < position.at_ms) {
            tx.put_position(self.tenant, &position)?;
        }
        Ok(())
    }
}

fn named(row: &HeldChunkRow) -> NamedChunk {
    NamedChunk {
        name: ChunkName {
            patrol: row.span.key.patrol,
            run: row.span.key.run,
            first: row.span.first,
            count: row.span.count,
        },
        body: row.body.clone(),
    }
}

/// Judges again the chunks that waited for one of these; the highest new receipt
/// of each phone that got one.
pub(crate) fn free(
    tx: &mut dyn Write,
    tools: &Tools,
    tenant: TenantId,
    causes: &BTreeSet<Wait>,
    now_ms: i64,
) -> Result<BTreeMap<DeviceId, Cursor>, StoreError> {
    let causes = causes.iter().copied();
    let causes: Vec<Wait> = causes
        .filter(|wait| matches!(wait, Wait::Entity(_) | Wait::Upgrade))
        .collect();
    let mut last = BTreeMap::new();
    if causes.is_empty() {
        return Ok(last);
    }
    let mut receipts: BTreeMap<DeviceId, Vec<ReceiptOf>> = BTreeMap::new();
    for row in tx.waiting_chunks(tenant, &causes)? {
        let Some(device) = tx.device(row.device)? else {
            continue;
        };
        let chunk = named(&row);
        let ids = BTreeSet::from([chunk.name.patrol]);
        let patrols = patrols(tx, tenant, device.id, device.worker, ids)?;
        let patrol = patrols.get(&chunk.name.patrol).copied();
        let mut taking = Taking::new(tenant, device.id, device.worker, now_ms);
        let fate = taking.fate(tx, patrol.unwrap_or(Patrol::Unknown), &chunk)?;
        taking.keep_position(tx)?;
        if let Some(of) = settle(tx, tenant, &row, fate)? {
            receipts.entry(row.device).or_default().push(of);
        }
    }
    for (device, of) in receipts {
        let highest = add_receipts(tx, &*tools.rng, tenant, device, of)?;
        last.extend(highest.map(|cursor| (device, cursor)));
    }
    Ok(last)
}

/// Writes down what became of a chunk that was kept aside; its receipt, where
/// that is news.
fn settle(
    tx: &mut dyn Write,
    tenant: TenantId,
    row: &HeldChunkRow,
    fate: Fate,
) -> Result<Option<ReceiptOf>, StoreError> {
    let outcome = match fate {
        Fate::Stored | Fate::Duplicate => {
            tx.drop_held_chunk(tenant, row.span, row.sha256)?;
            TrackOutcome::Stored
        }
        Fate::Aside(reason, wait) => {
            let outcome = TrackOutcome::Quarantined { reason };
            let held = HeldChunkRow {
                outcome: outcome.clone(),
                wait,
                ..row.clone()
            };
            tx.hold_chunk(tenant, &held)?;
            outcome
        }
    };
    let news = outcome != row.outcome;
    let chunk = named(row).name;
    Ok(news.then_some(ReceiptOf::Chunk(ChunkOutcome { chunk, outcome })))
}

/// Takes a chunk out of quarantine because a person says so. One whose names
/// other fixes bear is stored as a run of its own.
///
/// # Errors
/// The outer: the store's. The inner: why it still cannot be taken.
pub(crate) fn take_held(
    tx: &mut dyn Write,
    tools: &Tools,
    tenant: TenantId,
    row: &HeldChunkRow,
    now_ms: i64,
) -> Result<Result<(), TrackOutcome>, StoreError> {
    let TrackOutcome::Quarantined { reason } = &row.outcome else {
        return Ok(Err(row.outcome.clone()));
    };
    let patrol = tx.entities(tenant, &[row.span.key.patrol])?;
    let patrol = patrol
        .first()
        .filter(|p| p.kind == "patrol" && p.state.is_some());
    let Some(patrol) = patrol else {
        return Ok(Err(row.outcome.clone()));
    };
    let mut chunk = named(row);
    if reason.code == "other_content" {
        chunk.name.run = RunId::draw(&*tools.rng);
    }
    let owner = patrol.worker.unwrap_or(WorkerId::from_bytes([0; 16]));
    let mut taking = Taking::new(tenant, row.device, owner, now_ms);
    match taking.fate(tx, Patrol::Theirs, &chunk)? {
        Fate::Aside(reason, _) => Ok(Err(TrackOutcome::Quarantined { reason })),
        fate => {
            let of = settle(tx, tenant, row, fate)?;
            let rng: &dyn Rng = &*tools.rng;
            add_receipts(tx, rng, tenant, row.device, of.into_iter().collect())?;
            Ok(Ok(()))
        }
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
