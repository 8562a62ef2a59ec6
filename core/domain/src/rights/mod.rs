//! Who may see and do what: the one place that decides, on phone and server.
//!
//! A right is a role on a grid; it holds for that grid and all below it, by
//! the chain of parents, for a time. The tables of [`crate::kind`] say in the
//! words of [`Who`] who may make, read, change and move a record; here those
//! words are held against a [`Person`]. A phone asks before a form opens, the
//! server before anything is read or written, and both get the same answer.
//!
//! An op is judged by the rights of the time at which it was made
//! (corrected), so that nobody's report is refused for an assignment that
//! ended before the phone found a network.

mod person;
mod who;

use serde_json::Value;
use std::collections::BTreeMap;

use crate::entity::Entity;
use crate::kind::steps::{StepRule, stands_at};
use crate::kind::{self, Kind};
use crate::op::{Intent, OpBody, ServerPart};
use crate::{GridId, WorkerId};

pub use person::{Actor, District, Person, Right, Role};
use who::Record;
pub use who::Who;

/// Why somebody may not.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// This version knows no such kind.
    #[error("this kind of record is not known here; an upgrade may know it")]
    UnknownKind,
    /// It was made in another's name.
    #[error("it names another author than the one who sends it")]
    ForeignAuthor,
    /// It is for others.
    #[error("this is for {}", list(.0))]
    NotFor(&'static [Who]),
    /// The right that it takes was held at another time only.
    #[error("the right that it takes did not hold at that time: it had ended or not begun")]
    NotThen(&'static [Who]),
    /// Who did the work does not verify it.
    #[error("who did the work cannot verify it; the supervisor can")]
    OwnWork,
    /// The catalogue leaves the closing to a supervisor.
    #[error("the catalogue leaves the closing of this category to the supervisor")]
    NotSelfClosed,
    /// Too long after the end.
    #[error("a gridworker reopens within {days} days; the supervisor still can")]
    TooLate {
        /// How many there were.
        days: u32,
    },
}

fn list(who: &[Who]) -> String {
    if who.is_empty() {
        return "nobody".to_owned();
    }
    let words: Vec<String> = who.iter().map(ToString::to_string).collect();
    words.join(", or ")
}

impl Denied {
    /// A word for programs; stable.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::UnknownKind => "unknown_kind",
            Self::ForeignAuthor => "foreign_author",
            Self::NotFor(_) => "not_for_you",
            Self::NotThen(_) => "not_then",
            Self::OwnWork => "own_work",
            Self::NotSelfClosed => "not_self_closed",
            Self::TooLate { .. } => "too_late",
        }
    }
}

/// Somebody's rights at a time.
#[derive(Clone, Copy)]
pub struct Rights<'a> {
    /// Who asks.
    pub person: &'a Person,
    /// What is looked up.
    pub district: &'a dyn District,
    /// When they act: milliseconds since 1970 (UTC), corrected.
    pub at_ms: i64,
    /// Whether past and future rights count too: to tell who came too late
    /// from who never could.
    ever: bool,
}

impl<'a> Rights<'a> {
    /// The rights of `person` at `at_ms`.
    #[must_use]
    pub fn new(person: &'a Person, district: &'a dyn District, at_ms: i64) -> Self {
        Self {
            person,
            district,
            at_ms,
            ever: false,
        }
    }

    /// Whether they may read this record.
    ///
    /// # Errors
    /// Why not.
    pub fn may_read(&self, entity: &Entity) -> Result<(), Denied> {
        let kind = kind::find(&entity.kind).ok_or(Denied::UnknownKind)?;
        self.any(kind.access.read, &Record::of(entity))
    }

    /// Whether they may read the records of this kind in this grid, whatever they
    /// say: to be asked before each is looked at. None where that depends on the
    /// record.
    #[must_use]
    pub fn may_read_in(&self, kind: &Kind, grid: GridId) -> Option<bool> {
        let record = Record {
            grid: Some(grid),
            owner: None,
            entity: None,
        };
        let (by_grid, by_record): (Vec<Who>, Vec<Who>) =
            kind.access.read.iter().partition(|who| who.is_of_a_grid());
        if by_grid.iter().any(|who| self.is(*who, &record)) {
            return Some(true);
        }
        by_record.is_empty().then_some(false)
    }

    /// Whether they may make a record of this kind in this grid: to be asked
    /// before a form opens.
    ///
    /// # Errors
    /// Why not.
    pub fn may_create(&self, kind: &Kind, grid: GridId) -> Result<(), Denied> {
        let record = Record {
            grid: Some(grid),
            owner: None,
            entity: None,
        };
        self.any(kind.access.create, &record)
    }

    /// Whether they may change the fields and sets of this record.
    ///
    /// # Errors
    /// Why not.
    pub fn may_write(&self, entity: &Entity) -> Result<(), Denied> {
        let kind = kind::find(&entity.kind).ok_or(Denied::UnknownKind)?;
        self.any(kind.access.write, &Record::of(entity))
    }

