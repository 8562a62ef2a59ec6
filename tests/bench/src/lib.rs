//! Measures, with what they need: synthetic days, real traces, other codecs.

pub mod days;
pub mod random;
pub mod traces;
pub mod tracks;
pub mod train;
