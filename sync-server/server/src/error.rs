//! What a call of the service can end with, short of an answer.

use gridwalk_domain::Epoch;
use gridwalk_domain::wire::{ErrorResponse, Reason};
use gridwalk_store::StoreError;
use std::borrow::Cow;

/// An answer of 400 or above: what is wrong, for programs and for people,
/// without personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The status of HTTP.
    pub status: u16,
    /// A stable word.
    pub code: Cow<'static, str>,
    /// A sentence.
    pub text: String,
    /// When to try again, in seconds.
    pub retry_after_s: Option<u64>,
}

impl Fault {
    /// One without a time to try again.
    #[must_use]
    pub fn new(status: u16, code: impl Into<Cow<'static, str>>, text: impl Into<String>) -> Self {
        Self {
            status,
            code: code.into(),
            text: text.into(),
            retry_after_s: None,
        }
    }

    pub(crate) fn bad_request(text: impl Into<String>) -> Self {
        Self::new(400, "bad_request", text)
    }

    pub(crate) fn not_found() -> Self {
        Self::new(404, "not_found", "There is nothing here.")
    }

    pub(crate) fn forbidden() -> Self {
        Self::new(403, "forbidden", "This is outside of your grid or role.")
    }

    /// A rule is broken, for this reason.
    pub(crate) fn refused(reason: Reason) -> Self {
        Self::new(422, reason.code, reason.text)
    }

    pub(crate) fn too_large(most: usize) -> Self {
        let text = format!("At most {most} bytes are taken.");
        Self::new(413, "too_large", text)
    }

    pub(crate) fn too_many_attempts(retry_after_s: u64) -> Self {
        Self {
            retry_after_s: Some(retry_after_s),
            ..Self::new(
                429,
                "too_many_attempts",
                "Too many attempts. Wait, then try again.",
            )
        }
    }

    pub(crate) fn too_many_requests(retry_after_s: u64) -> Self {
        let text = "Too many requests from this phone. Wait, then go on.";
        Self {
            retry_after_s: Some(retry_after_s),
            ..Self::new(429, "too_many_requests", text)
        }
    }

    /// What the phone has seen is of another time line.
    pub(crate) fn other_epoch() -> Self {
        let text = "The server's data began anew. Say hello, then go on.";
        Self::new(409, "epoch", text)
    }

    /// The body of the answer.
    #[must_use]
    pub fn body(&self) -> ErrorResponse {
        ErrorResponse {
            error: Reason {
                code: self.code.clone().into_owned(),
                text: self.text.clone(),
            },
        }
    }
}

/// Why a call gave no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The caller is told so.
    Fault(Fault),
    /// The store failed.
    Store(StoreError),
    /// A phone has seen what this time line never gave: the data went back in
    /// time. [`crate::Service`] sees to it and answers 409.
    WentBack(Epoch),
}

impl From<Fault> for Error {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

impl From<StoreError> for Error {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<std::io::Error> for Error {
    fn from(error: std::io::Error) -> Self {
        Self::Store(match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => StoreError::Full,
            _ => StoreError::Failed(error.to_string()),
        })
    }
}

impl From<Error> for Fault {
    fn from(error: Error) -> Self {
        let store = match error {
            Error::Fault(fault) => return fault,
            Error::Store(store) => store,
            Error::WentBack(_) => return Self::other_epoch(),
        };
        tracing::error!(error = %store, "the store failed");
        match store {
            StoreError::Full => Self {
                retry_after_s: Some(60),
                ..Self::new(
                    503,
                    "full",
                    "The server's disk is full. Nothing was stored; try again later.",
                )
            },
            _ => Self::new(
                500,
                "internal",
                "The server failed. Nothing was stored; try again later.",
            ),
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Fault(fault) => f.write_str(&fault.text),
            Self::Store(error) => error.fmt(f),
            Self::WentBack(_) => f.write_str("the data went back in time"),
        }
    }
}

impl std::error::Error for Error {}
