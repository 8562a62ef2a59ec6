//! `Visit` (走访): a household visit, and what was found at home.

use super::Kind;
use crate::check;

/// The table.
pub const KIND: Kind = Kind {
    name: "visit",
    fields: &[
        ("worker", check::id),
        ("grid", check::id),
        ("patrol", check::id),
        ("task", check::id),
        ("visited_ms", check::time_ms),
        ("household", check::title),
        ("person", check::person),
        ("purpose", check::word),
        ("found", check::long_text),
        ("place", check::place),
        ("address", check::line),
    ],
    required: &["worker", "grid", "visited_ms", "household"],
    fixed: &["worker", "grid", "patrol", "task"],
    lists: &[("photos", check::photo)],
    sets: &[("tags", check::title)],
    ..Kind::RECORD
};
