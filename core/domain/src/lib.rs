//! The words and rules of Gridwalk (巡格): ids, ops, entities, the merge, the
//! wire.
//!
//! Everything here is pure: state and input in, state and output out, no clock,
//! no randomness, no I/O. Phone and server run the same code:
//!
//! - a save on a phone writes an [`OpBody`], sealed for ever as a [`SealedOp`];
//! - [`apply()`] takes ops into an [`Entity`], the same way on both sides;
//! - [`kind`] says what an entity of each kind may hold, and what its status
//!   may become;
//! - [`rights`] says who may see and do what, and [`rules`] is the gate that
//!   asks them, the catalogue and the district before an op is taken;
//! - [`wire`] has the messages that carry both.

mod apply;
mod attachments;
pub mod calendar;
pub mod catalogue;
mod check;
mod entity;
mod fix;
mod grid;
mod hash;
mod id;
mod import;
pub mod kind;
mod op;
pub mod rights;
pub mod rules;
mod seams;
pub mod search;
mod sort;
mod stream;
#[cfg(test)]
mod testing;
pub mod wire;
mod words;

pub use apply::{Effect, Refusal, apply, apply_decided};
pub use calendar::Calendar;
pub use catalogue::{BadReport, Catalogue, Category, Severity, SubCategory, Text};
pub use check::Check;
pub use entity::{Entity, Entry, Field, ItemSet, Stamp, Step};
pub use fix::{Fix, GapCause, Position};
pub use grid::{BadGridCode, BadGridLevel, Boundary, Grid, GridCode, GridLevel};
pub use hash::{BadHash, Sha256, StreamDigest};
pub use id::{
    BadId, BootId, DepartmentId, DeviceId, EntityId, Epoch, GridId, OpId, RunId, TeamId, TenantId,
    UserId, WorkerId,
};
pub use import::{BadData, MAX_IMPORT_BYTES};
pub use kind::checkin::CheckIn;
pub use kind::patrol::{Mark, MarkKind};
pub use kind::site::{Every, Site};
pub use op::{
    Author, BadOp, Change, Intent, MAX_BODY_BYTES, OP_VERSION, OpBody, OpHead, SealedOp, ServerPart,
};
pub use seams::{Clock, Moment, Rng};
pub use sort::Sort;
pub use stream::{BadStreamKey, StreamKey};
