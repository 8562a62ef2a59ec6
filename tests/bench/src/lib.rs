//! Measures, with what they need: synthetic days, real traces, other codecs.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "synthetic noise and measures: every number is far below its type's limit"
)]

pub mod days;
pub mod random;
pub mod traces;
pub mod tracks;
pub mod train;
