//! Changing records that are there: one's own and, in a shared grid, those of
//! colleagues. Every change names what this phone shows as its base.

use gridwalk_domain::rights::Actor;
use gridwalk_domain::{Change, Entity, EntityId, Intent, OpId, kind};
use rusqlite::Transaction;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

use super::Engine;
use super::step::has_own_calls;
use crate::core::{Core, begin, pen};
use crate::entities;
use crate::error::{EngineError, Inner, Result};
use crate::observe::Touched;
use crate::outbox::Pen;
use crate::view::{Choice, ConflictView};

/// Kinds that are not recorded on duty alone: what was sent to the worker may be
/// read and answered at any time.
const PERSONAL: [&str; 2] = [kind::task::KIND.name, kind::notice::READING.name];

/// Changes of one record that are made together, or not at all.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Edit {
    /// Fields to write; `null` empties one.
    pub fields: BTreeMap<String, Value>,
    /// Items to put into sets, each after the set's name.
    pub add: Vec<(String, Value)>,
    /// Items to take out of sets, however often they were put in. One that is
    /// not in there is passed over.
    pub remove: Vec<(String, Value)>,
    /// The record as its form was filled from it ([`Engine::record_of`]): what a
    /// sync brought since its author has not seen, and it is kept beside. Where
    /// there is none they saw what this phone shows.
    pub seen: Option<Entity>,
}

impl Edit {
    /// The intents that make it of what its author saw; `shown` is what this phone
    /// shows.
    fn intents(self, shown: &Entity) -> Vec<Intent> {
        let seen = self.seen.as_ref().unwrap_or(shown);
        let set = (!self.fields.is_empty()).then(|| setting(self.fields, seen));
        let add = self.add.into_iter();
        let add = add.map(|(set, value)| Intent::Add { set, value });
        let remove = self.remove.into_iter().filter_map(|(set, value)| {
            let items = seen.sets.get(&set).into_iter().flat_map(|set| &set.items);
            let same = items.filter(|item| item.value == value);
            let ids: Vec<OpId> = same.map(|item| item.stamp.op).collect();
            (!ids.is_empty()).then_some(Intent::Remove { set, ids })
        });
        set.into_iter().chain(add).chain(remove).collect()
    }
}

/// Writes fields of a record whose author saw it so.
pub(super) fn setting(fields: BTreeMap<String, Value>, seen: &Entity) -> Intent {
    let changes = fields.into_iter().map(|(field, value)| {
        let base = seen.base(&field);
        (field, Change { value, base })
    });
    Intent::Set(changes.collect())
}

/// # Errors
/// All of them: `NotEnrolled`, `NoShift`, `NotFound` where this phone shows no
/// such record, `OutOfScope` where its grid is not assigned to the worker now,
/// `NotAllowed` where the rules say no, `Invalid`, `DiskFull`, `Storage`.
#[expect(clippy::missing_errors_doc, reason = "said once, above")]
impl Engine {
    /// All of a record as this phone shows it: its fields with what else was
    /// proposed for them, its lists, its life.
    pub fn record_of(&self, record: EntityId) -> Result<Entity> {
        self.shared.with(|core| shown(core, record))
    }

    /// Makes changes of one record together. What somebody else wrote meanwhile
    /// is kept beside. `NotFound` also where another record was seen.
    pub fn edit_all(&self, record: EntityId, edit: Edit) -> Result<()> {
        if edit.seen.as_ref().is_some_and(|seen| seen.id != record) {
            return Err(EngineError::NotFound);
        }
        self.amend(record, |tx, pen, shown| {
            let mut intents = edit.intents(shown).into_iter();
            intents.try_for_each(|intent| pen.amend(tx, shown, intent))
        })
    }

    /// Writes fields; `null` empties one.
    pub fn edit(&self, record: EntityId, fields: BTreeMap<String, Value>) -> Result<()> {
        let edit = Edit {
            fields,
            ..Edit::default()
        };
        self.edit_all(record, edit)
    }

    /// Says something about a record.
    pub fn comment(&self, record: EntityId, text: &str) -> Result<()> {
        self.append(record, kind::COMMENTS, json!({ "text": text }))
    }

    /// Appends an entry to a list of the record's.
    pub(super) fn append(&self, record: EntityId, list: &str, value: Value) -> Result<()> {
        self.amend(record, |tx, pen, shown| {
            let list = list.to_owned();
            pen.amend(tx, shown, Intent::Append { list, value })
        })
    }

    /// Puts an item into a set of the record's: a tag …
    pub fn add_item(&self, record: EntityId, set: &str, value: Value) -> Result<()> {
        let edit = Edit {
            add: vec![(set.to_owned(), value)],
            ..Edit::default()
        };
        self.edit_all(record, edit)
    }

