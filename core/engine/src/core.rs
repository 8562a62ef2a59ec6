//! What an open engine consists of, behind one lock.
//!
//! The lock is held for a transaction, never across a network call or while an
//! observer is told: recording goes on during a sync.

use gridwalk_domain::{Calendar, Clock, Entity, Moment, Rng, kind};
use rusqlite::{Connection, TransactionBehavior};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use crate::attachments::Vault;
use crate::error::{EngineError, Inner, Result};
use crate::gate::Gate;
use crate::identity::{Contact, Me, RunningPatrol, RunningShift, Synced};
use crate::index::{self, Tx};
use crate::journal::Journal;
use crate::observe::{Observers, Touched};
use crate::outbox::Pen;
use crate::recorder::{self, Live, Recorder};
use crate::schedule::Schedule;
use crate::store::{self, Lock, meta};
use crate::{Config, Disk, account, boots, chunks, entities, wipe};

/// What the engine, its subscriptions and a running sync share.
pub(crate) struct Shared {
    core: Mutex<Option<Core>>,
    /// Held for the whole of a sync: one at a time.
    pub(crate) syncing: Mutex<()>,
    /// Held for the whole of a fetch: one at a time, too.
    pub(crate) fetching: Mutex<()>,
    pub(crate) observers: Observers,
    pub(crate) vault: Vault,
    pub(crate) disk: Arc<dyn Disk>,
    pub(crate) path: PathBuf,
    wiped: AtomicBool,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) platform: String,
    pub(crate) app: String,
}

/// The open file and what of it is held in memory.
pub(crate) struct Core {
    pub(crate) conn: Connection,
    pub(crate) recorder: Recorder,
    pub(crate) me: Option<Me>,
    pub(crate) synced: Option<Synced>,
    pub(crate) contact: Option<Contact>,
    pub(crate) schedule: Schedule,
    clock: Arc<dyn Clock>,
    // Last, so that the file is closed before another process may open it.
    _lock: Lock,
}

/// Begins a transaction that writes.
pub(crate) fn begin(conn: &mut Connection) -> Inner<Tx<'_>> {
    let behavior = TransactionBehavior::Immediate;
    Ok(Tx(conn.transaction_with_behavior(behavior)?))
}

impl Shared {
    pub(crate) fn open(config: Config) -> Result<Arc<Self>> {
        if wipe::is_ordered(&*config.disk, &config.path)? {
            wipe::carry_out(&*config.disk, &config.path)?;
            return Err(EngineError::Wiped);
        }
        let core = Core::open(&config)?;
        let vault = Vault::new(&config);
        let shared = Arc::new(Self {
            core: Mutex::new(Some(core)),
            syncing: Mutex::new(()),
            fetching: Mutex::new(()),
            observers: Observers::default(),
            vault,
            disk: config.disk,
            path: config.path,
            wiped: AtomicBool::new(false),
            clock: config.clock,
            rng: config.rng,
            platform: config.platform,
            app: config.app,
        });
        // What a process that died left to be removed can wait for the next
        // opening.
        let _ = shared.tidy();
        shared.clean_up();
        Ok(shared)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Core>> {
        // Memory is changed after a commit and in one go; a panic elsewhere
        // leaves nothing half-done behind.
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs `work` under the lock.
    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut Core) -> Inner<T>) -> Result<T> {
        let mut core = self.lock();
        let core = core.as_mut().ok_or_else(|| self.gone())?;
        Ok(work(core)?)
    }

    fn gone(&self) -> EngineError {
        if self.wiped.load(Ordering::Relaxed) {
            EngineError::Wiped
        } else {
            EngineError::Closed
        }
    }

    /// The server ordered it: closes the data file and destroys it, with all
    /// that lies beside it.
    pub(crate) fn wipe(&self) -> Result<()> {
        self.wiped.store(true, Ordering::Relaxed);
        self.close();
        Ok(wipe::carry_out(&*self.disk, &self.path)?)
    }

    /// Runs `work` under the lock and tells the observers what it touched.
    pub(crate) fn change<T>(
        &self,
        work: impl FnOnce(&mut Core) -> Inner<(T, Touched)>,
    ) -> Result<T> {
        let (out, touched) = self.with(work)?;
        self.observers.touch(&touched);
        Ok(out)
    }

    pub(crate) fn now(&self) -> Moment {
        self.clock.now()
    }

    pub(crate) fn close(&self) {
        let core = self.lock().take();
        self.observers.close();
        if let Some(mut core) = core {
            // What is in the journal survives this process anyway; synced, it
            // survives the phone too.
            let _ = core.recorder.journal.sync();
        }
    }
}

