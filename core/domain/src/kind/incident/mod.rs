//! `Incident` (事件): what was found or reported, and its life.
//!
//! The table of steps is the trade's, row by row; docs/incidents.md shows it
//! for people. What a row cannot say is beside it: [`life`] computes who holds
//! an incident and to whom it is dispatched, [`running`] which limit runs and
//! when the clock acts, `law` what the catalogue, the grids and the people ask
//! for, [`duplicates`] which other reports may be of the same thing.
//!
//! A quick capture is a record like any other that has a place and nothing
//! else; its category, its words and its photos follow. Before it goes on its
//! way it must be classified. A draft is none of this: it lives on the phone
//! alone.

pub mod duplicates;
mod law;
mod life;
pub mod running;

use serde_json::Value;

use super::steps::{
    Need::{OneOf, Reason, With},
    StepRule, row,
};
use super::{Access, Kind};
use crate::catalogue::{Catalogue, Class, version_named};
use crate::check;
use crate::entity::Entity;
use crate::rights::{District, Who};

pub use law::above;
pub use life::{Assignee, Life, Rung};

/// 已上报: reported, nothing done yet.
pub const REPORTED: &str = "reported";
/// 现场处置: handled on the spot by the gridworker.
pub const HANDLED_ON_SITE: &str = "handled_on_site";
/// 上报上级: sent up, not accepted yet.
pub const ESCALATED: &str = "escalated";
/// 已受理: accepted by the grid that holds it.
pub const ACCEPTED: &str = "accepted";
/// 已派遣: given to somebody.
pub const DISPATCHED: &str = "dispatched";
/// 处理中: somebody works on it.
pub const IN_PROGRESS: &str = "in_progress";
/// 已处理: the work is done.
pub const RESOLVED: &str = "resolved";
/// 已核查: somebody looked on the spot.
pub const VERIFIED: &str = "verified";
/// 已结案: closed.
pub const CLOSED: &str = "closed";
/// 不予受理: not real, not ours, or a duplicate.
pub const REJECTED: &str = "rejected";

/// Every status.
pub const STATUSES: [&str; 10] = [
    REPORTED,
    HANDLED_ON_SITE,
    ESCALATED,
    ACCEPTED,
    DISPATCHED,
    IN_PROGRESS,
    RESOLVED,
    VERIFIED,
    CLOSED,
    REJECTED,
];

/// The steps for which a catalogue may ask for proof.
pub const PROVEN: [&str; 2] = ["handle", "resolve"];

/// The list of photos.
pub const PHOTOS: &str = "photos";
/// The list of recordings and other files.
pub const MEDIA: &str = "media";

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
        ("subcategory", check::word),
        ("severity", check::word),
        ("title", check::title),
        ("description", check::long_text),
        ("place", check::place),
        ("address", check::line),
        ("found_ms", check::time_ms),
        ("source", check::word),
        ("reporter", check::person),
    ],
    required: &["grid", "catalogue"],
    fixed: &["worker", "grid", "patrol", "found_ms"],
    lists: &[(PHOTOS, check::photo), (MEDIA, check::media)],
    sets: &[("tags", check::title)],
    steps: STEPS,
    with: &[
        (HOLDER, check::id),
        (RETURN, check::yes),
        (ASSIGNEE, life::assignee),
        (LIMIT, check::time_ms),
        ("note", check::long_text),
        ("photos", check::proofs),
        ("place", check::place),
        ("cause", cause),
        ("duplicate_of", check::id),
    ],
    open: life::open,
    guard: life::guard,
    law: law::law,
    audiences: life::audiences,
    access: Access {
        create: &[Who::Gridworker, Who::Supervisor, Who::System],
        read: &[
            Who::Gridworker,
            Who::Supervisor,
            Who::Dispatched,
            Who::Administrator,
        ],
        write: &[Who::Gridworker, Who::Supervisor],
        append: &[Who::Gridworker, Who::Supervisor, Who::Dispatched],
        delete: &[Who::Owner],
    },
    ..Kind::RECORD
};

