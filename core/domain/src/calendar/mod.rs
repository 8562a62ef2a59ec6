//! Working time: which hours of which days count.
//!
//! A calendar is data, imported and checked like the catalogue: the hours of
//! each weekday, the days off, and the days that are worked to make up for
//! them (调休). It has the district's distance from UTC, and no summer time:
//! China has none.
//!
//! All computing is in whole milliseconds over working time alone, so that
//! limits add up: what is due after `a` and then `b` is due after `a + b`.

mod date;

use serde::{Deserialize, Serialize};

use crate::catalogue::{Limit, Text};
use crate::import::{self, BadData, Fault, Path};

pub use date::{BadDate, BadSpan, Date, Span};

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
pub(crate) const DAY_MS: i64 = 24 * HOUR_MS;
/// Times outside of the years 1900 to 2200 are taken for their ends: no clock
/// of ours means them, and counting stays bounded.
const FIRST_MS: i64 = -2_208_988_800_000;
const LAST_MS: i64 = 7_258_118_400_000;

/// A weekday.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names of the days")]
pub enum Weekday {
    Mon,
    Tue,
    Wed,
    Thu,
    Fri,
    Sat,
    Sun,
}

/// The working hours of each weekday, in the order of the day.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the names of the days")]
pub struct Week {
    pub mon: Vec<Span>,
    pub tue: Vec<Span>,
    pub wed: Vec<Span>,
    pub thu: Vec<Span>,
    pub fri: Vec<Span>,
    pub sat: Vec<Span>,
    pub sun: Vec<Span>,
}

impl Week {
    fn hours(&self, day: Weekday) -> &[Span] {
        match day {
            Weekday::Mon => &self.mon,
            Weekday::Tue => &self.tue,
            Weekday::Wed => &self.wed,
            Weekday::Thu => &self.thu,
            Weekday::Fri => &self.fri,
            Weekday::Sat => &self.sat,
            Weekday::Sun => &self.sun,
        }
    }

    const DAYS: [(Weekday, &'static str); 7] = [
        (Weekday::Mon, "mon"),
        (Weekday::Tue, "tue"),
        (Weekday::Wed, "wed"),
        (Weekday::Thu, "thu"),
        (Weekday::Fri, "fri"),
        (Weekday::Sat, "sat"),
        (Weekday::Sun, "sun"),
    ];
}

/// Days that are not like their weekday: off, or worked like another one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SpecialDays {
    /// The first.
    pub from: Date,
    /// The last; the first alone where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<Date>,
    /// The weekday whose hours are worked; none for days off.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub works_as: Option<Weekday>,
    /// Why.
    pub name: Text,
}

impl SpecialDays {
    fn last(&self) -> Date {
        self.to.unwrap_or(self.from)
    }
}

/// A calendar of working time (工作日历).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calendar {
    /// Its version.
    pub version: u32,
    /// Where it comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Minutes that the district's clocks are ahead of UTC.
    pub utc_offset_min: i32,
    /// Minutes of working time in a "working day" of a limit.
    pub day_min: u32,
    /// The last day whose holidays are known.
    pub known_until: Date,
    /// The hours of an ordinary week.
    pub week: Week,
    /// The days that are not ordinary, in their order.
    pub days: Vec<SpecialDays>,
}

impl Calendar {
    /// Reads one that somebody wrote.
    ///
    /// # Errors
    /// [`BadData`] with the line at fault.
    pub fn parse(json: &str) -> Result<Self, BadData> {
        import::read("calendar", json, check)
    }

