//! Two errors: [`Fault`] is what goes wrong inside, [`EngineError`] is what the
//! shells act on. The one becomes the other here and nowhere else; neither
//! holds personal data.

use gridwalk_media::NotTaken;
use rusqlite::ErrorCode;
use std::io::ErrorKind;

/// The result of every call of the facade.
pub type Result<T> = std::result::Result<T, EngineError>;

/// What the shells act on. Whatever is said here, nothing was changed, unless
/// the variant says otherwise.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EngineError {
    /// The engine was closed; open it again.
    #[error("the engine is closed; open it again")]
    Closed,
    /// Another process, or another engine of this one, has the file open.
    #[error("the data file is in use by another process; end that one first")]
    InUse,
    /// A key was given to a build without encryption.
    #[error("a key was given, but this build cannot encrypt; use one with the feature `sqlcipher`")]
    NoCipher,
    /// The file is encrypted with another key, or a key was given for a plain
    /// file, or none for an encrypted one.
    #[error(
        "the key does not fit the data file; nothing was touched; use the key that it was made with"
    )]
    WrongKey,
    /// The file could not be read, or was gone while its log, its journal or its
    /// attachments were there. It was moved aside, with all that belongs to it, and
    /// is kept; the next opening begins a new one.
    #[error(
        "the data file is damaged; it was kept as {set_aside}; open again to begin a new one, and hand the old one to support: it may hold what was not sent"
    )]
    Damaged {
        /// The path that it is kept under.
        set_aside: String,
    },
    /// The file was written by a newer version.
    #[error(
        "the data file is of version {found}, this app knows up to {known}; install the newer app"
    )]
    TooNew {
        /// The file's version.
        found: u32,
        /// The newest version that this build knows.
        known: u32,
    },
    /// No room is left on the phone.
    #[error("no room is left for data; free some space and try again; nothing was changed")]
    DiskFull,
    /// The phone's storage failed in another way.
    #[error(
        "the phone's storage failed: {message}; try again, and restart the phone if it fails again"
    )]
    Storage {
        /// What the system said.
        message: String,
    },
    /// The invitation cannot be read.
    #[error(
        "the invitation cannot be read: {why}; scan the code again, or type it with the server's address"
    )]
    BadInvitation {
        /// What is wrong.
        why: String,
    },
    /// The phone does not belong to a worker yet.
    #[error("this phone is not enrolled; scan the worker's code first")]
    NotEnrolled,
    /// The phone belongs to a worker already.
    #[error("this phone is enrolled already; another worker needs another data file")]
    AlreadyEnrolled,
    /// The server does not take the code.
    #[error("the server does not take this code ({code}): {text}")]
    EnrolRefused {
        /// The server's word.
        code: String,
        /// The server's sentence.
        text: String,
    },
    /// The worker has several grids: one must be named.
    #[error("the worker has several grids; name the one to work in")]
    ChooseGrid,
    /// No grid of the worker has this code.
    #[error(
        "no grid of this worker has the code {code}; sync, or ask the supervisor for the assignment"
    )]
    UnknownGrid {
        /// What was asked for.
        code: String,
    },
    /// The worker may not write in this grid.
    #[error("the grid {grid} is not assigned to this worker; sync, or ask the supervisor")]
    OutOfScope {
        /// The grid's id.
        grid: String,
    },
    /// Outside a shift nothing is recorded.
    #[error("no shift is running; begin one first: outside a shift nothing is recorded")]
    NoShift,
    /// A shift is running already.
    #[error("a shift is running already; end it first")]
    ShiftRunning,
    /// No patrol is running.
    #[error("no patrol is running; start one first")]
    NoPatrol,
    /// A patrol is running.
    #[error("a patrol is running; finish it first")]
    PatrolRunning,
    /// The patrol is paused.
    #[error("the patrol is paused; resume it first")]
    PatrolPaused,
    /// The patrol is not paused.
    #[error("the patrol is not paused")]
    PatrolNotPaused,
    /// A value is not allowed.
    #[error("{field}: {why}")]
    Invalid {
        /// Which.
        field: String,
        /// What is wrong and what is expected.
        why: String,
    },
    /// The catalogue has no such category or severity.
    #[error("the catalogue has no {code}; sync, or choose one of its codes")]
    UnknownCategory {
        /// What was asked for.
        code: String,
    },
    /// The rules do not let the worker do this: who may, what the catalogue asks
    /// for, what a step must prove.
    #[error("{}{why}", named(.field))]
    NotAllowed {
        /// Which rule, as a word for programs; stable.
        rule: &'static str,
        /// The field, or what of the step; empty where none is at fault.
        field: String,
        /// What is wrong and what is expected.
        why: String,
    },
    /// A photo or another file cannot be attached.
    #[error("attachment {} cannot be taken: {why}", .index + 1)]
    NotTaken {
        /// Which, from 0.
        index: u32,
        /// Why.
        why: NotTaken,
    },
    /// There is no such record on this phone.
    #[error("no such record on this phone; sync, or check the id")]
    NotFound,
    /// The server cannot be reached.
    #[error(
        "the server cannot be reached ({message}); all is kept; try again where there is signal"
    )]
    Unreachable {
        /// What the system said.
        message: String,
    },
    /// The server's certificate is not to be trusted.
    #[error(
        "the server's certificate is not to be trusted ({message}); do not go on; tell the supervisor"
    )]
    Untrusted {
        /// What is wrong with it.
        message: String,
    },
    /// The server did not answer in time.
    #[error("the server did not answer in time; all is kept; try again")]
    TimedOut,
    /// The server does not know this phone, or not any more.
    #[error(
        "the server does not accept this phone any more; all is kept; ask the supervisor for a new code"
    )]
    SignedOut,
    /// The server asks to come again later.
    #[error("the server is busy; all is kept; try again in {} s", (.after_ms + 999) / 1000)]
    RetryLater {
        /// In how many milliseconds.
        after_ms: i64,
    },
    /// The server refused a whole request.
    #[error(
        "the server refused the request (status {status}, {code}: {text}); all is kept; try again later"
    )]
    ServerError {
        /// The HTTP status.
        status: u16,
        /// The server's word.
        code: String,
        /// The server's sentence.
        text: String,
    },
    /// The server's answer makes no sense: another program answers, or one of
    /// the sides needs an upgrade.
    #[error(
        "the answer cannot be read ({message}); all is kept; check the server's address, or upgrade the app"
    )]
    BadAnswer {
        /// What was expected.
        message: String,
    },
    /// The code is for another worker than the one whose records are on this
    /// phone.
    #[error(
        "this code is for another worker; nothing was changed; log out first, or ask for a code for the worker of this phone"
    )]
    OtherWorker,
    /// The phone was reported stolen, and everything on it was destroyed. The
    /// shell destroys the key and begins anew.
    #[error("this phone was reported stolen; everything on it was destroyed")]
    Wiped,
    /// The caller cancelled. What was done until then stays done.
    #[error("cancelled; all is kept")]
    Cancelled,
}

