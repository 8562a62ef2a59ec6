//! Records of every kind that needs no page of its own: one list, one detail.
//! What is particular to a kind is a line in [`SHOWN`]; rights, names, history
//! and attachments are what all records have.

use gridwalk_domain::kind::{self, COMMENTS, finding, mediation, notice, task, visit};
use gridwalk_domain::{Author, Entity, EntityId, Entry};
use gridwalk_store::EntityRow;
use serde::Serialize;
use serde_json::{Value, json as object};
use std::collections::BTreeMap;

use super::answers::{Comment, GridRef, Photo, Step, Who};
use super::day::{asked_day, asked_grid, date, of_day};
use super::look::{Answer, json};
use super::names::Names;
use super::records::{asked, comments, photos};
use super::steps::{self, steps};
use crate::error::{Error, Fault};
use crate::http::Request;
use crate::project;
use crate::rights::Sight;
use crate::service::Service;

/// What the page is told of a kind.
struct Shown {
    kind: &'static str,
    /// The field that names a record in a list.
    title: &'static str,
    /// The field with its time; it is when the record was made where there is none.
    at: Option<&'static str>,
    /// The field that says how it came out, where the kind has no status.
    outcome: Option<&'static str>,
    /// The kind of the records that belong to it and say who read it.
    read_by: Option<&'static str>,
    /// Whether its time has passed.
    is_overdue: fn(&Entity, i64) -> bool,
}

const PLAIN: Shown = Shown {
    kind: "",
    title: "title",
    at: None,
    outcome: None,
    read_by: None,
    is_overdue: |_, _| false,
};

/// The kinds, in the order in which the page lists them.
const SHOWN: &[Shown] = &[
    Shown {
        kind: task::KIND.name,
        is_overdue: task::is_overdue,
        ..PLAIN
    },
    Shown {
        kind: notice::KIND.name,
        read_by: Some(notice::READING.name),
        ..PLAIN
    },
    Shown {
        kind: visit::KIND.name,
        title: "household",
        at: Some("visited_ms"),
        ..PLAIN
    },
    Shown {
        kind: finding::KIND.name,
        title: "category",
        at: Some("found_ms"),
        outcome: Some("result"),
        ..PLAIN
    },
    Shown {
        kind: mediation::KIND.name,
        ..PLAIN
    },
];

/// Fields that name another record, and its kind. They are told as links, where
/// the user sees that record, and not at all where they do not.
const LINKS: &[(&str, &str)] = &[
    ("patrol", "patrol"),
    ("incident", "incident"),
    ("about", "incident"),
    ("task", "task"),
];

/// A record in a list.
#[derive(Serialize)]
struct Row {
    id: EntityId,
    kind: &'static str,
    title: String,
    status: Option<String>,
    /// Whom it names; none for one that is for everybody.
    worker: Option<Who>,
    /// Who made it.
    by: Who,
    grid: GridRef,
    at_ms: i64,
    due_ms: Option<i64>,
    overdue: bool,
}

#[derive(Serialize)]
struct Detail {
    record: Row,
    fields: BTreeMap<String, Value>,
    lists: BTreeMap<String, Vec<Said>>,
    sets: BTreeMap<String, Vec<Said>>,
    links: BTreeMap<&'static str, Link>,
    photos: Vec<Photo>,
    history: Vec<Step>,
    comments: Vec<Comment>,
    /// Who read it, the first first; none where nobody says so of this kind.
    read_by: Option<Vec<ReadBy>>,
}

/// An entry of a list or a set.
#[derive(Serialize)]
struct Said {
    by: Who,
    at_ms: i64,
    value: Value,
}

#[derive(Serialize)]
struct Link {
    kind: &'static str,
    id: EntityId,
}

#[derive(Serialize)]
struct ReadBy {
    worker: Who,
    at_ms: i64,
}

fn shown(kind: &str) -> Option<&'static Shown> {
    SHOWN.iter().find(|shown| shown.kind == kind)
}

fn is_link(field: &str) -> bool {
    LINKS.iter().any(|(name, _)| *name == field)
}

/// The entries of lists and sets; those who may read a record are for its own
/// screen to name.
fn entries(state: &Entity) -> impl Iterator<Item = (&str, &Entry)> {
    let lists = state.lists.iter();
    let lists = lists.flat_map(|(name, list)| list.iter().map(move |entry| (name.as_str(), entry)));
    let sets = state
        .sets
        .iter()
        .filter(|(name, _)| *name != mediation::READERS);
    let sets =
        sets.flat_map(|(name, set)| set.items.iter().map(move |entry| (name.as_str(), entry)));
    lists.chain(sets)
}

fn authors(state: &Entity) -> impl Iterator<Item = Author> {
    let made = std::iter::once(state.created.by);
    let said = entries(state).map(|(_, entry)| entry.stamp.by);
    made.chain(said).chain(steps::authors(state))
}

