//! The suite that every store must pass.
//!
//! A store's tests call [`run`] with what makes an empty one. A store that
//! cannot be made must make the suite fail: it is never skipped.
//!
//! # Panics
//! Every check panics where the store breaks the contract: it is a test.
#![expect(
    clippy::unwrap_used,
    reason = "a suite of tests, run by the stores' tests"
)]

mod make;
mod people;
mod records;
mod tracks;
mod transactions;

use crate::Store;
use std::path::Path;

/// Checks the contract of [`Store`] on stores that `make` makes empty; copies go
/// into `folder`, which must be empty.
///
/// # Panics
/// Where it is broken.
pub fn run<S: Store>(make: &dyn Fn() -> S, folder: &Path) {
    transactions::all(make, folder);
    people::all(make);
    records::all(make);
    tracks::all(make);
}
