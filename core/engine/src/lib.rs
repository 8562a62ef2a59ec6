//! The phone: store, recorder, outbox, attachments, sync, behind one facade,
//! [`Engine`].
//!
//! - [`Engine`] is all that a shell calls. Every call blocks; time and
//!   randomness are parameters ([`Config`]), the network is a [`Transport`].
//! - A save is one transaction: the record's op goes into the outbox, durably,
//!   before the call returns. What is shown is the server's state with the
//!   phone's own ops on top, by the `apply` that the server runs too.
//! - The recorder keeps fixes in a journal beside the database and seals them
//!   into chunks; a kill loses none that was acknowledged.
//! - A sync sends ops, chunks and attachments and pulls what changed, with the
//!   lock taken for its transactions only.

mod attachments;
mod chunks;
mod config;
mod core;
mod engine;
mod entities;
mod error;
mod export;
#[cfg(feature = "http")]
mod http;
mod identity;
mod invitation;
mod journal;
mod observe;
mod outbox;
mod pull;
mod recorder;
mod store;
mod sync;
mod transport;
mod view;

pub use config::{Config, Key32};
pub use engine::{
    CoverageView, Engine, NewCheckIn, NewIncident, NewPhoto, PatrolSummary, SiteView,
};
pub use error::{EngineError, Result};
pub use export::Format;
#[cfg(feature = "http")]
pub use http::HttpTransport;
pub use identity::{GridRef, Identity};
pub use invitation::{Invitation, ServerAddress};
pub use observe::{Change, Observer, Subscription};
pub use recorder::{Recorded, RefusedFix};
pub use sync::{CancelToken, Phase, Progress, SyncOptions, SyncProgress, SyncReport};
pub use transport::{Method, Request, Response, Transport, TransportError};
pub use view::{
    Advice, CommentView, IncidentView, PatrolNow, PatrolView, PhotoView, Place, RefusedItem,
    RefusedWhat, RouteView, RunView, SendState, ShiftView, Status, StepView,
};

// What the facade's signatures name.
pub use gridwalk_domain as domain;
pub use gridwalk_track as track;