    /// Whether they may append to the lists of this record: comment, add a
    /// photo.
    ///
    /// # Errors
    /// Why not.
    pub fn may_append(&self, entity: &Entity) -> Result<(), Denied> {
        let kind = kind::find(&entity.kind).ok_or(Denied::UnknownKind)?;
        self.any(kind.access.append, &Record::of(entity))
    }

    /// Whether they may take this step, a row of the kind's table.
    ///
    /// # Errors
    /// Why not.
    pub fn may_step(&self, entity: &Entity, row: &StepRule) -> Result<(), Denied> {
        self.any(row.who, &Record::of(entity))
    }

    /// Whether it is the server's clock that acts.
    #[must_use]
    pub fn is_clock(&self) -> bool {
        self.person.actor == Actor::Server(ServerPart::Clock)
    }

    /// Whether they are `who` to this record.
    #[must_use]
    pub fn are(&self, who: Who, entity: &Entity) -> bool {
        self.is(who, &Record::of(entity))
    }

    /// The steps that they may take from where the record stands: the buttons
    /// to show. What each must carry, the row says.
    #[must_use]
    pub fn steps(&self, entity: &Entity) -> Vec<&'static StepRule> {
        let Some(kind) = kind::find(&entity.kind) else {
            return vec![];
        };
        kind.open_steps(entity)
            .filter(|row| self.may_step(entity, row).is_ok())
            .collect()
    }

    /// Whether they may make this op. What is wrong with the op itself, other
    /// than who makes it, [`crate::rules`] and [`crate::apply()`] tell.
    ///
    /// # Errors
    /// Why not.
    pub fn may_make(&self, state: Option<&Entity>, op: &OpBody) -> Result<(), Denied> {
        let kind = kind::find(&op.kind).ok_or(Denied::UnknownKind)?;
        if Actor::from(op.by) != self.person.actor {
            return Err(Denied::ForeignAuthor);
        }
        match (&op.intent, state) {
            (Intent::Create { fields, .. }, None) => self.may_create_as(kind, fields),
            (Intent::Create { .. }, Some(_)) | (_, None) => Ok(()),
            (Intent::Append { .. }, Some(entity)) => self.may_append(entity),
            (Intent::Delete { .. }, Some(entity)) => {
                self.any(kind.access.delete, &Record::of(entity))
            }
            (
                Intent::Transition {
                    from,
                    to,
                    base,
                    reason,
                    with,
                },
                Some(entity),
            ) => {
                if !stands_at(entity, from, *base) {
                    // It comes too late and only its words count, as a comment.
                    return self.may_append(entity);
                }
                match kind.rule(from, to, reason.as_deref(), with) {
                    Ok(row) => self.may_step(entity, row),
                    Err(_) => Ok(()),
                }
            }
            (
                Intent::Set(_)
                | Intent::Resolve { .. }
                | Intent::Add { .. }
                | Intent::Remove { .. },
                Some(entity),
            ) => self.may_write(entity),
        }
    }

    /// A worker makes records of their own, never another's.
    fn may_create_as(&self, kind: &Kind, fields: &BTreeMap<String, Value>) -> Result<(), Denied> {
        let text = |name: &str| fields.get(name).and_then(Value::as_str);
        let owner: Option<WorkerId> = text("worker").and_then(|id| id.parse().ok());
        if let (Actor::Worker(me), Some(owner)) = (self.person.actor, owner)
            && me != owner
        {
            return Err(Denied::ForeignAuthor);
        }
        let record = Record {
            grid: text("grid").and_then(|id| id.parse().ok()),
            owner,
            entity: None,
        };
        self.any(kind.access.create, &record)
    }

    /// Whether the person is any of these to the record; the most telling
    /// reason where they are none.
    fn any(&self, who: &'static [Who], record: &Record<'_>) -> Result<(), Denied> {
        if who.iter().any(|who| self.is(*who, record)) {
            return Ok(());
        }
        if self.is(Who::Gridworker, record) {
            if who.contains(&Who::Verifier) {
                return Err(Denied::OwnWork);
            }
            if who.contains(&Who::ClosingGridworker) {
                return Err(Denied::NotSelfClosed);
            }
            if who.contains(&Who::ReopeningGridworker)
                && let Err(days) = self.days_to_reopen(record)
            {
                return Err(Denied::TooLate { days });
            }
        }
        let ever = Self {
            ever: true,
            ..*self
        };
        if who.iter().any(|who| ever.is(*who, record)) {
            return Err(Denied::NotThen(who));
        }
        Err(Denied::NotFor(who))
    }

    fn counts(&self, right: &Right) -> bool {
        self.ever || right.holds_at(self.at_ms)
    }
}

#[cfg(test)]
#[path = "tests/mod.rs"]
mod tests;
