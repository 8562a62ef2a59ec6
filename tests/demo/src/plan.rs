//! The day that the demo replays: who walks where and when, what they find,
//! and what goes wrong. Pure: the same world and date give the same plan. The
//! sites that must be visited are in [`crate::sites`].

use anyhow::{Context as _, Result};
use chrono::{NaiveDate, NaiveTime, TimeDelta};
use gridwalk_domain::{Fix, GridLevel, Position};
use gridwalk_engine::Person;
use gridwalk_world::{Area, Walks, World};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::ops::Range;

use crate::sites::{self, PlannedSite};
use crate::story;

/// How many gridworkers the day has.
pub(crate) const WORKERS: usize = 12;
/// The town whose grids they walk: 兰山街道.
pub(crate) const TOWN: &str = "371302001";
/// Minutes that Lanshan's clocks are ahead of UTC.
pub(crate) const UTC_OFFSET_MIN: i32 = 480;
/// The minute of the day at which it begins, 08:00.
pub(crate) const BEGIN: u32 = 8 * 60;
/// The minute of the day at which it ends, 17:30.
pub(crate) const END: u32 = 17 * 60 + 30;

/// The worker whose app the system kills in mid-patrol, and for how long it is
/// gone: minutes of the day.
pub(crate) const KILLED: (usize, Range<u32>) = (7, KILL_AT..KILL_AT + 7);
const KILL_AT: u32 = BEGIN + 79;

/// One worker's day.
#[derive(Serialize, Deserialize)]
pub(crate) struct Day {
    /// What they are called; nobody real.
    pub(crate) worker: String,
    /// The code of their base grid.
    pub(crate) grid: String,
    /// When the day starts (00:00 in Lanshan): milliseconds since 1970 (UTC).
    pub(crate) midnight_ms: i64,
    /// What the sensor would measure, in the order of time.
    pub(crate) fixes: Vec<Fix>,
    /// The sites of their grid.
    pub(crate) sites: Vec<PlannedSite>,
    /// What they do, in the order of time: (minute of the day, what).
    pub(crate) acts: Vec<(u32, Act)>,
    /// When there is no network: minutes of the day.
    pub(crate) offline: Option<Range<u32>>,
}

/// What a gridworker does with the phone.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) enum Act {
    /// Goes on duty.
    StartShift,
    /// Goes out.
    StartPatrol,
    /// Pauses the patrol: lunch, a chat.
    Pause,
    /// Goes on.
    Resume,
    /// Goes down into a basement: the phone says that there is no signal.
    LoseSignal,
    /// Comes up again.
    FindSignal,
    /// Comes back.
    FinishPatrol,
    /// Reports something.
    Report(Report),
    /// Says of each category what the patrol found, before it comes back.
    Findings,
    /// Takes a step of a record.
    Take(Take),
    /// Opens a mediation, with its first session and a date to look again.
    Mediate(Mediate),
    /// Visits a household.
    Visit(Visit),
    /// Checks in at a site by hand, or says why not.
    CheckIn(CheckIn),
    /// The app tries to sync.
    Sync,
    /// Goes off duty.
    EndShift,
}

/// What is reported.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Report {
    /// A code of the catalogue.
    pub(crate) category: String,
    /// A code of the catalogue.
    #[serde(default)]
    pub(crate) sub: Option<String>,
    /// A code of the catalogue.
    pub(crate) severity: String,
    /// A few words.
    pub(crate) title: String,
    /// More words.
    pub(crate) description: String,
    /// What the form of its category must know.
    #[serde(default)]
    pub(crate) answers: BTreeMap<String, serde_json::Value>,
    /// Which picture is taken; none for a report without one.
    #[serde(default)]
    pub(crate) photo: Option<usize>,
}

/// A step of a record.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Take {
    /// The record's title.
    pub(crate) of: String,
    /// Its kind.
    #[serde(default = "incident")]
    pub(crate) kind: String,
    /// The step's name.
    pub(crate) step: String,
    /// Why.
    #[serde(default)]
    pub(crate) reason: Option<String>,
    /// What was done.
    #[serde(default)]
    pub(crate) note: Option<String>,
    /// Which picture is taken.
    #[serde(default)]
    pub(crate) photo: Option<usize>,
    /// What else it carries.
    #[serde(default)]
    pub(crate) more: serde_json::Map<String, serde_json::Value>,
    /// Who signs.
    #[serde(default)]
    pub(crate) signed: Vec<String>,
}

impl Take {
    fn of(report: &Report, step: &str) -> Self {
        Self {
            of: report.title.clone(),
            kind: incident(),
            step: step.to_owned(),
            reason: None,
            note: None,
            photo: None,
            more: serde_json::Map::new(),
            signed: vec![],
        }
    }
}

fn incident() -> String {
    gridwalk_domain::kind::incident::KIND.name.to_owned()
}

