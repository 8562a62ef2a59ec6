//! What the shells show.

use gridwalk_domain::wire::Unsent;
use gridwalk_domain::{Author, Entity, EntityId, Fix, GridId, RunId, Sha256, WorkerId, kind};
use gridwalk_track::route::{Gap, Stop};
use rusqlite::{Connection, params};
use serde::Deserialize;
use serde_json::Value;

use crate::core::Core;
use crate::error::Inner;
use crate::identity::{GridRef, Identity, Synced};
use crate::observe::{Change, Touched};
use crate::{chunks, entities};

/// A place, WGS-84, in degrees.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
pub struct Place {
    /// Latitude.
    pub lat: f64,
    /// Longitude.
    pub lon: f64,
    /// Accuracy in metres, where known.
    #[serde(default)]
    pub accuracy_m: Option<f64>,
}

/// How far a record is on its way to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SendState {
    /// On this phone; sending was not tried yet.
    Saved,
    /// Tried, or parts of it are under way.
    Waiting,
    /// All of it is on the server, photos and track included, by the server's
    /// word for each part.
    Sent,
    /// The server does not take a part of it. It is kept on this phone.
    Refused {
        /// The server's word.
        code: String,
        /// The server's sentence.
        why: String,
        /// What to do.
        advice: Advice,
    },
}

/// What to do about something that the server did not take.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Advice {
    /// Ask the supervisor.
    AskSupervisor,
    /// Nothing: the server keeps it, and a supervisor decides.
    WaitForReview,
    /// Install the newest app.
    Upgrade,
    /// Nothing: it is tried again every day.
    RetriedDaily,
}

/// What of a record was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum RefusedWhat {
    /// A change.
    Op,
    /// A piece of a track.
    Chunk,
    /// An attachment.
    Blob,
}

/// Something that the server did not take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedItem {
    /// The record it belongs to.
    pub record: EntityId,
    /// What that record is: `incident`, `patrol` …
    pub kind: String,
    /// What of it.
    pub what: RefusedWhat,
    /// The server's word.
    pub code: String,
    /// The server's sentence.
    pub why: String,
    /// What to do.
    pub advice: Advice,
}

/// A photo of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PhotoView {
    /// Its content.
    pub sha256: Sha256,
    /// Its type.
    pub mime: String,
    /// Its size.
    pub bytes: u64,
    /// Whether its bytes are on this phone.
    pub here: bool,
    /// Whether the server has it whole; known for this phone's own only.
    pub sent: bool,
}

/// A step of a record's life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepView {
    /// The status before.
    pub from: Option<String>,
    /// The status after.
    pub to: String,
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// By whom.
    pub by: Author,
    /// Why.
    pub reason: Option<String>,
}

/// What somebody said about a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommentView {
    /// When, in milliseconds since 1970.
    pub at_ms: i64,
    /// Who.
    pub by: Author,
    /// What.
    pub text: String,
}

/// An incident.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentView {
    /// Its identity.
    pub id: EntityId,
    /// `reported`, `escalated` …
    pub status: String,
    /// The code of its category.
    pub category: String,
    /// The code of its severity.
    pub severity: Option<String>,
    /// Its title.
    pub title: String,
    /// What was seen.
    pub description: Option<String>,
    /// The grid it was found in.
    pub grid: Option<GridId>,
    /// Who found it.
    pub worker: Option<WorkerId>,
    /// On which patrol.
    pub patrol: Option<EntityId>,
    /// Where.
    pub place: Option<Place>,
    /// When it was found, in milliseconds since 1970.
    pub found_ms: i64,
    /// Its photos.
    pub photos: Vec<PhotoView>,
    /// Its life so far.
    pub history: Vec<StepView>,
    /// What was said about it.
    pub comments: Vec<CommentView>,
    /// How many of its fields were written twice and wait for somebody to
    /// settle them.
    pub conflicts: u32,
    /// Whether it was made on this phone.
    pub mine: bool,
    /// How far it is on its way.
    pub send: SendState,
}

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

/// The shift that runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ShiftView {
    /// Its identity.
    pub id: EntityId,
    /// Where.
    pub grid: GridRef,
    /// Since when, in milliseconds since 1970.
    pub since_ms: i64,
}

