//! What every record has.

use gridwalk_domain::{Entity, EntityId, GridId, WorkerId, kind};
use serde::{Deserialize, Serialize};

use super::incident::{attached, comments, steps};
use super::{CommentView, PhotoView, SendState, StepView, mine, parsed, send};
use crate::core::Core;
use crate::entities;
use crate::error::{EngineError, Inner};

/// What every record has, whatever its kind.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordView {
    /// Its identity.
    pub id: EntityId,
    /// When it was made, in milliseconds since 1970.
    pub made_ms: i64,
    /// Its status; empty where its kind has none.
    pub status: String,
    /// The grid it is of.
    pub grid: Option<GridId>,
    /// The worker whom it names.
    pub worker: Option<WorkerId>,
    /// Its photos.
    pub photos: Vec<PhotoView>,
    /// Its life so far.
    pub history: Vec<StepView>,
    /// What was said about it.
    pub comments: Vec<CommentView>,
    /// Whether it was made on this phone.
    pub mine: bool,
    /// How far it is on its way.
    pub send: SendState,
}

/// A person, as records name them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Their name: 1 to 50 characters.
    pub name: String,
    /// Their telephone number: 3 to 20 digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// Who they are: at most 200 characters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

pub(crate) fn record(core: &Core, entity: &Entity) -> Inner<RecordView> {
    Ok(RecordView {
        id: entity.id,
        made_ms: entity.created.at_ms,
        status: entity.status().unwrap_or_default().to_owned(),
        grid: kind::grid_of(entity),
        worker: parsed(entity, "worker"),
        photos: attached(core, entity, kind::incident::PHOTOS)?,
        history: steps(core, entity)?,
        comments: comments(entity),
        mine: mine(core, entity),
        send: send::state_of(core, entity.id)?,
    })
}

/// All records of a kind that are shown, the newest first.
pub(crate) fn shown_of(core: &Core, kind: &str) -> Inner<Vec<Entity>> {
    let mut out = Vec::new();
    for id in entities::ids(&core.conn, core.account(), kind)? {
        out.extend(of_kind(core, id, kind)?);
    }
    out.sort_by_key(|entity| std::cmp::Reverse((entity.created.at_ms, entity.id)));
    Ok(out)
}

/// One record of a kind that is shown.
pub(crate) fn one_of(core: &Core, id: EntityId, kind: &str) -> Inner<Entity> {
    Ok(of_kind(core, id, kind)?.ok_or(EngineError::NotFound)?)
}

fn of_kind(core: &Core, id: EntityId, kind: &str) -> Inner<Option<Entity>> {
    let shown = entities::shown(&core.conn, core.account(), id)?;
    Ok(shown.filter(|entity| entity.kind == kind && entity.deleted.is_none()))
}

/// What stands in a field, read as what it should be; none where it is not.
pub(crate) fn value<T: serde::de::DeserializeOwned>(entity: &Entity, field: &str) -> Option<T> {
    serde_json::from_value(entity.value(field)?.clone()).ok()
}
