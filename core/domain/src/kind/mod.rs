//! Kinds of records: what each one holds, what its status may become, where it
//! lives, and who may do what with it.
//!
//! A kind is a table, in a module of its own; the merge in [`crate::apply`]
//! and the rights in [`crate::rights`] know none by name. A field that the
//! table does not list was written by a newer version: it is kept and travels
//! on. docs/adding-a-record.md adds one.

pub mod checkin;
pub mod finding;
pub mod incident;
pub mod mediation;
pub mod notice;
pub mod patrol;
pub mod shift;
pub mod site;
pub mod steps;
pub mod task;
pub mod visit;

use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet};

use crate::apply::Refusal;
use crate::check::{self, Check};
use crate::entity::{Entity, Step};
use crate::rights::Who;
use crate::rules::{Breach, Case};
use crate::{GridId, StreamKey, WorkerId};

use steps::{StepRule, step};

/// The list that every kind has: what people said about the record.
pub const COMMENTS: &str = "comments";

/// A kind of record.
pub struct Kind {
    /// Its name on the wire.
    pub name: &'static str,
    /// The stream that a record of it lives in.
    pub home: Home,
    /// The status of a new record, where it has one.
    pub initial: Option<&'static str>,
    /// Its fields.
    pub fields: &'static [(&'static str, Check)],
    /// Fields that a new record must have.
    pub required: &'static [&'static str],
    /// Fields that nobody changes: what was so when it was made.
    pub fixed: &'static [&'static str],
    /// Its lists, [`COMMENTS`] aside.
    pub lists: &'static [(&'static str, Check)],
    /// Its sets.
    pub sets: &'static [(&'static str, Check)],
    /// The steps of its status.
    pub steps: &'static [StepRule],
    /// What its steps may carry.
    pub with: &'static [(&'static str, Check)],
    /// What the fields of a new record must say together.
    pub together: fn(&BTreeMap<String, Value>) -> Result<(), Refusal>,
    /// Whether a row of the table is open to a record in the row's first status,
    /// by the history before.
    pub open: fn(&Entity, &StepRule) -> bool,
    /// What a step must fit beside the table, by the history before.
    pub guard: fn(&Entity, &Step) -> Result<(), Refusal>,
    /// What an op must fit beside who makes it: the catalogue, the grids, the
    /// people.
    pub law: fn(&Case<'_>) -> Result<(), Breach>,
    /// The streams, its home aside, in which a record is listed.
    pub audiences: fn(&Entity) -> Vec<StreamKey>,
    /// Who may do what with it.
    pub access: Access,
}

/// Who may do what with a record; who may take a step, the step says.
pub struct Access {
    /// Make one.
    pub create: &'static [Who],
    /// Read it.
    pub read: &'static [Who],
    /// Change its fields and sets.
    pub write: &'static [Who],
    /// Append to its lists.
    pub append: &'static [Who],
    /// Delete it.
    pub delete: &'static [Who],
}

/// The stream that a record lives in for ever.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Home {
    /// The records of the grid that the field `grid` names.
    Records,
    /// The notices of the grid that the field `grid` names.
    Notices,
    /// The inbox of the worker whom the field `worker` names.
    Inbox,
    /// The inbox of the worker, where one is named, else the grid's records.
    InboxOrRecords,
}

impl Kind {
    /// What most kinds are: a record of a grid, made and changed by its
    /// gridworkers, read by them and by those above.
    pub const RECORD: Self = Self {
        name: "",
        home: Home::Records,
        initial: None,
        fields: &[],
        required: &[],
        fixed: &["worker", "grid"],
        lists: &[],
        sets: &[],
        steps: &[],
        with: &[],
        together: |_| Ok(()),
        open: |_, _| true,
        guard: |_, _| Ok(()),
        law: |_| Ok(()),
        audiences: |_| vec![],
        access: Access {
            create: &[Who::Gridworker],
            read: &[Who::Gridworker, Who::Supervisor, Who::Administrator],
            write: &[Who::Owner],
            append: &[Who::Owner, Who::Gridworker, Who::Supervisor],
            delete: &[Who::Owner],
        },
    };
}

/// All kinds that this version knows.
pub const KINDS: &[&Kind] = &[
    &shift::KIND,
    &patrol::KIND,
    &site::KIND,
    &checkin::KIND,
    &finding::KIND,
    &incident::KIND,
    &mediation::KIND,
    &task::KIND,
    &notice::KIND,
    &notice::READING,
    &visit::KIND,
];

/// The kind with this name, where it is known.
#[must_use]
pub fn find(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name).copied()
}

/// The streams, its home aside, in which an entity is listed: those of people
/// whom it concerns and who do not read its home.
#[must_use]
pub fn audiences(entity: &Entity) -> BTreeSet<StreamKey> {
    let kind = find(&entity.kind);
    let mut others: BTreeSet<StreamKey> = kind
        .map(|kind| (kind.audiences)(entity))
        .unwrap_or_default()
        .into_iter()
        .collect();
    others.remove(&entity.home);
    others
}

