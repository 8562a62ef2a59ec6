//! The rows of a status's table: from, to, who, and what the step must carry.

use serde_json::{Map, Value};
use std::fmt;

use crate::OpId;
use crate::entity::Entity;
use crate::rights::Who;

/// A step that a status may take.
#[derive(Debug, PartialEq, Eq)]
pub struct StepRule {
    /// What people call it: `escalate`, `return` …
    pub name: &'static str,
    /// The status before.
    pub from: &'static str,
    /// The status after.
    pub to: &'static str,
    /// Who may take it: any of these.
    pub who: &'static [Who],
    /// What it must carry: all of these.
    pub needs: &'static [Need],
}

/// Something that a step must carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Why it is taken, in words.
    Reason,
    /// A name in its `with`.
    With(&'static str),
    /// At least one of several names in its `with`.
    OneOf(&'static [&'static str]),
}

impl Need {
    /// The names in `with` that are asked for.
    pub(crate) fn names(&self) -> &[&'static str] {
        match self {
            Self::Reason => &[],
            Self::With(name) => std::slice::from_ref(name),
            Self::OneOf(names) => names,
        }
    }

    pub(crate) fn is_met(&self, reason: Option<&str>, with: &Map<String, Value>) -> bool {
        match self {
            Self::Reason => reason.is_some_and(|text| !text.trim().is_empty()),
            Self::With(_) | Self::OneOf(_) => self.names().iter().any(|name| carries(with, name)),
        }
    }
}

/// Whether a record stands where the author of a step saw it: in that status,
/// by that last step.
pub(crate) fn stands_at(entity: &Entity, status: &str, base: OpId) -> bool {
    let last = entity.history.last();
    last.is_some_and(|last| last.stamp.op == base && last.to == status)
}

/// Whether a step carries something under this name, and not just a blank.
pub(crate) fn carries(with: &Map<String, Value>, name: &str) -> bool {
    match with.get(name) {
        None | Some(Value::Null) => false,
        Some(Value::String(text)) => !text.trim().is_empty(),
        Some(_) => true,
    }
}

impl fmt::Display for Need {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Reason => f.write_str("reason"),
            Self::With(name) => f.write_str(name),
            Self::OneOf(names) => f.write_str(&names.join(" or ")),
        }
    }
}

/// A step that the record's own worker takes and that needs nothing.
pub(super) const fn step(from: &'static str, to: &'static str) -> StepRule {
    StepRule {
        name: to,
        from,
        to,
        who: &[Who::Owner],
        needs: &[],
    }
}

/// A row with all its columns.
pub(super) const fn row(
    name: &'static str,
    from: &'static str,
    to: &'static str,
    who: &'static [Who],
    needs: &'static [Need],
) -> StepRule {
    StepRule {
        name,
        from,
        to,
        who,
        needs,
    }
}
