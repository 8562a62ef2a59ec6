//! Entities: the state that ops add up to.
//!
//! This is what the server stores, what phones pull and what both compute with
//! [`crate::apply`]. Fields and lists that this version does not know are kept
//! and travel on untouched.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

use crate::{Author, EntityId, Moment, OpId, StreamKey, TenantId};

/// Which op, by whom, when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Stamp {
    /// The op.
    pub op: OpId,
    /// Its author.
    pub by: Author,
    /// When it was made: milliseconds since 1970 (UTC), corrected by the
    /// server where it knows better than the phone.
    pub at_ms: i64,
}

/// One entry of a list or a set, or one kept proposal.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Where it came from.
    #[serde(flatten)]
    pub stamp: Stamp,
    /// What it says.
    pub value: Value,
}

/// A field, with what else was proposed for it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Field {
    /// What stands.
    #[serde(flatten)]
    pub current: Entry,
    /// What others wrote without having seen what stands: "also proposed by …".
    /// Nothing goes from here until an op names it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proposals: Vec<Entry>,
}

/// One step of a status.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Where it came from.
    #[serde(flatten)]
    pub stamp: Stamp,
    /// The status before; none for the first.
    pub from: Option<String>,
    /// The status after.
    pub to: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What else the step says.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub with: Map<String, Value>,
}

/// A set whose items are named by the ops that added them.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct ItemSet {
    /// What is in it.
    pub items: Vec<Entry>,
    /// What was taken out, so that an `add` that comes later stays out.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub removed: Vec<OpId>,
}

/// An entity's state.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Entity {
    /// Its identity.
    pub id: EntityId,
    /// What it is (see [`crate::kind`]).
    pub kind: String,
    /// The district that it belongs to for ever.
    pub tenant: TenantId,
    /// The stream that it belongs to for ever.
    pub home: StreamKey,
    /// By whom and when it was made.
    pub created: Stamp,
    /// The clocks of the phone that made it, as evidence.
    pub created_clock: Moment,
    /// Its fields by name.
    #[serde(default)]
    pub fields: BTreeMap<String, Field>,
    /// The steps of its status, in the server's order; the last one stands.
    #[serde(default)]
    pub history: Vec<Step>,
    /// Its lists by name, each in the order of time.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub lists: BTreeMap<String, Vec<Entry>>,
    /// Its sets by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub sets: BTreeMap<String, ItemSet>,
    /// Whether it is deleted; the state below stays until retention or purge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted: Option<Stamp>,
    /// Deletions by authors who had not seen the last change.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub delete_proposed: Vec<Stamp>,
    /// Every op that was taken, in the order taken.
    pub ops: Vec<OpId>,
    /// What a newer version wrote and this one does not know.
    #[serde(flatten)]
    pub unknown: Map<String, Value>,
}

impl Entity {
    /// The status, where its kind has one.
    #[must_use]
    pub fn status(&self) -> Option<&str> {
        self.history.last().map(|step| step.to.as_str())
    }

    /// What stands in a field.
    #[must_use]
    pub fn value(&self, field: &str) -> Option<&Value> {
        self.fields
            .get(field)
            .map(|field| &field.current.value)
            .filter(|value| !value.is_null())
    }

    /// What stands in a field, as text.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        self.value(field).and_then(Value::as_str)
    }

    /// The op that last wrote a field: the base of the next change to it.
    #[must_use]
    pub fn base(&self, field: &str) -> Option<OpId> {
        self.fields.get(field).map(|field| field.current.stamp.op)
    }

    /// The entries of a list.
    #[must_use]
    pub fn list(&self, name: &str) -> &[Entry] {
        self.lists.get(name).map_or(&[], Vec::as_slice)
    }

    /// How many fields and deletions wait for somebody to settle them.
    #[must_use]
    pub fn conflicts(&self) -> usize {
        self.fields
            .values()
            .filter(|field| !field.proposals.is_empty())
            .count()
            + usize::from(!self.delete_proposed.is_empty())
    }
}
