//! `Patrol` (巡查): one outing within a shift. Its fixes travel apart, as
//! chunks; what happened on the way is in its history and its `marks`.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{Kind, step};
use crate::{Entity, GapCause, check};

/// The status of a patrol that records.
pub const ACTIVE: &str = "active";
/// The status of a patrol that the worker paused.
pub const PAUSED: &str = "paused";
/// The status of a patrol that is over.
pub const FINISHED: &str = "finished";
/// The list of [`Mark`]s that the phone makes.
pub const MARKS: &str = "marks";
/// What a step of the status carries: its time by the fixes' clock, in
/// milliseconds since 1970. Phones' wall clocks are wrong by minutes and more;
/// a pause must lie between the right two fixes all the same.
pub const FIX_MS: &str = "fix_ms";

/// The table.
pub const KIND: Kind = Kind {
    name: "patrol",
    initial: Some(ACTIVE),
    fields: &[
        ("worker", check::id),
        ("grid", check::id),
        ("shift", check::id),
        ("distance_m", check::metres),
        ("moving_s", check::count),
        ("fixes", check::count),
    ],
    required: &["worker", "grid", "shift"],
    lists: &[(MARKS, mark)],
    steps: &[
        step(ACTIVE, PAUSED),
        step(PAUSED, ACTIVE),
        step(ACTIVE, FINISHED),
        step(PAUSED, FINISHED),
    ],
    ..Kind::RECORD
};

/// Something that happened during a patrol and bears on its route.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// When, on the fixes' clock: milliseconds since 1970 (UTC).
    pub at_ms: i64,
    /// What.
    #[serde(flatten)]
    pub kind: MarkKind,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "mark", rename_all = "snake_case")]
pub enum MarkKind {
    /// The worker began the patrol. (A step of its status, never in the list.)
    Started,
    /// The worker paused it. (A step.)
    Paused,
    /// The worker went on. (A step.)
    Resumed,
    /// The worker finished it. (A step.)
    Finished,
    /// The app opened again and found the patrol running.
    Opened {
        /// Whether the phone itself had been off in between.
        rebooted: bool,
    },
    /// From here on there was no position, and the phone knows why.
    Lost {
        /// Why.
        cause: GapCause,
    },
    /// Positions came again.
    Found,
    /// From here on the phone asked its sensor for a position this often.
    Asked {
        /// Milliseconds between two positions.
        every_ms: u32,
    },
}

fn mark(value: &Value) -> Result<(), String> {
    serde_json::from_value::<Mark>(value.clone())
        .map(|_| ())
        .map_err(|_| "expected at_ms and a mark (opened, lost, found, asked)".to_owned())
}

/// All that happened during a patrol, in the order of time: the steps of its
/// status and the marks that the phone made.
#[must_use]
pub fn marks(patrol: &Entity) -> Vec<Mark> {
    let step = |(from, to): (Option<&str>, &str)| match (from, to) {
        (None, _) => Some(MarkKind::Started),
        (_, PAUSED) => Some(MarkKind::Paused),
        (_, ACTIVE) => Some(MarkKind::Resumed),
        (_, FINISHED) => Some(MarkKind::Finished),
        _ => None,
    };
    let steps = patrol.history.iter().filter_map(|taken| {
        let kind = step((taken.from.as_deref(), &taken.to))?;
        let at_ms = taken.with.get(FIX_MS).and_then(Value::as_i64);
        Some(Mark {
            at_ms: at_ms.unwrap_or(taken.stamp.at_ms),
            kind,
        })
    });
    let made = patrol.list(MARKS).iter();
    let made = made.filter_map(|entry| serde_json::from_value(entry.value.clone()).ok());
    let mut all: Vec<Mark> = steps.chain(made).collect();
    all.sort_by_key(|mark| mark.at_ms);
    all
}
