//! `Incident` (事件): what was found or reported, and its life.
//!
//! The table of steps is DOMAIN's, the words are the wire's. Who may take a
//! step is a matter of rights and is asked elsewhere.

use super::{Kind, step, step_needing};
use crate::check;

/// The status of a new incident.
pub const REPORTED: &str = "reported";
/// The list of attachments.
pub const PHOTOS: &str = "photos";

/// The table.
pub const KIND: Kind = Kind {
    name: "incident",
    initial: Some(REPORTED),
    fields: &[
        ("worker", check::id),
        ("grid", check::id),
        ("patrol", check::id),
        ("catalogue", check::count),
        ("category", check::word),
        ("severity", check::word),
        ("title", check::title),
        ("description", check::long_text),
        ("place", check::place),
        ("found_ms", check::time_ms),
    ],
    required: &["grid", "title", "category", "catalogue"],
    lists: &[(PHOTOS, check::attachment)],
    sets: &[("tags", check::title)],
    steps: &[
        step(REPORTED, "handled_on_site"),
        step("handled_on_site", "closed"),
        step_needing(REPORTED, "escalated", &["reason"]),
        step_needing("escalated", "escalated", &["reason"]),
        step("escalated", "accepted"),
        step_needing("escalated", REPORTED, &["reason"]),
        step_needing(REPORTED, "rejected", &["reason"]),
        step_needing("escalated", "rejected", &["reason"]),
        step_needing("accepted", "dispatched", &["assignee", "limit_ms"]),
        step("dispatched", "in_progress"),
        step_needing("dispatched", "accepted", &["reason"]),
        step_needing("in_progress", "accepted", &["reason"]),
        step("in_progress", "resolved"),
        step_needing("resolved", "verified", &["place"]),
        step_needing("resolved", "in_progress", &["reason"]),
        step("verified", "closed"),
        step_needing("closed", REPORTED, &["reason"]),
        step_needing("closed", "accepted", &["reason"]),
        step_needing("rejected", REPORTED, &["reason"]),
        step_needing("rejected", "accepted", &["reason"]),
    ],
};
