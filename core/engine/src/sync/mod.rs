//! A sync: hello, push, tracks, attachments, pull.
//!
//! It always starts from what is durable, holds the engine's lock for its
//! transactions only, and may be cancelled between any two requests and started
//! again at once. Nothing leaves the outbox but by the server's word for that
//! very op, chunk or attachment: any other answer, and none, keeps it.

mod blobs;
mod call;
mod enrolment;
mod push;
mod streams;
mod tracks;

use gridwalk_domain::wire::{HelloRequest, HelloResponse, Limits, PROTOCOL_VERSION};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, PoisonError};

use crate::core::{Shared, begin};
use crate::error::{EngineError, Result};
use crate::identity::{Contact, Me, Synced};
use crate::observe::Touched;
use crate::store::meta::{self, name};
use crate::{Transport, pull, view};
use call::Line;
pub(crate) use enrolment::enrol;

/// What a caller may give to a sync.
#[derive(Clone, Default)]
pub struct SyncOptions {
    /// Who is told how far it is.
    pub progress: Option<Arc<dyn SyncProgress>>,
    /// Ends the sync at the next request.
    pub cancel: CancelToken,
    /// Attachments stay for a network that nobody pays by the byte; records
    /// and tracks, which are small, go.
    pub attachments_wait: bool,
}

/// Shared by whoever may end something and what is to end.
#[derive(Clone, Debug, Default)]
pub struct CancelToken(Arc<AtomicBool>);

impl CancelToken {
    /// A token that nobody has cancelled yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Ends what holds this token.
    pub fn cancel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Whether it was cancelled.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The parts of a sync, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Phase {
    /// Asking how things stand.
    Hello,
    /// Sending ops.
    Push,
    /// Sending chunks of tracks.
    Tracks,
    /// Sending attachments.
    Blobs,
    /// Pulling what changed.
    Pull,
}

/// How far a sync is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The part that runs.
    pub phase: Phase,
    /// What of it is done: ops, chunks, bytes of attachments, or entities.
    pub done: u64,
    /// How much it is in all; 0 where that is not known.
    pub total: u64,
    /// Bytes sent so far.
    pub bytes_up: u64,
    /// Bytes received so far.
    pub bytes_down: u64,
}

/// Who is told how far a sync is.
pub trait SyncProgress: Send + Sync {
    /// Called from the thread that syncs, under no lock of the engine.
    fn progress(&self, progress: Progress);
}

/// What a sync did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SyncReport {
    /// Ops that the server took.
    pub ops_sent: u64,
    /// Ops among them of which something is kept beside what others wrote.
    pub conflicts: u64,
    /// Ops, chunks and attachments that it did not take.
    pub refused: u64,
    /// Ops and chunks that wait for something else to come first.
    pub deferred: u64,
    /// Chunks that it took.
    pub chunks_sent: u64,
    /// Attachments that it has whole.
    pub blobs_sent: u64,
    /// Entities that were pulled.
    pub entities_pulled: u64,
    /// Streams that were read again from the start, because count or hash
    /// differed.
    pub snapshots: u64,
    /// Requests made.
    pub requests: u64,
    /// Bytes sent: HTTP heads and bodies, TLS aside.
    pub bytes_up: u64,
    /// Bytes received.
    pub bytes_down: u64,
    /// Whether the server wants a newer app; nothing was pulled then.
    pub upgrade_needed: bool,
}

/// A sync that runs.
pub(crate) struct Run<'a> {
    pub(crate) shared: &'a Shared,
    pub(crate) line: Line<'a>,
    pub(crate) options: SyncOptions,
    pub(crate) report: SyncReport,
    pub(crate) limits: Limits,
}

pub(crate) fn run(
    shared: &Shared,
    transport: &dyn Transport,
    options: SyncOptions,
) -> Result<SyncReport> {
    let _one = shared
        .syncing
        .lock()
        .unwrap_or_else(PoisonError::into_inner);
    let me = shared.with(|core| Ok(core.me()?.clone()))?;
    let line = Line::new(transport, Some(me.token.clone()), options.cancel.clone());
    let mut run = Run {
        shared,
        line,
        options,
        report: SyncReport::default(),
        limits: Limits::default(),
    };
    run.all(&me)
}

