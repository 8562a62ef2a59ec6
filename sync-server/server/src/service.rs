//! All that the server does, free of any transport.

use gridwalk_domain::wire::{Limits, PROTOCOL_VERSION};
use gridwalk_domain::{Clock, Epoch, Rng};
use gridwalk_store::{Read, Store, StoreError, Write};
use std::collections::HashSet;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};

use crate::blobs::Blobs;
use crate::commits::Commits;
use crate::error::Error;
use crate::keep::Keep;
use crate::law::Laws;
use crate::limiter::{Limit, Limiter};
use crate::replay;
use crate::routes::Routes;
use crate::states::States;
use crate::tree::Trees;

/// How long a stream's tags are kept.
const TAGS_KEPT_MS: i64 = 90 * 24 * 3_600_000;
/// How long an upload to which no byte comes is kept.
pub(crate) const UPLOADS_KEPT_MS: i64 = 7 * 24 * 3_600_000;
/// How long a session lasts that nobody uses.
pub(crate) const SESSION_IDLE_MS: i64 = 12 * 3_600_000;

/// The note that names the journal's folder a database belongs to.
pub(crate) const KEEP: &str = "keep";

/// What a service works on.
#[derive(Clone)]
pub struct Parts {
    /// Where its data is.
    pub store: Arc<dyn Store>,
    /// Where attachments are.
    pub blobs: Arc<dyn Blobs>,
    /// What is kept outside of the data.
    pub keep: Arc<dyn Keep>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub rng: Arc<dyn Rng>,
}

/// How often one phone may ask: so many requests at once, then one each.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Requests at once.
    pub burst: u32,
    /// Milliseconds until there may be one more.
    pub every_ms: i64,
}

/// How much goes into one request and one answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sizes {
    /// What phones are told to keep to, at most what this server takes.
    pub limits: Limits,
    /// The bytes of states that one answer to a pull carries, and a record more.
    pub page_bytes: usize,
    /// The receipts that one answer carries.
    pub page_receipts: usize,
}

impl Default for Sizes {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            page_bytes: 256 * 1024,
            page_receipts: 500,
        }
    }
}

/// What can be set for a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The oldest version of the protocol whose ops are judged; those of older
    /// apps wait in quarantine.
    pub min_v: u32,
    /// The server's version: what it could not judge is judged again when this
    /// changes.
    pub version: String,
    /// How often one phone may ask; none sets no limit.
    pub pace: Option<Pace>,
    /// How much goes into one request and one answer: less for narrow lines.
    pub sizes: Sizes,
    /// Whether the journal's folder may be another one than the data was used
    /// with: the old one is lost.
    pub new_keep: bool,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            min_v: PROTOCOL_VERSION,
            version: env!("CARGO_PKG_VERSION").to_owned(),
            // A phone that drains a month's backlog asks some hundred times.
            pace: Some(Pace {
                burst: 600,
                every_ms: 200,
            }),
            sizes: Sizes::default(),
            new_keep: false,
        }
    }
}

/// Why a service cannot be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The store failed, or what is kept outside of it cannot be read.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The data was used with another journal: purges and ops that are written
    /// there would be passed over.
    #[error(
        "the data belongs to another journal folder; name that one with --journal, or say --new-journal if it is lost"
    )]
    OtherKeep,
}

/// What work in a transaction needs besides the transaction.
#[derive(Clone)]
pub(crate) struct Tools {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) blobs: Arc<dyn Blobs>,
    pub(crate) keep: Arc<dyn Keep>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) trees: Arc<Trees>,
    pub(crate) laws: Arc<Laws>,
    pub(crate) states: Arc<States>,
    pub(crate) settings: Arc<Settings>,
}

impl Tools {
    /// The server's time: milliseconds since 1970 (UTC).
    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now().wall_ms
    }
}

/// The server, short of its transport.
///
/// All calls may run at once, from any thread. What a call says that it stored
/// is durable when it returns.
pub struct Service {
    pub(crate) tools: Tools,
    pub(crate) routes: Routes,
    pub(crate) limiter: Limiter,
    /// Held while a password is hashed: each takes 19 MiB and a core.
    pub(crate) hashing: Mutex<()>,
    /// How many wait for that.
    pub(crate) waiting: AtomicUsize,
    /// The uploads that are being written.
    pub(crate) uploading: Arc<Mutex<HashSet<String>>>,
    commits: Commits,
}

