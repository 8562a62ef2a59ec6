//! Measures, with what they need: synthetic days, real traces, other codecs.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "synthetic noise and measures: every number is far below its type's limit"
)]

pub mod days;
pub mod random;
pub mod sensors;
pub mod traces;
pub mod tracks;
pub mod train;

/// The arguments of a bench: without the one by which cargo says that it is
/// one.
#[must_use]
pub fn arguments() -> Vec<String> {
    std::env::args().filter(|arg| arg != "--bench").collect()
}
