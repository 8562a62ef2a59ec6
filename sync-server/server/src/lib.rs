//! The sync server and the supervisor's page.
//!
//! - [`Service`] holds all that the server does, free of any transport: it is
//!   synchronous, takes its clock and its randomness as parameters, and answers
//!   plain [`http::Request`]s, so that a simulation runs it in-process;
//! - [`Server`] puts it on a socket, with the page inside;
//! - [`admin`] has what the verbs of `gridwalk-server` do.
//!
//! Ingest lives once, in `sync`, above the store; rights live once, in `rights`,
//! below the handlers.

mod act;
pub mod admin;
mod audience;
mod batch;
pub mod blobs;
mod clock;
mod commits;
mod district;
mod error;
mod hash;
pub mod http;
pub mod keep;
mod law;
mod limiter;
mod page;
mod project;
mod random;
mod readings;
mod replay;
mod rights;
mod routes;
mod server;
mod service;
mod sites;
mod states;
mod sync;
mod tree;

pub use act::Act;
pub use error::{Error, Fault};
pub use page::{Holdings, PatrolHolding, RunHolding};
pub use server::{Config, RunningServer, Server, StartError, TlsFiles};
pub use service::{OpenError, Pace, Parts, Service, Settings, Sizes};
pub use sync::Phone;
