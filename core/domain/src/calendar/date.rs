//! Days and stretches of a day, as people write them.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

use crate::check::parse_date;

/// A day, `YYYY-MM-DD`, from 2000 to 2199.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Date(NaiveDate);

/// A text that is no day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a date: expected YYYY-MM-DD between 2000 and 2199")]
pub struct BadDate;

impl Date {
    /// Days since 1970-01-01.
    #[must_use]
    pub fn day(self) -> i64 {
        self.0
            .signed_duration_since(NaiveDate::default())
            .num_days()
    }
}

impl FromStr for Date {
    type Err = BadDate;

    fn from_str(text: &str) -> Result<Self, BadDate> {
        let date = parse_date(text).ok_or(BadDate)?;
        let year = text.get(..4).and_then(|year| year.parse::<u16>().ok());
        match year {
            Some(2000..2200) => Ok(Self(date)),
            _ => Err(BadDate),
        }
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl TryFrom<String> for Date {
    type Error = BadDate;

    fn try_from(text: String) -> Result<Self, BadDate> {
        text.parse()
    }
}

impl From<Date> for String {
    fn from(date: Date) -> Self {
        date.to_string()
    }
}

/// A stretch of a day, `HH:MM-HH:MM`; `24:00` is its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span {
    /// Minutes after midnight.
    pub from: u16,
    /// Minutes after midnight, later than `from`.
    pub to: u16,
}

/// A text that is no stretch of a day.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a stretch of a day: expected HH:MM-HH:MM, such as 08:30-12:00")]
pub struct BadSpan;

fn minutes(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |digits: &str, most: u16| {
        let fits = digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit());
        let number = fits.then(|| digits.parse::<u16>().ok()).flatten()?;
        (number <= most).then_some(number)
    };
    let minute = two(hours, 24)? * 60 + two(minutes, 59)?;
    (minute <= 24 * 60).then_some(minute)
}

impl FromStr for Span {
    type Err = BadSpan;

    fn from_str(text: &str) -> Result<Self, BadSpan> {
        let (from, to) = text.split_once('-').ok_or(BadSpan)?;
        let from = minutes(from).ok_or(BadSpan)?;
        let to = minutes(to).ok_or(BadSpan)?;
        if from < to {
            Ok(Self { from, to })
        } else {
            Err(BadSpan)
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (from, to) = (self.from, self.to);
        let parts = (from / 60, from % 60, to / 60, to % 60);
        write!(
            f,
            "{:02}:{:02}-{:02}:{:02}",
            parts.0, parts.1, parts.2, parts.3
        )
    }
}

impl TryFrom<String> for Span {
    type Error = BadSpan;

    fn try_from(text: String) -> Result<Self, BadSpan> {
        text.parse()
    }
}

impl From<Span> for String {
    fn from(span: Span) -> Self {
        span.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_read_what_they_write_and_refuse_nonsense() {
        for (text, day) in [("2026-01-01", 20_454), ("2000-02-29", 11_016)] {
            let date: Date = text.parse().expect(text);
            assert_eq!((date.day(), date.to_string().as_str()), (day, text));
        }
        for bad in [
            "2026-02-29",
            "1970-01-01",
            "2200-01-01",
            "2026-1-1",
            "元旦",
            "20260101",
            "",
        ] {
            assert_eq!(bad.parse::<Date>(), Err(BadDate), "{bad}");
        }
    }

    #[test]
    fn stretches_read_what_they_write_and_refuse_nonsense() {
        for text in ["08:30-12:00", "00:00-24:00", "23:59-24:00"] {
            assert_eq!(
                text.parse().map(|span: Span| span.to_string()),
                Ok(text.into())
            );
        }
        for bad in [
            "12:00-08:30",
            "08:30-08:30",
            "8:30-12:00",
            "08:60-12:00",
            "20:00-24:01",
            "08:30",
            "早-晚",
        ] {
            assert_eq!(bad.parse::<Span>(), Err(BadSpan), "{bad}");
        }
    }
}
