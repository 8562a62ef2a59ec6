//! The merge: the one function that turns a state and an op into a state.
//!
//! Phone and server call it with the same ops; a phone shows the server's
//! state with its own unsent ops applied on top. What it promises:
//!
//! - an op that was taken is not taken again: repetition changes nothing;
//! - `append`, `add` and `remove` commute;
//! - a value survives until an op that was taken names it as its base, or a
//!   `resolve` lists it. So the set of surviving texts does not depend on the
//!   order of the ops; only which of them stands in the field does;
//! - a refused op changes nothing.

use serde_json::{Value, json};
use std::collections::BTreeMap;

use crate::entity::{Entity, Entry, Field, Stamp, Step};
use crate::kind::{self, Kind, steps::stands_at};
use crate::op::{Change, Intent, OpBody};
use crate::{OpId, StreamKey};

/// What taking an op did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// All of it stands.
    Applied,
    /// Some of it was written without having seen what stands: it is kept
    /// beside, for somebody to settle.
    ConflictKept,
    /// It had been taken before.
    Repeated,
}

/// Why an op cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The entity does not exist (yet).
    #[error("what it changes does not exist here")]
    Missing,
    /// The entity exists already, made by another op.
    #[error("something with this id exists already")]
    Exists,
    /// It builds on an op that the entity has not seen: a server that lost
    /// data, or ops out of order.
    #[error("it builds on a change that is not known here")]
    UnknownBase,
    /// The op speaks of another kind, district or home than the entity has.
    #[error("it names another kind, district or stream than the record has")]
    Misplaced,
    /// This version knows no such kind.
    #[error("this kind of record is not known here; an upgrade may know it")]
    UnknownKind,
    /// This version knows no such intent on this kind.
    #[error("{0} has no such list or set")]
    UnknownPart(String),
    /// A value is not allowed.
    #[error("{field}: {why}")]
    BadValue {
        /// The field, list or set.
        field: String,
        /// What is wrong and what is expected.
        why: String,
    },
    /// The status has no such step.
    #[error("there is no step from {from} to {to}")]
    NoSuchStep {
        /// The status before.
        from: String,
        /// The status asked for.
        to: String,
    },
    /// The step lacks what its table asks for.
    #[error("the step to {to} needs {what}")]
    StepNeeds {
        /// The status asked for.
        to: String,
        /// What is missing.
        what: String,
    },
}

impl Refusal {
    /// A word for programs; stable.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing => "missing",
            Self::Exists => "exists",
            Self::UnknownBase => "unknown_base",
            Self::Misplaced => "misplaced",
            Self::UnknownKind => "unknown_kind",
            Self::UnknownPart(_) => "unknown_part",
            Self::BadValue { .. } => "bad_value",
            Self::NoSuchStep { .. } => "no_such_step",
            Self::StepNeeds { .. } => "step_needs",
        }
    }
}

/// Takes `op`, made at `at_ms` (corrected), into `state`.
///
/// # Errors
/// A [`Refusal`]; `state` is then as it was.
pub fn apply(state: &mut Option<Entity>, op: &OpBody, at_ms: i64) -> Result<Effect, Refusal> {
    take(state, op, at_ms, Bases::Known)
}

/// Takes an op that a person let out of quarantine: like [`apply()`], but what it
/// builds on need not be known here. Such a base is a stale one, so that what
/// the op says is kept beside what stands.
///
/// # Errors
/// A [`Refusal`], but never [`Refusal::UnknownBase`]; `state` is then as it was.
pub fn apply_decided(
    state: &mut Option<Entity>,
    op: &OpBody,
    at_ms: i64,
) -> Result<Effect, Refusal> {
    take(state, op, at_ms, Bases::Any)
}

/// Whether every base of an op must be among the ops taken before.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Bases {
    Known,
    Any,
}

fn take(
    state: &mut Option<Entity>,
    op: &OpBody,
    at_ms: i64,
    bases: Bases,
) -> Result<Effect, Refusal> {
    let kind = kind::find(&op.kind).ok_or(Refusal::UnknownKind)?;
    let stamp = Stamp {
        op: op.id,
        by: op.by,
        at_ms,
    };
    match (state.as_mut(), &op.intent) {
        (Some(entity), _) if entity.ops.contains(&op.id) => Ok(Effect::Repeated),
        (Some(_), Intent::Create { .. }) => Err(Refusal::Exists),
        (None, Intent::Create { home, fields }) => {
            *state = Some(create(kind, op, stamp, *home, fields)?);
            Ok(Effect::Applied)
        }
        (None, _) => Err(Refusal::Missing),
        (Some(entity), intent) => {
            if entity.kind != op.kind || entity.tenant != op.tenant || entity.id != op.entity {
                return Err(Refusal::Misplaced);
            }
            let known = |base| entity.ops.contains(&base);
            if bases == Bases::Known && !intent.bases().all(known) {
                return Err(Refusal::UnknownBase);
            }
            let effect = change(kind, entity, stamp, intent)?;
            if !matches!(intent, Intent::Delete { .. }) {
                entity.deleted = None;
            }
            entity.ops.push(op.id);
            Ok(effect)
        }
    }
}

