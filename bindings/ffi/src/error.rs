//! The one error that the shells act on.

use gridwalk_engine::EngineError as Inner;

/// Why a call did not do what was asked. Nothing was changed and nothing is
/// lost, unless the variant says otherwise.
///
/// Each variant is something that a screen or service treats in its own way;
/// `why` and `text` are for logs and support, and hold no personal data.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error, uniffi::Error)]
#[uniffi::export(Display)]
pub enum EngineError {
    /// The engine was shut; open it again.
    #[error("the engine is closed; open it again")]
    Closed,
    /// Another process, or another engine of this one, has the file open.
    #[error("the data file is in use by another process; end that one first")]
    InUse,
    /// A key was given to a build without encryption.
    #[error("a key was given, but this build cannot encrypt")]
    NoCipher,
    /// The key does not fit the file.
    #[error("the key does not fit the data file; nothing was touched")]
    WrongKey,
    /// The file could not be read. It is kept aside; the next opening begins a
    /// new one.
    #[error(
        "the data file is damaged; it was kept as {set_aside}; open again to begin a new one, and hand the old one to support"
    )]
    Damaged {
        /// The path that it is kept under.
        set_aside: String,
    },
    /// The file was written by a newer version of the app.
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
    #[error("no room is left for data; free some space and try again")]
    DiskFull,
    /// The phone's storage failed in another way.
    #[error("the phone's storage failed: {why}")]
    Storage {
        /// What the system said.
        why: String,
    },
    /// The invitation (QR code or typed code) cannot be read.
    #[error("the invitation cannot be read: {why}")]
    BadInvitation {
        /// What is wrong with it.
        why: String,
    },
    /// The phone does not belong to a worker yet.
    #[error("this phone is not enrolled; scan the worker's code first")]
    NotEnrolled,
    /// The phone belongs to a worker already.
    #[error("this phone is enrolled already")]
    AlreadyEnrolled,
    /// The server does not take the code.
    #[error(
        "the server does not take this code ({code}: {text}); ask the supervisor for a new one"
    )]
    EnrolRefused {
        /// The server's word: `wrong_code`, `code_expired`, `code_used` …
        code: String,
        /// The server's sentence.
        text: String,
    },
    /// The worker has several grids: one must be named.
    #[error("the worker has several grids; name the one to work in")]
    ChooseGrid,
    /// No grid of the worker has this code.
    #[error("no grid of this worker has the code {code}; sync, or ask the supervisor")]
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
    #[error("no shift is running; begin one first")]
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
    #[error("{what}: {why}")]
    BadInput {
        /// Which field or argument.
        what: String,
        /// What is wrong and what is expected.
        why: String,
    },
    /// The catalogue has no such category or severity.
    #[error("the catalogue has no {code}; sync, or choose one of its codes")]
    UnknownCategory {
        /// What was asked for.
        code: String,
    },
    /// A photo cannot be taken.
    #[error("photo {index} cannot be taken: {why}; JPEG, PNG and WebP are taken")]
    PhotoNotTaken {
        /// Which, from 0.
        index: u32,
        /// Why.
        why: String,
    },
    /// There is no such record on this phone.
    #[error("no such record on this phone; sync, or check the id")]
    NotFound,
    /// The server was not reached, or did not answer in time.
    #[error("the server was not reached ({why}); all is kept; try again where there is signal")]
    Offline {
        /// What the system said.
        why: String,
    },
    /// The server's certificate is not to be trusted: stop, and tell somebody.
    #[error("the server's certificate is not to be trusted ({why})")]
    Untrusted {
        /// What is wrong with it.
        why: String,
    },
    /// The server does not know this phone, or not any more.
    #[error(
        "the server does not accept this phone any more; all is kept; ask the supervisor for a new code"
    )]
    SignedOut,
    /// The server asks to come again later.
    #[error("the server is busy; all is kept; try again in {retry_after_s} s")]
    Busy {
        /// In how many seconds.
        retry_after_s: u32,
    },
    /// The server refused a whole request.
    #[error(
        "the server refused the request (status {status}, {code}: {text}); all is kept; try again later"
    )]
    ServerFault {
        /// The HTTP status.
        status: u16,
        /// The server's word.
        code: String,
        /// The server's sentence.
        text: String,
    },
    /// Something else answers at the server's address, or one of the sides
    /// needs an upgrade.
    #[error(
        "the answer cannot be read ({why}); all is kept; check the server's address, or upgrade the app"
    )]
    BadAnswer {
        /// What was expected.
        why: String,
    },
    /// The caller cancelled. What was done until then stays done.
    #[error("cancelled; all is kept")]
    Cancelled,
    /// The code is for another worker than the one whose records are on this
    /// phone: log out first.
    #[error("this code is for another worker; nothing was changed; log out first")]
    OtherWorker,
    /// The phone was reported stolen, and everything on it was destroyed:
    /// destroy the key, and begin anew.
    #[error("this phone was reported stolen; everything on it was destroyed")]
    Wiped,
    /// The system gives no entropy: no id and no key can be drawn safely.
    #[error("the system gives no entropy; restart the phone")]
    NoEntropy,
}