/// A mediation.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Mediate {
    /// The title of the incident.
    pub(crate) of: String,
    /// What it is about.
    pub(crate) cause: String,
    /// Between whom; nobody real.
    pub(crate) parties: Vec<Person>,
    /// When the session began and ended, by the clock on the wall.
    pub(crate) from: String,
    pub(crate) to: String,
    /// Where.
    #[serde(rename = "where")]
    pub(crate) place: String,
    /// What was said.
    pub(crate) said: String,
    /// After how many days to look again, and at what.
    pub(crate) again_days: u32,
    pub(crate) again: String,
}

/// A household visit.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Visit {
    pub(crate) household: String,
    pub(crate) purpose: String,
    pub(crate) found: String,
}

/// A check-in by hand.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct CheckIn {
    /// The name of the site.
    pub(crate) site: String,
    /// Why it was not visited; none for a visit.
    pub(crate) missed: Option<String>,
    /// What else they say.
    pub(crate) note: Option<String>,
}

impl Day {
    /// The time of a minute of the day: milliseconds since 1970 (UTC).
    pub(crate) fn time_ms(&self, minute: u32) -> i64 {
        self.midnight_ms + i64::from(minute) * 60_000
    }
}

/// When `date` begins in Lanshan: milliseconds since 1970 (UTC).
pub(crate) fn midnight_ms(date: NaiveDate) -> i64 {
    let local = date.and_time(NaiveTime::MIN);
    (local - TimeDelta::minutes(i64::from(UTC_OFFSET_MIN)))
        .and_utc()
        .timestamp_millis()
}

/// The last working day that is over at `now_ms`: today from 17:30 on, else
/// yesterday.
///
/// # Errors
/// Where the clock is so wrong that there is no such date.
pub(crate) fn last_day(now_ms: i64) -> Result<NaiveDate> {
    let local = chrono::DateTime::from_timestamp_millis(now_ms)
        .context("the system's clock is out of range; set it right")?
        + TimeDelta::minutes(i64::from(UTC_OFFSET_MIN));
    let day = local.date_naive();
    let over = now_ms >= midnight_ms(day) + i64::from(END) * 60_000;
    Ok(if over { day } else { day - TimeDelta::days(1) })
}

/// Plans the day for twelve neighbouring base grids of the town.
///
/// # Errors
/// Where the world lacks the town or the walks do not fit.
pub(crate) fn plan(world: &World, walks: &Walks, date: NaiveDate) -> Result<Vec<Day>> {
    let reports: Vec<Report> = serde_json::from_str(include_str!("resources/incidents.json"))?;
    let grids = neighbours(world)?;
    let days = grids.iter().enumerate();
    let days = days.map(|(index, grid)| day(index, grid, walks, midnight_ms(date), &reports));
    let mut days = days.collect::<Result<Vec<_>>>()?;
    story::tell(&mut days)?;
    Ok(days)
}

/// The base grids nearest to the middle of the town.
fn neighbours(world: &World) -> Result<Vec<&Area>> {
    let town = world.area(TOWN).context("the world has no such town")?;
    let middle = centre(town);
    let mut grids: Vec<&Area> = world
        .level(GridLevel::Base)
        .filter(|area| area.code.starts_with(TOWN))
        .collect();
    let apart = |area: &&Area| {
        let (dx, dy) = (centre(area).lon - middle.lon, centre(area).lat - middle.lat);
        dx * dx + dy * dy
    };
    grids.sort_by(|a, b| apart(a).total_cmp(&apart(b)));
    grids.truncate(WORKERS);
    Ok(grids)
}

fn centre(area: &Area) -> Position {
    let ring = &area.boundary.exterior().0;
    let n = ring.len() as f64;
    let sum = ring
        .iter()
        .fold((0.0, 0.0), |sum, p| (sum.0 + p.x, sum.1 + p.y));
    Position {
        lon: sum.0 / n,
        lat: sum.1 / n,
    }
}

fn day(
    index: usize,
    grid: &Area,
    walks: &Walks,
    midnight_ms: i64,
    reports: &[Report],
) -> Result<Day> {
    let i = u32::try_from(index)?;
    let morning = BEGIN + 25 + i * 5..BEGIN + 62 + i * 5 + (i * 7) % 20;
    let afternoon = 14 * 60 + 10 + (i * 11) % 60..14 * 60 + 40 + (i * 11) % 60 + (i * 5) % 18;
    let mut fixes = Vec::new();
    for (nth, patrol) in [&morning, &afternoon].into_iter().enumerate() {
        let start_ms = midnight_ms + i64::from(patrol.start) * 60_000;
        let length_ms = i64::from(patrol.end - patrol.start) * 60_000;
        let seed = (index * 2 + nth) as u64;
        fixes.extend(walks.patrol(&grid.boundary, start_ms, length_ms, seed)?);
    }
    let mut acts = acts(i, &morning, &afternoon);
    let sites = sites::plan(&grid.boundary, &fixes, midnight_ms, &morning, &afternoon);
    acts.extend(sites::check_in(index, &morning));
    if index % 4 == 2 {
        let basement = afternoon.start + 11..afternoon.start + 15;
        let below = [basement.start, basement.end].map(|m| midnight_ms + i64::from(m) * 60_000);
        fixes.retain(|fix| !(below[0]..below[1]).contains(&fix.time_ms));
        acts.push((basement.start, Act::LoseSignal));
        acts.push((basement.end, Act::FindSignal));
    }
    acts.extend(findings(index, &morning, &afternoon, reports));
    acts.sort_by_key(|(minute, _)| *minute);
    let offline = match index % 3 {
        0 => Some(morning.start + 5..morning.end + 40),
        1 => Some(afternoon.start..END - 5),
        _ if index == 5 => Some(BEGIN + 10..END),
        _ => None,
    };
    Ok(Day {
        worker: format!("网格员 {:02}", index + 1),
        grid: grid.code.clone(),
        midnight_ms,
        fixes,
        sites,
        acts,
        offline,
    })
}

