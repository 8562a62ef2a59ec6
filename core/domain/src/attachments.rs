//! The attachments that a record refers to, wherever it says so: in its lists,
//! in the answers to its form, in the proof of its steps, in what others proposed
//! and in what newer versions wrote. Whatever has a `sha256` is a reference.

use serde_json::{Map, Value, json};
use std::collections::BTreeSet;

use crate::entity::Entity;
use crate::{SealedOp, Sha256};

/// The contents of all attachments that a value refers to, thumbnails too.
#[must_use]
fn blobs_in(value: &Value) -> BTreeSet<Sha256> {
    let mut found = BTreeSet::new();
    collect(value, &mut found);
    found
}

impl SealedOp {
    /// The contents of all attachments that it refers to, thumbnails too; none where
    /// its body does not read.
    #[must_use]
    pub fn blobs(&self) -> BTreeSet<Sha256> {
        let body = serde_json::from_str(&self.body);
        body.map(|body| blobs_in(&body)).unwrap_or_default()
    }
}

impl Entity {
    /// The contents of all attachments that it refers to, thumbnails too.
    #[must_use]
    pub fn blobs(&self) -> BTreeSet<Sha256> {
        let mut found = BTreeSet::new();
        self.each_value(&mut |value| collect(value, &mut found));
        found
    }

    /// The thumbnails of an attachment.
    #[must_use]
    pub fn thumbs_of(&self, sha256: Sha256) -> BTreeSet<Sha256> {
        let mut found = BTreeSet::new();
        let references = self.references_to(sha256);
        let thumbs = references.iter().filter_map(|one| one.get("thumb"));
        thumbs.for_each(|thumb| collect(thumb, &mut found));
        found
    }

    /// All references to an attachment, as they stand.
    #[must_use]
    pub fn references_to(&self, sha256: Sha256) -> Vec<Value> {
        let (hash, mut found) = (sha256.to_string(), Vec::new());
        self.each_value(&mut |value| {
            each_reference(value, &mut |reference| {
                if reference.get("sha256").and_then(Value::as_str) == Some(&hash) {
                    found.push(Value::Object(reference.clone()));
                }
            });
        });
        found
    }

    /// Everything that may hold a reference.
    fn each_value(&self, look: &mut dyn FnMut(&Value)) {
        let fields = self.fields.values();
        let fields =
            fields.flat_map(|field| std::iter::once(&field.current).chain(&field.proposals));
        let lists = self.lists.values().flatten();
        let sets = self.sets.values().flat_map(|set| &set.items);
        let entries = fields.chain(lists).chain(sets).map(|entry| &entry.value);
        let steps = self.history.iter().flat_map(|step| step.with.values());
        entries
            .chain(steps)
            .chain(self.unknown.values())
            .for_each(look);
    }

    /// Marks an attachment as purged wherever it is referred to, and its
    /// thumbnail with it: of their values only the hashes stay. Says whether it
    /// was referred to at all.
    pub fn strike_blob(&mut self, sha256: Sha256) -> bool {
        let hash = sha256.to_string();
        let fields = self
            .fields
            .values_mut()
            .flat_map(|field| std::iter::once(&mut field.current).chain(&mut field.proposals));
        let lists = self.lists.values_mut().flatten();
        let sets = self.sets.values_mut().flat_map(|set| &mut set.items);
        let entries = fields.chain(lists).chain(sets);
        let entries = entries.map(|entry| &mut entry.value);
        let steps = self.history.iter_mut();
        let steps = steps.flat_map(|step| step.with.values_mut());
        let mut struck = false;
        for value in entries.chain(steps).chain(self.unknown.values_mut()) {
            struck |= strike(value, &hash);
        }
        struck
    }
}

// JSON that was parsed is not nested deeper than serde_json allows.

fn collect(value: &Value, found: &mut BTreeSet<Sha256>) {
    each_reference(value, &mut |reference| {
        let hash = reference.get("sha256").and_then(Value::as_str);
        found.extend(hash.and_then(|text| text.parse::<Sha256>().ok()));
    });
}