impl From<Inner> for EngineError {
    fn from(error: Inner) -> Self {
        match error {
            Inner::Closed => Self::Closed,
            Inner::InUse => Self::InUse,
            Inner::NoCipher => Self::NoCipher,
            Inner::WrongKey => Self::WrongKey,
            Inner::Damaged { set_aside } => Self::Damaged { set_aside },
            Inner::TooNew { found, known } => Self::TooNew { found, known },
            Inner::DiskFull => Self::DiskFull,
            Inner::Storage { message } => Self::Storage { why: message },
            Inner::BadInvitation { why } => Self::BadInvitation { why },
            Inner::NotEnrolled => Self::NotEnrolled,
            Inner::AlreadyEnrolled => Self::AlreadyEnrolled,
            Inner::EnrolRefused { code, text } => Self::EnrolRefused { code, text },
            Inner::ChooseGrid => Self::ChooseGrid,
            Inner::UnknownGrid { code } => Self::UnknownGrid { code },
            Inner::OutOfScope { grid } => Self::OutOfScope { grid },
            Inner::NoShift => Self::NoShift,
            Inner::ShiftRunning => Self::ShiftRunning,
            Inner::NoPatrol => Self::NoPatrol,
            Inner::PatrolRunning => Self::PatrolRunning,
            Inner::PatrolPaused => Self::PatrolPaused,
            Inner::PatrolNotPaused => Self::PatrolNotPaused,
            Inner::Invalid { field, why } => Self::BadInput { what: field, why },
            Inner::UnknownCategory { code } => Self::UnknownCategory { code },
            Inner::NotAllowed { rule, field, why } => Self::BadInput {
                what: if field.is_empty() {
                    rule.to_owned()
                } else {
                    field
                },
                why,
            },
            Inner::NotTaken { index, why } => Self::PhotoNotTaken {
                index,
                why: why.to_string(),
            },
            Inner::NotFound => Self::NotFound,
            Inner::Unreachable { message } => Self::Offline { why: message },
            Inner::TimedOut => Self::Offline {
                why: "it did not answer in time".to_owned(),
            },
            Inner::Untrusted { message } => Self::Untrusted { why: message },
            Inner::SignedOut => Self::SignedOut,
            Inner::RetryLater { after_ms } => Self::Busy {
                retry_after_s: seconds(after_ms),
            },
            Inner::ServerError { status, code, text } => Self::ServerFault { status, code, text },
            Inner::BadAnswer { message } => Self::BadAnswer { why: message },
            Inner::Cancelled => Self::Cancelled,
            Inner::OtherWorker => Self::OtherWorker,
            Inner::Wiped => Self::Wiped,
        }
    }
}

/// Rounded up, so that a caller who waits that long has waited long enough.
fn seconds(ms: i64) -> u32 {
    u32::try_from((ms.max(0) + 999) / 1000).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiting_is_rounded_up_and_never_negative() {
        for (ms, s) in [
            (0, 0),
            (1, 1),
            (1_000, 1),
            (1_001, 2),
            (-5, 0),
            (i64::MAX - 999, u32::MAX),
        ] {
            let busy = EngineError::from(Inner::RetryLater { after_ms: ms });
            assert_eq!(busy, EngineError::Busy { retry_after_s: s }, "{ms}");
        }
    }

    #[test]
    fn both_ways_of_not_reaching_the_server_are_offline() {
        for inner in [
            Inner::TimedOut,
            Inner::Unreachable {
                message: "refused".into(),
            },
        ] {
            assert!(matches!(
                EngineError::from(inner),
                EngineError::Offline { .. }
            ));
        }
    }
}
