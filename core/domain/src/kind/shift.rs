//! `Shift` (班次): on duty, begun and ended by the worker. Outside a shift
//! nothing is recorded.

use super::{Kind, step};
use crate::check;

/// The status of a shift that goes on.
pub const ON: &str = "on";
/// The status of a shift that is over.
pub const ENDED: &str = "ended";

/// The table.
pub const KIND: Kind = Kind {
    name: "shift",
    initial: Some(ON),
    fields: &[("worker", check::id), ("grid", check::id)],
    required: &["worker", "grid"],
    steps: &[step(ON, ENDED)],
    ..Kind::RECORD
};
