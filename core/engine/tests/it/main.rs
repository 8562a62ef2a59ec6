//! The engine as a shell sees it, against a small server in the same process
//! that runs the same `apply`.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

mod amending;
mod bad_input;
mod budget;
mod catalogues;
mod disk;
mod drafts;
mod enrolling;
mod fetching;
mod finding;
mod forms;
mod gate;
mod hello;
mod keeping;
mod leaving;
mod life;
mod media;
mod observing;
mod parking;
mod phone;
mod purging;
mod recording;
mod scope;
mod server;
mod slow_line;
mod store;
mod support;
mod syncing;
mod talk;
mod timelines;
mod unreadable;
mod upgrades;
mod visiting;
mod work;
