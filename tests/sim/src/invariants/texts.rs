//! No text is dropped by the merge.

use gridwalk_domain::wire::Outcome;
use gridwalk_domain::{Entity, Intent, OpId};
use serde_json::Value;
use std::collections::BTreeSet;

use super::{At, Held, Invariant, Violation};
use crate::ledger::tokens;
use crate::server::view::View;
use crate::world::{SeenOp, World};

pub(super) struct Texts;

impl Invariant for Texts {
    fn name(&self) -> &'static str {
        "every losing text can be reached until somebody who saw it replaced it"
    }

    fn at(&mut self, world: &World, at: At) -> Held {
        if at != At::End {
            return Ok(());
        }
        for view in world.views.values() {
            for (id, seen) in &world.ops {
                let taken = view.ops.get(id).is_some_and(|known| {
                    matches!(
                        known[0].outcome,
                        Outcome::Applied { .. } | Outcome::ConflictKept { .. }
                    )
                });
                if !taken {
                    continue;
                }
                let entity = seen.body.entity;
                let Some(record) = view.records.get(&entity) else {
                    return Err(Violation::new("", format!("op {id} stands nowhere")).about(entity));
                };
                if let Some(lost) = lost(*id, seen, &record.state, view, world) {
                    let text = format!("{lost} of op {id} cannot be reached");
                    return Err(Violation::new("", text).about(entity));
                }
            }
        }
        Ok(())
    }
}

/// What an op wrote and nobody can find any more.
fn lost(id: OpId, seen: &SeenOp, state: &Entity, view: &View, world: &World) -> Option<String> {
    match &seen.body.intent {
        Intent::Create { fields, .. } => fields
            .iter()
            .find(|(name, value)| has_text(value) && !in_field(id, name, state, view, world))
            .map(|(name, _)| name.clone()),
        Intent::Set(changes) => changes
            .iter()
            .find(|(name, change)| {
                has_text(&change.value) && !in_field(id, name, state, view, world)
            })
            .map(|(name, _)| name.clone()),
        Intent::Resolve { field, .. } => {
            (!in_field(id, field, state, view, world)).then(|| field.clone())
        }
        Intent::Append { list, .. } => {
            let there = state.list(list).iter().any(|entry| entry.stamp.op == id);
            (!there).then(|| list.clone())
        }
        Intent::Add { set, .. } => {
            let there = state.sets.get(set).is_some_and(|set| {
                set.items.iter().any(|item| item.stamp.op == id) || set.removed.contains(&id)
            });
            (!there).then(|| set.clone())
        }
        Intent::Transition { .. } => {
            let taken = state.history.iter().any(|step| step.stamp.op == id);
            let kept = state
                .list("comments")
                .iter()
                .any(|entry| entry.stamp.op == id);
            (!taken && !kept).then(|| "a reason".to_owned())
        }
        Intent::Remove { .. } | Intent::Delete { .. } => None,
    }
}

fn has_text(value: &Value) -> bool {
    value
        .as_str()
        .is_some_and(|text| tokens(text).next().is_some())
}

/// Whether what an op wrote stands, is proposed, or was replaced by an op that
/// was taken and had seen it.
fn in_field(id: OpId, name: &str, state: &Entity, view: &View, world: &World) -> bool {
    let standing = state.fields.get(name).is_some_and(|field| {
        field.current.stamp.op == id || field.proposals.iter().any(|kept| kept.stamp.op == id)
    });
    let taken: BTreeSet<OpId> = state.ops.iter().copied().collect();
    let replaced = || {
        let others = taken.iter().filter_map(|op| world.ops.get(op));
        let mut others = others.filter(|seen| view.ops.contains_key(&seen.body.id));
        others.any(|seen| match &seen.body.intent {
            Intent::Set(changes) => changes
                .get(name)
                .is_some_and(|change| change.base == Some(id)),
            Intent::Resolve {
                field,
                base,
                replaces,
                ..
            } => field == name && (*base == Some(id) || replaces.contains(&id)),
            _ => false,
        })
    };
    standing || replaced()
}