impl Shown {
    fn row(
        &self,
        sight: &Sight<'_>,
        names: &Names,
        row: &EntityRow,
        state: &Entity,
    ) -> Result<Row, Error> {
        let time = |field: &str| state.value(field).and_then(Value::as_i64);
        let text = |field: &str| state.text(field).map(str::to_owned);
        Ok(Row {
            id: row.id,
            kind: self.kind,
            title: text(self.title).unwrap_or_default(),
            status: self.outcome.map_or_else(|| row.status.clone(), text),
            worker: kind::worker_of(state).map(|worker| names.worker(worker)),
            by: names.author(state.created.by),
            grid: sight.grid_ref(row)?,
            at_ms: self.at.and_then(time).unwrap_or(row.at_ms),
            due_ms: time("due_ms"),
            overdue: (self.is_overdue)(state, sight.viewer.at_ms),
        })
    }

    fn read_by(&self, sight: &Sight<'_>, id: EntityId) -> Result<Option<Vec<ReadBy>>, Error> {
        let Some(kind) = self.read_by else {
            return Ok(None);
        };
        let rows = sight.children(kind, id)?;
        let names = Names::load(sight, rows.iter(), std::iter::empty())?;
        let states: Vec<Entity> = rows.iter().map(project::state).collect::<Result<_, _>>()?;
        let mut read: Vec<(_, i64)> = notice::read_by(id, &states).into_iter().collect();
        read.sort_by_key(|(_, at_ms)| *at_ms);
        let read = read.into_iter().map(|(worker, at_ms)| ReadBy {
            worker: names.worker(worker),
            at_ms,
        });
        Ok(Some(read.collect()))
    }
}

/// The records that this one names, where the user sees them.
fn links(sight: &Sight<'_>, state: &Entity) -> Result<BTreeMap<&'static str, Link>, Error> {
    let mut links = BTreeMap::new();
    for (field, kind) in LINKS {
        let Some(id) = state.text(field).and_then(|id| id.parse().ok()) else {
            continue;
        };
        match sight.record(kind, id) {
            Ok(_) => drop(links.insert(*field, Link { kind, id })),
            Err(Error::Fault(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(links)
}

impl Service {
    /// The records of a day in a grid: of one kind, or of all but those with
    /// narrow readers. To list one of those is to read it, so they are listed
    /// where somebody asks for them.
    pub(super) fn records(&self, sight: &Sight<'_>, request: &Request) -> Result<Answer, Error> {
        let (grid, day) = (asked_grid(sight, request)?, asked_day(request)?);
        let area = sight.area(grid)?;
        let unknown = || Fault::bad_request("kind: there is no such kind");
        let kinds: Vec<&Shown> = match request.query("kind") {
            Some(kind) => vec![shown(&kind).ok_or_else(unknown)?],
            None => SHOWN
                .iter()
                .filter(|shown| !mediation::is_narrow(shown.kind))
                .collect(),
        };
        let mut found = Vec::new();
        for shown in kinds {
            for row in sight.find(&area, &of_day(shown.kind, day))? {
                let state = project::state(&row)?;
                found.push((shown, row, state));
            }
        }
        let makers = found.iter().map(|(_, _, state)| state.created.by);
        let names = Names::load(sight, found.iter().map(|(_, row, _)| row), makers)?;
        let rows = found
            .iter()
            .map(|(shown, row, state)| shown.row(sight, &names, row, state));
        let mut rows: Vec<Row> = rows.collect::<Result<_, _>>()?;
        rows.sort_by_key(|row| (row.at_ms, row.id));
        json(&object!({
            "date": date(day), "grid": grid, "now_ms": sight.viewer.at_ms, "records": rows,
        }))
    }

    /// A record in full.
    pub(super) fn record(&self, sight: &Sight<'_>, kind: &str, id: &str) -> Result<Answer, Error> {
        let shown = shown(kind).ok_or_else(Fault::not_found)?;
        let id = asked(id)?;
        let row = sight.record(kind, id)?;
        let state = project::state(&row)?;
        let names = Names::load(sight, std::iter::once(&row), authors(&state))?;
        let (mut lists, mut sets) = (BTreeMap::new(), BTreeMap::new());
        let mut pictures = Vec::new();
        for (name, entry) in entries(&state).filter(|(name, _)| *name != COMMENTS) {
            if entry.value.get("sha256").is_some() {
                pictures.push(&entry.value);
                continue;
            }
            let of = if state.sets.contains_key(name) {
                &mut sets
            } else {
                &mut lists
            };
            let of: &mut Vec<Said> = of.entry(name.to_owned()).or_default();
            of.push(Said {
                by: names.author(entry.stamp.by),
                at_ms: entry.stamp.at_ms,
                value: entry.value.clone(),
            });
        }
        let told =
            |field: &&String| !is_link(field) && !matches!(field.as_str(), "worker" | "grid");
        let fields = state.fields.keys().filter(told).filter_map(|field| {
            let value = state.value(field)?.clone();
            Some((field.clone(), value))
        });
        json(&Detail {
            record: shown.row(sight, &names, &row, &state)?,
            fields: fields.collect(),
            lists,
            sets,
            links: links(sight, &state)?,
            photos: photos(sight, pictures)?,
            history: steps(sight, &names, &state)?,
            comments: comments(&names, &state),
            read_by: shown.read_by(sight, id)?,
        })
    }
}