/// The patrol that runs.
#[derive(Clone, Debug, PartialEq)]
pub struct PatrolNow {
    /// Its identity.
    pub id: EntityId,
    /// Whether it is paused.
    pub paused: bool,
    /// Since when, in milliseconds since 1970.
    pub since_ms: i64,
    /// Fixes recorded.
    pub fixes: u64,
    /// Fixes among them that the route does not use.
    pub refused: u64,
    /// Metres walked so far.
    pub distance_m: f64,
    /// Seconds in motion so far.
    pub moving_s: i64,
    /// The last fix that the route uses.
    pub last_fix: Option<Fix>,
}

/// How things stand.
#[derive(Clone, Debug, PartialEq)]
pub struct Status {
    /// Who this phone is; none before enrolment.
    pub identity: Option<Identity>,
    /// The grids whose records the worker writes.
    pub grids: Vec<GridRef>,
    /// The shift that runs.
    pub shift: Option<ShiftView>,
    /// The patrol that runs.
    pub patrol: Option<PatrolNow>,
    /// What is not on the server yet.
    pub unsent: Unsent,
    /// Fixes that no chunk holds yet.
    pub unsealed_fixes: u64,
    /// When the server last answered, by this phone's clock.
    pub last_contact_ms: Option<i64>,
    /// How far the server's clock was ahead of this phone's then.
    pub skew_ms: Option<i64>,
    /// What the server did not take.
    pub refused: Vec<RefusedItem>,
    /// Whether the server wants a newer app.
    pub upgrade_needed: bool,
}

fn parsed<T: std::str::FromStr>(entity: &Entity, field: &str) -> Option<T> {
    entity.text(field)?.parse().ok()
}

fn owned(entity: &Entity, field: &str) -> Option<String> {
    entity.text(field).map(str::to_owned)
}

pub(crate) fn incident(core: &Core, id: EntityId) -> Inner<Option<IncidentView>> {
    match entities::load(&core.conn, id)? {
        Some(entity) if entity.kind == kind::incident::KIND.name && entity.deleted.is_none() => {
            Ok(Some(incident_of(core, &entity)?))
        }
        _ => Ok(None),
    }
}

fn incident_of(core: &Core, entity: &Entity) -> Inner<IncidentView> {
    let place = entity.value("place").cloned();
    let steps = entity.history.iter().map(|step| StepView {
        from: step.from.clone(),
        to: step.to.clone(),
        at_ms: step.stamp.at_ms,
        by: step.stamp.by,
        reason: step.reason.clone(),
    });
    let comments = entity.list(kind::COMMENTS).iter().map(|entry| CommentView {
        at_ms: entry.stamp.at_ms,
        by: entry.stamp.by,
        text: entry.value["text"].as_str().unwrap_or_default().to_owned(),
    });
    Ok(IncidentView {
        id: entity.id,
        status: entity.status().unwrap_or_default().to_owned(),
        category: owned(entity, "category").unwrap_or_default(),
        severity: owned(entity, "severity"),
        title: owned(entity, "title").unwrap_or_default(),
        description: owned(entity, "description"),
        grid: parsed(entity, "grid"),
        worker: parsed(entity, "worker"),
        patrol: parsed(entity, "patrol"),
        place: place.and_then(|place| serde_json::from_value(place).ok()),
        found_ms: entity
            .value("found_ms")
            .and_then(Value::as_i64)
            .unwrap_or(entity.created.at_ms),
        photos: photos(&core.conn, entity)?,
        history: steps.collect(),
        comments: comments.collect(),
        conflicts: u32::try_from(entity.conflicts()).unwrap_or(u32::MAX),
        mine: mine(core, entity),
        send: send_state(&core.conn, entity.id)?,
    })
}

fn mine(core: &Core, entity: &Entity) -> bool {
    core.me
        .as_ref()
        .is_some_and(|me| me.author() == entity.created.by)
}

