//! The shapes of the answers, as docs/api.md says them.

use gridwalk_domain::catalogue::FieldKind;
use gridwalk_domain::{
    EntityId, GapCause, GridCode, GridId, GridLevel, Position, Sha256, Text, UserId,
};
use gridwalk_store::GridRow;
use serde::Serialize;
use serde_json::{Map, Value};

/// `[lon, lat]`.
pub(super) type Point = [f64; 2];

pub(super) fn point(at: Position) -> Point {
    [at.lon, at.lat]
}

#[derive(Serialize)]
pub(super) struct Me {
    pub(super) id: UserId,
    pub(super) name: String,
    pub(super) role: &'static str,
    pub(super) grid: Grid,
    pub(super) utc_offset_min: i32,
    pub(super) now_ms: i64,
    pub(super) latest_day: Option<String>,
    pub(super) notice: Option<Text>,
}

#[derive(Serialize)]
pub(super) struct Grid {
    id: GridId,
    parent: Option<GridId>,
    code: GridCode,
    level: GridLevel,
    name: String,
    synthetic: bool,
}

impl Grid {
    /// As a user sees it whose grid is `top`: what stands above is not theirs.
    pub(super) fn new(row: &GridRow, top: GridId) -> Self {
        Self {
            id: row.id,
            parent: row.parent.filter(|_| row.id != top),
            code: row.code.clone(),
            level: row.level,
            name: row.name.clone(),
            synthetic: row.synthetic,
        }
    }
}

#[derive(Clone, Serialize)]
pub(super) struct GridRef {
    pub(super) id: GridId,
    pub(super) code: GridCode,
    pub(super) name: String,
}

impl From<&GridRow> for GridRef {
    fn from(row: &GridRow) -> Self {
        Self {
            id: row.id,
            code: row.code.clone(),
            name: row.name.clone(),
        }
    }
}

/// A worker, or a user where one of them made the step: an id and a name.
#[derive(Clone, Serialize)]
pub(super) struct Who {
    pub(super) id: String,
    pub(super) name: String,
}

#[derive(Serialize)]
pub(super) struct Day {
    pub(super) date: String,
    pub(super) grid: GridId,
    pub(super) now_ms: i64,
    pub(super) patrols: Vec<Patrol>,
    pub(super) incidents: Vec<Incident>,
}

#[derive(Serialize)]
pub(super) struct Patrol {
    pub(super) id: EntityId,
    pub(super) worker: Who,
    pub(super) grid: GridRef,
    pub(super) status: String,
    pub(super) started_ms: i64,
    pub(super) ended_ms: Option<i64>,
    pub(super) distance_m: f64,
    pub(super) moving_s: i64,
    pub(super) fixes: u64,
    pub(super) gaps: usize,
    pub(super) gap_s: i64,
    pub(super) bbox: Option<[f64; 4]>,
}

#[derive(Serialize)]
pub(super) struct PatrolDetail {
    pub(super) patrol: Patrol,
    pub(super) tolerance_m: f64,
    pub(super) segments: Vec<Segment>,
    pub(super) gaps: Vec<Gap>,
    pub(super) stops: Vec<Stop>,
    pub(super) incidents: Vec<Incident>,
    pub(super) coverage: super::coverage::OfPatrol,
}

#[derive(Serialize)]
pub(super) struct Segment {
    pub(super) points: Vec<(f64, f64, i64)>,
}

#[derive(Serialize)]
pub(super) struct Gap {
    pub(super) from_ms: i64,
    pub(super) to_ms: i64,
    pub(super) cause: GapCause,
    pub(super) from: Option<Point>,
    pub(super) to: Option<Point>,
}

#[derive(Serialize)]
pub(super) struct Stop {
    pub(super) from_ms: i64,
    pub(super) to_ms: i64,
    pub(super) at: Point,
}

#[derive(Serialize)]
pub(super) struct Routes {
    pub(super) routes: Vec<RouteLine>,
}

#[derive(Serialize)]
pub(super) struct RouteLine {
    pub(super) patrol: EntityId,
    pub(super) worker: Option<String>,
    pub(super) segments: Vec<Vec<Point>>,
}

