//! A phone: its disk, its clocks, its link, the engine that runs on it, and
//! what its shell knows.

use gridwalk_domain::{BootId, EntityId};
use gridwalk_engine::{CancelToken, Config, Engine, EngineError, Identity, SyncReport};
use std::sync::Arc;

use super::net::Link;
use crate::disk::SimDisk;
use crate::fiber::Fiber;
use crate::random::Seeded;
use crate::time::PhoneClock;

/// What a call over the network came to.
pub(crate) enum CallEnd {
    Enrolled(Result<Identity, EngineError>),
    Synced(Result<SyncReport, EngineError>),
}

/// How a phone falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fall {
    /// The app is killed.
    Kill,
    /// The power is cut.
    PowerCut,
}

/// The patrol that the shell believes to be running.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Patrol {
    pub(crate) id: EntityId,
    pub(crate) paused: bool,
}

/// A phone.
pub struct Phone {
    /// Its number, from 0.
    pub no: usize,
    /// Whose it is.
    pub worker: usize,
    /// Its disk.
    pub disk: SimDisk,
    /// Its clocks.
    pub clock: Arc<PhoneClock>,
    pub(crate) rng: Arc<Seeded>,
    /// The way to the server.
    pub link: Link,
    /// The one-time code that its worker was given.
    pub(crate) code: String,
    /// Open while the app runs.
    pub(crate) engine: Option<Arc<Engine>>,
    /// The call over the network that is under way.
    pub(crate) call: Option<Fiber<CallEnd>>,
    /// Ends that call at its next request.
    pub(crate) cancel: CancelToken,
    /// Counts requests: an answer to another than the last comes too late.
    pub(crate) asked: u64,
    /// When the app died, since it was last open.
    pub(crate) died_ms: Option<i64>,
    /// Counts openings: what an earlier one had planned is void.
    pub(crate) life: u64,
    /// What is to become of it when it dies.
    pub(crate) fall: Fall,
    pub(crate) enrolled: bool,
    /// The server let it only send, once: another phone took its place, or its
    /// rights were taken.
    pub(crate) left: bool,
    /// It may hear any time that it may only send.
    pub(crate) to_leave: bool,
    /// It was reported stolen, and all that was on it is destroyed.
    pub(crate) wiped: bool,
    /// It has the same data as another phone, up to some time.
    pub(crate) cloned: bool,
    /// The grid of the shift that the shell believes to be running.
    pub(crate) shift: Option<(EntityId, usize)>,
    pub(crate) patrol: Option<Patrol>,
    /// Where on which trace the walk is.
    pub(crate) walk: (usize, usize),
    /// How its last sync ended: whether all was well.
    pub(crate) synced: Option<Result<SyncReport, EngineError>>,
}

impl Phone {
    /// What its engine opens with.
    #[must_use]
    pub fn config(&self) -> Config {
        Config {
            path: self.disk.path("phone.db"),
            disk: Arc::new(self.disk.clone()),
            key: None,
            clock: self.clock.clone(),
            rng: self.rng.clone(),
            platform: "simulation".to_owned(),
            app: "sim".to_owned(),
        }
    }

    /// Whether the app runs.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.engine.is_some()
    }

    /// Starts the phone's system anew.
    pub(crate) fn boot(&self) {
        self.clock.boot(BootId::draw(&*self.rng));
    }
}
