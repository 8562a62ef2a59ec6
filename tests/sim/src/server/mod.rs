//! The real server in this process, on a store and attachments in memory that
//! fail and crash when they are told to.

mod blobs;
mod keep;
mod store;
pub mod view;

use gridwalk_domain::TenantId;
use gridwalk_engine::{Method, Request, Response};
use gridwalk_server::admin::{AdminError, Backup};
use gridwalk_server::blobs::Blobs;
use gridwalk_server::keep::{Book, Keep as _};
use gridwalk_server::{OpenError, Parts, Service, Settings, http};
use gridwalk_store::{EntityFilter, Read, StoreError};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::random::Seeded;
use crate::time::{ServerClock, Time};
use blobs::SimBlobs;
use keep::SimKeep;
use store::SimStore;
pub use store::WriteFault;

/// Whether the server's process is dead; what is dead writes no more.
#[derive(Clone, Default)]
struct Life(Arc<AtomicBool>);

impl Life {
    fn is_over(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn end(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// The server and what it stores.
pub struct Server {
    time: Time,
    rng: Arc<Seeded>,
    store: SimStore,
    blobs: SimBlobs,
    keep: SimKeep,
    life: Life,
    settings: Settings,
    service: Arc<Service>,
}

/// Where a store in memory has its files.
const NOWHERE: &str = "nowhere";

impl Server {
    /// A new one, with nothing in it.
    ///
    /// # Errors
    /// Where the store fails, which a new one does not.
    pub fn new(time: &Time, seed: u64, settings: Settings) -> Result<Self, OpenError> {
        let rng = Arc::new(Seeded::new(seed));
        let (store, blobs, keep) = (SimStore::new(), SimBlobs::new(seed), SimKeep::default());
        Self::on(time.clone(), rng, settings, (store, blobs, keep))
    }

    /// A process that starts on what is there.
    fn on(
        time: Time,
        rng: Arc<Seeded>,
        settings: Settings,
        (store, blobs, keep): (SimStore, SimBlobs, SimKeep),
    ) -> Result<Self, OpenError> {
        let life = Life::default();
        let (store, blobs, keep) = (store.living(&life), blobs.living(&life), keep.living(&life));
        let parts = Parts {
            store: Arc::new(store.clone()),
            blobs: Arc::new(blobs.clone()),
            keep: Arc::new(keep.clone()),
            clock: Arc::new(ServerClock(time.clone())),
            rng: rng.clone(),
        };
        let service = Arc::new(Service::open(parts, settings.clone())?);
        Ok(Self {
            time,
            rng,
            settings,
            store,
            blobs,
            keep,
            life,
            service,
        })
    }

    fn start(&mut self, store: SimStore, blobs: SimBlobs) -> Result<(), OpenError> {
        self.life.end();
        *self = Self::on(
            self.time.clone(),
            Arc::clone(&self.rng),
            self.settings.clone(),
            (store, blobs, self.keep.clone()),
        )?;
        Ok(())
    }

    /// The service that runs.
    #[must_use]
    pub fn service(&self) -> &Arc<Service> {
        &self.service
    }

    /// Answers a request; none where the server died over it, and was started
    /// again.
    ///
    /// # Errors
    /// Where it does not start again.
    pub fn handle(&mut self, request: &Request, peer: &str) -> Result<Option<Response>, OpenError> {
        let answer = self.service.handle(&http::Request {
            method: request.method.as_str().to_owned(),
            path: request.path.clone(),
            query: String::new(),
            headers: request.headers.clone(),
            body: if request.method == Method::Head {
                vec![]
            } else {
                request.body.clone()
            },
            peer: peer.to_owned(),
            secure: true,
        });
        if self.life.is_over() {
            self.crash()?;
            return Ok(None);
        }
        let headers = answer.headers.into_iter();
        Ok(Some(Response {
            status: answer.status,
            headers: headers
                .map(|(name, value)| (name.to_owned(), value))
                .collect(),
            body: answer.body.into_bytes().unwrap_or_default(),
        }))
    }

    /// Whether its process is dead.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.life.is_over()
    }

    /// Its process dies and another one starts on what is durable.
    ///
    /// # Errors
    /// Where it does not start.
    pub fn crash(&mut self) -> Result<(), OpenError> {
        self.mend();
        self.blobs.power_cut();
        self.start(self.store.clone(), self.blobs.clone())
    }

    /// One of its next writes goes wrong: the one after so many others.
    pub fn fail_write(&self, after: u64, how: WriteFault) {
        self.store.fail(after, how);
    }

    /// Nothing fails any more.
    pub fn mend(&self) {
        self.store.mend();
    }

    /// A backup, as the operator makes it.
    ///
    /// # Errors
    /// Where that fails.
    pub fn backup(&self) -> Result<Backup, AdminError> {
        let blobs = Arc::new(SimBlobs::new(0));
        let admin = self.service.admin();
        admin.back_up_into(Path::new(NOWHERE), blobs)
    }

    /// The operator goes back to a backup that was checked, while it serves.
    ///
    /// # Errors
    /// Where that fails.
    pub fn restore(&self, backup: &Backup) -> Result<(), AdminError> {
        let admin = self.service.admin();
        admin
            .restore_from(backup, Path::new(NOWHERE), false)
            .map(drop)
    }

    /// Its machine goes back to what it was when the backup was made, and nobody
    /// tells it.
    ///
    /// # Errors
    /// Where it does not start.
    pub fn go_back(&mut self, backup: &Backup) -> Result<(), OpenError> {
        let store = SimStore::of(backup.store.copy(Path::new(NOWHERE))?);
        let blobs = self.blobs.with(&*backup.blobs);
        self.start(store, blobs)
    }

    /// The names of the backups to which it may go back.
    #[must_use]
    pub fn restorable(&self) -> String {
        self.book(Book::Floor)
    }

    /// What operators ordered for good.
    #[must_use]
    pub fn orders(&self) -> String {
        self.book(Book::Ledger)
    }

    fn book(&self, book: Book) -> String {
        self.keep.lines(book).unwrap_or_default().join("\n")
    }

    /// Looks into its store.
    ///
    /// # Errors
    /// The closure's.
    pub fn read<T>(
        &self,
        look: impl FnMut(&dyn Read) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        gridwalk_store::read(self.store.rows(), look)
    }

    /// Writes into its store, as an operator would; that goes well.
    ///
    /// # Errors
    /// The closure's.
    pub fn write<T>(
        &self,
        write: impl FnMut(&mut dyn gridwalk_store::Write) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        gridwalk_store::write(self.store.rows(), write)
    }

    /// The text of every op and state of a district, and of its books.
    ///
    /// # Errors
    /// Where its store fails.
    pub fn texts(&self, tenant: TenantId) -> Result<Vec<String>, StoreError> {
        let mut texts = self.read(|tx| {
            let mut texts = Vec::new();
            for id in tx.op_ids(tenant)? {
                texts.extend(tx.op_rows(tenant, id)?.into_iter().map(|row| row.body));
            }
            let all = tx.find(tenant, &EntityFilter::default())?;
            let ids: Vec<_> = all.iter().map(|row| row.id).collect();
            let rows = tx.entities(tenant, &ids)?.into_iter();
            texts.extend(rows.filter_map(|row| row.state));
            Ok(texts)
        })?;
        for book in [Book::Journal, Book::Ledger] {
            texts.extend(self.keep.lines(book).unwrap_or_default());
        }
        Ok(texts)
    }

    /// The content of an attachment.
    #[must_use]
    pub fn blob(&self, sha256: gridwalk_domain::Sha256) -> Option<Vec<u8>> {
        let mut bytes = self.blobs.open(sha256).ok()??;
        let mut out = Vec::new();
        bytes.read_to_end(&mut out).ok()?;
        Some(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gridwalk_domain::Epoch;
    use gridwalk_store::Store;

    fn epoch(server: &Server) -> Option<Epoch> {
        server.read(|tx| tx.epoch()).expect("reads")
    }

    fn set(server: &Server, n: u8) -> Result<(), StoreError> {
        let epoch = Epoch::from_bytes([n; 16]);
        gridwalk_store::write(&server.store as &dyn Store, |tx| tx.set_epoch(epoch))
    }

    #[test]
    fn a_commit_that_fails_is_undone_and_one_whose_answer_is_lost_is_not() {
        let mut server = Server::new(&Time::new(), 1, Settings::default()).expect("opens");
        server.fail_write(0, WriteFault::Refused);
        set(&server, 1).expect_err("fails");
        assert_ne!(epoch(&server), Some(Epoch::from_bytes([1; 16])));
        set(&server, 2).expect("once only");
        server.fail_write(0, WriteFault::DiesBefore);
        set(&server, 3).expect_err("dies");
        set(&server, 4).expect_err("is dead");
        server.crash().expect("starts again");
        assert_eq!(epoch(&server), Some(Epoch::from_bytes([2; 16])));
        server.fail_write(0, WriteFault::DiesAfter);
        set(&server, 5).expect_err("dies");
        server.crash().expect("starts again");
        assert_eq!(epoch(&server), Some(Epoch::from_bytes([5; 16])));
    }

    #[test]
    fn a_server_that_goes_back_untold_is_as_it_was_and_a_restored_one_is_of_a_new_time() {
        let mut server = Server::new(&Time::new(), 1, Settings::default()).expect("opens");
        set(&server, 1).expect("sets");
        let backup = server.backup().expect("copies");
        let admin = server.service().admin();
        admin.verify(&backup, 1).expect("is whole");
        set(&server, 2).expect("sets");
        server.go_back(&backup).expect("starts");
        assert_eq!(epoch(&server), Some(Epoch::from_bytes([1; 16])));
        server.restore(&backup).expect("restores");
        let known = [1, 2].map(|n| Some(Epoch::from_bytes([n; 16])));
        assert!(!known.contains(&epoch(&server)));
    }
}