impl Service {
    /// Opens the service; a new store gets its time line. What is kept outside of
    /// the store is replayed, what was begun is finished, and what this version
    /// can judge that an older one could not is judged.
    ///
    /// # Errors
    /// [`OpenError`]; nothing is served then.
    pub fn open(parts: Parts, settings: Settings) -> Result<Self, OpenError> {
        let tools = Tools {
            store: parts.store,
            blobs: parts.blobs,
            keep: parts.keep,
            clock: parts.clock,
            rng: parts.rng,
            trees: Arc::default(),
            laws: Arc::default(),
            states: Arc::default(),
            settings: Arc::new(settings),
        };
        begin(&tools)?;
        let service = Self {
            tools,
            routes: Routes::default(),
            limiter: Limiter::default(),
            hashing: Mutex::default(),
            waiting: AtomicUsize::new(0),
            uploading: Arc::default(),
            commits: Commits::default(),
        };
        replay::at_start(&service.tools)?;
        Ok(service)
    }

    /// The store that it works on.
    #[must_use]
    pub fn store(&self) -> &dyn Store {
        &*self.tools.store
    }

    /// The server's time: milliseconds since 1970 (UTC).
    pub(crate) fn now_ms(&self) -> i64 {
        self.tools.now_ms()
    }

    pub(crate) fn read<T>(
        &self,
        run: impl FnMut(&dyn Read) -> Result<T, Error>,
    ) -> Result<T, Error> {
        gridwalk_store::read(&*self.tools.store, run)
    }

    /// Runs a write, in a commit that others may share.
    pub(crate) fn commit<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Write) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.commits.run(&*self.tools.store, work)
    }

    /// Runs a write that needs the tools.
    pub(crate) fn commit_with<T: Send + 'static>(
        &self,
        mut work: impl FnMut(&mut dyn Write, &Tools) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        let tools = self.tools.clone();
        self.commit(move |tx| work(tx, &tools))
    }

    /// Forgets what is too old to be of use: tags of streams, uploads that
    /// nobody goes on with, sessions and codes. To be called now and then.
    ///
    /// # Errors
    /// Where the store or the attachments fail; it can be called again.
    pub fn maintain(&self) -> Result<(), Error> {
        let now_ms = self.now_ms();
        let stale = self.read(|tx| Ok(tx.stale_uploads(now_ms - UPLOADS_KEPT_MS)?))?;
        for upload in &stale {
            let Some(_guard) = self.guard_upload(&upload.id) else {
                continue;
            };
            self.tools.blobs.discard(&upload.id)?;
            let id = upload.id.clone();
            self.commit(move |tx| Ok(tx.drop_upload(&id)?))?;
        }
        self.discard_unknown()?;
        self.commit(move |tx| {
            tx.prune_tags(now_ms - TAGS_KEPT_MS)?;
            Ok(tx.prune_logins(now_ms - SESSION_IDLE_MS)?)
        })
    }

    /// Discards pieces of uploads that no row tells of: a purge or a restore took
    /// the row while somebody wrote.
    fn discard_unknown(&self) -> Result<(), Error> {
        for id in self.tools.blobs.uploads()? {
            let Some(_guard) = self.guard_upload(&id) else {
                continue;
            };
            if self.read(|tx| Ok(tx.upload(&id)?))?.is_none() {
                self.tools.blobs.discard(&id)?;
            }
        }
        Ok(())
    }

    /// Takes one request of a phone from its pace.
    ///
    /// # Errors
    /// 429 with the time to wait.
    pub(crate) fn pace(&self, device: &gridwalk_domain::DeviceId) -> Result<(), Error> {
        let Some(Pace { burst, every_ms }) = self.tools.settings.pace else {
            return Ok(());
        };
        let (key, now_ms) = (format!("phone/{device}"), self.tools.clock.now().mono_ms);
        let taken = self.limiter.take(&key, Limit { burst, every_ms }, now_ms);
        Ok(taken.map_err(crate::error::Fault::too_many_requests)?)
    }
}

/// A new store gets its time line and its journal; another one must have come
/// with the right one.
fn begin(tools: &Tools) -> Result<(), OpenError> {
    let failed = |why: std::io::Error| StoreError::Failed(format!("the journal's folder: {why}"));
    let id = tools.keep.id().map_err(failed)?;
    let drawn = Epoch::draw(&*tools.rng);
    gridwalk_store::write(&*tools.store, |tx| {
        if tx.epoch()?.is_none() {
            tx.set_epoch(drawn)?;
        }
        match tx.note(KEEP)? {
            Some(noted) if noted == id => Ok(()),
            Some(_) if !tools.settings.new_keep => Err(OpenError::OtherKeep),
            _ => Ok(tx.put_note(KEEP, &id)?),
        }
    })
}