/// The grid that a record is of.
#[must_use]
pub fn grid_of(entity: &Entity) -> Option<GridId> {
    entity.text("grid")?.parse().ok()
}

/// The worker whom a record names.
#[must_use]
pub fn worker_of(entity: &Entity) -> Option<WorkerId> {
    entity.text("worker")?.parse().ok()
}

fn bad(field: &str) -> impl FnOnce(String) -> Refusal {
    let field = field.to_owned();
    |why| Refusal::BadValue { field, why }
}

fn known(table: &'static [(&'static str, Check)], name: &str) -> Option<Check> {
    table
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, check)| *check)
}

fn check_name(name: &str) -> Result<(), Refusal> {
    check::word(&Value::from(name)).map_err(bad("name"))
}

impl Kind {
    /// Whether `value` may stand in the field `name`; `null` empties a field
    /// that is not required.
    pub(crate) fn check_field(&self, name: &str, value: &Value) -> Result<(), Refusal> {
        if value.is_null() {
            let required = self.required.contains(&name);
            return if required {
                Err(bad(name)("is required".to_owned()))
            } else {
                Ok(())
            };
        }
        match known(self.fields, name) {
            Some(check) => check(value)
                .and_then(|()| check::known(value))
                .map_err(bad(name)),
            None => {
                check_name(name)?;
                check::unknown(value).map_err(bad(name))
            }
        }
    }

    /// Whether the fields of a new record are all there and go together.
    pub(crate) fn check_required(&self, fields: &BTreeMap<String, Value>) -> Result<(), Refusal> {
        if let Some(missing) = self
            .required
            .iter()
            .find(|name| !fields.contains_key(**name))
        {
            return Err(bad(missing)("is required".to_owned()));
        }
        (self.together)(fields)
    }

    /// Whether a new record with these fields lives in `home`.
    pub(crate) fn check_home(
        &self,
        home: StreamKey,
        fields: &BTreeMap<String, Value>,
    ) -> Result<(), Refusal> {
        if self.home_of(fields) == Some(home) {
            Ok(())
        } else {
            Err(Refusal::Misplaced)
        }
    }

    /// Where a new record with these fields lives.
    #[must_use]
    pub fn home_of(&self, fields: &BTreeMap<String, Value>) -> Option<StreamKey> {
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        let grid = || text("grid")?.parse().ok();
        let worker = || text("worker")?.parse().ok();
        match self.home {
            Home::Records => grid().map(StreamKey::Records),
            Home::Notices => grid().map(StreamKey::Notices),
            Home::Inbox => worker().map(StreamKey::Inbox),
            Home::InboxOrRecords => worker()
                .map(StreamKey::Inbox)
                .or_else(|| grid().map(StreamKey::Records)),
        }
    }

    pub(crate) fn check_entry(&self, list: &str, value: &Value) -> Result<(), Refusal> {
        let check = match list {
            COMMENTS => Some(check::comment as Check),
            _ => known(self.lists, list),
        };
        let check = check.ok_or_else(|| Refusal::UnknownPart(self.name.to_owned()))?;
        check(value)
            .and_then(|()| check::known(value))
            .map_err(bad(list))
    }

    pub(crate) fn check_set(&self, set: &str) -> Result<Check, Refusal> {
        known(self.sets, set).ok_or_else(|| Refusal::UnknownPart(self.name.to_owned()))
    }

    pub(crate) fn check_item(&self, set: &str, value: &Value) -> Result<(), Refusal> {
        self.check_set(set)?(value)
            .and_then(|()| check::unknown(value))
            .map_err(bad(set))
    }

    /// Whether the table has this step and it carries what the table asks for.
    pub(crate) fn check_step(
        &self,
        from: &str,
        to: &str,
        reason: Option<&str>,
        with: &Map<String, Value>,
    ) -> Result<(), Refusal> {
        if let Some(reason) = reason {
            check::long_text(&Value::from(reason)).map_err(bad("reason"))?;
        }
        for (name, value) in with {
            let check = known(self.with, name).filter(|_| !value.is_null());
            check
                .map_or_else(
                    || check::unknown(value),
                    |check| check(value).and_then(|()| check::texts(value)),
                )
                .map_err(bad(name))?;
        }
        self.rule(from, to, reason, with).map(|_| ())
    }

