//! Phones and the server together, in one process and by seed.
//!
//! A run has 3 to 12 real [`gridwalk_engine::Engine`]s and the real
//! [`gridwalk_server::Service`]. Disks, clocks, randomness and the network are
//! simulated; one thread at a time is awake, so a seed names a run:
//!
//! - [`disk`]: a phone's disk for the engine's files and for SQLite, which dies
//!   at any step, loses power, fills up;
//! - [`server`]: the server on a store in memory that fails and crashes;
//! - [`world`]: the queue of what happens, phones, the network;
//! - `actions`, `desk`, `strikes`, `faults`, `invariants`: what workers do, what
//!   supervisors do on the page, what time brings about, what goes wrong, what must
//!   hold; a new one is a module and a line in its list;
//! - [`ledger`]: what was acknowledged, kept outside of the phones.
//!
//! `docs/testing.md` tells how to read a violation and how to add to it.

mod actions;
pub mod crash_points;
mod desk;
pub mod disk;
pub mod examine;
mod faults;
mod fiber;
pub mod history;
mod invariants;
pub mod ledger;
mod random;
pub mod server;
mod steps;
mod strikes;
pub mod time;
pub mod trace;
pub mod world;

pub(crate) use invariants::Held;
pub use invariants::Violation;
pub use random::Seeded;
