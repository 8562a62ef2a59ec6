//! Incidents as the shells show them.

use gridwalk_domain::catalogue::ANSWER;
use gridwalk_domain::kind::incident::running::{Running, running};
use gridwalk_domain::kind::incident::{Assignee, LIMIT, Life, catalogue_of};
use gridwalk_domain::{Author, Entity, EntityId, GridId, Sha256, WorkerId, kind};
use rusqlite::params;
use serde_json::Value;
use std::collections::BTreeMap;

use super::{Place, SendState, all, mine, owned, parsed, send};
use crate::core::Core;
use crate::entities;
use crate::error::Inner;
use crate::gate::Gate;

/// The most characters of a title that is made of a description.
const LINE_CHARS: usize = 40;

/// A photo of a record, or something else that is attached to it.
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
    /// Its thumbnail, where it has one.
    pub thumb: Option<ThumbView>,
    /// The name of the file, or of who signed.
    pub name: Option<String>,
}

/// The thumbnail of an attachment: a small JPEG.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ThumbView {
    /// Its content.
    pub sha256: Sha256,
    /// Whether its bytes are on this phone.
    pub here: bool,
}

/// A step of a record's life.
#[derive(Clone, Debug, PartialEq)]
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
    /// What was done or seen.
    pub note: Option<String>,
    /// The photos that prove it.
    pub proof: Vec<PhotoView>,
    /// Where its author stood.
    pub place: Option<Place>,
    /// Until when the work is to be done, in milliseconds since 1970.
    pub limit_ms: Option<i64>,
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
    /// The code of its category; empty where it is not classified yet.
    pub category: String,
    /// The code of its sub-category.
    pub subcategory: Option<String>,
    /// The answers to its form, by the questions' codes.
    pub answers: BTreeMap<String, Value>,
    /// Those of them that are pictures: photos and signatures.
    pub pictures: BTreeMap<String, Vec<PhotoView>>,
    /// The code of its severity.
    pub severity: Option<String>,
    /// Its title; where it has none, what was seen, as far as one line goes.
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
    /// Where, in words.
    pub address: Option<String>,
    /// Its tags.
    pub tags: Vec<String>,
    /// The grid that holds it now.
    pub holder: Option<GridId>,
    /// To whom it is dispatched.
    pub assignee: Option<Assignee>,
    /// Until when it may stand where it stands, in milliseconds since 1970 by
    /// the server's clock; none where no limit runs or is known.
    pub due_ms: Option<i64>,
    /// Whether that is over, as far as this phone knows the time.
    pub overdue: bool,
    /// When it was found, in milliseconds since 1970.
    pub found_ms: i64,
    /// Its photos.
    pub photos: Vec<PhotoView>,
    /// Its recordings, films and documents.
    pub media: Vec<PhotoView>,
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

pub(crate) fn incident(core: &Core, id: EntityId) -> Inner<Option<IncidentView>> {
    match entities::shown(&core.conn, core.account(), id)? {
        Some(entity) if entity.kind == kind::incident::KIND.name && entity.deleted.is_none() => {
            Ok(Some(of(core, &entity)?))
        }
        _ => Ok(None),
    }
}

pub(super) fn of(core: &Core, entity: &Entity) -> Inner<IncidentView> {
    let place = entity.value("place").cloned();
    let answers = entity.fields.iter().filter_map(|(name, field)| {
        let code = name.strip_prefix(ANSWER)?;
        Some((code.to_owned(), field.current.value.clone()))
    });
    let answers = answers.filter(|(_, value)| !value.is_null());
    let answers: BTreeMap<String, Value> = answers.collect();
    let pictures = answers.iter().map(|(code, answer)| {
        let pictures = photos(core, references(answer))?;
        Ok((!pictures.is_empty()).then(|| (code.clone(), pictures)))
    });
    let pictures = pictures.filter_map(Inner::<Option<_>>::transpose);
    let tags = entity.sets.get("tags").into_iter();
    let tags = tags.flat_map(|set| &set.items);
    let tags = tags.filter_map(|tag| tag.value.as_str().map(str::to_owned));
    let runs = limit(core, entity);
    let life = Life::of(entity);
    Ok(IncidentView {
        id: entity.id,
        status: entity.status().unwrap_or_default().to_owned(),
        category: owned(entity, "category").unwrap_or_default(),
        subcategory: owned(entity, "subcategory"),
        pictures: pictures.collect::<Inner<_>>()?,
        answers,
        severity: owned(entity, "severity"),
        title: title(entity),
        description: owned(entity, "description"),
        grid: parsed(entity, "grid"),
        worker: parsed(entity, "worker"),
        patrol: parsed(entity, "patrol"),
        place: place.and_then(|place| serde_json::from_value(place).ok()),
        address: owned(entity, "address"),
        tags: tags.collect(),
        holder: life.as_ref().map(|life| life.holder),
        assignee: life.and_then(|life| life.assignee),
        due_ms: runs.as_ref().and_then(|runs| runs.due_ms),
        overdue: runs.is_some_and(|runs| runs.is_overdue(core.now_ms())),
        found_ms: entity
            .value("found_ms")
            .and_then(Value::as_i64)
            .unwrap_or(entity.created.at_ms),
        photos: attached(core, entity, kind::incident::PHOTOS)?,
        media: attached(core, entity, kind::incident::MEDIA)?,
        history: steps(core, entity)?,
        comments: comments(entity),
        conflicts: u32::try_from(entity.conflicts()).unwrap_or(u32::MAX),
        mine: mine(core, entity),
        send: send::state_of(core, entity.id)?,
    })
}

