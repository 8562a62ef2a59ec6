//! Holds the shape of the house: the direction of the arrows, the seams.
//!
//! `docs/architecture.md` says how the crates stand to one another and what
//! holds in every file. This crate knows how to find out whether it is so; what
//! is allowed stands as data at the top of `tests/house.rs`, to be read and
//! changed on purpose.

pub mod files;
pub mod graph;
