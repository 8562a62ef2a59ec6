//! Subscriptions: a snapshot first, then what changed.
//!
//! A change only notes what it touched; each subscription has a thread of its
//! own that reads the new state and tells its observer. So a slow observer
//! delays nobody, sees the latest state and no queue of old ones, and may call
//! the engine as it likes.

use gridwalk_domain::EntityId;
use std::collections::BTreeSet;
use std::sync::{Arc, Condvar, Mutex, PoisonError, Weak};
use std::thread::{self, JoinHandle};

use crate::core::Shared;
use crate::error::{EngineError, Result};
use crate::view::{self, IncidentView, PatrolView, Status};

/// What changed. The views are those at the time of the telling.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Everything: the first of a subscription, and again when somebody logged
    /// out or the phone became somebody's.
    Snapshot {
        /// As [`crate::Engine::status`].
        status: Status,
        /// As [`crate::Engine::incidents`].
        incidents: Vec<IncidentView>,
        /// As [`crate::Engine::patrols`].
        patrols: Vec<PatrolView>,
    },
    /// The status as a whole.
    Status(Status),
    /// An incident that is new or changed.
    Incident(IncidentView),
    /// A patrol that is new or changed.
    Patrol(PatrolView),
    /// A record that this phone shows no more.
    Gone(EntityId),
    /// The engine was closed: the last of a subscription.
    Closed,
}

/// Who wants to know.
pub trait Observer: Send + Sync {
    /// Called from a thread of the subscription's own, one change at a time,
    /// and under no lock of the engine.
    fn changed(&self, change: Change);
}

/// A subscription; dropping it ends it.
pub struct Subscription {
    mailbox: Arc<Mailbox>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Subscription {
    /// Ends it. When this returns nothing more is told, unless it is called by
    /// the observer itself.
    pub fn close(&self) {
        self.mailbox.put(|mail| mail.cancelled = true);
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        if let Some(thread) = thread.filter(|thread| thread.thread().id() != thread::current().id())
        {
            let _ = thread.join();
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.close();
    }
}

/// What a change touched.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Touched {
    pub(crate) records: BTreeSet<EntityId>,
    pub(crate) status: bool,
    /// Whose phone it is: everything is to be told anew.
    pub(crate) all: bool,
}

impl Touched {
    /// Only the status.
    pub(crate) fn status() -> Self {
        Self {
            status: true,
            ..Self::default()
        }
    }

    /// Everything.
    pub(crate) fn all() -> Self {
        Self {
            status: true,
            all: true,
            ..Self::default()
        }
    }

    /// These records, and so the status.
    pub(crate) fn records(ids: impl IntoIterator<Item = EntityId>) -> Self {
        Self {
            records: ids.into_iter().collect(),
            status: true,
            all: false,
        }
    }
}

#[derive(Default)]
struct Mail {
    touched: Touched,
    closed: bool,
    cancelled: bool,
}

#[derive(Default)]
struct Mailbox {
    mail: Mutex<Mail>,
    arrived: Condvar,
}

impl Mailbox {
    fn put(&self, write: impl FnOnce(&mut Mail)) {
        write(&mut self.mail.lock().unwrap_or_else(PoisonError::into_inner));
        self.arrived.notify_all();
    }

    /// Waits for mail and takes it; `closed` and `cancelled` stay in the box.
    fn take(&self) -> Mail {
        let mut mail = self.mail.lock().unwrap_or_else(PoisonError::into_inner);
        while !(mail.closed
            || mail.cancelled
            || mail.touched.status
            || !mail.touched.records.is_empty())
        {
            mail = self
                .arrived
                .wait(mail)
                .unwrap_or_else(PoisonError::into_inner);
        }
        Mail {
            touched: std::mem::take(&mut mail.touched),
            closed: mail.closed,
            cancelled: mail.cancelled,
        }
    }

    fn cancelled(&self) -> bool {
        self.mail
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .cancelled
    }
}

/// All subscriptions of an engine.
#[derive(Default)]
pub(crate) struct Observers(Mutex<Vec<Weak<Mailbox>>>);

impl Observers {
    pub(crate) fn touch(&self, touched: &Touched) {
        self.each(|mail| {
            mail.touched.status |= touched.status;
            mail.touched.all |= touched.all;
            mail.touched.records.extend(&touched.records);
        });
    }

    pub(crate) fn close(&self) {
        self.each(|mail| mail.closed = true);
    }

    fn each(&self, write: impl Fn(&mut Mail)) {
        let mut boxes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        boxes.retain(|mailbox| {
            mailbox
                .upgrade()
                .map(|mailbox| mailbox.put(&write))
                .is_some()
        });
    }

    fn add(&self, mailbox: &Arc<Mailbox>) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(Arc::downgrade(mailbox));
    }
}

/// Subscribes. The snapshot is taken after the subscription began, so that
/// nothing falls between the two.
pub(crate) fn observe(shared: &Arc<Shared>, observer: Arc<dyn Observer>) -> Result<Subscription> {
    let mailbox = Arc::new(Mailbox::default());
    shared.observers.add(&mailbox);
    let snapshot = shared.with(view::snapshot)?;
    let (mine, weak) = (Arc::clone(&mailbox), Arc::downgrade(shared));
    let thread = thread::Builder::new()
        .name("gridwalk-observer".to_owned())
        .spawn(move || deliver(&mine, &weak, &*observer, snapshot))
        .map_err(|error| EngineError::Storage {
            message: error.kind().to_string(),
        })?;
    Ok(Subscription {
        mailbox,
        thread: Mutex::new(Some(thread)),
    })
}

fn deliver(mailbox: &Mailbox, shared: &Weak<Shared>, observer: &dyn Observer, snapshot: Change) {
    let tell = |change: Change| {
        if !mailbox.cancelled() {
            observer.changed(change);
        }
    };
    tell(snapshot);
    loop {
        let mail = mailbox.take();
        if mail.cancelled {
            return;
        }
        let changes = shared
            .upgrade()
            .map(|shared| shared.with(|core| view::changes(core, &mail.touched)));
        if let Some(Ok(changes)) = changes {
            changes.into_iter().for_each(&tell);
        }
        if mail.closed {
            tell(Change::Closed);
            return;
        }
    }
}
