//! What a sync is given, tells on the way, and did.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::account::Leaving;
use crate::policy::Network;

/// What a caller may give to a sync.
#[derive(Clone, Default)]
pub struct SyncOptions {
    /// Who is told how far it is.
    pub progress: Option<Arc<dyn SyncProgress>>,
    /// Ends the sync at the next request.
    pub cancel: CancelToken,
    /// What the network costs; routes and photos go by the
    /// [`Policy`](crate::Policy), ops always.
    pub network: Network,
    /// How many bytes it may use, both ways: no request is begun that would go
    /// beyond. An answer may; its size is not known before.
    pub budget_bytes: Option<u64>,
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
    /// After the server went back in time: asking what it still holds.
    Have,
    /// Sending ops.
    Push,
    /// Pulling what changed.
    Pull,
    /// Sending chunks of tracks.
    Tracks,
    /// Sending attachments.
    Blobs,
    /// Pulling the receipts of what was sent.
    Receipts,
    /// All that, for those who left.
    Vault,
}

/// How far a sync is. None of the figures ever goes back within a phase, and no
/// phase comes again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Progress {
    /// The part that runs.
    pub phase: Phase,
    /// What of it is done: ops, chunks, attachments or entities.
    pub done: u64,
    /// How much it is in all; 0 where that is not known.
    pub total: u64,
    /// The same in bytes of content, where content is sent.
    pub bytes_done: u64,
    /// How many bytes that is in all; 0 where that is not known.
    pub bytes_total: u64,
    /// Bytes sent so far: HTTP heads and bodies, TLS aside.
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
    /// Attachments that it has whole, thumbnails aside.
    pub blobs_sent: u64,
    /// What was asked for because the server went back in time.
    pub asked: u64,
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
    /// Where the server lets this phone only send from now on: the worker was
    /// logged out by it.
    pub left: Option<Leaving>,
    /// Why it ended before all was done, where it did; the rest is kept.
    pub cut: Option<Cut>,
}

/// Why a sync that failed in nothing ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Cut {
    /// The caller's budget was used up.
    Budget,
    /// The server asked for no further request so soon.
    RetryAfter {
        /// In how many milliseconds it may be asked again.
        after_ms: i64,
    },
}
