//! The facade: all that a shell calls.

mod amend;
mod attach;
mod draft;
mod duplicates;
pub(crate) mod duty;
mod find;
mod finding;
mod form;
mod incident;
mod leave;
mod look;
mod make;
mod mediation;
mod notice;
mod sensors;
mod settings;
mod sites;
mod step;
mod task;
mod visit;

use std::sync::Arc;

#[cfg(feature = "http")]
use crate::HttpTransport;
use crate::core::Shared;
use crate::error::Result;
use crate::observe::{self, Observer, Subscription};
use crate::schedule::{self, NextSync};
use crate::sync::{self, SyncOptions, SyncReport};
use crate::{Config, Identity, Invitation, Network, ServerAddress, Transport, account};

pub use crate::attachments::{Content, NewAttachment, NewPhoto};
pub use amend::Edit;
pub use draft::DraftView;
pub use duplicates::DuplicateView;
pub use duty::PatrolSummary;
pub use find::{IncidentPage, IncidentQuery, MAX_PAGE, MAX_SEARCH, Near, Sort};
pub use finding::{FindingView, NewFinding};
pub use form::PictureAnswer;
pub(crate) use incident::place_value;
pub use incident::{Classification, NewIncident};
pub use make::Form;
pub use mediation::{Agreement, LookAgain, MediationView, NewMediation, Session};
pub use notice::NoticeView;
pub use sites::{CoverageView, NewCheckIn, SiteView};
pub use step::{Signature, StepOffer, StepWords};
pub use task::TaskView;
pub use visit::{NewVisit, VisitView};

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
    /// `Damaged` where the file could not be read, or was gone, and what there is of
    /// it was moved aside.
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

    /// The servers that this phone has something to do with: its worker's first,
    /// then those of people who left something behind.
    ///
    /// # Errors
    /// `Closed`, `Storage`.
    pub fn servers(&self) -> Result<Vec<ServerAddress>> {
        self.shared.with(|core| {
            let leaving = account::leaving(&core.conn)?;
            let mut servers: Vec<ServerAddress> = Vec::new();
            for me in core.me.iter().chain(&leaving) {
                if !servers.contains(&me.address()) {
                    servers.push(me.address());
                }
            }
            Ok(servers)
        })
    }

    /// Sends what is due and pulls what changed, for whoever uses the phone and
    /// for those who left something behind, as far as the transport leads to
    /// their servers. One at a time: a second caller waits for the first.
    ///
    /// # Errors
    /// What was sent and pulled until then stays. `NotEnrolled`, `SignedOut`,
    /// `RetryLater` with the time to wait, before which no request is made,
    /// `Cancelled`, `ServerError`, `BadAnswer`, and what the network gives;
    /// `Wiped` where the phone was reported stolen: nothing is left of it.
    pub fn sync(&self, transport: &dyn Transport, options: SyncOptions) -> Result<SyncReport> {
        sync::run(&self.shared, transport, options)
    }

    /// [`Self::sync`] over HTTP, with each server that this phone has something
    /// to do with, whatever comes of one of them. What is told is of the first,
    /// its worker's. Each keeps to the budget less what the first is known to
    /// have used.
    ///
    /// # Errors
    /// As [`Self::sync`], of the first.
    #[cfg(feature = "http")]
    pub fn sync_over_http(&self, options: &SyncOptions) -> Result<SyncReport> {
        let mut servers = self.servers()?.into_iter();
        let first = servers.next().ok_or(crate::EngineError::NotEnrolled)?;
        let over_http = |server: &ServerAddress, options| -> Result<SyncReport> {
            self.sync(&HttpTransport::new(server)?, options)
        };
        let outcome = over_http(&first, options.clone());
        let used = outcome
            .as_ref()
            .map_or(0, |report| report.bytes_up + report.bytes_down);
        for server in servers {
            let options = SyncOptions {
                progress: None,
                budget_bytes: options.budget_bytes.map(|all| all.saturating_sub(used)),
                ..options.clone()
            };
            // Whatever is wrong there, the next sync tries again.
            let _ = over_http(&server, options);
        }
        outcome
    }

    /// When to sync next, given the network that the phone is on. Ask when
    /// something was saved, when the network changes, when a sync ended, and when
    /// the time that this answered has come.
    ///
    /// # Errors
    /// `Closed`, `Storage`.
    pub fn next_sync(&self, network: Network) -> Result<NextSync> {
        let now = self.shared.now();
        self.shared.with(|core| schedule::next(core, now, network))
    }

    /// Tells that there is a network again after there was none: what failed for
    /// want of it need not wait; what the server asked for stays.
    ///
    /// # Errors
    /// `Closed`.
    pub fn network_returned(&self) -> Result<()> {
        self.shared.with(|core| {
            core.schedule.network_returned();
            Ok(())
        })
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
