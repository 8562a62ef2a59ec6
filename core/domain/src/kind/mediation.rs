//! `Mediation` (调解): how a dispute was settled, or why not.
//!
//! It has narrower readers than any other record: the gridworker who made it,
//! the supervisor of that community, and whom it names. So it lives in the
//! worker's inbox and not among the grid's records, and is listed in the
//! inboxes of the workers it names. Whoever lets somebody read one writes it
//! down; exports leave it out ([`is_narrow`]).
//!
//! What was agreed is in the step that says so, with the signatures: an
//! agreement is not edited. The dates to look again become tasks
//! ([`look_again`]), which say where to go and nothing of why.

use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::steps::{
    Need::{OneOf, Reason, With},
    StepRule, row,
};
use super::{Access, Home, Kind, grid_of, task, worker_of};
use crate::calendar::DAY_MS;
use crate::check::{self, parse_date};
use crate::entity::{Entity, Entry};
use crate::rights::{Actor, Who};
use crate::{EntityId, StreamKey, words};

/// 调解中: people talk.
pub const OPEN: &str = "open";
/// 达成协议: they agreed.
pub const AGREED: &str = "agreed";
/// 未达成协议: they did not.
pub const FAILED: &str = "failed";
/// 转其他渠道: it went to the people's mediation committee, the police, a court.
pub const REFERRED: &str = "referred";
/// 已归档: looked at again, and over.
pub const CLOSED: &str = "closed";

/// The list of sessions.
pub const SESSIONS: &str = "sessions";
/// The list of dates to look again.
pub const LOOK_AGAIN: &str = "look_again";
/// The set of parties.
pub const PARTIES: &str = "parties";
/// The set of those who may read it besides: [`Actor`]s.
pub const READERS: &str = "readers";

/// The most people present at a session.
const MOST_PRESENT: usize = 30;
/// The most signatures under an agreement.
const MOST_SIGNATURES: usize = 20;
/// When a task to look again is due, after that day's midnight.
const DUE_AFTER_MS: i64 = DAY_MS;

const OWNER: &[Who] = &[Who::Owner];

/// The table.
pub const KIND: Kind = Kind {
    name: "mediation",
    home: Home::Inbox,
    initial: Some(OPEN),
    fields: &[
        ("worker", check::id),
        ("grid", check::id),
        ("incident", check::id),
        ("title", check::title),
        ("cause", check::long_text),
        ("place", check::place),
        ("address", check::line),
    ],
    required: &["worker", "grid", "title"],
    fixed: &["worker", "grid", "incident"],
    lists: &[
        (SESSIONS, session),
        (LOOK_AGAIN, again),
        ("photos", check::photo),
    ],
    sets: &[(PARTIES, check::person), (READERS, reader)],
    steps: STEPS,
    with: &[
        ("agreement", check::long_text),
        ("signatures", signatures),
        ("note", check::long_text),
        ("photos", check::proofs),
        ("place", check::place),
    ],
    audiences,
    access: Access {
        create: &[Who::Gridworker],
        read: &[Who::Owner, Who::CommunitySupervisor, Who::Named],
        write: OWNER,
        append: &[Who::Owner, Who::CommunitySupervisor, Who::Named],
        delete: &[],
    },
    ..Kind::RECORD
};

/// The life of a mediation.
#[rustfmt::skip]
const STEPS: &[StepRule] = &[
    row("agree",  OPEN,     AGREED,   OWNER,   &[With("agreement"), With("signatures")]),
    row("fail",   OPEN,     FAILED,   OWNER,   &[Reason]),
    row("refer",  OPEN,     REFERRED, OWNER,   &[Reason]),
    row("refer",  FAILED,   REFERRED, OWNER,   &[Reason]),
    row("reopen", AGREED,   OPEN,     OWNER,   &[Reason]),
    row("reopen", FAILED,   OPEN,     OWNER,   &[Reason]),
    row("reopen", REFERRED, OPEN,     OWNER,   &[Reason]),
    row("reopen", CLOSED,   OPEN,     OWNER,   &[Reason]),
    row("close",  AGREED,   CLOSED,   CLOSERS, &[OneOf(&["note", "photos"])]),
    row("close",  FAILED,   CLOSED,   CLOSERS, &[OneOf(&["note", "photos"])]),
    row("close",  REFERRED, CLOSED,   CLOSERS, &[OneOf(&["note", "photos"])]),
];

const CLOSERS: &[Who] = &[Who::Owner, Who::CommunitySupervisor];

/// Whether every reading of a record of this kind is written down, and exports
/// leave it out.
#[must_use]
pub fn is_narrow(kind: &str) -> bool {
    kind == KIND.name
}

