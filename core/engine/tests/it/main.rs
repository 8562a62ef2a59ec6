//! The engine as a shell sees it, against a small server in the same process
//! that runs the same `apply`.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod observing;
mod phone;
mod recording;
mod server;
mod store;
mod support;
mod syncing;
mod visiting;
