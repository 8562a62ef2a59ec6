//! `Task` (任务): work sent down to a worker, or to the gridworkers of a grid.
//!
//! A task that names a worker lives in that worker's inbox and is nobody
//! else's business on the phones; one that names none lives among the grid's
//! records, for whoever takes it. Given to another worker later, it is listed
//! in their inbox too.

use serde_json::Value;

use super::steps::{
    Need::{OneOf, Reason},
    StepRule, row,
};
use super::{Access, Home, Kind, worker_of};
use crate::check;
use crate::entity::Entity;
use crate::op::Intent;
use crate::rights::Who;
use crate::rules::{Breach, Case};
use crate::{GridId, StreamKey, WorkerId};

/// 已下派: sent down, not seen yet.
pub const SENT: &str = "sent";
/// 已查看: seen.
pub const SEEN: &str = "seen";
/// 已接受: accepted.
pub const ACCEPTED: &str = "accepted";
/// 已完成: done.
pub const DONE: &str = "done";
/// 已退回: given back.
pub const RETURNED: &str = "returned";
/// 已撤回: taken back by those who sent it.
pub const WITHDRAWN: &str = "withdrawn";

/// What there is to do: verify 核实, visit 走访, inspect 检查.
pub const WORK: [&str; 3] = ["verify", "visit", "inspect"];

const DOES: &[Who] = &[Who::Addressee];
const SENDS: &[Who] = &[Who::Supervisor];

/// The table.
pub const KIND: Kind = Kind {
    name: "task",
    home: Home::InboxOrRecords,
    initial: Some(SENT),
    fields: &[
        ("worker", check::id),
        ("grid", check::id),
        ("work", work),
        ("title", check::title),
        ("description", check::long_text),
        ("due_ms", check::time_ms),
        ("about", check::id),
        ("place", check::place),
        ("address", check::line),
    ],
    required: &["grid", "work", "title"],
    fixed: &["grid", "work", "about"],
    lists: &[("photos", check::photo)],
    steps: STEPS,
    with: &[
        ("note", check::long_text),
        ("photos", check::proofs),
        ("place", check::place),
    ],
    law,
    audiences: |entity| {
        worker_of(entity)
            .map(StreamKey::Inbox)
            .into_iter()
            .collect()
    },
    access: Access {
        create: &[Who::Supervisor, Who::Clock],
        read: &[Who::Addressee, Who::Supervisor, Who::Administrator],
        write: &[Who::Supervisor],
        append: &[Who::Addressee, Who::Supervisor],
        delete: &[],
    },
    ..Kind::RECORD
};

/// The life of a task.
#[rustfmt::skip]
const STEPS: &[StepRule] = &[
    row("see",      SENT,     SEEN,      DOES,  &[]),
    row("accept",   SENT,     ACCEPTED,  DOES,  &[]),
    row("accept",   SEEN,     ACCEPTED,  DOES,  &[]),
    row("finish",   ACCEPTED, DONE,      DOES,  &[OneOf(&["photos", "note"])]),
    row("return",   SENT,     RETURNED,  DOES,  &[Reason]),
    row("return",   SEEN,     RETURNED,  DOES,  &[Reason]),
    row("return",   ACCEPTED, RETURNED,  DOES,  &[Reason]),
    row("send",     RETURNED, SENT,      SENDS, &[]),
    row("reopen",   DONE,     ACCEPTED,  SENDS, &[Reason]),
    row("withdraw", SENT,     WITHDRAWN, SENDS, &[Reason]),
    row("withdraw", SEEN,     WITHDRAWN, SENDS, &[Reason]),
    row("withdraw", ACCEPTED, WITHDRAWN, SENDS, &[Reason]),
    row("withdraw", RETURNED, WITHDRAWN, SENDS, &[Reason]),
];

fn work(value: &Value) -> Result<(), String> {
    check::one_of(value, &WORK)
}

/// Who is given a task walks the grid that it is in.
fn law(case: &Case<'_>) -> Result<(), Breach> {
    let writes = case.written().any(|field| field == "worker");
    let fields = case.fields();
    let id = |name: &str| fields.get(name).and_then(|value| value.as_str());
    let worker: Option<WorkerId> = id("worker").and_then(|id| id.parse().ok());
    let grid: Option<GridId> = id("grid").and_then(|id| id.parse().ok());
    let (Some(worker), Some(grid), true) = (worker, grid, writes) else {
        return Ok(());
    };
    // The clock sends a worker back to where they were; that stands.
    if matches!(case.intent, Intent::Create { .. }) && case.rights.is_clock() {
        return Ok(());
    }
    let district = case.rights.district;
    let walked = district.grids_of(worker, case.rights.at_ms);
    if walked.iter().any(|walked| district.is_below(grid, *walked)) {
        return Ok(());
    }
    Err(Breach::Unfit {
        what: "worker",
        why: "does not walk the grid of this task".to_owned(),
    })
}

/// Whether a task is still to be done and its time has passed.
#[must_use]
pub fn is_overdue(entity: &Entity, now_ms: i64) -> bool {
    let open = matches!(entity.status(), Some(SENT | SEEN | ACCEPTED | RETURNED));
    let due = entity.value("due_ms").and_then(Value::as_i64);
    open && entity.deleted.is_none() && due.is_some_and(|due| now_ms > due)
}

#[cfg(test)]
#[path = "task_tests.rs"]
mod tests;