/// What a line about an incident says: its title, else the beginning of what was
/// seen.
fn title(entity: &Entity) -> String {
    let described = entity.text("description").unwrap_or_default();
    let line = described.lines().next().unwrap_or_default();
    let line = || line.chars().take(LINE_CHARS).collect();
    owned(entity, "title").unwrap_or_else(line)
}

pub(super) fn steps(core: &Core, entity: &Entity) -> Inner<Vec<StepView>> {
    let steps = entity.history.iter().map(|step| {
        let with = |name: &str| step.with.get(name);
        let place = with("place").cloned();
        Ok(StepView {
            from: step.from.clone(),
            to: step.to.clone(),
            at_ms: step.stamp.at_ms,
            by: step.stamp.by,
            reason: step.reason.clone(),
            note: with("note").and_then(Value::as_str).map(str::to_owned),
            proof: photos(core, with("photos").into_iter().flat_map(references))?,
            place: place.and_then(|place| serde_json::from_value(place).ok()),
            limit_ms: with(LIMIT).and_then(Value::as_i64),
        })
    });
    steps.collect()
}

pub(super) fn comments(entity: &Entity) -> Vec<CommentView> {
    let comments = entity.list(kind::COMMENTS).iter().map(|entry| CommentView {
        at_ms: entry.stamp.at_ms,
        by: entry.stamp.by,
        text: entry.value["text"].as_str().unwrap_or_default().to_owned(),
    });
    comments.collect()
}

/// The limit that runs, by the version of the catalogue that it was made with.
fn limit(core: &Core, entity: &Entity) -> Option<Running> {
    let me = core.me.as_ref()?;
    let gate = Gate::new(me, core.synced.as_ref());
    let catalogue = catalogue_of(gate.district(), entity);
    running(entity, catalogue, core.calendar())
}

/// What a list of a record refers to.
pub(crate) fn attached(core: &Core, entity: &Entity, list: &str) -> Inner<Vec<PhotoView>> {
    photos(core, entity.list(list).iter().map(|entry| &entry.value))
}

/// The references that a value is, one or a list of them.
fn references(value: &Value) -> &[Value] {
    match value {
        Value::Array(all) => all,
        one => std::slice::from_ref(one),
    }
}

/// What references name; what is none is left out.
fn photos<'v>(
    core: &Core,
    references: impl IntoIterator<Item = &'v Value>,
) -> Inner<Vec<PhotoView>> {
    let mut out = Vec::new();
    for value in references {
        let Some((sha256, state)) = content(core, value)? else {
            continue;
        };
        let thumb = content(core, &value["thumb"])?;
        out.push(PhotoView {
            sha256,
            mime: value["mime"].as_str().unwrap_or_default().to_owned(),
            bytes: value["bytes"].as_u64().unwrap_or(0),
            here: state != State::Away,
            sent: state == State::Sent,
            thumb: thumb.map(|(sha256, state)| ThumbView {
                sha256,
                here: state != State::Away,
            }),
            name: value["name"].as_str().map(str::to_owned),
        });
    }
    Ok(out)
}

/// Where an attachment is.
#[derive(PartialEq)]
enum State {
    /// On this phone, whose own it is, and on the server.
    Sent,
    /// On this phone.
    Here,
    Away,
}

/// The content that a reference names, and where it is.
fn content(core: &Core, reference: &Value) -> Inner<Option<(Sha256, State)>> {
    let hash = reference["sha256"].as_str();
    let Some(sha256) = hash.and_then(|text| text.parse::<Sha256>().ok()) else {
        return Ok(None);
    };
    let mut query = core.conn.prepare_cached(
        "SELECT state FROM blob WHERE sha256 = ?1 AND account = ?2
         UNION ALL SELECT 'fetched' FROM fetched WHERE sha256 = ?1 AND whole",
    )?;
    let mut rows = query.query(params![sha256.0, core.account()])?;
    let state: Option<String> = rows.next()?.map(|row| row.get(0)).transpose()?;
    let state = match state.as_deref() {
        Some("taken") => State::Sent,
        Some(_) => State::Here,
        None => State::Away,
    };
    Ok(Some((sha256, state)))
}

pub(crate) fn incidents(core: &Core) -> Inner<Vec<IncidentView>> {
    all(core, kind::incident::KIND.name, incident, |view| {
        (view.found_ms, view.id)
    })
}