    /// The calendar that ships with this version: China, 2026.
    ///
    /// # Panics
    /// Never: a test reads it.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "the text is part of the program and a test reads it"
    )]
    pub fn shipped() -> Self {
        Self::parse(include_str!("../resources/calendar.json")).expect("the shipped one reads")
    }

    /// The instant at which `limit` is used up, counted from `start_ms`
    /// (milliseconds since 1970, UTC). A limit of working time that is used up
    /// when work ends is due then, not when work begins again.
    #[must_use]
    pub fn due(&self, start_ms: i64, limit: Limit) -> i64 {
        let start_ms = start_ms.clamp(FIRST_MS, LAST_MS);
        let Some(mut rest) = self.working_time(limit) else {
            return start_ms + Self::clock_time(limit);
        };
        for day in self.day_of(start_ms)..=self.day_of(LAST_MS) {
            for (from, to) in self.worked(day) {
                let from = from.max(start_ms);
                if to - from >= rest {
                    return from + rest;
                }
                rest -= (to - from).max(0);
            }
        }
        LAST_MS
    }

    /// The working time between two instants, in milliseconds; none where the
    /// second is not later.
    #[must_use]
    pub fn working_ms(&self, from_ms: i64, to_ms: i64) -> i64 {
        let from_ms = from_ms.clamp(FIRST_MS, LAST_MS);
        let to_ms = to_ms.clamp(FIRST_MS, LAST_MS);
        let days = self.day_of(from_ms)..=self.day_of(to_ms);
        days.flat_map(|day| self.worked(day))
            .map(|(from, to)| (to.min(to_ms) - from.max(from_ms)).max(0))
            .sum()
    }

    /// How much of `limit` was used between two instants, in milliseconds of
    /// its own kind of time.
    #[must_use]
    pub fn elapsed_ms(&self, from_ms: i64, to_ms: i64, limit: Limit) -> i64 {
        match limit {
            Limit::Hours(_) => to_ms.saturating_sub(from_ms).max(0),
            Limit::WorkingHours(_) | Limit::WorkingDays(_) => self.working_ms(from_ms, to_ms),
        }
    }

    /// How long `limit` is, in milliseconds of its own kind of time.
    #[must_use]
    pub fn length_ms(&self, limit: Limit) -> i64 {
        self.working_time(limit)
            .unwrap_or_else(|| Self::clock_time(limit))
    }

    /// Whether work goes on at this instant.
    #[must_use]
    pub fn is_working(&self, at_ms: i64) -> bool {
        let at_ms = at_ms.clamp(FIRST_MS, LAST_MS);
        self.worked(self.day_of(at_ms))
            .any(|(from, to)| (from..to).contains(&at_ms))
    }

    /// Whether the holidays of this instant's day are known; after that, days
    /// are taken for ordinary ones.
    #[must_use]
    pub fn is_known(&self, at_ms: i64) -> bool {
        self.day_of(at_ms.clamp(FIRST_MS, LAST_MS)) <= self.known_until.day()
    }

    fn working_time(&self, limit: Limit) -> Option<i64> {
        match limit {
            Limit::WorkingHours(n) => Some(i64::from(n) * HOUR_MS),
            Limit::WorkingDays(n) => Some(i64::from(n) * i64::from(self.day_min) * MINUTE_MS),
            Limit::Hours(_) => None,
        }
    }

    fn clock_time(limit: Limit) -> i64 {
        match limit {
            Limit::Hours(n) => i64::from(n) * HOUR_MS,
            Limit::WorkingHours(_) | Limit::WorkingDays(_) => 0,
        }
    }

    fn offset_ms(&self) -> i64 {
        i64::from(self.utc_offset_min) * MINUTE_MS
    }

    /// The district's day, counted from 1970-01-01.
    fn day_of(&self, at_ms: i64) -> i64 {
        (at_ms + self.offset_ms()).div_euclid(DAY_MS)
    }

    /// The stretches of work of a day, as instants.
    fn worked(&self, day: i64) -> impl Iterator<Item = (i64, i64)> {
        let midnight = day * DAY_MS - self.offset_ms();
        let at = move |minute: u16| midnight + i64::from(minute) * MINUTE_MS;
        let spans = self.hours_of(day).iter();
        spans.map(move |span| (at(span.from), at(span.to)))
    }

    fn hours_of(&self, day: i64) -> &[Span] {
        let after = self
            .days
            .partition_point(|special| special.from.day() <= day);
        let special = after.checked_sub(1).map(|index| &self.days[index]);
        match special.filter(|special| day <= special.last().day()) {
            Some(special) => special.works_as.map_or(&[], |like| self.week.hours(like)),
            None => self.week.hours(weekday(day)),
        }
    }
}

/// The weekday of a day counted from 1970-01-01, a Thursday.
fn weekday(day: i64) -> Weekday {
    let since_monday = usize::try_from((day + 3).rem_euclid(7)).unwrap_or(0);
    Week::DAYS[since_monday].0
}

fn check(calendar: &Calendar) -> Result<(), Fault> {
    let whole = Path::default();
    if calendar.version == 0 {
        return whole.key("version").fault("versions count from 1");
    }
    if !(-720..=840).contains(&calendar.utc_offset_min) {
        return whole
            .key("utc_offset_min")
            .fault("expected −720 to 840 minutes");
    }
    let mut in_week = 0;
    for (day, name) in Week::DAYS {
        let at = whole.key("week").key(name);
        let mut end = 0;
        for (n, span) in calendar.week.hours(day).iter().enumerate() {
            if span.from < end {
                return at
                    .index(n)
                    .fault("begins before the stretch before it ends");
            }
            end = span.to;
            in_week += u32::from(span.to - span.from);
        }
    }
    if !(1..=in_week).contains(&calendar.day_min) {
        let why = format!("expected 1 to {in_week} minutes, the work of a week");
        return whole.key("day_min").fault(why);
    }
    let mut before: Option<Date> = None;
    for (n, special) in calendar.days.iter().enumerate() {
        let at = whole.key("days").index(n);
        if special.last() < special.from {
            return at.key("to").fault("is before the first day");
        }
        if before.is_some_and(|before| special.from <= before) {
            return at
                .key("from")
                .fault("is not after the days listed before it");
        }
        if special.last() > calendar.known_until {
            return at.fault("lies after known_until");
        }
        let idle = |like| calendar.week.hours(like).is_empty();
        if special.works_as.is_some_and(idle) {
            return at.key("works_as").fault("nobody works on that weekday");
        }
        if special.name.zh.trim().is_empty() {
            return at.key("name").key("zh").fault("is empty");
        }
        before = Some(special.last());
    }
    Ok(())
}

#[cfg(test)]
mod tests;
