//! The engine's facade for Kotlin, Swift and Python, through UniFFI.
//!
//! Nothing is decided here. Every object holds one of the engine's, every
//! record is made from one of the engine's by `From`, ids travel as text, and
//! each function names the screen or service that calls it. The generated
//! signatures are kept in `bindings/signatures`, so that a change of this
//! surface is seen in review by those who live on it.
//!
//! All calls block; the shells call them off their main threads
//! (docs/adr/0001). This is the main that plugs the system's clock and entropy
//! into a phone.

mod conflict;
mod engine;
mod error;
mod identity;
mod incident;
mod leaving;
mod observe;
mod patrol;
mod sensors;
mod sites;
mod status;
mod sync;
mod text;
mod work;

pub use conflict::{ConflictChoice, ConflictView, VersionView};
pub use engine::Engine;
pub use error::EngineError;
pub use identity::{
    Catalogue, CatalogueEntry, Grid, GridLevel, GridRef, Identity, OpenOptions, Place, Position,
};
pub use incident::{
    Assignee, Author, CommentView, IncidentView, NewIncident, NewPhoto, PhotoView, SendState,
    StepView,
};
pub use leaving::{Departure, Exported, LogOut, VaultView, VaultWhy};
pub use observe::{Change, Observer, ObserverFailed, Subscription};
pub use patrol::{
    ExportFormat, Fix, FixRefusal, Gap, GapCause, PatrolSummary, PatrolView, Recorded, RefusedFix,
    RoutePoint, RouteView, SensorMark, Stop,
};
pub use sensors::{Power, SensorPlan, SensorPriority};
pub use sites::{CoverageView, NewCheckIn, SiteEvery, SiteMissing, SiteView, SiteVisit};
pub use status::{Advice, PatrolNow, RefusedItem, RefusedWhat, ShiftView, Status, Unsent};
pub use sync::{
    CancelToken, NetworkCost, NextSync, SyncCut, SyncObserver, SyncPhase, SyncProgress, SyncReport,
    SyncSettings,
};

pub use work::{
    Answer, Classification, DraftView, DuplicateView, IncidentPage, IncidentQuery, Near,
    NoticeView, PictureAnswer, RecordView, Signature, StepOffer, StepWords, TaskView,
};

uniffi::setup_scaffolding!("gridwalk");

/// The core's version, such as `0.1.0`.
///
/// Caller: the line about the app on EnrolmentScreen, and reports of faults.
#[uniffi::export]
#[must_use]
pub fn version() -> String {
    env!("CARGO_PKG_VERSION").to_owned()
}