/// Who, in the words of the table.
const GRIDWORKER: &[Who] = &[Who::Gridworker];
const SUPERVISOR: &[Who] = &[Who::Supervisor];
const HOLDERS: &[Who] = &[Who::HolderSupervisor];
const ASSIGNED: &[Who] = &[Who::Assignee];
const VERIFIERS: &[Who] = &[Who::Verifier];
const HOLDERS_OR_CLOCK: &[Who] = &[Who::HolderSupervisor, Who::Clock];
const EITHER_SUPERVISOR: &[Who] = &[Who::Supervisor, Who::HolderSupervisor];
const CLOSERS: &[Who] = &[Who::ClosingGridworker, Who::Supervisor];
const REOPENERS: &[Who] = &[Who::ReopeningGridworker, Who::HolderSupervisor];

/// The life of an incident. Where two rows lead from one status to the same
/// one, the first whose needs are met is taken.
#[rustfmt::skip]
const STEPS: &[StepRule] = &[
    //  name        from             to               who                needs
    row("handle",   REPORTED,        HANDLED_ON_SITE, GRIDWORKER,        &[]),
    row("close",    HANDLED_ON_SITE, CLOSED,          CLOSERS,           &[]),
    row("escalate", REPORTED,        ESCALATED,       GRIDWORKER,        &[Reason, With(HOLDER)]),
    row("return",   ESCALATED,       ESCALATED,       HOLDERS,           &[Reason, With(RETURN)]),
    row("escalate", ESCALATED,       ESCALATED,       HOLDERS_OR_CLOCK,  &[Reason, With(HOLDER)]),
    row("return",   ESCALATED,       REPORTED,        HOLDERS,           &[Reason]),
    row("accept",   ESCALATED,       ACCEPTED,        HOLDERS,           &[]),
    row("reject",   REPORTED,        REJECTED,        SUPERVISOR,        &[Reason]),
    row("reject",   ESCALATED,       REJECTED,        EITHER_SUPERVISOR, &[Reason]),
    row("dispatch", ACCEPTED,        DISPATCHED,      HOLDERS,           &[With(ASSIGNEE), With(LIMIT)]),
    row("begin",    DISPATCHED,      IN_PROGRESS,     ASSIGNED,          &[]),
    row("return",   DISPATCHED,      ACCEPTED,        ASSIGNED,          &[Reason]),
    row("return",   IN_PROGRESS,     ACCEPTED,        ASSIGNED,          &[Reason]),
    row("resolve",  IN_PROGRESS,     RESOLVED,        ASSIGNED,          &[]),
    row("verify",   RESOLVED,        VERIFIED,        VERIFIERS,         &[With("place"), OneOf(&["photos", "note"])]),
    row("return",   RESOLVED,        IN_PROGRESS,     VERIFIERS,         &[Reason]),
    row("close",    VERIFIED,        CLOSED,          HOLDERS,           &[]),
    row("reopen",   CLOSED,          REPORTED,        REOPENERS,         &[Reason]),
    row("reopen",   CLOSED,          ACCEPTED,        REOPENERS,         &[Reason]),
    row("reopen",   REJECTED,        REPORTED,        REOPENERS,         &[Reason]),
    row("reopen",   REJECTED,        ACCEPTED,        REOPENERS,         &[Reason]),
];

/// In the step up: the grid that holds the incident from then on.
pub const HOLDER: &str = "holder";
/// In a step from escalated to escalated: that it is a return, not a step up.
pub const RETURN: &str = "return";
/// In a dispatch: an [`Assignee`].
pub const ASSIGNEE: &str = "assignee";
/// In a dispatch, and in a return for more work: when it must be resolved, in
/// milliseconds since 1970 (UTC).
pub const LIMIT: &str = "limit_ms";

/// Why an incident is rejected.
fn cause(value: &Value) -> Result<(), String> {
    check::one_of(value, &["not_real", "not_ours", "duplicate"])
}

/// How an incident is classified.
#[must_use]
pub fn class_of(entity: &Entity) -> Class<'_> {
    Class {
        category: entity.text("category"),
        subcategory: entity.text("subcategory"),
        severity: entity.text("severity"),
    }
}

/// The version of the catalogue that a record was made with.
#[must_use]
pub fn catalogue_of<'d>(district: &'d dyn District, entity: &Entity) -> Option<&'d Catalogue> {
    district.catalogue(version_named(entity.value("catalogue"))?)
}
