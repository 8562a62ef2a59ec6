//! `Limit` (时限): how long a step may take.

use std::fmt;
use std::str::FromStr;

/// How long a step may take, in the units of the trade; never nothing.
///
/// As text `4wh`, `3wd`, `24h`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Limit {
    /// Working hours (工作时).
    WorkingHours(u32),
    /// Working days (工作日), each as long as the calendar says.
    WorkingDays(u32),
    /// Hours by the clock (紧急工作时), for what cannot wait for the morning.
    Hours(u32),
}

/// A text that is no limit.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a limit: expected a number from 1 and wh (working hours), wd (working days) or h")]
pub struct BadLimit;

impl Limit {
    /// A year and a day of any of them.
    const MOST_HOURS: u32 = 366 * 24;
    const MOST_DAYS: u32 = 366;
}

impl FromStr for Limit {
    type Err = BadLimit;

    fn from_str(text: &str) -> Result<Self, BadLimit> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let n: u32 = number.parse().map_err(|_| BadLimit)?;
        let (limit, most) = match unit {
            "wh" => (Self::WorkingHours(n), Self::MOST_HOURS),
            "wd" => (Self::WorkingDays(n), Self::MOST_DAYS),
            "h" => (Self::Hours(n), Self::MOST_HOURS),
            _ => return Err(BadLimit),
        };
        if (1..=most).contains(&n) {
            Ok(limit)
        } else {
            Err(BadLimit)
        }
    }
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::WorkingHours(n) => write!(f, "{n}wh"),
            Self::WorkingDays(n) => write!(f, "{n}wd"),
            Self::Hours(n) => write!(f, "{n}h"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_read_what_they_write() {
        for text in ["1wh", "4wh", "3wd", "366wd", "24h"] {
            assert_eq!(
                text.parse().map(|limit: Limit| limit.to_string()),
                Ok(text.into())
            );
        }
    }

    #[test]
    fn nothing_for_ever_and_nonsense_are_no_limits() {
        for text in [
            "0wh", "0wd", "0h", "367wd", "8785h", "", "h", "3", "3 wd", "-1h", "3wy", "3天",
        ] {
            assert_eq!(text.parse::<Limit>(), Err(BadLimit), "{text}");
        }
    }
}
