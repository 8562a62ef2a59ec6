//! Making records: all of one in one transaction.

use gridwalk_domain::kind::Kind;
use gridwalk_domain::{EntityId, Intent, kind};
use rusqlite::Transaction;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::form::{self, Picture};
use super::incident::grid;
use super::{Engine, NewAttachment, NewPhoto};
use crate::attachments::{self, Kept, pretence};
use crate::core::{Core, begin, pen};
use crate::error::{EngineError, Inner, Result};
use crate::gate::Gate;
use crate::observe::Touched;
use crate::outbox;

/// What a worker fills in a form for, in the grid of the shift.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// What was found: [`Engine::report_incident`].
    Incident,
    /// What the running patrol found of a category: [`Engine::record_finding`].
    Finding,
    /// A household visit: [`Engine::record_visit`].
    Visit,
    /// A mediation: [`Engine::open_mediation`].
    Mediation,
}

impl Form {
    const fn kind(self) -> &'static Kind {
        match self {
            Self::Incident => &kind::incident::KIND,
            Self::Finding => &kind::finding::KIND,
            Self::Visit => &kind::visit::KIND,
            Self::Mediation => &kind::mediation::KIND,
        }
    }
}

/// A record to be made.
pub(super) struct Making<'a> {
    kind: &'static Kind,
    fields: BTreeMap<String, Value>,
    /// Records that must be on the server before it.
    needs: Vec<EntityId>,
    /// What is said of it besides.
    also: Vec<Intent>,
    /// Pictures that answer questions of its form.
    pictures: Vec<Picture<'a>>,
}

impl<'a> Making<'a> {
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
            pictures: vec![],
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

    /// With pictures that answer questions of its form.
    pub(super) fn answered_by(mut self, pictures: Vec<Picture<'a>>) -> Self {
        self.pictures = pictures;
        self
    }

    /// With references to the pictures of its form.
    fn create(&self, references: impl IntoIterator<Item = Value>) -> Inner<Intent> {
        // Where a record lives is what its kind says; only a newer scope could
        // leave that open.
        let home = self
            .kind
            .home_of(&self.fields)
            .ok_or(EngineError::ChooseGrid)?;
        let mut fields = self.fields.clone();
        form::fill(&mut fields, &self.pictures, references);
        Ok(Intent::Create { home, fields })
    }
}

impl Engine {
    /// Whether the worker may fill in a form now: to be asked before it opens.
    ///
    /// # Errors
    /// Why not: `NotEnrolled`, `NoShift`, `NoPatrol` for a finding, `OutOfScope`,
    /// `NotAllowed`.
    pub fn may_make(&self, form: Form) -> Result<()> {
        self.shared.with(|core| {
            let grid = grid(core)?;
            if form == Form::Finding && core.recorder.live.is_none() {
                return Err(EngineError::NoPatrol.into());
            }
            let gate = Gate::new(core.me()?, core.synced.as_ref());
            let may = gate.rights().may_create(form.kind(), grid.id);
            Ok(may.map_err(EngineError::from)?)
        })
    }

    /// Makes the record that `plan` says, with photos in its list `photos`, and
    /// does what `along` says in the same transaction. Whether it may be written
    /// comes before the work on the pictures.
    pub(super) fn make<'a>(
        &self,
        id: EntityId,
        photos: &[NewPhoto],
        plan: impl Fn(&Core, i64) -> Inner<Making<'a>>,
        along: impl FnOnce(&Transaction<'_>) -> Inner<()>,
    ) -> Result<EntityId> {
        let now = self.shared.now();
        let pictures = self.shared.with(|core| {
            let making = plan(core, now.wall_ms)?;
            let pen = pen(core.me.as_ref(), core.synced.as_ref(), &self.shared, now)?;
            let create = making.create(std::iter::repeat_with(pretence))?;
            pen.would(&core.conn, id, making.kind.name, create)?;
            let pictures = making.pictures.iter().map(Picture::attachment);
            Ok(pictures.collect::<Vec<_>>())
        })?;
        let new = photos.iter().cloned().map(NewAttachment::from);
        // The record says where.
        let kept = self.keep(new.chain(pictures).collect(), None)?;
        self.shared.change(|core| {
            let now = self.shared.now();
            let making = plan(core, now.wall_ms)?;
            let pen = pen(core.me.as_ref(), core.synced.as_ref(), &self.shared, now)?;
            kept.ensure()?;
            let tx = begin(&mut core.conn)?;
            let (kind, account) = (making.kind.name, pen.me.account);
            let (photos, pictures) = kept.split_at(photos.len());
            let create = making.create(pictures.iter().map(Kept::reference))?;
            let mut needs = vec![];
            for record in making.needs {
                needs.extend(outbox::first(&tx, account, record)?);
            }
            pen.write(&tx, id, kind, needs, create)?;
            for intent in making.also {
                pen.write(&tx, id, kind, vec![], intent)?;
            }
            for photo in photos {
                let value = photo.reference();
                let list = kind::incident::PHOTOS.to_owned();
                pen.write(&tx, id, kind, vec![], Intent::Append { list, value })?;
            }
            for one in kept.iter() {
                attachments::refer(&tx, account, id, one, now.wall_ms)?;
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
