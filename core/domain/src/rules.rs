//! The one gate: what must hold before an op is taken, phone and server alike.
//!
//! Whoever makes or takes an op asks [`check`] first and then
//! [`crate::apply()`]. `check` looks at who made it ([`crate::rights`]), at the
//! version of the catalogue that the record names, and at the grids and people
//! of the district; `apply` at the op and the record alone. `check` asks no
//! more of a step that comes too late, and of an edit that does not fit, than
//! that its author may say something there: its words are kept, not taken.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::OpId;
use crate::catalogue::{BadReport, Catalogue, version_named};
use crate::entity::Entity;
use crate::kind::steps::{StepRule, stands_at};
use crate::kind::{self, Kind};
use crate::op::{Intent, OpBody};
use crate::rights::{Denied, Rights};

/// Why an op must not be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Breach {
    /// Its author may not.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// What it reports does not fit the catalogue.
    #[error(transparent)]
    Report(#[from] BadReport),
    /// It would change what was so when the record was made.
    #[error("{0}: says what was so when the record was made and cannot be changed")]
    Fixed(String),
    /// Something is missing that only the district or the catalogue asks for.
    #[error("{what}: {why}")]
    Unfit {
        /// The field or step.
        what: &'static str,
        /// What is wrong and what is expected.
        why: String,
    },
}

impl Breach {
    /// A word for programs; stable.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Denied(denied) => denied.code(),
            Self::Report(bad) => bad.code(),
            Self::Fixed(_) => "fixed",
            Self::Unfit { .. } => "unfit",
        }
    }
}

/// An op before it is taken, as the law of its kind sees it.
pub struct Case<'a> {
    /// Whose it is, and what can be looked up.
    pub rights: &'a Rights<'a>,
    /// The record as it is; none where it is to be made.
    pub state: Option<&'a Entity>,
    /// What is asked for.
    pub intent: &'a Intent,
    /// The row of the table, where it is a step that fits.
    pub row: Option<&'static StepRule>,
}

impl Case<'_> {
    /// The fields of the record as they would be.
    #[must_use]
    pub fn fields(&self) -> BTreeMap<&str, &Value> {
        let standing = self.state.into_iter().flat_map(|entity| &entity.fields);
        let mut fields: BTreeMap<&str, &Value> = standing
            .map(|(name, field)| (name.as_str(), &field.current.value))
            .collect();
        match self.intent {
            Intent::Create { fields: new, .. } => {
                fields.extend(new.iter().map(|(name, value)| (name.as_str(), value)));
            }
            Intent::Set(changes) => {
                let fitting = changes
                    .iter()
                    .filter(|(name, change)| self.fits(name, change.base, &[]));
                fields.extend(fitting.map(|(name, change)| (name.as_str(), &change.value)));
            }
            Intent::Resolve {
                field,
                value,
                base,
                replaces,
            } if self.fits(field, *base, replaces) => {
                fields.insert(field, value);
            }
            _ => {}
        }
        fields.retain(|_, value| !value.is_null());
        fields
    }

    /// Whether an edit replaces what stands; else it is kept beside and changes
    /// nothing.
    fn fits(&self, field: &str, base: Option<OpId>, replaces: &[OpId]) -> bool {
        let standing = self.state.and_then(|entity| entity.base(field));
        standing.is_none_or(|standing| base == Some(standing) || replaces.contains(&standing))
    }

    /// The fields that are being written.
    pub fn written(&self) -> impl Iterator<Item = &str> {
        let (many, one) = match self.intent {
            Intent::Create { fields, .. } => (fields.keys().collect(), None),
            Intent::Set(changes) => (changes.keys().collect::<Vec<_>>(), None),
            Intent::Resolve { field, .. } => (vec![], Some(field)),
            _ => (vec![], None),
        };
        many.into_iter().chain(one).map(String::as_str)
    }

    /// The version of the catalogue that the record names, as it would be.
    pub(crate) fn catalogue(&self) -> Result<&Catalogue, BadReport> {
        let version = version_named(self.fields().get("catalogue").copied()).unwrap_or(0);
        let found = self.rights.district.catalogue(version);
        found.ok_or(BadReport::UnknownCatalogue(version))
    }

    /// What a step carries under a name.
    #[must_use]
    pub fn carried(&self, name: &str) -> Option<&Value> {
        match self.intent {
            Intent::Transition { with, .. } => with.get(name).filter(|value| !value.is_null()),
            _ => None,
        }
    }
}

/// Whether an op may be taken into `state`, as far as rights, catalogue and
/// district go; [`crate::apply()`] says the rest.
///
/// # Errors
/// A [`Breach`].
pub fn check(rights: &Rights<'_>, state: Option<&Entity>, op: &OpBody) -> Result<(), Breach> {
    rights.may_make(state, op)?;
    let kind = kind::find(&op.kind).ok_or(Denied::UnknownKind)?;
    let case = Case {
        rights,
        state,
        intent: &op.intent,
        row: row(kind, state, &op.intent),
    };
    if state.is_some() && !matches!(op.intent, Intent::Create { .. }) {
        let mut fixed = kind.fixed.iter();
        if let Some(name) = fixed.find(|name| case.written().any(|written| written == **name)) {
            return Err(Breach::Fixed((*name).to_owned()));
        }
    }
    (kind.law)(&case)
}

fn row(kind: &Kind, state: Option<&Entity>, intent: &Intent) -> Option<&'static StepRule> {
    match (intent, state) {
        (
            Intent::Transition {
                from,
                to,
                base,
                reason,
                with,
            },
            Some(entity),
        ) if stands_at(entity, from, *base) => kind.rule(from, to, reason.as_deref(), with).ok(),
        _ => None,
    }
}

#[cfg(test)]
#[path = "rules_tests.rs"]
mod tests;