/// Every object with a `sha256` in a value, those within others too.
fn each_reference(value: &Value, look: &mut dyn FnMut(&Map<String, Value>)) {
    match value {
        Value::Array(list) => list.iter().for_each(|value| each_reference(value, look)),
        Value::Object(map) => {
            if map.contains_key("sha256") {
                look(map);
            }
            map.values().for_each(|value| each_reference(value, look));
        }
        _ => {}
    }
}

fn strike(value: &mut Value, hash: &str) -> bool {
    if value.get("sha256").and_then(Value::as_str) == Some(hash) {
        let thumb = value.get("thumb").and_then(|thumb| thumb.get("sha256"));
        *value = match thumb {
            None => json!({ "sha256": hash, "purged": true }),
            Some(thumb) => {
                let thumb = json!({ "sha256": thumb, "purged": true });
                json!({ "sha256": hash, "purged": true, "thumb": thumb })
            }
        };
        return true;
    }
    let mut struck = false;
    match value {
        Value::Array(list) => list
            .iter_mut()
            .for_each(|value| struck |= strike(value, hash)),
        Value::Object(map) => map
            .values_mut()
            .for_each(|value| struck |= strike(value, hash)),
        _ => {}
    }
    struck
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{T0, entity, id};
    use serde_json::json;

    fn photo(n: u8) -> Value {
        json!({"sha256": Sha256([n; 32]), "mime": "image/jpeg", "bytes": 1})
    }

    /// Refers to photos 1 to 6, each at another place.
    fn incident() -> Entity {
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
        incident
            .unknown
            .insert("future".into(), json!({"deep": [photo(5)]}));
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
        incident
    }

    fn all() -> BTreeSet<Sha256> {
        (1..=6).map(|n| Sha256([n; 32])).collect()
    }

    #[test]
    fn references_are_found_wherever_they_stand() {
        assert_eq!(incident().blobs(), all());
    }

    #[test]
    fn a_purged_one_is_struck_wherever_it_stands_and_the_others_stay() {
        for n in 1..=6 {
            let mut incident = incident();
            assert!(incident.strike_blob(Sha256([n; 32])));
            let text = serde_json::to_string(&incident).expect("writes");
            assert_eq!(text.matches("\"purged\":true").count(), 1, "{n}");
            assert_eq!(text.matches("image/jpeg").count(), 5, "{n}");
            assert_eq!(incident.blobs(), all(), "the hash stays");
            let before = incident.clone();
            assert!(incident.strike_blob(Sha256([n; 32])));
            assert_eq!(incident, before, "a second time changes nothing");
        }
        assert!(!incident().strike_blob(Sha256([9; 32])));
    }

    #[test]
    fn a_thumbnail_is_a_reference_and_goes_with_its_picture() {
        let [picture, thumb] = [9, 10].map(|n| Sha256([n; 32]));
        let mut reference = photo(9);
        reference["thumb"] = photo(10);
        let mut incident = incident();
        incident
            .unknown
            .insert("later".into(), json!([reference.clone()]));
        assert!(incident.blobs().is_superset(&[picture, thumb].into()));
        assert_eq!(incident.thumbs_of(picture), [thumb].into());
        assert_eq!(incident.thumbs_of(Sha256([1; 32])), BTreeSet::new());
        assert_eq!(incident.references_to(picture), [reference]);
        let mut alone = incident.clone();
        assert!(alone.strike_blob(thumb));
        let text = serde_json::to_string(&alone).expect("writes");
        assert_eq!(text.matches("\"purged\":true").count(), 1);
        assert!(incident.strike_blob(picture));
        let text = serde_json::to_string(&incident).expect("writes");
        assert_eq!(text.matches("\"purged\":true").count(), 2);
        assert!(incident.blobs().is_superset(&[picture, thumb].into()));
        let before = incident.clone();
        assert!(incident.strike_blob(picture));
        assert_eq!(incident, before, "a second time changes nothing");
    }
}