fn acts(i: u32, morning: &Range<u32>, afternoon: &Range<u32>) -> Vec<(u32, Act)> {
    let mut acts = vec![
        (BEGIN + i % 9, Act::StartShift),
        (morning.start, Act::StartPatrol),
        (morning.end, Act::Findings),
        (morning.end, Act::FinishPatrol),
        (afternoon.start, Act::StartPatrol),
        (afternoon.end, Act::Findings),
        (afternoon.end, Act::FinishPatrol),
        (END - 10 + i % 9, Act::EndShift),
    ];
    if i % 4 == 1 {
        acts.push((morning.start + 14, Act::Pause));
        acts.push((morning.start + 21, Act::Resume));
    }
    let syncs = (BEGIN + 12 + i..END).step_by(20).chain([END]);
    acts.extend(syncs.map(|minute| (minute, Act::Sync)));
    acts
}

/// Two or three findings a day, the second with a photo, so that the kinds
/// spread over the workers. They are handled on the spot; what else there is to
/// tell is in the story.
fn findings(
    index: usize,
    morning: &Range<u32>,
    afternoon: &Range<u32>,
    reports: &[Report],
) -> Vec<(u32, Act)> {
    let minutes = [morning.start + 9, morning.start + 26, afternoon.start + 17];
    let count = 2 + index % 2;
    let found = minutes.into_iter().take(count).enumerate();
    let found = found.flat_map(|(nth, minute)| {
        let which = index * 7 + nth * 3;
        let mut report = reports[which % reports.len()].clone();
        report.photo = (nth != 0 || index.is_multiple_of(2)).then_some(which);
        let pictured = ["hygiene", "fire_safety"].contains(&report.category.as_str());
        let handled = Take {
            note: Some("已当场处理".to_owned()),
            photo: pictured.then_some(which + 200),
            ..Take::of(&report, "handle")
        };
        let closed = Take::of(&report, "close");
        let closes = report.category == "hygiene";
        let mut acts = vec![
            (minute + 4, Act::Take(handled)),
            (minute, Act::Report(report)),
        ];
        acts.extend(closes.then_some((minute + 5, Act::Take(closed))));
        acts
    });
    found.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_day_is_over_when_it_is_replayed() {
        let date = |text: &str| text.parse::<NaiveDate>().expect("a date");
        let at = |text: &str| {
            chrono::DateTime::parse_from_rfc3339(text)
                .expect("a time")
                .timestamp_millis()
        };
        let day = |text| last_day(at(text)).expect("in range");
        assert_eq!(day("2026-11-22T17:29:00+08:00"), date("2026-11-21"));
        assert_eq!(day("2026-11-22T17:30:00+08:00"), date("2026-11-22"));
        assert_eq!(
            midnight_ms(date("2026-11-22")),
            at("2026-11-22T00:00:00+08:00")
        );
    }

    #[test]
    fn twelve_days_with_all_that_the_demo_promises() {
        let world = World::lanshan(1).expect("the world");
        let walks = Walks::shipped().expect("the walks");
        let date = "2026-11-21".parse().expect("a date");
        let days = plan(&world, &walks, date).expect("a plan");
        assert_eq!(days.len(), WORKERS);
        let count = |wanted: fn(&Act) -> bool| {
            days.iter()
                .flat_map(|day| &day.acts)
                .filter(|(_, act)| wanted(act))
                .count()
        };
        assert_eq!(count(|act| matches!(act, Act::StartPatrol)), 24);
        assert!(count(|act| matches!(act, Act::Pause)) >= 1);
        assert!(count(|act| matches!(act, Act::Report(r) if r.photo.is_some())) >= 12);
        assert!(days.iter().any(|day| day.offline.is_some()));
        assert!(days.iter().all(|day| day.sites.len() == 4));
        assert!(count(|act| matches!(act, Act::CheckIn(c) if c.missed.is_none())) >= 1);
        assert!(count(|act| matches!(act, Act::CheckIn(c) if c.missed.is_some())) >= 1);
        let killed = &days[KILLED.0];
        let walking = |minute| {
            let at = killed.time_ms(minute);
            killed
                .fixes
                .iter()
                .any(|fix| (at..at + 60_000).contains(&fix.time_ms))
        };
        assert!(
            walking(KILLED.1.start) && walking(KILLED.1.end),
            "killed in mid-patrol"
        );
        for day in &days {
            assert!(day.fixes.is_sorted_by_key(|fix| fix.time_ms));
        }
    }
}
