//! Which limit runs for an incident, when it is due, and what the clock does
//! when it passes.

use serde_json::{Value, json};

use super::{
    CLOSED, ESCALATED, HOLDER, IN_PROGRESS, Life, REJECTED, above, catalogue_of, class_of,
};
use crate::calendar::Calendar;
use crate::catalogue::{Catalogue, Limit};
use crate::entity::Entity;
use crate::op::Intent;
use crate::rights::District;
use crate::words;

/// The status that an incident stands in, and its limit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Running {
    /// The status.
    pub status: String,
    /// Since when: milliseconds since 1970 (UTC).
    pub since_ms: i64,
    /// How long it may last by the catalogue, where that says so.
    pub limit: Option<Limit>,
    /// When it must be over, where the catalogue or the dispatch says so.
    pub due_ms: Option<i64>,
}

impl Running {
    /// Whether the limit has passed.
    #[must_use]
    pub fn is_overdue(&self, now_ms: i64) -> bool {
        self.due_ms.is_some_and(|due| now_ms > due)
    }
}

/// What runs for an incident, by the version of the catalogue that it was made
/// with; none where it is closed or rejected, or cannot be followed.
#[must_use]
pub fn running(
    entity: &Entity,
    catalogue: Option<&Catalogue>,
    calendar: &Calendar,
) -> Option<Running> {
    let life = Life::of(entity).filter(|_| entity.deleted.is_none())?;
    if matches!(life.status.as_str(), CLOSED | REJECTED) {
        return None;
    }
    let limit = catalogue.and_then(|catalogue| catalogue.limit(class_of(entity), &life.status));
    let by_catalogue = limit.map(|limit| calendar.due(life.since_ms, limit));
    let due_ms = match life.limit_ms {
        // Who dispatched it knew the work; the catalogue only guesses.
        Some(said) if life.status == IN_PROGRESS => Some(said),
        Some(said) if life.status == super::DISPATCHED => {
            Some(by_catalogue.map_or(said, |due| due.min(said)))
        }
        _ => by_catalogue,
    };
    Some(Running {
        status: life.status,
        since_ms: life.since_ms,
        limit,
        due_ms,
    })
}

/// What the clock must do with an incident at `now_ms`: send it up where
/// nobody accepted it in time, there is a grid above and the catalogue lets it
/// climb. The server alone makes an op of it; a phone shows that it is overdue.
#[must_use]
pub fn clock_step(
    entity: &Entity,
    district: &dyn District,
    calendar: &Calendar,
    now_ms: i64,
) -> Option<Intent> {
    let catalogue = catalogue_of(district, entity)?;
    let running = running(entity, Some(catalogue), calendar)?;
    let climbs = running.status == ESCALATED && catalogue.climbs(class_of(entity));
    if !climbs || !running.is_overdue(now_ms) {
        return None;
    }
    let holder = above(district, entity)?;
    let with = [
        (HOLDER.to_owned(), json!(holder)),
        ("due_ms".to_owned(), Value::from(running.due_ms)),
    ];
    Some(Intent::Transition {
        from: ESCALATED.to_owned(),
        to: ESCALATED.to_owned(),
        base: entity.history.last()?.stamp.op,
        reason: Some(words::say("climbed").zh),
        with: with.into_iter().collect(),
    })
}

#[cfg(test)]
#[path = "running_tests.rs"]
mod tests;
