//! A record and its photos are one save.

use gridwalk_domain::kind::incident::PHOTOS;
use gridwalk_domain::{EntityId, Intent, OpBody, Sha256};
use std::collections::BTreeMap;

use super::{Held, Invariant, Violation};
use crate::examine::Examined;
use crate::world::World;

pub(super) struct Photos;

impl Invariant for Photos {
    fn name(&self) -> &'static str {
        "a report is there with all its photos or not at all, and their bytes are there first"
    }

    fn phone(&mut self, world: &World, no: usize, found: &Examined) -> Held {
        // One that left keeps of a record what no backup has yet, and no more.
        if world.phones[no].left {
            return Ok(());
        }
        let mut shown: BTreeMap<EntityId, usize> = BTreeMap::new();
        for op in found.ops.iter().filter(|op| op.body.contains("\"sha256\"")) {
            let Ok(OpBody {
                intent: Intent::Append { list, value },
                ..
            }) = serde_json::from_str(&op.body)
            else {
                continue;
            };
            if list == PHOTOS {
                *shown.entry(op.entity).or_default() += 1;
            }
            let hash = value["sha256"].as_str().and_then(|hash| hash.parse().ok());
            let Some(hash) = hash else { continue };
            if world.purged.contains(&op.entity) || world.purged_blobs.contains_key(&hash) {
                continue;
            }
            if let Some(lacks) = lacks(hash, value["bytes"].as_u64(), found) {
                let text = format!("p{no}: attachment {hash} {lacks}");
                return Err(Violation::new("", text).about(op.entity));
            }
        }
        for fact in world.ledger.facts().filter(|fact| fact.phone == Some(no)) {
            let Some(at) = found.tokens.get(&fact.token) else {
                continue;
            };
            let record = found.ops[*at].entity;
            if world.purged.contains(&record) {
                continue;
            }
            let count = shown.get(&record).copied().unwrap_or(0);
            if count < fact.photos {
                let text = format!(
                    "p{no}: {} has {count} of {} photos",
                    fact.token, fact.photos
                );
                return Err(Violation::new("", text).about(record));
            }
        }
        Ok(())
    }
}

/// What is missing of a photo that an op names.
fn lacks(hash: Sha256, bytes: Option<u64>, found: &Examined) -> Option<&'static str> {
    if !found.blobs.iter().any(|blob| blob.sha256 == hash) {
        return Some("will not be sent");
    }
    (found.files.get(&hash).copied() != bytes).then_some("has no file of its size")
}
