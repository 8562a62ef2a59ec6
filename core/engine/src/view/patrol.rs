//! Patrols as the shells show them.

use gridwalk_domain::{Entity, EntityId, Fix, GridId, RunId, WorkerId, kind};
use gridwalk_track::route::{Gap, Stop};
use serde_json::Value;

use super::{SendState, all, mine, parsed, send};
use crate::core::Core;
use crate::error::Inner;
use crate::{chunks, entities};

/// The fixes of one run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RunView {
    /// The run.
    pub run: RunId,
    /// How many fixes: their ordinals begin at 0.
    pub fixes: u64,
}

/// A patrol.
#[derive(Clone, Debug, PartialEq)]
pub struct PatrolView {
    /// Its identity.
    pub id: EntityId,
    /// `active`, `paused`, `finished`.
    pub status: String,
    /// The grid it was walked in.
    pub grid: Option<GridId>,
    /// Who walked it.
    pub worker: Option<WorkerId>,
    /// The shift it belongs to.
    pub shift: Option<EntityId>,
    /// When it began, in milliseconds since 1970.
    pub started_ms: i64,
    /// When it ended.
    pub ended_ms: Option<i64>,
    /// How many fixes this phone recorded for it.
    pub fixes: u64,
    /// The same, run by run.
    pub runs: Vec<RunView>,
    /// The distance in metres, once it is finished.
    pub distance_m: Option<f64>,
    /// The time in motion in seconds, once it is finished.
    pub moving_s: Option<i64>,
    /// Whether it was made on this phone.
    pub mine: bool,
    /// How far it is on its way.
    pub send: SendState,
}

/// The route of a patrol.
#[derive(Clone, Debug, PartialEq)]
pub struct RouteView {
    /// Whose.
    pub patrol: EntityId,
    /// The stretches that were walked.
    pub segments: Vec<Vec<Fix>>,
    /// The stretches of which nothing is known.
    pub gaps: Vec<Gap>,
    /// Where the worker stood.
    pub stops: Vec<Stop>,
    /// Metres walked.
    pub distance_m: f64,
    /// Seconds in motion.
    pub moving_s: i64,
    /// Fixes recorded.
    pub fixes: u64,
    /// Fixes that the segments use.
    pub used: u64,
}

pub(crate) fn patrol(core: &Core, id: EntityId) -> Inner<Option<PatrolView>> {
    match entities::shown(&core.conn, core.account(), id)? {
        Some(entity) if entity.kind == kind::patrol::KIND.name && entity.deleted.is_none() => {
            Ok(Some(of(core, &entity)?))
        }
        _ => Ok(None),
    }
}

pub(super) fn of(core: &Core, entity: &Entity) -> Inner<PatrolView> {
    let mut runs = chunks::runs(&core.conn, entity.id)?;
    let live = core.recorder.live.as_ref();
    let unsealed = live
        .filter(|live| live.id == entity.id)
        .map_or(0, |live| live.unsealed as u64);
    *runs.entry(core.recorder.run).or_default() += unsealed;
    let runs: Vec<RunView> = runs
        .into_iter()
        .filter(|(_, fixes)| *fixes > 0)
        .map(|(run, fixes)| RunView { run, fixes })
        .collect();
    let ended = entity
        .history
        .last()
        .filter(|step| step.to == kind::patrol::FINISHED);
    Ok(PatrolView {
        id: entity.id,
        status: entity.status().unwrap_or_default().to_owned(),
        grid: parsed(entity, "grid"),
        worker: parsed(entity, "worker"),
        shift: parsed(entity, "shift"),
        started_ms: entity.created.at_ms,
        ended_ms: ended.map(|step| step.stamp.at_ms),
        fixes: runs.iter().map(|run| run.fixes).sum(),
        runs,
        distance_m: entity.value("distance_m").and_then(Value::as_f64),
        moving_s: entity.value("moving_s").and_then(Value::as_i64),
        mine: mine(core, entity),
        send: match send::state_of(core, entity.id)? {
            // What is not sealed yet cannot be sent yet.
            SendState::Sent if unsealed > 0 => SendState::Waiting,
            state => state,
        },
    })
}

pub(crate) fn patrols(core: &Core) -> Inner<Vec<PatrolView>> {
    all(core, kind::patrol::KIND.name, patrol, |view| {
        (view.started_ms, view.id)
    })
}
