//! One record that feeds the screen of today, the notification and the sync
//! worker.

use gridwalk_domain::wire;
use gridwalk_engine as inner;

use crate::text::list;
use crate::{Fix, GridRef, Identity};

/// How things stand on this phone.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Status {
    /// Whose phone it is; none before enrolment.
    pub identity: Option<Identity>,
    /// The grids that the worker writes in.
    pub grids: Vec<GridRef>,
    /// The shift that is running.
    pub shift: Option<ShiftView>,
    /// The patrol that is running or paused.
    pub patrol: Option<PatrolNow>,
    /// What is still to be sent.
    pub unsent: Unsent,
    /// Fixes that are durable here and not yet sealed for sending.
    pub unsealed_fixes: u64,
    /// When the server last answered, by the phone's wall clock.
    pub last_contact_ms: Option<i64>,
    /// By how much the server's clock is ahead of the phone's.
    pub skew_ms: Option<i64>,
    /// What the server did not take, each with what to do.
    pub refused: Vec<RefusedItem>,
    /// How many fields were written twice and wait for somebody to settle them.
    pub conflicts: u64,
    /// Whether the server asks for a newer app.
    pub upgrade_needed: bool,
    /// Whether the server does not know this phone any more: it is to be
    /// enrolled again, and keeps what it holds.
    pub signed_out: bool,
    /// What people who left this phone have not sent yet.
    pub left_unsent: u64,
}

impl From<inner::Status> for Status {
    fn from(status: inner::Status) -> Self {
        Self {
            identity: status.identity.map(Into::into),
            grids: list(status.grids),
            shift: status.shift.map(Into::into),
            patrol: status.patrol.map(Into::into),
            unsent: status.unsent.into(),
            unsealed_fixes: status.unsealed_fixes,
            last_contact_ms: status.last_contact_ms,
            skew_ms: status.skew_ms,
            refused: list(status.refused),
            conflicts: status.conflicts,
            upgrade_needed: status.upgrade_needed,
            signed_out: status.signed_out,
            left_unsent: status.left_unsent,
        }
    }
}

/// The shift that is running.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct ShiftView {
    /// Its id.
    pub id: String,
    /// Where.
    pub grid: GridRef,
    /// Since when.
    pub since_ms: i64,
}

impl From<inner::ShiftView> for ShiftView {
    fn from(shift: inner::ShiftView) -> Self {
        Self {
            id: shift.id.to_string(),
            grid: shift.grid.into(),
            since_ms: shift.since_ms,
        }
    }
}

/// The patrol that is running or paused.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct PatrolNow {
    /// Its id.
    pub id: String,
    /// Whether the worker paused it.
    pub paused: bool,
    /// Since when.
    pub since_ms: i64,
    /// Fixes recorded so far.
    pub fixes: u64,
    /// Those of them that are kept but not on the route.
    pub refused: u64,
    /// Metres walked so far.
    pub distance_m: f64,
    /// Seconds in motion so far.
    pub moving_s: i64,
    /// The last fix on the route.
    pub last_fix: Option<Fix>,
}

impl From<inner::PatrolNow> for PatrolNow {
    fn from(patrol: inner::PatrolNow) -> Self {
        Self {
            id: patrol.id.to_string(),
            paused: patrol.paused,
            since_ms: patrol.since_ms,
            fixes: patrol.fixes,
            refused: patrol.refused,
            distance_m: patrol.distance_m,
            moving_s: patrol.moving_s,
            last_fix: patrol.last_fix.map(Into::into),
        }
    }
}

/// What is still to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Unsent {
    /// Saves (each a step of a record).
    pub ops: u64,
    /// Sealed stretches of tracks.
    pub chunks: u64,
    /// Attachments.
    pub blobs: u64,
    /// When the oldest of them was saved, by the phone's wall clock.
    pub oldest_ms: Option<i64>,
}

impl From<wire::Unsent> for Unsent {
    fn from(unsent: wire::Unsent) -> Self {
        Self {
            ops: unsent.ops,
            chunks: unsent.chunks,
            blobs: unsent.blobs,
            oldest_ms: unsent.oldest_ms,
        }
    }
}

/// Something that the server did not take. It is kept.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct RefusedItem {
    /// The record's id.
    pub record: String,
    /// What the record is: `incident`, `patrol`, `shift` …
    pub kind: String,
    /// What of it was not taken.
    pub what: RefusedWhat,
    /// The server's word.
    pub code: String,
    /// The server's sentence.
    pub why: String,
    /// What to do.
    pub advice: Advice,
}

impl From<inner::RefusedItem> for RefusedItem {
    fn from(item: inner::RefusedItem) -> Self {
        Self {
            record: item.record.to_string(),
            kind: item.kind,
            what: item.what.into(),
            code: item.code,
            why: item.why,
            advice: item.advice.into(),
        }
    }
}

/// What of a record was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum RefusedWhat {
    /// A save.
    Op,
    /// A stretch of its track.
    Chunk,
    /// An attachment.
    Blob,
}

impl From<inner::RefusedWhat> for RefusedWhat {
    fn from(what: inner::RefusedWhat) -> Self {
        match what {
            inner::RefusedWhat::Op => Self::Op,
            inner::RefusedWhat::Chunk => Self::Chunk,
            inner::RefusedWhat::Blob => Self::Blob,
        }
    }
}

/// What to do about something that was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Advice {
    /// Ask the supervisor.
    AskSupervisor,
    /// Nothing: somebody looks at it.
    WaitForReview,
    /// Install the newer app.
    Upgrade,
    /// Nothing: it is tried again every day.
    RetriedDaily,
}

impl From<inner::Advice> for Advice {
    fn from(advice: inner::Advice) -> Self {
        match advice {
            inner::Advice::AskSupervisor => Self::AskSupervisor,
            inner::Advice::WaitForReview => Self::WaitForReview,
            inner::Advice::Upgrade => Self::Upgrade,
            inner::Advice::RetriedDaily => Self::RetriedDaily,
        }
    }
}