fn photos(conn: &Connection, entity: &Entity) -> Inner<Vec<PhotoView>> {
    let mut query = conn.prepare_cached("SELECT state FROM blob WHERE sha256 = ?1")?;
    let mut out = Vec::new();
    for entry in entity.list(kind::incident::PHOTOS) {
        let Some(sha256) = entry.value["sha256"]
            .as_str()
            .and_then(|text| text.parse::<Sha256>().ok())
        else {
            continue;
        };
        let mut rows = query.query([sha256.0])?;
        let state: Option<String> = rows.next()?.map(|row| row.get(0)).transpose()?;
        out.push(PhotoView {
            sha256,
            mime: entry.value["mime"].as_str().unwrap_or_default().to_owned(),
            bytes: entry.value["bytes"].as_u64().unwrap_or(0),
            here: state.is_some(),
            sent: state.as_deref() == Some("taken"),
        });
    }
    Ok(out)
}

pub(crate) fn patrol(core: &Core, id: EntityId) -> Inner<Option<PatrolView>> {
    match entities::load(&core.conn, id)? {
        Some(entity) if entity.kind == kind::patrol::KIND.name && entity.deleted.is_none() => {
            Ok(Some(patrol_of(core, &entity)?))
        }
        _ => Ok(None),
    }
}

fn patrol_of(core: &Core, entity: &Entity) -> Inner<PatrolView> {
    let mut runs = chunks::runs(&core.conn, entity.id)?;
    if let Some(live) = core
        .recorder
        .live
        .as_ref()
        .filter(|live| live.id == entity.id)
    {
        *runs.entry(core.recorder.run).or_default() += live.unsealed as u64;
    }
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
        send: send_state(&core.conn, entity.id)?,
    })
}

fn all<T>(
    core: &Core,
    kind: &str,
    one: impl Fn(&Core, EntityId) -> Inner<Option<T>>,
    newest: impl Fn(&T) -> (i64, EntityId),
) -> Inner<Vec<T>> {
    let mut out = Vec::new();
    for id in entities::ids(&core.conn, kind)? {
        out.extend(one(core, id)?);
    }
    out.sort_by_key(|view| std::cmp::Reverse(newest(view)));
    Ok(out)
}

pub(crate) fn incidents(core: &Core) -> Inner<Vec<IncidentView>> {
    all(core, kind::incident::KIND.name, incident, |view| {
        (view.found_ms, view.id)
    })
}

pub(crate) fn patrols(core: &Core) -> Inner<Vec<PatrolView>> {
    all(core, kind::patrol::KIND.name, patrol, |view| {
        (view.started_ms, view.id)
    })
}