    /// The rows of the table that lead on from where a record stands.
    pub fn open_steps(&self, entity: &Entity) -> impl Iterator<Item = &'static StepRule> {
        let leads_on =
            |row: &&StepRule| Some(row.from) == entity.status() && (self.open)(entity, row);
        self.steps.iter().filter(leads_on)
    }

    /// Whether a step that its author took from where the record stands fits
    /// the history before it.
    pub(crate) fn check_fit(&self, entity: &Entity, step: &Step) -> Result<(), Refusal> {
        let from = step.from.as_deref().unwrap_or_default();
        let row = self.rule(from, &step.to, step.reason.as_deref(), &step.with)?;
        if !(self.open)(entity, row) {
            return Err(Refusal::NoSuchStep {
                from: from.into(),
                to: step.to.clone(),
            });
        }
        (self.guard)(entity, step)
    }

    /// The row of the table that a step is taken by. Where two rows lead from
    /// one status to the same one, what the step carries decides.
    ///
    /// # Errors
    /// `NoSuchStep`, `StepNeeds`.
    pub fn rule(
        &self,
        from: &str,
        to: &str,
        reason: Option<&str>,
        with: &Map<String, Value>,
    ) -> Result<&'static StepRule, Refusal> {
        let rows = self.steps.iter();
        let mut refusal = Refusal::NoSuchStep {
            from: from.into(),
            to: to.into(),
        };
        for row in rows.filter(|row| row.from == from && row.to == to) {
            match row.needs.iter().find(|need| !need.is_met(reason, with)) {
                None => return Ok(row),
                Some(missing) => {
                    refusal = Refusal::StepNeeds {
                        to: to.into(),
                        what: missing.to_string(),
                    };
                }
            }
        }
        Err(refusal)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_consistent() {
        for kind in KINDS {
            assert_eq!(find(kind.name).map(|found| found.name), Some(kind.name));
            for name in kind.required {
                assert!(known(kind.fields, name).is_some(), "{}: {name}", kind.name);
            }
            let reachable = |status: &str| {
                kind.initial == Some(status) || kind.steps.iter().any(|rule| rule.to == status)
            };
            for (n, rule) in kind.steps.iter().enumerate() {
                let row = format!("{}: {} → {} ({})", kind.name, rule.from, rule.to, rule.name);
                assert!(reachable(rule.from), "{row}: nothing leads there");
                assert!(!rule.who.is_empty(), "{row}: nobody may");
                for other in &kind.steps[..n] {
                    assert_ne!(
                        (rule.name, rule.from, rule.to),
                        (other.name, other.from, other.to),
                        "{row}"
                    );
                    let twins = (rule.from, rule.to) == (other.from, other.to);
                    assert!(
                        !twins || rule.needs != other.needs,
                        "{row}: cannot be told apart"
                    );
                }
                for need in rule.needs {
                    for name in need.names() {
                        assert!(
                            known(kind.with, name).is_some(),
                            "{row}: {name} has no size"
                        );
                    }
                }
            }
        }
        assert!(find("unheard_of").is_none());
    }

    /// Lists and fields are read by whoever reads the record: nothing of it has
    /// no size.
    #[test]
    fn nothing_may_be_endless() {
        let endless = Value::from("长".repeat(10_000));
        for kind in KINDS {
            let parts = [kind.fields, kind.lists, kind.sets, kind.with];
            for (name, check) in parts.into_iter().flatten() {
                assert!(check(&endless).is_err(), "{}: {name}", kind.name);
            }
            for list in kind.lists.iter().map(|(name, _)| *name).chain([COMMENTS]) {
                let entry = serde_json::json!({"text": "长".repeat(10_000)});
                assert!(
                    kind.check_entry(list, &entry).is_err(),
                    "{}: {list}",
                    kind.name
                );
            }
            assert!(
                kind.check_field("from_the_future", &endless).is_err(),
                "{}",
                kind.name
            );
        }
    }

    #[test]
    fn a_record_lives_where_its_kind_says() {
        let [grid, other] = [GridId::from_bytes([1; 16]), GridId::from_bytes([2; 16])];
        let worker = WorkerId::from_bytes([3; 16]);
        let fields = |with_worker: bool| {
            let mut fields = BTreeMap::from([("grid".to_owned(), Value::from(grid.to_string()))]);
            if with_worker {
                fields.insert("worker".to_owned(), Value::from(worker.to_string()));
            }
            fields
        };
        let records = StreamKey::Records(grid);
        let inbox = StreamKey::Inbox(worker);
        for (kind, with_worker, home) in [
            (&incident::KIND, true, records),
            (&notice::KIND, false, StreamKey::Notices(grid)),
            (&mediation::KIND, true, inbox),
            (&notice::READING, true, inbox),
            (&task::KIND, true, inbox),
            (&task::KIND, false, records),
        ] {
            let fields = fields(with_worker);
            assert_eq!(kind.check_home(home, &fields), Ok(()), "{}", kind.name);
            for wrong in [
                StreamKey::Records(other),
                StreamKey::Notices(other),
                StreamKey::Inbox(WorkerId::from_bytes([9; 16])),
            ] {
                assert_eq!(kind.check_home(wrong, &fields), Err(Refusal::Misplaced));
            }
        }
        assert_eq!(incident::KIND.home_of(&BTreeMap::new()), None);
    }
}
