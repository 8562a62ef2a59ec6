//! Tracks: from the phone's fixes to what may be said of a patrol's route.
//!
//! Everything here is a pure function or a state machine: no files, no clock,
//! no randomness. A fix goes through these hands, in this order:
//!
//! 1. [`quantise`] decides what of it is kept (a micro-degree, a metre of
//!    accuracy), so that phone and server compute with the same numbers;
//! 2. [`filter::Filter`] decides whether the route may use it; what it refuses
//!    is kept too, with the [`Refusal`];
//! 3. [`codec`] packs a few minutes of them into a chunk, some 1.3 bytes a fix;
//! 4. [`route::Route`] finds segments, gaps, stops, distance and moving time;
//! 5. [`coverage`] credits sites and areas from the segments, never from gaps;
//! 6. [`simplify`] thins a segment for a map, [`read`] and [`write`] exchange
//!    files, [`coordinates`] converts for layers that are not WGS-84.

pub mod codec;
pub mod coordinates;
pub mod coverage;
pub mod filter;
pub mod geometry;
pub mod plan;
mod quantise;
pub mod read;
pub mod route;
pub mod simplify;
mod stored;
pub mod write;

pub use quantise::{Keep, quantise, quantise_keeping};
pub use stored::{Refusal, StoredFix};
