//! Logging out, and what is left behind.

use gridwalk_engine as inner;

use crate::Unsent;

/// What a log-out comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum LogOut {
    /// Nothing was changed: this would be left behind, and asks for a yes.
    Asks {
        /// What.
        departure: Departure,
    },
    /// It is done.
    Done,
}

impl From<inner::LogOut> for LogOut {
    fn from(done: inner::LogOut) -> Self {
        match done {
            inner::LogOut::Asks(departure) => Self::Asks {
                departure: departure.into(),
            },
            inner::LogOut::Done => Self::Done,
        }
    }
}

/// What somebody who logs out leaves behind. It is sent all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Departure {
    /// What is not on the server yet.
    pub unsent: Unsent,
    /// Fixes that are not sealed yet.
    pub unsealed_fixes: u64,
    /// Whether a shift runs; it would be ended.
    pub on_shift: bool,
    /// Whether a patrol runs; it would be finished.
    pub on_patrol: bool,
    /// Drafts; they are not sent, and wait on this phone for their author.
    #[uniffi(default = 0)]
    pub drafts: u64,
}

impl From<inner::Departure> for Departure {
    fn from(departure: inner::Departure) -> Self {
        Self {
            unsent: departure.unsent.into(),
            unsealed_fixes: departure.unsealed_fixes,
            on_shift: departure.on_shift,
            on_patrol: departure.on_patrol,
            drafts: departure.drafts,
        }
    }
}

/// What is on this phone and on no screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct VaultView {
    /// Why.
    pub why: VaultWhy,
    /// Since when, by the phone's wall clock; not known for a lost grid.
    pub since_ms: Option<i64>,
    /// What of it is not on the server yet.
    pub unsent: Unsent,
    /// What of it the server has and a backup has not.
    pub kept: u64,
}

impl From<inner::VaultView> for VaultView {
    fn from(view: inner::VaultView) -> Self {
        Self {
            why: view.why.into(),
            since_ms: view.since_ms,
            unsent: view.unsent.into(),
            kept: view.kept,
        }
    }
}

/// Why something is on no screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum VaultWhy {
    /// Somebody logged out.
    LoggedOut,
    /// The server lets somebody's phone only send.
    Replaced,
    /// It belongs to a grid that is not the worker's any more.
    ScopeLost,
}

impl From<inner::VaultWhy> for VaultWhy {
    fn from(why: inner::VaultWhy) -> Self {
        match why {
            inner::VaultWhy::LoggedOut => Self::LoggedOut,
            inner::VaultWhy::Replaced => Self::Replaced,
            inner::VaultWhy::ScopeLost => Self::ScopeLost,
        }
    }
}

/// How much was written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Exported {
    /// Saves.
    pub ops: u64,
    /// Stretches of tracks.
    pub chunks: u64,
    /// Attachments.
    pub blobs: u64,
    /// Attachments that were left out: their files do not read as they were
    /// written.
    #[uniffi(default = 0)]
    pub unreadable: u64,
}

impl From<inner::Exported> for Exported {
    fn from(exported: inner::Exported) -> Self {
        Self {
            ops: exported.ops,
            chunks: exported.chunks,
            blobs: exported.blobs,
            unreadable: exported.unreadable,
        }
    }
}
