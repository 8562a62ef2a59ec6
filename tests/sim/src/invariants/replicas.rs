//! All who read a stream have the same.

use gridwalk_domain::{Entity, EntityId, StreamKey, kind};
use std::collections::BTreeSet;

use super::{At, Held, Invariant, Violation};
use crate::examine::Examined;
use crate::server::view::View;
use crate::world::World;

pub(super) struct Replicas;

/// The records that a phone must have at the end: those of its worker's grids,
/// the notices of these and of all above, the worker's inbox.
fn due<'a>(world: &'a World, no: usize, view: &'a View) -> BTreeSet<EntityId> {
    let (worker, now_ms) = (world.phones[no].worker, world.now_ms());
    let theirs = world.district.grids_of(worker, now_ms);
    let mut streams = BTreeSet::from([StreamKey::Inbox(world.district.workers[worker].id)]);
    for grid in theirs.iter().map(|grid| world.district.grids[*grid].id) {
        streams.insert(StreamKey::Records(grid));
        streams.extend(world.district.chain(grid).map(StreamKey::Notices));
    }
    let listed = streams.iter().filter_map(|stream| view.listed.get(stream));
    let listed = listed.flatten().copied();
    listed.filter(|id| view.records.contains_key(id)).collect()
}

/// Every record is listed in its home and by its audiences, and an open one of a
/// grid that was split in all that took its place.
fn listed(world: &World, view: &View) -> Held {
    const OVER: [&str; 4] = ["ended", "finished", "closed", "rejected"];
    for (id, record) in &view.records {
        let state = &record.state;
        let mut wanted = kind::audiences(state);
        wanted.insert(record.home);
        let open =
            state.deleted.is_none() && state.status().is_none_or(|status| !OVER.contains(&status));
        if let StreamKey::Records(home) = record.home
            && open
        {
            let grid = world.district.grid(home);
            let heirs = grid.map_or(&[][..], |grid| world.district.heirs(grid));
            let heirs = heirs.iter().map(|heir| world.district.grids[*heir].id);
            wanted.extend(heirs.map(StreamKey::Records));
        }
        for stream in wanted {
            let there = view.listed.get(&stream).is_some_and(|ids| ids.contains(id));
            if !there {
                let text = format!("{stream} does not list a record");
                return Err(Violation::new("", text).about(*id));
            }
        }
    }
    Ok(())
}

impl Invariant for Replicas {
    fn name(&self) -> &'static str {
        "replicas are equal within their scope"
    }

    fn phone(&mut self, world: &World, no: usize, found: &Examined) -> Held {
        let tenant = world.district.workers[world.phones[no].worker].tenant;
        let Some(view) = world
            .views
            .get(&tenant)
            .filter(|_| world.phones[no].enrolled)
        else {
            return Ok(());
        };
        let due = due(world, no, view);
        let has: BTreeSet<EntityId> = found.base.keys().copied().collect();
        if let Some(id) = due.symmetric_difference(&has).next() {
            let what = if due.contains(id) {
                "lacks"
            } else {
                "still has"
            };
            return Err(Violation::new("", format!("p{no} {what} a record")).about(*id));
        }
        for (id, base) in &found.base {
            let theirs = &view.records[id];
            let same = serde_json::from_str::<Entity>(&base.state).is_ok_and(|s| s == theirs.state);
            if base.rev != theirs.rev || !same {
                let text = format!("p{no} has another state at revision {}", base.rev);
                return Err(Violation::new("", text).about(*id));
            }
        }
        Ok(())
    }

    /// What is shown is what the server has, once all is sent.
    fn at(&mut self, world: &World, at: At) -> Held {
        if at != At::End {
            return Ok(());
        }
        for view in world.views.values() {
            listed(world, view)?;
        }
        for phone in world.phones.iter().filter(|phone| phone.enrolled) {
            let tenant = world.district.workers[phone.worker].tenant;
            let (Some(engine), Some(view)) = (&phone.engine, world.views.get(&tenant)) else {
                continue;
            };
            // What is on top of a state that could not be sent shows too.
            if engine.status().map_or(true, |status| status.unsent.ops > 0) {
                continue;
            }
            for id in due(world, phone.no, view) {
                let theirs = &view.records[&id].state;
                let shown = engine.record_of(id).ok();
                let expected = theirs.deleted.is_none().then_some(theirs);
                if shown.as_ref() != expected {
                    let text = format!("p{} shows something else", phone.no);
                    return Err(Violation::new("", text).about(id));
                }
            }
        }
        Ok(())
    }
}