/// A field before what is said of it.
fn named(field: &str) -> String {
    match field {
        "" => String::new(),
        field => format!("{field}: "),
    }
}

impl EngineError {
    /// A stable word for programs.
    #[must_use]
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::InUse => "in_use",
            Self::NoCipher => "no_cipher",
            Self::WrongKey => "wrong_key",
            Self::Damaged { .. } => "damaged",
            Self::TooNew { .. } => "too_new",
            Self::DiskFull => "disk_full",
            Self::Storage { .. } => "storage",
            Self::BadInvitation { .. } => "bad_invitation",
            Self::NotEnrolled => "not_enrolled",
            Self::AlreadyEnrolled => "already_enrolled",
            Self::EnrolRefused { .. } => "enrol_refused",
            Self::ChooseGrid => "choose_grid",
            Self::UnknownGrid { .. } => "unknown_grid",
            Self::OutOfScope { .. } => "out_of_scope",
            Self::NoShift => "no_shift",
            Self::ShiftRunning => "shift_running",
            Self::NoPatrol => "no_patrol",
            Self::PatrolRunning => "patrol_running",
            Self::PatrolPaused => "patrol_paused",
            Self::PatrolNotPaused => "patrol_not_paused",
            Self::Invalid { .. } => "invalid",
            Self::UnknownCategory { .. } => "unknown_category",
            Self::NotAllowed { .. } => "not_allowed",
            Self::NotTaken { why, .. } => why.code(),
            Self::NotFound => "not_found",
            Self::Unreachable { .. } => "unreachable",
            Self::Untrusted { .. } => "untrusted",
            Self::TimedOut => "timed_out",
            Self::SignedOut => "signed_out",
            Self::RetryLater { .. } => "retry_later",
            Self::ServerError { .. } => "server_error",
            Self::BadAnswer { .. } => "bad_answer",
            Self::OtherWorker => "other_worker",
            Self::Wiped => "wiped",
            Self::Cancelled => "cancelled",
        }
    }
}

/// What goes wrong inside.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// SQLite failed.
    #[error(transparent)]
    Sql(#[from] rusqlite::Error),
    /// A file failed.
    #[error(transparent)]
    File(#[from] std::io::Error),
    /// A row does not read as what was written there.
    #[error("{0} does not read as it was written")]
    Row(&'static str),
    /// What the facade says already.
    #[error(transparent)]
    Said(#[from] EngineError),
}

impl From<Fault> for EngineError {
    fn from(fault: Fault) -> Self {
        let storage = |message: String| Self::Storage { message };
        match fault {
            Fault::Said(said) => said,
            Fault::Sql(error) => match error.sqlite_error() {
                Some(error) => match error.code {
                    ErrorCode::DiskFull => Self::DiskFull,
                    ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Self::InUse,
                    // SQLite's own text names tables and codes, never values.
                    _ => storage(format!("SQLite: {error}")),
                },
                None => storage("a row of the data file has an unexpected shape".to_owned()),
            },
            Fault::File(error) => match error.kind() {
                ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                    Self::DiskFull
                }
                kind => storage(kind.to_string()),
            },
            Fault::Row(what) => storage(format!("{what} does not read as it was written")),
        }
    }
}

/// The result of what happens inside.
pub(crate) type Inner<T> = std::result::Result<T, Fault>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_is_named_however_it_shows() {
        let sql = rusqlite::Error::SqliteFailure(
            rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL),
            None,
        );
        assert_eq!(EngineError::from(Fault::Sql(sql)), EngineError::DiskFull);
        let file = std::io::Error::from(ErrorKind::StorageFull);
        assert_eq!(EngineError::from(Fault::File(file)), EngineError::DiskFull);
    }

    #[test]
    fn seconds_are_rounded_up() {
        assert!(
            EngineError::RetryLater { after_ms: 1 }
                .to_string()
                .contains("in 1 s")
        );
    }
}