impl Core {
    fn open(config: &Config) -> Inner<Self> {
        let (mut conn, lock) = store::open(config)?;
        let journal = Journal::new(config);
        let recorder = Recorder::open(&mut conn, journal, &*config.clock, &*config.rng)?;
        let mut core = Self {
            me: account::present(&conn)?,
            synced: meta::get(&conn, meta::name::SCOPE)?,
            contact: meta::get(&conn, meta::name::CONTACT)?,
            schedule: Schedule::load(&conn)?,
            conn,
            recorder,
            clock: config.clock.clone(),
            _lock: lock,
        };
        let now = config.clock.now();
        // A disk that is full shows at the next save; looking goes on.
        let _ = core.note_boot(now);
        let _ = core.renew_index(&config.app);
        core.resume_patrol(now)?;
        Ok(core)
    }

    /// Notes this start of the system, where it is not noted yet.
    pub(crate) fn note_boot(&mut self, now: Moment) -> Inner<()> {
        if !boots::known(&self.conn, now)? {
            let tx = begin(&mut self.conn)?;
            boots::note(&tx, now)?;
            tx.commit()?;
        }
        Ok(())
    }

    /// Makes the index anew where that of another version of the app, or none,
    /// is there.
    pub(crate) fn renew_index(&mut self, app: &str) -> Inner<()> {
        if !index::is_whole(&self.conn, app)? {
            let tx = begin(&mut self.conn)?;
            index::renew(&tx, app)?;
            tx.commit()?;
        }
        Ok(())
    }

    /// Takes up the patrol that was running.
    fn resume_patrol(&mut self, now: Moment) -> Inner<()> {
        let Some(running) = meta::get::<RunningPatrol>(&self.conn, meta::name::PATROL)? else {
            return Ok(());
        };
        // Chunks that this version cannot read (a newer one sealed them) are kept
        // and sent; the picture of the route lacks them.
        let runs = chunks::decode(&chunks::bodies(&self.conn, running.id)?).unwrap_or_default();
        let mut live = Live::resumed(running.id, runs, now);
        let state = entities::load(&self.conn, self.account(), running.id)?;
        live.paused = state.as_ref().and_then(Entity::status) == Some(kind::patrol::PAUSED);
        live.opened = Some(recorder::opened(now, running.boot));
        self.recorder.live = Some(live);
        Ok(())
    }

    /// Who this phone is.
    pub(crate) fn me(&self) -> std::result::Result<&Me, EngineError> {
        self.me.as_ref().ok_or(EngineError::NotEnrolled)
    }

    /// The number of this phone's worker's account; that of nobody where there
    /// is none.
    pub(crate) fn account(&self) -> i64 {
        self.me.as_ref().map_or(0, |me| me.account)
    }

    /// The district's clocks: minutes east of UTC, as far as they are known.
    pub(crate) fn utc_offset_min(&self) -> i32 {
        let synced = self.synced.as_ref();
        synced.map_or(0, |synced| synced.scope.utc_offset_min)
    }

    /// A time of this phone's clock, as the server's was when it last answered.
    pub(crate) fn server_ms(&self, wall_ms: i64) -> i64 {
        let skew = self.contact.map_or(0, |contact| contact.skew_ms);
        wall_ms.saturating_add(skew)
    }

    /// The time, as far as the phone knows the server's.
    pub(crate) fn now_ms(&self) -> i64 {
        self.server_ms(self.clock.now().wall_ms)
    }

    /// The district's working time; the one that ships where none was synced.
    pub(crate) fn calendar(&self) -> &Calendar {
        static SHIPPED: OnceLock<Calendar> = OnceLock::new();
        let synced = self.synced.as_ref();
        let synced = synced.and_then(|synced| synced.scope.calendar.as_ref());
        synced.unwrap_or_else(|| SHIPPED.get_or_init(Calendar::shipped))
    }

    /// The shift that runs, unless somebody else ended it.
    pub(crate) fn shift(&self) -> Inner<Option<(RunningShift, Entity)>> {
        let Some(running) = meta::get::<RunningShift>(&self.conn, meta::name::SHIFT)? else {
            return Ok(None);
        };
        let shift = entities::load(&self.conn, self.account(), running.id)?;
        Ok(shift
            .filter(|shift| shift.status() == Some(kind::shift::ON))
            .map(|shift| (running, shift)))
    }
}

/// A pen for this phone's worker.
pub(crate) fn pen<'a>(
    me: Option<&'a Me>,
    synced: Option<&'a Synced>,
    shared: &'a Shared,
    at: Moment,
) -> std::result::Result<Pen<'a>, EngineError> {
    let me = me.ok_or(EngineError::NotEnrolled)?;
    Ok(Pen {
        me,
        at,
        rng: &*shared.rng,
        gate: Gate::new(me, synced),
    })
}
