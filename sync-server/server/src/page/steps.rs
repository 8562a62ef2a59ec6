//! A record's steps, with what each of them says.

use gridwalk_domain::kind::incident::{ASSIGNEE, Assignee as Domain, HOLDER, Life};
use gridwalk_domain::{Author, Entity, WorkerId};
use serde_json::Value;
use std::collections::BTreeSet;

use super::answers::{Assignee, GridRef, Step};
use super::names::Names;
use super::records::photos;
use crate::error::Error;
use crate::rights::Sight;

/// What a step may carry in words.
const WORDS: [&str; 4] = ["note", "agreement", "cause", "limit_ms"];

fn assignees(state: &Entity) -> impl Iterator<Item = Domain> {
    let named = state
        .history
        .iter()
        .filter_map(|step| step.with.get(ASSIGNEE));
    named.filter_map(|value| serde_json::from_value(value.clone()).ok())
}

/// Who took a record's steps.
pub(super) fn authors(state: &Entity) -> impl Iterator<Item = Author> {
    state.history.iter().map(|step| step.stamp.by)
}

/// The workers whom its steps name.
pub(super) fn workers(state: &Entity) -> BTreeSet<WorkerId> {
    let workers = assignees(state).filter_map(|assignee| match assignee {
        Domain::Worker(worker) => Some(worker),
        Domain::Department(_) | Domain::Team(_) => None,
    });
    workers.collect()
}

/// To whom an incident is dispatched now.
pub(super) fn assignee(names: &Names, life: &Life) -> Option<Assignee> {
    life.assignee.map(|assignee| told(names, assignee))
}

fn told(names: &Names, assignee: Domain) -> Assignee {
    match assignee {
        Domain::Worker(worker) => Assignee {
            sort: "worker",
            name: Some(names.worker(worker).name),
        },
        Domain::Department(_) => Assignee {
            sort: "department",
            name: None,
        },
        Domain::Team(_) => Assignee {
            sort: "team",
            name: None,
        },
    }
}

/// A record's steps, in their order.
pub(super) fn steps(sight: &Sight<'_>, names: &Names, state: &Entity) -> Result<Vec<Step>, Error> {
    let steps = state.history.iter().map(|step| {
        let read = |name: &str| step.with.get(name).cloned();
        let holder = read(HOLDER).and_then(|id| serde_json::from_value(id).ok());
        let assignee = read(ASSIGNEE).and_then(|value| serde_json::from_value(value).ok());
        let words = step
            .with
            .iter()
            .filter(|(name, _)| WORDS.contains(&name.as_str()));
        let pictures = step.with.values().filter_map(Value::as_array).flatten();
        Ok(Step {
            from: step.from.clone(),
            to: step.to.clone(),
            by: names.author(step.stamp.by),
            at_ms: step.stamp.at_ms,
            reason: step.reason.clone(),
            with: words
                .map(|(name, value)| (name.clone(), value.clone()))
                .collect(),
            holder: holder.and_then(|grid| sight.grid(grid)).map(GridRef::from),
            assignee: assignee.map(|assignee| told(names, assignee)),
            photos: photos(sight, pictures)?,
        })
    });
    steps.collect()
}
