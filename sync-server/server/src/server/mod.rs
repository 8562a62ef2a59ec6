//! The service on a socket, with the page inside.

mod assets;
mod connection;
mod layers;
mod requests;
mod tls;

use gridwalk_domain::{Clock, Rng};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::MissedTickBehavior;

use crate::admin::{self, AdminError, Folders};
use crate::error::Error;
use crate::service::{Service, Settings};

/// How long requests under way may take to end when the server stops.
const DRAIN: Duration = Duration::from_secs(20);
/// How often old tags, uploads and sessions are forgotten.
const MAINTAIN_EVERY: Duration = Duration::from_secs(3600);
/// How often the clock looks for what is due.
const STRIKE_EVERY: Duration = Duration::from_secs(60);
/// Requests that work at once; more wait.
const WORKERS: usize = 64;

/// A certificate and its key, in PEM.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The chain, the server's own certificate first.
    pub cert: PathBuf,
    /// The private key.
    pub key: PathBuf,
}

/// How to serve.
#[derive(Clone, Debug)]
pub struct Config {
    /// The folder of the database and the attachments; made where missing.
    pub data: PathBuf,
    /// The folder of the journal, best on another disk; inside the data folder
    /// where none is given.
    pub journal: Option<PathBuf>,
    /// Where to listen; port 0 takes any free one.
    pub listen: SocketAddr,
    /// The address that phones and browsers use, where it is another one.
    pub public_url: Option<String>,
    /// TLS, where the server does it itself.
    pub tls: Option<TlsFiles>,
    /// What can be set for the service.
    pub settings: Settings,
}

impl Config {
    /// Plain HTTP on `listen`, data in `data`.
    #[must_use]
    pub fn new(data: PathBuf, listen: SocketAddr) -> Self {
        Self {
            data,
            journal: None,
            settings: Settings::default(),
            listen,
            public_url: None,
            tls: None,
        }
    }
}

/// Why the server cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The data folder cannot be used.
    #[error(transparent)]
    Data(#[from] AdminError),
    /// The address cannot be listened on.
    #[error("cannot listen on {at}: {why}; choose another with --listen")]
    Listen {
        /// Where.
        at: SocketAddr,
        /// What the system says.
        why: std::io::Error,
    },
    /// The certificate or its key cannot be used.
    #[error("TLS cannot start: {0}; check --tls-cert and --tls-key")]
    Tls(String),
    /// The system gives no threads.
    #[error("the system gives no threads: {0}")]
    Runtime(std::io::Error),
}

/// The server.
pub struct Server;

/// A server that runs; dropping it stops it.
pub struct RunningServer {
    addr: SocketAddr,
    url: String,
    service: Arc<Service>,
    stop: watch::Sender<bool>,
    running: Option<(Runtime, JoinHandle<()>)>,
}

impl Server {
    /// Opens the data folder and serves it until it is stopped.
    ///
    /// # Errors
    /// [`StartError`]; nothing runs then.
    pub fn start(
        config: &Config,
        clock: Arc<dyn Clock>,
        rng: Arc<dyn Rng>,
    ) -> Result<RunningServer, StartError> {
        let tls = config.tls.as_ref().map(tls::load).transpose()?;
        let folders = Folders {
            data: config.data.clone(),
            journal: config.journal.clone(),
        };
        let settings = config.settings.clone();
        let service = Arc::new(admin::open(&folders, clock, rng, settings)?);
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .max_blocking_threads(WORKERS)
            .enable_all()
            .build()
            .map_err(StartError::Runtime)?;
        let listen = |why| StartError::Listen {
            at: config.listen,
            why,
        };
        let listener = runtime
            .block_on(TcpListener::bind(config.listen))
            .map_err(listen)?;
        let addr = listener.local_addr().map_err(listen)?;
        let scheme = if tls.is_some() { "https" } else { "http" };
        let url = config
            .public_url
            .clone()
            .unwrap_or_else(|| format!("{scheme}://{addr}"));
        let (stop, stopped) = watch::channel(false);
        runtime.spawn(every(MAINTAIN_EVERY, stopped.clone(), {
            let service = Arc::clone(&service);
            move || service.maintain()
        }));
        runtime.spawn(every(STRIKE_EVERY, stopped.clone(), {
            let service = Arc::clone(&service);
            move || service.strike().map(drop)
        }));
        let secure = url.starts_with("https://");
        let serving =
            connection::serve(listener, tls, secure, Arc::clone(&service), stopped, DRAIN);
        let task = runtime.spawn(serving);
        Ok(RunningServer {
            addr,
            url,
            service,
            stop,
            running: Some((runtime, task)),
        })
    }
}

/// Does some work now and then, until the server stops.
async fn every(
    period: Duration,
    mut stopped: watch::Receiver<bool>,
    work: impl Fn() -> Result<(), Error> + Send + Sync + 'static,
) {
    let work = Arc::new(work);
    let mut every = tokio::time::interval(period);
    every.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            _ = every.tick() => {}
            _ = stopped.changed() => return,
        }
        let work = Arc::clone(&work);
        let done = tokio::task::spawn_blocking(move || work()).await;
        if let Ok(Err(error)) = done {
            tracing::error!(%error, "regular work failed; it is tried again");
        }
    }
}

impl RunningServer {
    /// Where it listens.
    #[must_use]
    pub const fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The address that phones and browsers use.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The same calls without HTTP.
    #[must_use]
    pub const fn service(&self) -> &Arc<Service> {
        &self.service
    }

    /// Takes no more connections, lets the requests under way end, and returns
    /// when all have.
    pub fn stop(mut self) {
        self.end();
    }

    fn end(&mut self) {
        let Some((runtime, task)) = self.running.take() else {
            return;
        };
        self.stop.send_replace(true);
        if runtime.block_on(task).is_err() {
            tracing::error!("the server's task fell");
        }
        runtime.shutdown_timeout(DRAIN);
    }
}

impl Drop for RunningServer {
    fn drop(&mut self) {
        self.end();
    }
}
