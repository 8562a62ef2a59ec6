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

mod account;
mod attachments;
mod boots;
mod chunks;
mod config;
mod core;
mod disk;
mod drafts;
mod engine;
mod entities;
mod error;
mod export;
mod export_unsent;
mod fetched;
mod gate;
#[cfg(feature = "http")]
mod http;
mod identity;
mod index;
mod invitation;
mod journal;
mod leaving;
mod observe;
mod outbox;
mod policy;
mod pull;
mod purge;
mod recorder;
mod retention;
mod schedule;
mod store;
mod sync;
mod timeline;
mod transport;
mod view;
mod wipe;

pub use account::Leaving;
pub use config::{Config, Key32};
pub use disk::{Disk, DiskFile, OpenFor, SystemDisk};
pub use engine::{
    Agreement, Classification, Content, CoverageView, DraftView, DuplicateView, Edit, Engine,
    FindingView, Form, IncidentPage, IncidentQuery, LookAgain, MAX_PAGE, MAX_SEARCH, MediationView,
    Near, NewAttachment, NewCheckIn, NewFinding, NewIncident, NewMediation, NewPhoto, NewVisit,
    NoticeView, PatrolSummary, PictureAnswer, Session, Signature, SiteView, Sort, StepOffer,
    StepWords, TaskView, VisitView,
};
pub use error::{EngineError, Result};
pub use export::Format;
pub use export_unsent::Exported;
#[cfg(feature = "http")]
pub use http::HttpTransport;
pub use identity::{GridRef, Identity};
pub use invitation::{Invitation, ServerAddress};
pub use leaving::{Departure, LogOut, VaultView, VaultWhy};
pub use observe::{Change, Observer, Subscription};
pub use policy::{Network, Policy};
pub use recorder::{Recorded, RefusedFix};
pub use schedule::NextSync;
pub use sync::{
    CancelToken, Cut, FetchOptions, FetchProgress, Fetched, Phase, Progress, SyncOptions,
    SyncProgress, SyncReport,
};
pub use transport::{Method, Request, Response, Transport, TransportError};
pub use view::{
    Advice, Choice, CommentView, ConflictView, IncidentView, PatrolNow, PatrolView, Person,
    PhotoView, Place, RecordView, RefusedItem, RefusedWhat, RouteView, RunView, SendState,
    ShiftView, Status, StepView, ThumbView, VersionView,
};

// What the facade's signatures name.
pub use gridwalk_domain as domain;
pub use gridwalk_media as media;
pub use gridwalk_track as track;