    /// Takes an item out of a set.
    pub fn remove_item(&self, record: EntityId, set: &str, value: &Value) -> Result<()> {
        let edit = Edit {
            remove: vec![(set.to_owned(), value.clone())],
            ..Edit::default()
        };
        self.edit_all(record, edit)
    }

    /// Moves the status along its table. Shifts and patrols have calls of their
    /// own.
    pub fn step(
        &self,
        record: EntityId,
        to: &str,
        reason: Option<&str>,
        with: Map<String, Value>,
    ) -> Result<()> {
        self.amend(record, |tx, pen, shown| {
            let last = shown.history.last().ok_or(EngineError::NotFound)?;
            if has_own_calls(shown) {
                return Err(EngineError::NotFound.into());
            }
            let step = Intent::Transition {
                from: last.to.clone(),
                to: to.to_owned(),
                base: last.stamp.op,
                reason: reason.map(str::to_owned),
                with,
            };
            pen.amend(tx, shown, step)
        })
    }

    /// Settles a field that was written twice: what is proposed beside it, as
    /// far as this phone shows it, gives way to `value`.
    pub fn resolve(&self, record: EntityId, field: &str, value: Value) -> Result<()> {
        self.amend(record, |tx, pen, shown| {
            let proposals = shown.fields.get(field).map(|field| &field.proposals);
            let proposals = proposals.into_iter().flatten();
            let resolve = Intent::Resolve {
                field: field.to_owned(),
                value,
                base: shown.base(field),
                replaces: proposals.map(|kept| kept.stamp.op).collect(),
            };
            pen.amend(tx, shown, resolve)
        })
    }

    /// Settles a conflict as it was shown: what its author saw gives way, and
    /// what came in since stays, for another look.
    ///
    /// # Errors
    /// `NotFound` besides, where the choice names no version of the conflict.
    pub fn settle(&self, conflict: &ConflictView, choice: Choice) -> Result<()> {
        let versions = std::iter::once(&conflict.standing).chain(&conflict.others);
        let value = match choice {
            Choice::Write(value) => Some(value),
            Choice::Keep(op) => versions
                .into_iter()
                .find(|version| version.op == op)
                .map(|version| version.value.clone()),
        };
        let value = value.ok_or(EngineError::NotFound)?;
        self.amend(conflict.record, |tx, pen, shown| {
            let resolve = Intent::Resolve {
                field: conflict.field.clone(),
                value,
                base: Some(conflict.standing.op),
                replaces: conflict.others.iter().map(|kept| kept.op).collect(),
            };
            pen.amend(tx, shown, resolve)
        })
    }

    /// Deletes a record. An edit by somebody who had not seen that brings it
    /// back.
    pub fn delete(&self, record: EntityId) -> Result<()> {
        self.amend(record, |tx, pen, shown| {
            let base = *shown.ops.last().ok_or(EngineError::NotFound)?;
            pen.amend(tx, shown, Intent::Delete { base })
        })
    }

    /// One transaction on a record that may be amended.
    pub(super) fn amend(
        &self,
        record: EntityId,
        write: impl FnOnce(&Transaction<'_>, &Pen<'_>, &Entity) -> Inner<()>,
    ) -> Result<()> {
        let now = self.shared.now();
        self.shared.change(|core| {
            let shown = amendable(core, record)?;
            let pen = pen(core.me.as_ref(), core.synced.as_ref(), &self.shared, now)?;
            let tx = begin(&mut core.conn)?;
            write(&tx, &pen, &shown)?;
            tx.commit()?;
            Ok(((), Touched::records([record])))
        })
    }
}

impl Pen<'_> {
    pub(super) fn amend(&self, tx: &Transaction<'_>, shown: &Entity, intent: Intent) -> Inner<()> {
        self.write(tx, shown.id, &shown.kind, vec![], intent)?;
        Ok(())
    }
}

/// Whether this phone's worker made it, on whichever phone.
pub(super) fn is_own(core: &Core, entity: &Entity) -> bool {
    let me = core.me.as_ref().map(|me| Actor::Worker(me.worker.id));
    me == Some(Actor::from(entity.created.by))
}

pub(super) fn shown(core: &Core, record: EntityId) -> Inner<Entity> {
    let entity = entities::shown(&core.conn, core.account(), record)?;
    let entity = entity.filter(|entity| entity.deleted.is_none());
    Ok(entity.ok_or(EngineError::NotFound)?)
}

/// The record, where it can be changed now; who may, the gate says.
pub(super) fn amendable(core: &Core, record: EntityId) -> Inner<Entity> {
    core.me()?;
    let entity = shown(core, record)?;
    if !PERSONAL.contains(&entity.kind.as_str()) {
        core.shift()?.ok_or(EngineError::NoShift)?;
    }
    Ok(entity)
}
