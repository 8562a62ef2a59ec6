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
//! - [`wire`] has the messages that carry both.

mod apply;
mod catalogue;
mod check;
mod entity;
mod fix;
mod grid;
mod hash;
mod id;
pub mod kind;
mod op;
mod seams;
mod stream;
pub mod wire;

pub use apply::{Effect, Refusal, apply};
pub use catalogue::{BadCatalogue, Catalogue, Category, Text};
pub use check::Check;
pub use entity::{Entity, Entry, Field, ItemSet, Stamp, Step};
pub use fix::{Fix, GapCause, Position};
pub use grid::{BadGridCode, BadGridLevel, Boundary, Grid, GridCode, GridLevel};
pub use hash::{BadHash, Sha256, StreamDigest};
pub use id::{
    BadId, BootId, DeviceId, EntityId, Epoch, GridId, OpId, RunId, TenantId, UserId, WorkerId,
};
pub use kind::checkin::CheckIn;
pub use kind::patrol::{Mark, MarkKind};
pub use kind::site::{Every, Site};
pub use op::{Author, BadOp, Change, Intent, MAX_BODY_BYTES, OP_VERSION, OpBody, OpHead, SealedOp};
pub use seams::{Clock, Moment, Rng};
pub use stream::{BadStreamKey, StreamKey};