#[derive(Serialize)]
pub(super) struct Incident {
    pub(super) id: EntityId,
    pub(super) category: String,
    pub(super) title: String,
    pub(super) status: String,
    pub(super) severity: String,
    pub(super) worker: Who,
    pub(super) grid: GridRef,
    pub(super) at_ms: i64,
    pub(super) place: Option<Place>,
    pub(super) photos: usize,
    pub(super) patrol: Option<EntityId>,
    pub(super) conflicts: usize,
    /// When the limit of its status passes; none where none runs.
    pub(super) due_ms: Option<i64>,
    pub(super) overdue: bool,
}

#[derive(Serialize)]
pub(super) struct Place {
    pub(super) lat: f64,
    pub(super) lon: f64,
    pub(super) accuracy_m: Option<f64>,
}

#[derive(Serialize)]
pub(super) struct IncidentDetail {
    pub(super) incident: Incident,
    pub(super) description: String,
    pub(super) address: Option<String>,
    pub(super) class: Class,
    pub(super) answers: Vec<Answered>,
    pub(super) photos: Vec<Photo>,
    /// None where a grid holds it that stands above the user's.
    pub(super) holder: Option<GridRef>,
    pub(super) assignee: Option<Assignee>,
    pub(super) duplicates: Vec<Duplicate>,
    pub(super) history: Vec<Step>,
    pub(super) comments: Vec<Comment>,
}

/// What an incident's codes say.
#[derive(Serialize)]
pub(super) struct Class {
    pub(super) category: Option<Text>,
    pub(super) subcategory: Option<Text>,
}

/// A question of a form, and its answer.
#[derive(Serialize)]
pub(super) struct Answered {
    pub(super) question: Text,
    pub(super) kind: FieldKind,
    pub(super) value: Value,
    /// What the chosen codes say.
    pub(super) choices: Vec<Text>,
    pub(super) unit: Option<Text>,
    pub(super) photos: Vec<Photo>,
}

/// To whom an incident is dispatched.
#[derive(Serialize)]
pub(super) struct Assignee {
    pub(super) sort: &'static str,
    pub(super) name: Option<String>,
}

/// An incident that may be of the same thing.
#[derive(Serialize)]
pub(super) struct Duplicate {
    pub(super) incident: Incident,
    pub(super) apart_m: f64,
}

#[derive(Serialize)]
pub(super) struct Photo {
    pub(super) sha256: Sha256,
    pub(super) mime: String,
    pub(super) bytes: u64,
    pub(super) here: bool,
}

#[derive(Serialize)]
pub(super) struct Step {
    pub(super) from: Option<String>,
    pub(super) to: String,
    pub(super) by: Who,
    pub(super) at_ms: i64,
    pub(super) reason: Option<String>,
    /// What else it says in words: `note`, `agreement`, `cause`, `limit_ms`.
    pub(super) with: Map<String, Value>,
    /// The grid that it sends an incident up to, where the user sees that.
    pub(super) holder: Option<GridRef>,
    pub(super) assignee: Option<Assignee>,
    pub(super) photos: Vec<Photo>,
}

#[derive(Serialize)]
pub(super) struct Comment {
    pub(super) by: Who,
    pub(super) at_ms: i64,
    pub(super) text: String,
}

#[derive(Serialize)]
pub(super) struct Workers {
    pub(super) now_ms: i64,
    pub(super) workers: Vec<Worker>,
}

#[derive(Serialize)]
pub(super) struct Worker {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) grids: Vec<GridRef>,
    pub(super) on_shift: bool,
    pub(super) last_contact_ms: Option<i64>,
    pub(super) unsent: Option<UnsentSaid>,
    pub(super) last_position: Option<LastPosition>,
}

#[derive(Serialize)]
pub(super) struct UnsentSaid {
    #[serde(flatten)]
    pub(super) unsent: gridwalk_domain::wire::Unsent,
    pub(super) reported_ms: i64,
}

#[derive(Serialize)]
pub(super) struct LastPosition {
    pub(super) lat: f64,
    pub(super) lon: f64,
    pub(super) at_ms: i64,
}
