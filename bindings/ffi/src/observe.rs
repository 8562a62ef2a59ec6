//! Observing: a snapshot first, then differences, until the handle goes.

use gridwalk_engine as inner;
use std::sync::Arc;

use crate::text::list;
use crate::{IncidentView, PatrolView, Status};

/// Hears of changes. Implemented by the shells.
#[uniffi::export(with_foreign)]
pub trait Observer: Send + Sync {
    /// The next change. Called on a thread of the subscription's own, one call
    /// at a time.
    ///
    /// # Errors
    /// Whatever the shell throws; the next change comes all the same.
    fn changed(&self, change: Change) -> Result<(), ObserverFailed>;
}

/// A shell's observer threw. The core goes on: nothing of it depends on who
/// watches.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum ObserverFailed {
    /// The exception has no other name here.
    #[error("the observer failed")]
    Thrown,
}

impl From<uniffi::UnexpectedUniFFICallbackError> for ObserverFailed {
    fn from(_: uniffi::UnexpectedUniFFICallbackError) -> Self {
        Self::Thrown
    }
}

/// What changed.
#[derive(Clone, Debug, PartialEq, uniffi::Enum)]
pub enum Change {
    /// How everything stands: always the first.
    Snapshot {
        /// How things stand.
        status: Status,
        /// All incidents, newest first.
        incidents: Vec<IncidentView>,
        /// All patrols, newest first.
        patrols: Vec<PatrolView>,
    },
    /// How things stand now.
    StatusChanged {
        /// The new one.
        status: Status,
    },
    /// An incident is new or changed.
    IncidentChanged {
        /// As it stands now.
        incident: IncidentView,
    },
    /// A patrol is new or changed.
    PatrolChanged {
        /// As it stands now.
        patrol: PatrolView,
    },
    /// A record is no longer on this phone.
    Gone {
        /// Which.
        id: String,
    },
    /// The engine was shut; nothing comes after this.
    Closed,
}

impl From<inner::Change> for Change {
    fn from(change: inner::Change) -> Self {
        match change {
            inner::Change::Snapshot {
                status,
                incidents,
                patrols,
            } => Self::Snapshot {
                status: status.into(),
                incidents: list(incidents),
                patrols: list(patrols),
            },
            inner::Change::Status(status) => Self::StatusChanged {
                status: status.into(),
            },
            inner::Change::Incident(incident) => Self::IncidentChanged {
                incident: incident.into(),
            },
            inner::Change::Patrol(patrol) => Self::PatrolChanged {
                patrol: patrol.into(),
            },
            inner::Change::Gone(id) => Self::Gone { id: id.to_string() },
            inner::Change::Closed => Self::Closed,
        }
    }
}

/// The handle of a subscription: while it lives, changes come.
#[derive(uniffi::Object)]
pub struct Subscription {
    inner: inner::Subscription,
}

impl Subscription {
    pub(crate) fn new(inner: inner::Subscription) -> Arc<Self> {
        Arc::new(Self { inner })
    }
}

#[uniffi::export]
impl Subscription {
    /// Ends it. When this returned, the observer is called no more. Giving the
    /// handle back does the same. Not to be called by its own observer.
    ///
    /// Caller: the adapters (Kotlin's Flow, Swift's AsyncSequence) when nobody
    /// collects any more.
    pub fn cancel(&self) {
        self.inner.close();
    }
}

/// The engine's side of a shell's observer.
pub(crate) struct Watched(pub(crate) Arc<dyn Observer>);

impl inner::Observer for Watched {
    fn changed(&self, change: inner::Change) {
        // What the shell throws must not end the subscription.
        let _thrown = self.0.changed(change.into());
    }
}
