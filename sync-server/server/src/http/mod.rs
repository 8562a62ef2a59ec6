//! Requests and answers as plain values, and what answers them: the same for a
//! socket and for a simulated network.

mod coding;
mod handle;
mod message;
mod range;
mod tus;

pub use message::{Body, Request, Response};
pub(crate) use tus::METHOD_OVERRIDE;
