//! Who holds an incident and to whom it is dispatched, computed from its
//! history: the same way on phone and server.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{
    ACCEPTED, ASSIGNEE, CLOSED, DISPATCHED, ESCALATED, HOLDER, IN_PROGRESS, LIMIT, REJECTED,
    REPORTED, RETURN,
};
use crate::apply::Refusal;
use crate::entity::{Entity, Step};
use crate::kind::grid_of;
use crate::kind::steps::StepRule;
use crate::{DepartmentId, EntityId, GridId, StreamKey, TeamId, WorkerId};

/// To whom an incident is dispatched (承办人).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Assignee {
    /// A gridworker.
    Worker(WorkerId),
    /// A department.
    Department(DepartmentId),
    /// A team.
    Team(TeamId),
}

/// What an incident was before it was sent up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rung {
    /// Its status then.
    pub status: String,
    /// Who held it then.
    pub holder: GridId,
}

/// Where an incident stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Life {
    /// Its status.
    pub status: String,
    /// Since when it has stood there: milliseconds since 1970 (UTC).
    pub since_ms: i64,
    /// The grid that holds it: the base grid at first.
    pub holder: GridId,
    /// The way back down: what it was before each step up that was not undone.
    pub below: Vec<Rung>,
    /// To whom it was last dispatched, until somebody gives it back.
    pub assignee: Option<Assignee>,
    /// When it must be resolved, as the dispatch said.
    pub limit_ms: Option<i64>,
}

impl Life {
    /// The life of an incident so far; none where it names no grid, or a newer
    /// version wrote steps that this one cannot follow.
    #[must_use]
    pub fn of(entity: &Entity) -> Option<Self> {
        let (first, steps) = entity.history.split_first()?;
        let mut life = Self {
            status: first.to.clone(),
            since_ms: first.stamp.at_ms,
            holder: grid_of(entity)?,
            below: vec![],
            assignee: None,
            limit_ms: None,
        };
        for step in steps {
            life.take(step)?;
        }
        Some(life)
    }

    /// Everybody to whom an incident was ever dispatched.
    #[must_use]
    pub fn ever_dispatched(entity: &Entity) -> Vec<Assignee> {
        let dispatches = entity.history.iter().filter(|step| step.to == DISPATCHED);
        dispatches
            .filter_map(|step| read(&step.with, ASSIGNEE))
            .collect()
    }

    /// Whether it was sent up and not given back.
    #[must_use]
    pub fn is_above(&self) -> bool {
        !self.below.is_empty()
    }

    fn take(&mut self, step: &Step) -> Option<()> {
        match (self.status.as_str(), step.to.as_str()) {
            (ESCALATED, ESCALATED | REPORTED) if !climbs(step) => self.go_back()?,
            (_, ESCALATED) => {
                let before = Rung {
                    status: self.status.clone(),
                    holder: self.holder,
                };
                self.holder = read(&step.with, HOLDER)?;
                self.below.push(before);
            }
            (_, DISPATCHED) => {
                self.assignee = Some(read(&step.with, ASSIGNEE)?);
                self.limit_ms = read(&step.with, LIMIT);
            }
            (_, ACCEPTED | REPORTED) => {
                self.assignee = None;
                self.limit_ms = None;
            }
            (_, IN_PROGRESS) => self.limit_ms = read(&step.with, LIMIT).or(self.limit_ms),
            _ => {}
        }
        self.status.clone_from(&step.to);
        self.since_ms = step.stamp.at_ms;
        Some(())
    }

    fn go_back(&mut self) -> Option<()> {
        self.holder = self.below.pop()?.holder;
        Some(())
    }
}

/// Whether a step sends an incident up.
fn climbs(step: &Step) -> bool {
    let returns = step.from.as_deref() == Some(ESCALATED)
        && step.with.get(RETURN) == Some(&Value::Bool(true));
    step.to == ESCALATED && !returns
}

fn read<T: serde::de::DeserializeOwned>(with: &Map<String, Value>, name: &str) -> Option<T> {
    serde_json::from_value(with.get(name)?.clone()).ok()
}

/// Whether a value says to whom an incident is dispatched.
pub(super) fn assignee(value: &Value) -> Result<(), String> {
    serde_json::from_value::<Assignee>(value.clone())
        .map(|_| ())
        .map_err(|_| "expected a worker, a department or a team with its id".to_owned())
}

/// A return leads to what was before, a reopening to where it had come to.
pub(super) fn open(entity: &Entity, row: &StepRule) -> bool {
    let Some(life) = Life::of(entity) else {
        return false;
    };
    match (row.name, row.from, row.to) {
        ("return", ESCALATED, to) => life.below.last().is_some_and(|rung| rung.status == to),
        ("reopen", CLOSED | REJECTED, to) => life.is_above() == (to == ACCEPTED),
        _ => true,
    }
}

/// What a step must fit beside its row.
pub(super) fn guard(entity: &Entity, step: &Step) -> Result<(), Refusal> {
    let bad = |field: &str, why: &str| {
        Err(Refusal::BadValue {
            field: field.to_owned(),
            why: why.to_owned(),
        })
    };
    let Some(life) = Life::of(entity) else {
        return bad(
            "history",
            "a newer version wrote it; an upgrade can follow it",
        );
    };
    if climbs(step) {
        let holder: Option<GridId> = read(&step.with, HOLDER);
        let held = life.below.iter().any(|rung| Some(rung.holder) == holder);
        if held || holder == Some(life.holder) {
            return bad(
                HOLDER,
                "holds it or held it on the way up; expected the grid above",
            );
        }
    }
    if read(&step.with, LIMIT).is_some_and(|limit: i64| limit <= step.stamp.at_ms) {
        return bad(LIMIT, "is over before it begins");
    }
    if step.to == REJECTED {
        let of: Option<EntityId> = read(&step.with, "duplicate_of");
        let duplicate = step.with.get("cause").and_then(Value::as_str) == Some("duplicate");
        if duplicate && of.is_none() {
            return bad(
                "duplicate_of",
                "is required: of which incident is it a duplicate",
            );
        }
        if of == Some(entity.id) {
            return bad("duplicate_of", "names the incident itself");
        }
    }
    Ok(())
}

/// Workers to whom it was ever dispatched see it in their inbox, whosever grid
/// it lies in.
pub(super) fn audiences(entity: &Entity) -> Vec<StreamKey> {
    let ever = Life::ever_dispatched(entity).into_iter();
    ever.filter_map(|assignee| match assignee {
        Assignee::Worker(worker) => Some(StreamKey::Inbox(worker)),
        Assignee::Department(_) | Assignee::Team(_) => None,
    })
    .collect()
}

#[cfg(test)]
#[path = "life_tests.rs"]
mod tests;
