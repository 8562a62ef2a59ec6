//! The facade: all that a shell calls.

mod duty;
mod incident;
mod look;
mod sensors;
mod sites;

use std::sync::Arc;

use crate::core::Shared;
use crate::error::Result;
use crate::observe::{self, Observer, Subscription};
use crate::sync::{self, SyncOptions, SyncReport};
use crate::{Config, Identity, Invitation, Transport};

pub use duty::PatrolSummary;
pub use incident::{NewIncident, NewPhoto};
pub use sites::{CoverageView, NewCheckIn, SiteView};

/// A phone: one data file, one worker.
///
/// Every call blocks until it is done: a save is durable when it returns. Calls
/// may come from any thread; recording goes on while a sync runs.
///
/// # Errors
/// All calls give an [`EngineError`](crate::EngineError) that names the cause
/// and what to do, and have then changed nothing, unless they say otherwise.
/// After [`Engine::close`] every call gives `Closed`.
pub struct Engine {
    shared: Arc<Shared>,
}

impl Engine {
    /// Opens the data file, making it where there is none. A patrol that was
    /// running goes on, in a new run; that it was interrupted is marked with
    /// the first thing that this run records.
    ///
    /// # Errors
    /// `InUse`, `NoCipher`, `WrongKey`, `TooNew`, `DiskFull`, `Storage`; and
    /// `Damaged` where the file could not be read and was moved aside.
    pub fn open(config: Config) -> Result<Self> {
        Ok(Self {
            shared: Shared::open(config)?,
        })
    }

    /// Makes this phone known to the server as the worker's, and asks for the
    /// worker's grids. Its identity and token are stored before they are sent,
    /// so that repeating a request whose answer was lost repeats the same one.
    ///
    /// # Errors
    /// `AlreadyEnrolled`, `EnrolRefused` for a wrong or used code, and what the
    /// network gives.
    pub fn enrol(&self, transport: &dyn Transport, invitation: &Invitation) -> Result<Identity> {
        sync::enrol(&self.shared, transport, invitation)
    }

    /// Sends what is due and pulls what changed. One at a time: a second caller
    /// waits for the first.
    ///
    /// # Errors
    /// What was sent and pulled until then stays. `NotEnrolled`, `SignedOut`,
    /// `RetryLater` with the time to wait, `Cancelled`, `ServerError`,
    /// `BadAnswer`, and what the network gives.
    pub fn sync(&self, transport: &dyn Transport, options: SyncOptions) -> Result<SyncReport> {
        sync::run(&self.shared, transport, options)
    }

    /// Subscribes: a snapshot first, then what changes, until the subscription
    /// is dropped.
    ///
    /// # Errors
    /// `Closed`, `Storage`.
    pub fn observe(&self, observer: Arc<dyn Observer>) -> Result<Subscription> {
        observe::observe(&self.shared, observer)
    }

    /// Closes the data file. A sync that is running ends with `Closed`; a
    /// second call does nothing. Without it nothing is lost either.
    pub fn close(&self) {
        self.shared.close();
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.close();
    }
}