fn create(
    kind: &Kind,
    op: &OpBody,
    stamp: Stamp,
    home: StreamKey,
    fields: &BTreeMap<String, Value>,
) -> Result<Entity, Refusal> {
    for (name, value) in fields {
        kind.check_field(name, value)?;
    }
    kind.check_required(fields)?;
    kind.check_home(home, fields)?;
    let field = |value: &Value| Field {
        current: Entry {
            stamp: stamp.clone(),
            value: value.clone(),
        },
        proposals: vec![],
    };
    let first = kind.initial.map(|to| Step {
        stamp: stamp.clone(),
        from: None,
        to: to.to_owned(),
        reason: None,
        with: serde_json::Map::new(),
    });
    Ok(Entity {
        id: op.entity,
        kind: op.kind.clone(),
        tenant: op.tenant,
        home,
        created_clock: op.at,
        fields: fields
            .iter()
            .map(|(name, value)| (name.clone(), field(value)))
            .collect(),
        history: first.into_iter().collect(),
        lists: BTreeMap::new(),
        sets: BTreeMap::new(),
        deleted: None,
        delete_proposed: vec![],
        ops: vec![op.id],
        unknown: serde_json::Map::new(),
        created: stamp,
    })
}

fn change(
    kind: &Kind,
    entity: &mut Entity,
    stamp: Stamp,
    intent: &Intent,
) -> Result<Effect, Refusal> {
    match intent {
        Intent::Create { .. } => Err(Refusal::Exists),
        Intent::Set(changes) => {
            for (name, change) in changes {
                kind.check_field(name, &change.value)?;
            }
            Ok(set_all(entity, &stamp, changes))
        }
        Intent::Append { list, value } => {
            kind.check_entry(list, value)?;
            let entry = Entry {
                stamp,
                value: value.clone(),
            };
            insert_by_time(entity.lists.entry(list.clone()).or_default(), entry);
            Ok(Effect::Applied)
        }
        Intent::Add { set, value } => {
            kind.check_item(set, value)?;
            let items = entity.sets.entry(set.clone()).or_default();
            if !items.removed.contains(&stamp.op) {
                insert_by_time(
                    &mut items.items,
                    Entry {
                        stamp,
                        value: value.clone(),
                    },
                );
            }
            Ok(Effect::Applied)
        }
        Intent::Remove { set, ids } => {
            kind.check_set(set)?;
            let items = entity.sets.entry(set.clone()).or_default();
            items.items.retain(|item| !ids.contains(&item.stamp.op));
            items.removed.extend(ids);
            items.removed.sort_unstable();
            items.removed.dedup();
            Ok(Effect::Applied)
        }
        Intent::Transition {
            from,
            to,
            base,
            reason,
            with,
        } => {
            kind.check_step(from, to, reason.as_deref(), with)?;
            let step = Step {
                stamp,
                from: Some(from.clone()),
                to: to.clone(),
                reason: reason.clone(),
                with: with.clone(),
            };
            take_step(kind, entity, step, *base)
        }
        Intent::Resolve {
            field,
            value,
            base,
            replaces,
        } => {
            kind.check_field(field, value)?;
            if let Some(field) = entity.fields.get_mut(field) {
                field
                    .proposals
                    .retain(|kept| !replaces.contains(&kept.stamp.op));
            }
            Ok(set_one(entity, &stamp, field, value, *base, replaces))
        }
        Intent::Delete { base } => {
            if entity.ops.last() == Some(base) {
                entity.deleted = Some(stamp);
                Ok(Effect::Applied)
            } else {
                entity.delete_proposed.push(stamp);
                Ok(Effect::ConflictKept)
            }
        }
    }
}

fn set_all(entity: &mut Entity, stamp: &Stamp, changes: &BTreeMap<String, Change>) -> Effect {
    let mut effect = Effect::Applied;
    for (name, change) in changes {
        if set_one(entity, stamp, name, &change.value, change.base, &[]) == Effect::ConflictKept {
            effect = Effect::ConflictKept;
        }
    }
    effect
}

/// Writes one field where the base is what stands; replaces the proposal that
/// the base names; else keeps the value as a proposal of its own.
fn set_one(
    entity: &mut Entity,
    stamp: &Stamp,
    name: &str,
    value: &Value,
    base: Option<OpId>,
    settled: &[OpId],
) -> Effect {
    let entry = Entry {
        stamp: stamp.clone(),
        value: value.clone(),
    };
    let Some(field) = entity.fields.get_mut(name) else {
        let field = Field {
            current: entry,
            proposals: vec![],
        };
        entity.fields.insert(name.to_owned(), field);
        return Effect::Applied;
    };
    let standing = field.current.stamp.op;
    if base == Some(standing) || settled.contains(&standing) {
        field.current = entry;
        return Effect::Applied;
    }
    let replaced = base.and_then(|base| field.proposals.iter().position(|p| p.stamp.op == base));
    match replaced {
        Some(index) => field.proposals[index] = entry,
        None => field.proposals.push(entry),
    }
    field.proposals.sort_by_key(order);
    Effect::ConflictKept
}

/// A step counts only where both the status and the last step are those that
/// its author saw. Else its words are kept as a comment.
fn take_step(kind: &Kind, entity: &mut Entity, step: Step, base: OpId) -> Result<Effect, Refusal> {
    if stands_at(entity, step.from.as_deref().unwrap_or_default(), base) {
        kind.check_fit(entity, &step)?;
        entity.history.push(step);
        return Ok(Effect::Applied);
    }
    let value = json!({
        "text": step.reason.unwrap_or_default(),
        "refused_step": { "from": step.from, "to": step.to, "with": step.with },
    });
    insert_by_time(
        entity.lists.entry(kind::COMMENTS.to_owned()).or_default(),
        Entry {
            stamp: step.stamp,
            value,
        },
    );
    Ok(Effect::ConflictKept)
}

fn order(entry: &Entry) -> (i64, OpId) {
    (entry.stamp.at_ms, entry.stamp.op)
}

fn insert_by_time(entries: &mut Vec<Entry>, entry: Entry) {
    let at = entries.partition_point(|other| order(other) < order(&entry));
    entries.insert(at, entry);
}

#[cfg(test)]
#[path = "apply_tests.rs"]
mod tests;
