//! Which attachments a record refers to, wherever it says so: in its lists, in
//! the answers to its form, in the proof of its steps, in what others proposed
//! and in what newer versions wrote.

use serde_json::Value;
use std::collections::BTreeSet;

use crate::Sha256;
use crate::entity::Entity;

/// The contents of all attachments that a record refers to.
#[must_use]
pub fn attachments(entity: &Entity) -> BTreeSet<Sha256> {
    let fields = entity.fields.values();
    let fields = fields.flat_map(|field| std::iter::once(&field.current).chain(&field.proposals));
    let lists = entity.lists.values().flatten();
    let sets = entity.sets.values().flat_map(|set| &set.items);
    let entries = fields.chain(lists).chain(sets).map(|entry| &entry.value);
    let steps = entity.history.iter().flat_map(|step| step.with.values());
    let mut found = BTreeSet::new();
    for value in entries.chain(steps).chain(entity.unknown.values()) {
        collect(value, &mut found);
    }
    found
}

/// Whatever has a `sha256` is a reference; JSON that was parsed is not nested
/// deeper than serde_json allows.
fn collect(value: &Value, found: &mut BTreeSet<Sha256>) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| collect(value, found)),
        Value::Object(map) => {
            let hash = map.get("sha256").and_then(Value::as_str);
            found.extend(hash.and_then(|text| text.parse::<Sha256>().ok()));
            map.values().for_each(|value| collect(value, found));
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{T0, entity, id};
    use serde_json::json;

    #[test]
    fn references_are_found_wherever_they_stand() {
        let photo = |n: u8| json!({"sha256": Sha256([n; 32]), "mime": "image/jpeg", "bytes": 1});
        let mut incident = entity(
            "incident",
            json!({"grid": id(1), "catalogue": 1, "form.picture": [photo(1)]}),
            T0,
        );
        let stamp = incident.created.clone();
        let entry = crate::Entry {
            stamp: stamp.clone(),
            value: photo(2),
        };
        incident.lists.insert("photos".into(), vec![entry.clone()]);
        incident
            .sets
            .entry("new".into())
            .or_default()
            .items
            .push(crate::Entry {
                value: photo(3),
                ..entry.clone()
            });
        incident.history[0]
            .with
            .insert("photos".into(), json!([photo(4)]));
        incident.unknown.insert(
            "future".into(),
            json!({"deep": [{"sha256": Sha256([5; 32])}]}),
        );
        let proposal = crate::Entry {
            value: json!([photo(6)]),
            ..entry
        };
        incident
            .fields
            .get_mut("form.picture")
            .expect("there")
            .proposals
            .push(proposal);
        let expected: BTreeSet<Sha256> = (1..=6).map(|n| Sha256([n; 32])).collect();
        assert_eq!(attachments(&incident), expected);
    }
}