/// A session: `{"from_ms","where","present","said"}`; `to_ms` where known, and
/// `remote` where they met by video.
fn session(value: &Value) -> Result<(), String> {
    let part = |name| value.get(name).filter(|part| !part.is_null());
    let said = |name: &str, why: String| format!("{name}: {why}");
    let from = part("from_ms").unwrap_or(&Value::Null);
    check::time_ms(from).map_err(|why| said("from_ms", why))?;
    if let Some(to) = part("to_ms") {
        check::time_ms(to).map_err(|why| said("to_ms", why))?;
        if to.as_i64() < from.as_i64() {
            return Err("to_ms: is before from_ms".to_owned());
        }
    }
    if let Some(remote) = part("remote") {
        check::yes(remote).map_err(|why| said("remote", why))?;
    }
    if let Some(at) = part("where") {
        check::line(at).map_err(|why| said("where", why))?;
    }
    let present = part("present").and_then(Value::as_array);
    let present = present.map_or(&[][..], Vec::as_slice);
    if !(1..=MOST_PRESENT).contains(&present.len()) {
        return Err(format!("present: expected 1 to {MOST_PRESENT} persons"));
    }
    let mut persons = present.iter();
    persons.try_for_each(|person| check::person(person).map_err(|why| said("present", why)))?;
    check::long_text(part("said").unwrap_or(&Value::Null)).map_err(|why| said("said", why))
}

/// A date to look again: `{"date"}`, with a `note` where there is one.
fn again(value: &Value) -> Result<(), String> {
    check::date(value.get("date").unwrap_or(&Value::Null))?;
    let note = value.get("note").filter(|note| !note.is_null());
    note.map_or(Ok(()), check::line)
}

/// Signatures: attachments, each with the `name` of who signed.
fn signatures(value: &Value) -> Result<(), String> {
    check::each(value, MOST_SIGNATURES, check::signature)?;
    let mut all = value.as_array().into_iter().flatten();
    all.try_for_each(check::person)
}

fn reader(value: &Value) -> Result<(), String> {
    serde_json::from_value::<Actor>(value.clone())
        .map(|_| ())
        .map_err(|_| "expected a worker or a user with its id".to_owned())
}

/// Those whom a mediation names as readers.
pub fn readers(entity: &Entity) -> impl Iterator<Item = Actor> {
    let set = entity.sets.get(READERS).into_iter();
    set.flat_map(|set| &set.items)
        .filter_map(|item| serde_json::from_value(item.value.clone()).ok())
}

fn audiences(entity: &Entity) -> Vec<StreamKey> {
    let workers = readers(entity).filter_map(|actor| match actor {
        Actor::Worker(worker) => Some(StreamKey::Inbox(worker)),
        Actor::User(_) | Actor::Server(_) => None,
    });
    workers.collect()
}

/// A task that a date to look again becomes.
#[derive(Clone, Debug, PartialEq)]
pub struct LookAgain {
    /// Its identity: that of the op which set the date, so that making it twice
    /// is making it once.
    pub id: EntityId,
    /// The stream it lives in.
    pub home: StreamKey,
    /// Its fields.
    pub fields: BTreeMap<String, Value>,
}

/// The tasks that a mediation's dates become; the server makes those that are
/// not there yet. `utc_offset_min` places the dates' midnights.
#[must_use]
pub fn look_again(entity: &Entity, utc_offset_min: i32) -> Vec<LookAgain> {
    let dates = entity.list(LOOK_AGAIN).iter();
    dates
        .filter_map(|entry| task_for(entity, entry, utc_offset_min))
        .collect()
}

fn task_for(entity: &Entity, entry: &Entry, utc_offset_min: i32) -> Option<LookAgain> {
    let worker = worker_of(entity)?;
    let date = parse_date(entry.value.get("date")?.as_str()?)?;
    let midnight_ms = date
        .and_time(chrono::NaiveTime::MIN)
        .and_utc()
        .timestamp_millis()
        - i64::from(utc_offset_min) * 60_000;
    let mut fields = BTreeMap::from([
        ("worker".to_owned(), json!(worker)),
        ("grid".to_owned(), json!(grid_of(entity)?)),
        ("work".to_owned(), json!("visit")),
        ("title".to_owned(), Value::from(words::say("look_again").zh)),
        ("due_ms".to_owned(), json!(midnight_ms + DUE_AFTER_MS)),
        ("about".to_owned(), json!(entity.id)),
    ]);
    for name in ["place", "address"] {
        if let Some(value) = entity.value(name) {
            fields.insert(name.to_owned(), value.clone());
        }
    }
    Some(LookAgain {
        id: EntityId::from_bytes(*entry.stamp.op.as_bytes()),
        home: task::KIND.home_of(&fields)?,
        fields,
    })
}

#[cfg(test)]
#[path = "mediation_tests.rs"]
mod tests;
