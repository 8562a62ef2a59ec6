//! The real server in this process, on a store and attachments in memory that
//! fail and crash when they are told to.

mod blobs;
mod store;
pub mod view;

use gridwalk_engine::{Method, Request, Response};
use gridwalk_server::Service;
use gridwalk_server::blobs::Blobs;
use gridwalk_server::http;
use gridwalk_store::{Read, Store, StoreError};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::random::Seeded;
use crate::time::{ServerClock, Time};
use blobs::SimBlobs;
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
    life: Life,
    service: Arc<Service>,
}

/// All that the server stored, at one time.
pub struct Backup {
    store: SimStore,
    blobs: SimBlobs,
}

impl Server {
    /// A new one, with nothing in it.
    ///
    /// # Errors
    /// Where the store fails, which a new one does not.
    pub fn new(time: &Time, seed: u64) -> Result<Self, StoreError> {
        let (store, blobs) = (SimStore::default(), SimBlobs::new(seed));
        Self::on(time.clone(), Arc::new(Seeded::new(seed)), store, blobs)
    }

    fn on(
        time: Time,
        rng: Arc<Seeded>,
        store: SimStore,
        blobs: SimBlobs,
    ) -> Result<Self, StoreError> {
        let life = Life::default();
        let (store, blobs) = (store.living(&life), blobs.living(&life));
        let service = Service::open(
            Arc::new(store.clone()),
            Arc::new(blobs.clone()),
            Arc::new(ServerClock(time.clone())),
            rng.clone(),
        )?;
        Ok(Self {
            time,
            rng,
            store,
            blobs,
            life,
            service: Arc::new(service),
        })
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
    pub fn handle(
        &mut self,
        request: &Request,
        peer: &str,
    ) -> Result<Option<Response>, StoreError> {
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

    /// Its process dies and another one starts on what is durable.
    ///
    /// # Errors
    /// Where it does not start.
    pub fn crash(&mut self) -> Result<(), StoreError> {
        self.life.end();
        self.mend();
        self.blobs.power_cut();
        *self = Self::on(
            self.time.clone(),
            Arc::clone(&self.rng),
            self.store.clone(),
            self.blobs.clone(),
        )?;
        Ok(())
    }

    /// One of its next writes goes wrong: the one after so many others.
    pub fn fail_write(&self, after: u64, how: WriteFault) {
        self.store.fail(after, how);
    }

    /// Nothing fails any more.
    pub fn mend(&self) {
        self.store.mend();
    }

    /// All that it stores now.
    #[must_use]
    pub fn backup(&self) -> Backup {
        Backup {
            store: self.store.copy(),
            blobs: self.blobs.copy(),
        }
    }

    /// It goes back in time. What tells it so belongs to the protocol.
    ///
    /// # Errors
    /// Where it does not start.
    pub fn restore(&mut self, backup: &Backup) -> Result<(), StoreError> {
        self.life.end();
        *self = Self::on(
            self.time.clone(),
            Arc::clone(&self.rng),
            backup.store.copy(),
            backup.blobs.copy(),
        )?;
        Ok(())
    }

    /// Looks into its store.
    ///
    /// # Errors
    /// The closure's.
    pub fn read<T>(
        &self,
        look: impl FnMut(&dyn Read) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        gridwalk_store::read(&self.store as &dyn Store, look)
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

    fn epoch(server: &Server) -> Option<Epoch> {
        server.read(|tx| tx.epoch()).expect("reads")
    }

    fn set(server: &Server, n: u8) -> Result<(), StoreError> {
        let epoch = Epoch::from_bytes([n; 16]);
        gridwalk_store::write(&server.store as &dyn Store, |tx| tx.set_epoch(epoch))
    }

    #[test]
    fn a_commit_that_fails_is_undone_and_one_whose_answer_is_lost_is_not() {
        let mut server = Server::new(&Time::new(), 1).expect("opens");
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
    fn a_restored_server_is_as_it_was() {
        let mut server = Server::new(&Time::new(), 1).expect("opens");
        set(&server, 1).expect("sets");
        let backup = server.backup();
        set(&server, 2).expect("sets");
        server.restore(&backup).expect("starts");
        assert_eq!(epoch(&server), Some(Epoch::from_bytes([1; 16])));
    }
}
