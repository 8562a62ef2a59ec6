//! All that is on a phone is on the server too, in one way or another.

use gridwalk_domain::wire::Outcome;
use gridwalk_track::codec;

use super::{Held, Invariant, Violation};
use crate::examine::{BlobRow, ChunkRow, Examined, OpRow};
use crate::server::view::View;
use crate::world::World;

pub(super) struct Arrived;

impl Invariant for Arrived {
    fn name(&self) -> &'static str {
        "everything saved on a phone is on the server, in visible quarantine, or rejected or parked and listed on the phone"
    }

    fn phone(&mut self, world: &World, no: usize, found: &Examined) -> Held {
        let tenant = world.district.workers[world.phones[no].worker].tenant;
        let Some(view) = world.views.get(&tenant) else {
            return Ok(());
        };
        for op in found.ops.iter().filter(|op| !op.stranded) {
            if let Some(text) = op_astray(op, view) {
                let text = format!("p{no}: op {} is {} there and {text}", op.id, op.state);
                return Err(Violation::new("", text).about(op.entity));
            }
        }
        for chunk in found.chunks.iter().filter(|chunk| !chunk.stranded) {
            if let Some(text) = chunk_astray(chunk, view) {
                let (run, first) = (chunk.run, chunk.first);
                let text = format!(
                    "p{no}: chunk {run} from {first} is {} there and {text}",
                    chunk.state
                );
                return Err(Violation::new("", text).about(chunk.patrol));
            }
        }
        for blob in found.blobs.iter().filter(|blob| !blob.stranded) {
            if let Some(text) = blob_astray(blob, world, view) {
                let text = format!(
                    "p{no}: attachment {} is {} there and {text}",
                    blob.sha256, blob.state
                );
                return Err(Violation::new("", text));
            }
        }
        Ok(())
    }
}

/// What is wrong with an op that the phone believes to be settled.
fn op_astray(op: &OpRow, view: &View) -> Option<String> {
    let of_id = view.ops.get(&op.id).map_or(&[][..], Vec::as_slice);
    let stored = of_id.iter().find(|known| known.sha256 == op.sha256);
    let outcome = stored.map(|known| &known.outcome);
    let fits = match op.state.as_str() {
        // Whether it may wait is another question.
        "ready" => true,
        "taken" => matches!(
            outcome,
            Some(Outcome::Applied { .. } | Outcome::ConflictKept { .. })
        ),
        "rejected" => op.code.is_some() && matches!(outcome, None | Some(Outcome::Rejected { .. })),
        "quarantined" => op.code.is_some() && matches!(outcome, Some(Outcome::Quarantined { .. })),
        _ => false,
    };
    (!fits).then(|| format!("{outcome:?} on the server"))
}

fn chunk_astray(chunk: &ChunkRow, view: &View) -> Option<String> {
    match chunk.state.as_str() {
        "ready" => None,
        "rejected" => chunk.code.is_none().then(|| "not listed".to_owned()),
        "quarantined" => {
            let same = view.held.iter().any(|held| held.body == chunk.body);
            (!same || chunk.code.is_none()).then(|| "not held on the server".to_owned())
        }
        "taken" => {
            let Ok(mine) = codec::decode(&chunk.body) else {
                return Some("unreadable".to_owned());
            };
            let rows = view
                .chunks
                .get(&chunk.patrol)
                .map_or(&[][..], Vec::as_slice);
            let mut theirs = Vec::new();
            for row in rows.iter().filter(|row| row.span.key.run == chunk.run) {
                let fixes = codec::decode(&row.body).unwrap_or_default();
                theirs.extend((row.span.first..).zip(fixes));
            }
            let there = (chunk.first..).zip(&mine).filter(|(ordinal, fix)| {
                theirs
                    .iter()
                    .any(|(known, stored)| known == ordinal && stored == *fix)
            });
            let there = there.count();
            (there < mine.len())
                .then(|| format!("{there} of its {} fixes are on the server", mine.len()))
        }
        _ => Some("of no known state".to_owned()),
    }
}

fn blob_astray(blob: &BlobRow, world: &World, view: &View) -> Option<String> {
    match blob.state.as_str() {
        "ready" => None,
        "rejected" => blob.code.is_none().then(|| "not listed".to_owned()),
        _ if !view.blobs.contains(&blob.sha256) => Some("not on the server".to_owned()),
        _ => {
            let bytes = world.server.blob(blob.sha256);
            let whole =
                bytes.is_some_and(|bytes| gridwalk_domain::Sha256::of(&bytes) == blob.sha256);
            (!whole).then(|| "other bytes on the server".to_owned())
        }
    }
}
