//! Making records: all of one in one transaction.

use gridwalk_domain::kind::Kind;
use gridwalk_domain::{EntityId, Intent, kind};
use rusqlite::Transaction;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::{Engine, NewPhoto};
use crate::attachments;
use crate::core::{Core, begin, pen};
use crate::error::{EngineError, Inner, Result};
use crate::observe::Touched;
use crate::outbox;

/// A record to be made.
pub(super) struct Making {
    kind: &'static Kind,
    fields: BTreeMap<String, Value>,
    /// Records that must be on the server before it.
    needs: Vec<EntityId>,
    /// What is said of it besides.
    also: Vec<Intent>,
}

impl Making {
    /// With those of the fields that have a value.
    pub(super) fn new<'f>(
        kind: &'static Kind,
        fields: impl IntoIterator<Item = (&'f str, Option<Value>)>,
    ) -> Self {
        let fields = fields.into_iter();
        let fields = fields.filter_map(|(name, value)| Some((name.to_owned(), value?)));
        Self {
            kind,
            fields: fields.collect(),
            needs: vec![],
            also: vec![],
        }
    }

    /// With more fields.
    pub(super) fn and(mut self, fields: BTreeMap<String, Value>) -> Self {
        self.fields.extend(fields);
        self
    }

    /// After another record, where this phone made that one.
    pub(super) fn after(mut self, record: Option<EntityId>) -> Self {
        self.needs.extend(record);
        self
    }

    /// With items of a set.
    pub(super) fn with_items(mut self, set: &str, items: impl IntoIterator<Item = Value>) -> Self {
        let add = |value| Intent::Add {
            set: set.to_owned(),
            value,
        };
        self.also.extend(items.into_iter().map(add));
        self
    }

    fn create(&self) -> Inner<Intent> {
        // Where a record lives is what its kind says; only a newer scope could
        // leave that open.
        let home = self
            .kind
            .home_of(&self.fields)
            .ok_or(EngineError::ChooseGrid)?;
        Ok(Intent::Create {
            home,
            fields: self.fields.clone(),
        })
    }
}

impl Engine {
    /// Makes the record that `plan` says, with photos in its list `photos`, and
    /// does what `along` says in the same transaction. Whether it may be written
    /// comes before the work on the photos.
    pub(super) fn make(
        &self,
        id: EntityId,
        photos: &[NewPhoto],
        plan: impl Fn(&Core, i64) -> Inner<Making>,
        along: impl FnOnce(&Transaction<'_>) -> Inner<()>,
    ) -> Result<EntityId> {
        let now = self.shared.now();
        self.shared.with(|core| {
            let making = plan(core, now.wall_ms)?;
            let pen = pen(core.me.as_ref(), core.synced.as_ref(), &self.shared, now)?;
            pen.would(&core.conn, id, making.kind.name, making.create()?)
        })?;
        let photos = photos.iter().cloned().map(Into::into).collect();
        // The record says where.
        let kept = self.keep(photos, None)?;
        self.shared.change(|core| {
            let now = self.shared.now();
            let making = plan(core, now.wall_ms)?;
            let pen = pen(core.me.as_ref(), core.synced.as_ref(), &self.shared, now)?;
            kept.ensure()?;
            let tx = begin(&mut core.conn)?;
            let (kind, account) = (making.kind.name, pen.me.account);
            let create = making.create()?;
            let mut needs = vec![];
            for record in making.needs {
                needs.extend(outbox::first(&tx, account, record)?);
            }
            pen.write(&tx, id, kind, needs, create)?;
            for intent in making.also {
                pen.write(&tx, id, kind, vec![], intent)?;
            }
            for photo in kept.iter() {
                let value = photo.reference();
                let list = kind::incident::PHOTOS.to_owned();
                pen.write(&tx, id, kind, vec![], Intent::Append { list, value })?;
                attachments::refer(&tx, account, id, photo, now.wall_ms)?;
            }
            along(&tx)?;
            tx.commit()?;
            Ok((id, Touched::records([id])))
        })
    }

    /// A new record's identity.
    pub(super) fn draw_id(&self) -> EntityId {
        EntityId::draw(&*self.shared.rng)
    }
}

/// The worker, as a record names them.
pub(super) fn me(core: &Core) -> Inner<Option<Value>> {
    Ok(Some(json!(core.me()?.worker.id)))
}

/// A time by this phone's clock as a field of a record; none where the clock is
/// so wrong that it can be no time: the server knows better when that was.
pub(super) fn time_value(kind: &Kind, field: &str, at_ms: i64) -> Option<Value> {
    let check = kind.fields.iter().find(|(name, _)| *name == field)?.1;
    Some(json!(at_ms)).filter(|time| check(time).is_ok())
}
