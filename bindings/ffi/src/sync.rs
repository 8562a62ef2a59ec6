//! Sync: progress on the way, a way to cancel, a report at the end.

use gridwalk_engine as inner;
use std::sync::Arc;

use crate::ObserverFailed;

/// Watches a sync. Implemented by the shells.
#[uniffi::export(with_foreign)]
pub trait SyncObserver: Send + Sync {
    /// How far it got. Called on the thread that syncs.
    ///
    /// # Errors
    /// Whatever the shell throws; the sync goes on.
    fn progress(&self, progress: SyncProgress) -> Result<(), ObserverFailed>;
}

/// How far a sync got.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SyncProgress {
    /// What it is at.
    pub phase: SyncPhase,
    /// Items done in this phase.
    pub done: u64,
    /// Items of this phase, as far as known.
    pub total: u64,
    /// Bytes sent so far.
    pub bytes_up: u64,
    /// Bytes received so far.
    pub bytes_down: u64,
}

impl From<inner::Progress> for SyncProgress {
    fn from(progress: inner::Progress) -> Self {
        Self {
            phase: progress.phase.into(),
            done: progress.done,
            total: progress.total,
            bytes_up: progress.bytes_up,
            bytes_down: progress.bytes_down,
        }
    }
}

/// What a sync is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum SyncPhase {
    /// The first exchange.
    Hello,
    /// Sending saves.
    Push,
    /// Sending tracks.
    Tracks,
    /// Sending attachments.
    Blobs,
    /// Receiving.
    Pull,
}

impl From<inner::Phase> for SyncPhase {
    fn from(phase: inner::Phase) -> Self {
        match phase {
            inner::Phase::Hello => Self::Hello,
            inner::Phase::Push => Self::Push,
            inner::Phase::Tracks => Self::Tracks,
            inner::Phase::Blobs => Self::Blobs,
            inner::Phase::Pull => Self::Pull,
        }
    }
}

/// What a sync did.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SyncReport {
    /// Saves that the server took.
    pub ops_sent: u64,
    /// Those of them that stand beside what others wrote.
    pub conflicts: u64,
    /// Items that it did not take; they are kept.
    pub refused: u64,
    /// Saves that wait for another.
    pub deferred: u64,
    /// Stretches of tracks that it took.
    pub chunks_sent: u64,
    /// Attachments that it has whole now.
    pub blobs_sent: u64,
    /// Records that were received.
    pub entities_pulled: u64,
    /// Streams that were read again from their start.
    pub snapshots: u64,
    /// Requests made.
    pub requests: u64,
    /// Bytes sent, heads included.
    pub bytes_up: u64,
    /// Bytes received, heads included.
    pub bytes_down: u64,
    /// Whether the server asks for a newer app.
    pub upgrade_needed: bool,
}

impl From<inner::SyncReport> for SyncReport {
    fn from(report: inner::SyncReport) -> Self {
        Self {
            ops_sent: report.ops_sent,
            conflicts: report.conflicts,
            refused: report.refused,
            deferred: report.deferred,
            chunks_sent: report.chunks_sent,
            blobs_sent: report.blobs_sent,
            entities_pulled: report.entities_pulled,
            snapshots: report.snapshots,
            requests: report.requests,
            bytes_up: report.bytes_up,
            bytes_down: report.bytes_down,
            upgrade_needed: report.upgrade_needed,
        }
    }
}

/// Cancels a sync from another thread.
#[derive(uniffi::Object)]
pub struct CancelToken {
    pub(crate) inner: inner::CancelToken,
}

#[uniffi::export]
impl CancelToken {
    /// A token for one sync.
    ///
    /// Caller: the sync worker.
    #[uniffi::constructor]
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self {
            inner: inner::CancelToken::new(),
        })
    }

    /// Asks the sync to end; it does so between two requests, with `Cancelled`.
    ///
    /// Caller: the sync worker, when the system takes its time away.
    pub fn cancel(&self) {
        self.inner.cancel();
    }

    /// Whether that was asked for.
    ///
    /// Caller: the sync worker, before it begins.
    #[must_use]
    pub fn is_cancelled(&self) -> bool {
        self.inner.is_cancelled()
    }
}

/// The engine's side of a shell's observer.
pub(crate) struct Watched(pub(crate) Arc<dyn SyncObserver>);

impl inner::SyncProgress for Watched {
    fn progress(&self, progress: inner::Progress) {
        // What the shell throws must not stop the sync.
        let _thrown = self.0.progress(progress.into());
    }
}
