//! What the shells show.

mod conflict;
mod incident;
mod patrol;
mod record;
mod send;
mod status;

pub(crate) use conflict::conflicts;
pub use conflict::{Choice, ConflictView, VersionView};
pub use incident::{CommentView, IncidentView, PhotoView, StepView, ThumbView};
pub(crate) use incident::{attached, incident, incidents};
pub use patrol::{PatrolView, RouteView, RunView};
pub(crate) use patrol::{patrol, patrols};
pub use record::{Person, RecordView};
pub(crate) use record::{one_of, record, shown_of, value};
pub use send::{Advice, RefusedItem, RefusedWhat, SendState};
pub(crate) use send::{amount, unsent};
pub(crate) use status::status;
pub use status::{PatrolNow, ShiftView, Status};

use gridwalk_domain::{Entity, EntityId, kind};
use serde::{Deserialize, Serialize};

use crate::core::Core;
use crate::entities;
use crate::error::Inner;
use crate::observe::{Change, Touched};

/// A place, WGS-84, in degrees.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Place {
    /// Latitude.
    pub lat: f64,
    /// Longitude.
    pub lon: f64,
    /// Accuracy in metres, where known.
    #[serde(default)]
    pub accuracy_m: Option<f64>,
}

fn parsed<T: std::str::FromStr>(entity: &Entity, field: &str) -> Option<T> {
    entity.text(field)?.parse().ok()
}

fn owned(entity: &Entity, field: &str) -> Option<String> {
    entity.text(field).map(str::to_owned)
}

fn mine(core: &Core, entity: &Entity) -> bool {
    core.me
        .as_ref()
        .is_some_and(|me| me.author() == entity.created.by)
}

fn all<T>(
    core: &Core,
    kind: &str,
    one: impl Fn(&Core, EntityId) -> Inner<Option<T>>,
    newest: impl Fn(&T) -> (i64, EntityId),
) -> Inner<Vec<T>> {
    let mut out = Vec::new();
    for id in entities::ids(&core.conn, core.account(), kind)? {
        out.extend(one(core, id)?);
    }
    out.sort_by_key(|view| std::cmp::Reverse(newest(view)));
    Ok(out)
}

/// Everything, as it is now.
pub(crate) fn snapshot(core: &mut Core) -> Inner<Change> {
    Ok(Change::Snapshot {
        status: status(core)?,
        incidents: incidents(core)?,
        patrols: patrols(core)?,
    })
}

/// What a change touched, as it is now.
pub(crate) fn changes(core: &mut Core, touched: &Touched) -> Inner<Vec<Change>> {
    if touched.all {
        return Ok(vec![snapshot(core)?]);
    }
    let mut out = Vec::new();
    for id in &touched.records {
        out.push(
            match entities::shown(&core.conn, core.account(), *id)?
                .filter(|entity| entity.deleted.is_none())
            {
                None => Change::Gone(*id),
                Some(entity) if entity.kind == kind::incident::KIND.name => {
                    Change::Incident(incident::of(core, &entity)?)
                }
                Some(entity) if entity.kind == kind::patrol::KIND.name => {
                    Change::Patrol(patrol::of(core, &entity)?)
                }
                Some(_) => continue,
            },
        );
    }
    if touched.status {
        out.push(Change::Status(status(core)?));
    }
    Ok(out)
}
