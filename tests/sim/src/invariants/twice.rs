//! Nothing is there twice.

use gridwalk_domain::{Entity, OpId};
use std::collections::{BTreeMap, BTreeSet};

use super::{At, Held, Invariant, Violation, broken};
use crate::examine::Examined;
use crate::ledger::{Token, tokens};
use crate::world::World;

pub(super) struct NothingTwice;

impl Invariant for NothingTwice {
    fn name(&self) -> &'static str {
        "nothing is there twice, on a phone or on the server"
    }

    fn phone(&mut self, _: &World, no: usize, found: &Examined) -> Held {
        match found.twice {
            Some(token) => broken(format!("p{no}: {token} is in two ops of the outbox")),
            None => Ok(()),
        }
    }

    fn at(&mut self, world: &World, at: At) -> Held {
        if at != At::End {
            return Ok(());
        }
        sent_once(world)?;
        for record in world.views.values().flat_map(|view| view.records.values()) {
            stands_once(&record.state)?;
        }
        incidents_once(world)?;
        fixes_once(world)
    }
}

/// A text was sent in one op only, however often that was sent.
fn sent_once(world: &World) -> Held {
    let mut first: BTreeMap<Token, OpId> = BTreeMap::new();
    for (id, seen) in &world.ops {
        let Ok(text) = serde_json::to_string(&seen.body) else {
            continue;
        };
        for token in tokens(&text) {
            let known = *first.entry(token).or_insert(*id);
            if known != *id {
                let text = format!("{token} was sent in ops {known} and {id}");
                return Err(Violation::new("", text).about(seen.body.entity));
            }
        }
    }
    Ok(())
}

fn stands_once(state: &Entity) -> Held {
    let mut seen = BTreeSet::new();
    if let Some(op) = state.ops.iter().find(|op| !seen.insert(**op)) {
        return Err(Violation::new("", format!("op {op} was taken twice")).about(state.id));
    }
    for (list, entries) in &state.lists {
        let mut seen = BTreeSet::new();
        if let Some(entry) = entries.iter().find(|entry| !seen.insert(entry.stamp.op)) {
            let text = format!("{list} has op {} twice", entry.stamp.op);
            return Err(Violation::new("", text).about(state.id));
        }
    }
    Ok(())
}

/// One report made one incident.
fn incidents_once(world: &World) -> Held {
    let mut made: BTreeMap<Token, _> = BTreeMap::new();
    for (id, record) in world.views.values().flat_map(|view| &view.records) {
        let creation = world.ops.get(&record.state.created.op);
        let text = creation.and_then(|seen| serde_json::to_string(&seen.body).ok());
        for token in tokens(&text.unwrap_or_default()) {
            if let Some(other) = made.insert(token, *id) {
                let text = format!("the report {token} made two incidents");
                return Err(Violation::new("", text).about(*id).about(other));
            }
        }
    }
    Ok(())
}

fn fixes_once(world: &World) -> Held {
    for (patrol, chunks) in world.views.values().flat_map(|view| &view.chunks) {
        for pair in chunks.windows(2) {
            let (a, b) = (&pair[0].span, &pair[1].span);
            if a.key == b.key && a.end() > u64::from(b.first) {
                let text = format!("fix {} of run {} is stored twice", b.first, b.key.run);
                return Err(Violation::new("", text).about(*patrol));
            }
        }
    }
    Ok(())
}
