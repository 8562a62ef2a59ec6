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

/// How far a sync got. No figure ever goes back within a phase, and no phase
/// comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SyncProgress {
    /// What it is at.
    pub phase: SyncPhase,
    /// Items done in this phase.
    pub done: u64,
    /// Items of this phase, as far as known; 0 where not.
    pub total: u64,
    /// Bytes of content done in this phase.
    pub bytes_done: u64,
    /// Bytes of content of this phase; 0 where not known.
    pub bytes_total: u64,
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
            bytes_done: progress.bytes_done,
            bytes_total: progress.bytes_total,
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
    /// After the server went back in time: asking what it still holds.
    Have,
    /// Sending saves.
    Push,
    /// Receiving.
    Pull,
    /// Sending tracks.
    Tracks,
    /// Sending attachments.
    Blobs,
    /// Receiving what became of what was sent.
    Receipts,
    /// Sending what people who left this phone had not sent.
    Vault,
}

impl From<inner::Phase> for SyncPhase {
    fn from(phase: inner::Phase) -> Self {
        match phase {
            inner::Phase::Hello => Self::Hello,
            inner::Phase::Have => Self::Have,
            inner::Phase::Push => Self::Push,
            inner::Phase::Pull => Self::Pull,
            inner::Phase::Tracks => Self::Tracks,
            inner::Phase::Blobs => Self::Blobs,
            inner::Phase::Receipts => Self::Receipts,
            inner::Phase::Vault => Self::Vault,
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
    /// What was asked for because the server went back in time.
    pub asked: u64,
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
    /// Where the server lets this phone only send from now on: the worker was
    /// logged out by it.
    pub logged_out: bool,
    /// Why it ended before all was done, where it did; the rest is kept.
    pub cut: Option<SyncCut>,
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
            asked: report.asked,
            entities_pulled: report.entities_pulled,
            snapshots: report.snapshots,
            requests: report.requests,
            bytes_up: report.bytes_up,
            bytes_down: report.bytes_down,
            upgrade_needed: report.upgrade_needed,
            logged_out: report.left.is_some(),
            cut: report.cut.map(Into::into),
        }
    }
}

/// Why a sync that failed in nothing ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum SyncCut {
    /// The budget was used up.
    Budget,
    /// The server asked for no further request so soon.
    RetryAfter {
        /// In how many milliseconds it may be asked again.
        after_ms: i64,
    },
}

impl From<inner::Cut> for SyncCut {
    fn from(cut: inner::Cut) -> Self {
        match cut {
            inner::Cut::Budget => Self::Budget,
            inner::Cut::RetryAfter { after_ms } => Self::RetryAfter { after_ms },
        }
    }
}

/// What the phone's network costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum NetworkCost {
    /// There is none.
    Offline,
    /// Somebody pays by the byte: a mobile network.
    Metered,
    /// Nobody does.
    Unmetered,
}

impl From<NetworkCost> for inner::Network {
    fn from(network: NetworkCost) -> Self {
        match network {
            NetworkCost::Offline => Self::None,
            NetworkCost::Metered => Self::Metered,
            NetworkCost::Unmetered => Self::Unmetered,
        }
    }
}

/// When to sync next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum NextSync {
    /// At once.
    Now,
    /// In so long, by a clock that counts sleep; ask again then, and when
    /// something is saved.
    After {
        /// Milliseconds.
        ms: i64,
    },
    /// As soon as there is a network.
    WhenOnline,
    /// Not at all: nobody uses this phone, and nothing is left on it.
    Never,
}

impl From<inner::NextSync> for NextSync {
    fn from(next: inner::NextSync) -> Self {
        match next {
            inner::NextSync::Now => Self::Now,
            inner::NextSync::In { ms } => Self::After { ms },
            inner::NextSync::WhenOnline => Self::WhenOnline,
            inner::NextSync::Never => Self::Never,
        }
    }
}

/// What is sent over which network, and what is kept how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct SyncSettings {
    /// Whether routes are sent over a metered network too.
    pub routes_on_metered: bool,
    /// Whether photos are sent over a metered network too.
    pub photos_on_metered: bool,
    /// For how many days a route that the server has can be shown here; 14 at
    /// least.
    pub keep_routes_days: u16,
}

impl From<inner::Policy> for SyncSettings {
    fn from(policy: inner::Policy) -> Self {
        Self {
            routes_on_metered: policy.routes_on_metered,
            photos_on_metered: policy.photos_on_metered,
            keep_routes_days: policy.keep_routes_days,
        }
    }
}

impl From<SyncSettings> for inner::Policy {
    fn from(settings: SyncSettings) -> Self {
        Self {
            routes_on_metered: settings.routes_on_metered,
            photos_on_metered: settings.photos_on_metered,
            keep_routes_days: settings.keep_routes_days,
            ..Self::default()
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
