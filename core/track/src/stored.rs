//! A fix as it is kept: beside it, what the filter thought of it.

use gridwalk_domain::Fix;
use serde::{Deserialize, Serialize};

/// A fix and whether the route may use it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StoredFix {
    /// The fix, quantised ([`crate::quantise`]).
    pub fix: Fix,
    /// Why the route may not use it; `None` where it may.
    pub refused: Option<Refusal>,
}

impl StoredFix {
    /// A fix that the route may use.
    #[must_use]
    pub fn used(fix: Fix) -> Self {
        Self { fix, refused: None }
    }
}

/// Why a fix is kept but not used for the route.
///
/// The numbers of [`Refusal::code`] are part of the chunk's format: they are
/// never given to another reason.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Refusal {
    /// A coordinate is not a number or not on the earth.
    OutOfRange,
    /// Exactly 0° N 0° E: what a sensor says that knows nothing.
    NullIsland,
    /// The phone itself says that the position is too uncertain.
    Inaccurate,
    /// The same fix was delivered before.
    Duplicate,
    /// Not later than a fix that came before it.
    OutOfOrder,
    /// Its time is ahead of all clocks.
    Future,
    /// An app made the position up, and the system said so.
    Mocked,
    /// Nobody moves that far in that time.
    Spike,
}

impl Refusal {
    /// Every reason, in the order of its code.
    pub const ALL: [Self; 8] = [
        Self::OutOfRange,
        Self::NullIsland,
        Self::Inaccurate,
        Self::Duplicate,
        Self::OutOfOrder,
        Self::Future,
        Self::Mocked,
        Self::Spike,
    ];

    /// The reason's number in a chunk: 1 to 15.
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::OutOfRange => 1,
            Self::NullIsland => 2,
            Self::Inaccurate => 3,
            Self::Duplicate => 4,
            Self::OutOfOrder => 5,
            Self::Future => 6,
            Self::Mocked => 7,
            Self::Spike => 8,
        }
    }

    /// The reason with this number, where there is one.
    #[must_use]
    pub fn from_code(code: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|r| r.code() == code)
    }

    /// The reason as files and the page spell it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::OutOfRange => "out_of_range",
            Self::NullIsland => "null_island",
            Self::Inaccurate => "inaccurate",
            Self::Duplicate => "duplicate",
            Self::OutOfOrder => "out_of_order",
            Self::Future => "future",
            Self::Mocked => "mocked",
            Self::Spike => "spike",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Refusal;

    #[test]
    fn codes_lead_back_and_fit_the_chunk() {
        for (i, reason) in Refusal::ALL.into_iter().enumerate() {
            assert_eq!(usize::from(reason.code()), i + 1);
            assert_eq!(Refusal::from_code(reason.code()), Some(reason));
            let spelt = serde_json::to_string(&reason).unwrap();
            assert_eq!(spelt, format!("\"{}\"", reason.as_str()));
        }
        assert_eq!(Refusal::from_code(0), None);
        assert_eq!(Refusal::from_code(9), None);
    }
}
