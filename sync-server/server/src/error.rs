//! What a call of the service can end with, short of an answer.

use gridwalk_domain::wire::{ErrorResponse, Reason};
use gridwalk_store::StoreError;

/// An answer of 400 or above: what is wrong, for programs and for people,
/// without personal data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The status of HTTP.
    pub status: u16,
    /// A stable word.
    pub code: &'static str,
    /// A sentence.
    pub text: String,
    /// When to try again, in seconds.
    pub retry_after_s: Option<u64>,
}

impl Fault {
    /// One without a time to try again.
    #[must_use]
    pub fn new(status: u16, code: &'static str, text: impl Into<String>) -> Self {
        Self {
            status,
            code,
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

    /// The body of the answer.
    #[must_use]
    pub fn body(&self) -> ErrorResponse {
        ErrorResponse {
            error: Reason {
                code: self.code.to_owned(),
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
        }
    }
}

impl std::error::Error for Error {}
