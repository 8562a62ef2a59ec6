//! Kinds of records: what fields, lists and steps each one has.
//!
//! A kind is a table, in a module of its own; the merge in [`crate::apply`]
//! knows none by name. A field that the table does not list was written by a
//! newer version: it is kept and travels on.

pub mod checkin;
pub mod incident;
pub mod patrol;
pub mod shift;
pub mod site;

use serde_json::{Map, Value};
use std::collections::BTreeMap;

use crate::apply::Refusal;
use crate::check::{self, Check};

/// The list that every kind has: what people said about the record.
pub const COMMENTS: &str = "comments";

/// A kind of record.
pub struct Kind {
    /// Its name on the wire.
    pub name: &'static str,
    /// The status of a new record, where it has one.
    pub initial: Option<&'static str>,
    /// Its fields.
    pub fields: &'static [(&'static str, Check)],
    /// Fields that a new record must have.
    pub required: &'static [&'static str],
    /// Its lists, [`COMMENTS`] aside.
    pub lists: &'static [(&'static str, Check)],
    /// Its sets.
    pub sets: &'static [(&'static str, Check)],
    /// The steps of its status.
    pub steps: &'static [StepRule],
}

/// A step that a status may take.
pub struct StepRule {
    /// The status before.
    pub from: &'static str,
    /// The status after.
    pub to: &'static str,
    /// What the step must carry: `reason`, or a name in its `with`.
    pub needs: &'static [&'static str],
}

/// A step that needs nothing.
const fn step(from: &'static str, to: &'static str) -> StepRule {
    StepRule {
        from,
        to,
        needs: &[],
    }
}

/// A step that needs something.
const fn step_needing(
    from: &'static str,
    to: &'static str,
    needs: &'static [&'static str],
) -> StepRule {
    StepRule { from, to, needs }
}

/// All kinds that this version knows.
pub const KINDS: &[&Kind] = &[
    &shift::KIND,
    &patrol::KIND,
    &site::KIND,
    &checkin::KIND,
    &incident::KIND,
];

/// The kind with this name, where it is known.
#[must_use]
pub fn find(name: &str) -> Option<&'static Kind> {
    KINDS.iter().find(|kind| kind.name == name).copied()
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
            Some(check) => check(value).map_err(bad(name)),
            None => {
                check_name(name)?;
                check::unknown(value).map_err(bad(name))
            }
        }
    }

    pub(crate) fn check_required(&self, fields: &BTreeMap<String, Value>) -> Result<(), Refusal> {
        match self
            .required
            .iter()
            .find(|name| !fields.contains_key(**name))
        {
            Some(missing) => Err(bad(missing)("is required".to_owned())),
            None => Ok(()),
        }
    }

    pub(crate) fn check_entry(&self, list: &str, value: &Value) -> Result<(), Refusal> {
        let check = match list {
            COMMENTS => Some(check::comment as Check),
            _ => known(self.lists, list),
        };
        let check = check.ok_or_else(|| Refusal::UnknownPart(self.name.to_owned()))?;
        check(value)
            .and_then(|()| check::unknown(value))
            .map_err(bad(list))
    }

    pub(crate) fn check_set(&self, set: &str) -> Result<Check, Refusal> {
        known(self.sets, set).ok_or_else(|| Refusal::UnknownPart(self.name.to_owned()))
    }

    pub(crate) fn check_item(&self, set: &str, value: &Value) -> Result<(), Refusal> {
        self.check_set(set)?(value).map_err(bad(set))
    }

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
        check::step_values(with).map_err(|(field, why)| Refusal::BadValue { field, why })?;
        let rule = self
            .steps
            .iter()
            .find(|rule| rule.from == from && rule.to == to);
        let rule = rule.ok_or_else(|| Refusal::NoSuchStep {
            from: from.into(),
            to: to.into(),
        })?;
        let has = |what: &str| match what {
            "reason" => reason.is_some_and(|text| !text.trim().is_empty()),
            _ => with.get(what).is_some_and(|value| !value.is_null()),
        };
        match rule.needs.iter().find(|what| !has(what)) {
            Some(what) => Err(Refusal::StepNeeds {
                to: to.into(),
                what: (*what).to_owned(),
            }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_table_is_consistent() {
        for kind in KINDS {
            assert_eq!(find(kind.name).map(|found| found.name), Some(kind.name));
            for required in kind.required {
                assert!(
                    known(kind.fields, required).is_some(),
                    "{}: {required}",
                    kind.name
                );
            }
            let reachable = |status: &str| {
                kind.initial == Some(status) || kind.steps.iter().any(|rule| rule.to == status)
            };
            for rule in kind.steps {
                assert!(
                    reachable(rule.from),
                    "{}: nothing leads to {}",
                    kind.name,
                    rule.from
                );
                let twins = kind
                    .steps
                    .iter()
                    .filter(|r| r.from == rule.from && r.to == rule.to);
                assert_eq!(
                    twins.count(),
                    1,
                    "{}: {} → {}",
                    kind.name,
                    rule.from,
                    rule.to
                );
            }
        }
        assert!(find("unheard_of").is_none());
    }
}