/// What a change touched, as it is now.
pub(crate) fn changes(core: &mut Core, touched: &Touched) -> Inner<Vec<Change>> {
    let mut out = Vec::new();
    for id in &touched.records {
        out.push(
            match entities::load(&core.conn, *id)?.filter(|entity| entity.deleted.is_none()) {
                None => Change::Gone(*id),
                Some(entity) if entity.kind == kind::incident::KIND.name => {
                    Change::Incident(incident_of(core, &entity)?)
                }
                Some(entity) if entity.kind == kind::patrol::KIND.name => {
                    Change::Patrol(patrol_of(core, &entity)?)
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

/// All parts of records: ops, chunks, attachments, with their states.
const PARTS: &str = "
    SELECT entity, kind, 'op' AS what, state, tries, code, why, saved_ms, n FROM op
    UNION ALL
    SELECT patrol, 'patrol', 'chunk', state, tries, code, why, saved_ms, 0 FROM chunk
    UNION ALL
    SELECT a.entity, 'incident', 'blob', b.state, b.tries, b.code, b.why, b.saved_ms, 0
    FROM attachment a JOIN blob b USING (sha256)";

pub(crate) fn send_state(conn: &Connection, id: EntityId) -> Inner<SendState> {
    let sql = format!("SELECT state, tries, code, why FROM ({PARTS}) WHERE entity = ?1 ORDER BY n");
    let mut query = conn.prepare_cached(&sql)?;
    let mut rows = query.query([id.as_bytes()])?;
    let (mut taken, mut waiting, mut tried) = (0, 0, 0);
    while let Some(row) = rows.next()? {
        let state: String = row.get(0)?;
        let code: Option<String> = row.get(2)?;
        if let Some(code) = code {
            let why: Option<String> = row.get(3)?;
            return Ok(SendState::Refused {
                advice: advice(&state, &code),
                code,
                why: why.unwrap_or_default(),
            });
        }
        match state.as_str() {
            "taken" => taken += 1,
            _ => waiting += 1,
        }
        tried += row.get::<_, i64>(1)?;
    }
    Ok(match (taken, waiting) {
        (_, 0) => SendState::Sent,
        (0, _) if tried == 0 => SendState::Saved,
        _ => SendState::Waiting,
    })
}

fn advice(state: &str, code: &str) -> Advice {
    match (state, code) {
        (_, "unknown_kind" | "unknown_part" | "unknown_intent" | "unknown_version") => {
            Advice::Upgrade
        }
        ("quarantined", _) => Advice::WaitForReview,
        ("ready", _) => Advice::RetriedDaily,
        _ => Advice::AskSupervisor,
    }
}

fn refused(conn: &Connection) -> Inner<Vec<RefusedItem>> {
    let sql = format!(
        "SELECT entity, kind, what, code, why, state FROM ({PARTS}) WHERE code IS NOT NULL ORDER BY saved_ms, n"
    );
    let mut query = conn.prepare_cached(&sql)?;
    let rows = query.query_map([], |row| {
        let what: String = row.get(2)?;
        let code: String = row.get(3)?;
        let state: String = row.get(5)?;
        Ok(RefusedItem {
            record: EntityId::from_bytes(row.get(0)?),
            kind: row.get(1)?,
            what: match what.as_str() {
                "op" => RefusedWhat::Op,
                "chunk" => RefusedWhat::Chunk,
                _ => RefusedWhat::Blob,
            },
            advice: advice(&state, &code),
            code,
            why: row.get::<_, Option<String>>(4)?.unwrap_or_default(),
        })
    })?;
    Ok(rows.collect::<Result<_, _>>()?)
}

/// What is not on the server yet.
pub(crate) fn unsent(conn: &Connection) -> Inner<Unsent> {
    let mut query = conn.prepare_cached(
        "SELECT (SELECT count(*) FROM op WHERE state = 'ready'),
                (SELECT count(*) FROM chunk WHERE state = 'ready'),
                (SELECT count(*) FROM blob WHERE state = 'ready'),
                (SELECT min(saved_ms) FROM (
                    SELECT saved_ms FROM op WHERE state = 'ready'
                    UNION ALL SELECT saved_ms FROM chunk WHERE state = 'ready'
                    UNION ALL SELECT saved_ms FROM blob WHERE state = 'ready'))",
    )?;
    let count = |row: &rusqlite::Row<'_>, at: usize| {
        row.get::<_, i64>(at).map(|n| u64::try_from(n).unwrap_or(0))
    };
    Ok(query.query_row(params![], |row| {
        Ok(Unsent {
            ops: count(row, 0)?,
            chunks: count(row, 1)?,
            blobs: count(row, 2)?,
            oldest_ms: row.get(3)?,
        })
    })?)
}

pub(crate) fn status(core: &mut Core) -> Inner<Status> {
    let shift = core.shift()?.map(|(running, shift)| ShiftView {
        id: shift.id,
        grid: running.grid,
        since_ms: shift.created.at_ms,
    });
    let patrol = match &mut core.recorder.live {
        None => None,
        Some(live) => entities::load(&core.conn, live.id)?.map(|entity| {
            let walked = live.walked(&entity);
            PatrolNow {
                id: live.id,
                paused: live.paused,
                since_ms: entity.created.at_ms,
                fixes: live.total,
                refused: live.refused,
                distance_m: walked.distance_m,
                moving_s: walked.moving_s,
                last_fix: live.last_used,
            }
        }),
    };
    Ok(Status {
        identity: core.me.as_ref().map(crate::identity::Me::identity),
        grids: core
            .synced
            .iter()
            .flat_map(Synced::own_grids)
            .map(GridRef::from)
            .collect(),
        shift,
        patrol,
        unsent: unsent(&core.conn)?,
        unsealed_fixes: core
            .recorder
            .live
            .as_ref()
            .map_or(0, |live| live.unsealed as u64),
        last_contact_ms: core.contact.map(|contact| contact.at_ms),
        skew_ms: core.contact.map(|contact| contact.skew_ms),
        refused: refused(&core.conn)?,
        upgrade_needed: core.contact.is_some_and(|contact| contact.upgrade_needed),
    })
}
