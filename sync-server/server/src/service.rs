//! All that the server does, free of any transport.

use gridwalk_domain::{Catalogue, Clock, Epoch, Rng};
use gridwalk_store::{Read, Store, StoreError, Write};
use std::collections::HashSet;
use std::sync::atomic::AtomicUsize;
use std::sync::{Arc, Mutex};

use crate::blobs::Blobs;
use crate::commits::Commits;
use crate::error::Error;
use crate::limiter::Limiter;
use crate::routes::Routes;
use crate::tree::Trees;

/// How long a stream's tags are kept.
const TAGS_KEPT_MS: i64 = 90 * 24 * 3_600_000;
/// How long an upload to which no byte comes is kept.
const UPLOADS_KEPT_MS: i64 = 7 * 24 * 3_600_000;
/// How long a session lasts that nobody uses.
pub(crate) const SESSION_IDLE_MS: i64 = 12 * 3_600_000;

/// The server, short of its transport.
///
/// All calls may run at once, from any thread. What a call says that it stored
/// is durable when it returns.
pub struct Service {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) blobs: Arc<dyn Blobs>,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) rng: Arc<dyn Rng>,
    pub(crate) epoch: Epoch,
    pub(crate) catalogue: Catalogue,
    pub(crate) trees: Arc<Trees>,
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
    /// Opens the service on its store and attachments; a new store gets its
    /// time line.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn open(
        store: Arc<dyn Store>,
        blobs: Arc<dyn Blobs>,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Result<Self, StoreError> {
        let drawn = Epoch::draw(&*rng);
        let epoch = gridwalk_store::write::<_, StoreError>(&*store, |tx| match tx.epoch()? {
            Some(epoch) => Ok(epoch),
            None => {
                tx.set_epoch(drawn)?;
                Ok(drawn)
            }
        })?;
        Ok(Self {
            store,
            blobs,
            clock,
            rng,
            epoch,
            catalogue: Catalogue::shipped(),
            trees: Arc::default(),
            routes: Routes::default(),
            limiter: Limiter::default(),
            hashing: Mutex::default(),
            waiting: AtomicUsize::new(0),
            uploading: Arc::default(),
            commits: Commits::default(),
        })
    }

    /// The store that it works on.
    #[must_use]
    pub fn store(&self) -> &dyn Store {
        &*self.store
    }

    /// The server's time: milliseconds since 1970 (UTC).
    pub(crate) fn now_ms(&self) -> i64 {
        self.clock.now().wall_ms
    }

    pub(crate) fn read<T>(
        &self,
        run: impl FnMut(&dyn Read) -> Result<T, Error>,
    ) -> Result<T, Error> {
        gridwalk_store::read(&*self.store, run)
    }

    /// Runs a write, in a commit that others may share.
    pub(crate) fn commit<T: Send + 'static>(
        &self,
        work: impl FnMut(&mut dyn Write) -> Result<T, Error> + Send + 'static,
    ) -> Result<T, Error> {
        self.commits.run(&*self.store, work)
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
            self.blobs.discard(&upload.id)?;
            let id = upload.id.clone();
            self.commit(move |tx| Ok(tx.drop_upload(&id)?))?;
        }
        self.commit(move |tx| {
            tx.prune_tags(now_ms - TAGS_KEPT_MS)?;
            Ok(tx.prune_logins(now_ms - SESSION_IDLE_MS)?)
        })
    }
}
