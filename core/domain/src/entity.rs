//! Entities: the state that ops add up to.
//!
//! This is what the server stores, what phones pull and what both compute with
//! [`crate::apply`]. Fields and lists that this version does not know are kept
//! and travel on untouched.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

use crate::{Author, EntityId, Moment, OpId, Sha256, StreamKey, TenantId};

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

    /// Every attachment that it refers to, in fields, lists and steps: the value
    /// of `sha256` wherever it stands.
    #[must_use]
    pub fn blobs(&self) -> BTreeSet<Sha256> {
        let mut found = BTreeSet::new();
        self.each_value(&mut |value| find_blobs(value, &mut found));
        found
    }

    fn each_value<'a>(&'a self, see: &mut dyn FnMut(&'a Value)) {
        for field in self.fields.values() {
            see(&field.current.value);
            field.proposals.iter().for_each(|kept| see(&kept.value));
        }
        self.lists
            .values()
            .flatten()
            .for_each(|entry| see(&entry.value));
        for set in self.sets.values() {
            set.items.iter().for_each(|item| see(&item.value));
        }
        self.history
            .iter()
            .flat_map(|step| step.with.values())
            .for_each(see);
    }

    /// Marks an attachment as purged wherever it is referred to: of its value
    /// only the hash stays. Says whether it was referred to at all.
    pub fn strike_blob(&mut self, sha256: Sha256) -> bool {
        let hash = sha256.to_string();
        let fields = self.fields.values_mut().flat_map(|field| {
            std::iter::once(&mut field.current.value)
                .chain(field.proposals.iter_mut().map(|kept| &mut kept.value))
        });
        let lists = self
            .lists
            .values_mut()
            .flatten()
            .map(|entry| &mut entry.value);
        let items = self.sets.values_mut().flat_map(|set| &mut set.items);
        let steps = self
            .history
            .iter_mut()
            .flat_map(|step| step.with.values_mut());
        let values = fields
            .chain(lists)
            .chain(items.map(|item| &mut item.value))
            .chain(steps);
        strike_all(values, &hash)
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

fn find_blobs(value: &Value, found: &mut BTreeSet<Sha256>) {
    match value {
        Value::Array(values) => values.iter().for_each(|value| find_blobs(value, found)),
        Value::Object(object) => {
            let hash = object.get("sha256").and_then(Value::as_str);
            found.extend(hash.and_then(|hash| hash.parse::<Sha256>().ok()));
            object.values().for_each(|value| find_blobs(value, found));
        }
        _ => {}
    }
}

/// Strikes every one of them, the first that names it or not.
fn strike_all<'a>(values: impl Iterator<Item = &'a mut Value>, hash: &str) -> bool {
    let mut struck = false;
    for value in values {
        struck |= strike(value, hash);
    }
    struck
}

fn strike(value: &mut Value, hash: &str) -> bool {
    match value {
        Value::Array(values) => strike_all(values.iter_mut(), hash),
        Value::Object(object) if object.get("sha256").and_then(Value::as_str) == Some(hash) => {
            *value = json!({ "sha256": hash, "purged": true });
            true
        }
        Value::Object(object) => strike_all(object.values_mut(), hash),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BootId, DeviceId, GridId, WorkerId};

    fn stamp(n: u8) -> Stamp {
        Stamp {
            op: OpId::from_bytes([n; 16]),
            by: Author::Worker {
                worker: WorkerId::from_bytes([4; 16]),
                device: DeviceId::from_bytes([5; 16]),
            },
            at_ms: i64::from(n),
        }
    }

    fn photo(hash: Sha256) -> Value {
        json!({ "sha256": hash, "mime": "image/jpeg", "bytes": 3, "place": { "lat": 35.1, "lon": 118.3 } })
    }

    #[test]
    fn a_purged_attachment_is_struck_wherever_it_is_named() {
        let (gone, stays) = (Sha256::of(b"gone"), Sha256::of(b"stays"));
        let entry = |n, value| Entry {
            stamp: stamp(n),
            value,
        };
        let mut entity = Entity {
            id: EntityId::from_bytes([3; 16]),
            kind: "incident".to_owned(),
            tenant: TenantId::from_bytes([2; 16]),
            home: StreamKey::Records(GridId::from_bytes([7; 16])),
            created: stamp(1),
            created_clock: Moment {
                wall_ms: 1,
                boot: BootId::from_bytes([6; 16]),
                mono_ms: 0,
            },
            fields: [(
                "form".to_owned(),
                Field {
                    current: entry(1, json!({ "signature": photo(gone) })),
                    proposals: vec![entry(2, json!([photo(gone), photo(stays)]))],
                },
            )]
            .into(),
            history: vec![],
            lists: [(
                "photos".to_owned(),
                vec![entry(3, photo(stays)), entry(4, photo(gone))],
            )]
            .into(),
            sets: BTreeMap::new(),
            deleted: None,
            delete_proposed: vec![],
            ops: vec![],
            unknown: Map::new(),
        };
        assert_eq!(entity.blobs(), [gone, stays].into());
        assert!(entity.strike_blob(gone));
        let text = serde_json::to_string(&entity).expect("writes");
        assert_eq!(text.matches("\"purged\":true").count(), 3);
        assert_eq!(
            text.matches("image/jpeg").count(),
            2,
            "the other one stays whole"
        );
        assert_eq!(entity.blobs(), [gone, stays].into(), "the hash alone stays");
        let before = entity.clone();
        assert!(entity.strike_blob(gone));
        assert_eq!(entity, before, "a second time changes nothing");
        assert!(!entity.strike_blob(Sha256::of(b"unheard of")));
    }
}