impl Run<'_> {
    fn all(&mut self, me: &Me) -> Result<SyncReport> {
        self.tell(Phase::Hello, 0, 1);
        self.limits = hello(self.shared, &mut self.line)?;
        self.seal()?;
        self.push()?;
        self.tracks()?;
        if !self.options.attachments_wait {
            self.blobs()?;
        }
        // Below the server's oldest version pulls stop; what was sent is kept
        // there and judged again after an upgrade.
        self.report.upgrade_needed = self
            .shared
            .with(|core| Ok(core.contact.is_some_and(|contact| contact.upgrade_needed)))?;
        if !self.report.upgrade_needed {
            self.pull(me)?;
        }
        self.shared.observers.touch(&Touched::status());
        let spent = self.line.spent();
        self.report.requests = spent.requests;
        self.report.bytes_up = spent.up;
        self.report.bytes_down = spent.down;
        Ok(self.report)
    }

    /// A running patrol's fixes go along once they make a chunk worth sending.
    fn seal(&self) -> Result<()> {
        const WORTH: usize = 60;
        let now = self.shared.now();
        self.shared.with(|core| {
            if core
                .recorder
                .live
                .as_ref()
                .is_some_and(|live| live.unsealed >= WORTH)
            {
                let tx = begin(&mut core.conn)?;
                core.recorder.seal(&tx, now)?;
                tx.commit()?;
                core.recorder.sealed();
            }
            Ok(())
        })
    }

    pub(crate) fn tell(&self, phase: Phase, done: u64, total: u64) {
        if let Some(progress) = &self.options.progress {
            let spent = self.line.spent();
            progress.progress(Progress {
                phase,
                done,
                total,
                bytes_up: spent.up,
                bytes_down: spent.down,
            });
        }
    }
}

/// Says hello and keeps what the server says of the worker, the time and the
/// limits.
pub(crate) fn hello(shared: &Shared, line: &mut Line<'_>) -> Result<Limits> {
    let request = shared.with(|core| {
        Ok(HelloRequest {
            v: PROTOCOL_VERSION,
            app: shared.app.clone(),
            at: shared.now(),
            unsent: view::unsent(&core.conn)?,
            scope_tag: core.synced.as_ref().map(|synced| synced.tag),
        })
    })?;
    let answer: HelloResponse = line.post("/v1/hello", &request)?;
    let now = shared.now();
    // The server read its clock somewhere between; the middle is the best guess.
    let middle = request.at.wall_ms + (now.mono_ms - request.at.mono_ms).max(0) / 2;
    let contact = Contact {
        at_ms: now.wall_ms,
        skew_ms: answer.server_ms - middle,
        upgrade_needed: answer.min_v > PROTOCOL_VERSION,
    };
    let (limits, tag) = (answer.limits, answer.scope_tag);
    let synced = answer.scope.map(|scope| Synced { tag, scope });
    shared.change(|core| {
        let tx = begin(&mut core.conn)?;
        let mut touched = Touched::status();
        meta::put(&tx, name::CONTACT, &contact)?;
        if let Some(synced) = &synced {
            meta::put(&tx, name::SCOPE, synced)?;
            touched.records = pull::forget_all_but(&tx, &synced.scope.streams)?;
        }
        tx.commit()?;
        core.contact = Some(contact);
        core.synced = synced.or(core.synced.take());
        Ok(((), touched))
    })?;
    Ok(limits)
}

/// Whether an answer is the server's word that the request itself is at fault,
/// so that sending it in smaller parts may help.
pub(crate) fn at_fault(error: &EngineError) -> Option<(&str, &str)> {
    match error {
        EngineError::ServerError {
            status: 400 | 409 | 413 | 415 | 422,
            code,
            text,
        } => Some((code, text)),
        _ => None,
    }
}
