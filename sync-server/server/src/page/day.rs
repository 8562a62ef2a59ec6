//! A day of a grid: its patrols, their routes, its incidents.

use chrono::{Datelike as _, NaiveDate};
use gridwalk_domain::GridId;
use gridwalk_store::EntityFilter;
use serde_json::json as object;

use super::answers::{Day, RouteLine, Routes};
use super::look::{Answer, json};
use super::names::Names;
use super::{KINDS, MOST_DAYS, records};
use crate::error::{Error, Fault};
use crate::http::Request;
use crate::project;
use crate::rights::Sight;
use crate::service::Service;

/// 1970-01-01, as chrono counts days.
const EPOCH_DAY: i32 = 719_163;

/// A day as `YYYY-MM-DD`.
pub(super) fn date(day: i32) -> String {
    let date = day
        .checked_add(EPOCH_DAY)
        .and_then(NaiveDate::from_num_days_from_ce_opt);
    date.map_or_else(String::new, |date| date.format("%Y-%m-%d").to_string())
}

fn parse_date(text: &str) -> Result<i32, Fault> {
    let date = NaiveDate::parse_from_str(text, "%Y-%m-%d");
    let date = date.map_err(|_| Fault::bad_request("date: expected YYYY-MM-DD"))?;
    Ok(date.num_days_from_ce() - EPOCH_DAY)
}

/// The grid that is asked for; the user's own where none is.
pub(super) fn asked_grid(sight: &Sight<'_>, request: &Request) -> Result<GridId, Fault> {
    match request.query("grid") {
        None => Ok(sight.viewer.user.grid),
        Some(id) => id
            .parse()
            .map_err(|_| Fault::bad_request("grid: expected an id")),
    }
}

pub(super) fn asked_day(request: &Request) -> Result<i32, Fault> {
    let date = request.query("date");
    let missing = || Fault::bad_request("date: expected YYYY-MM-DD");
    parse_date(&date.ok_or_else(missing)?)
}

pub(super) fn of_day(kind: &str, day: i32) -> EntityFilter<'_> {
    EntityFilter {
        kind: Some(kind),
        day: Some(day),
        ..EntityFilter::default()
    }
}

impl Service {
    pub(super) fn day(&self, sight: &Sight<'_>, request: &Request) -> Result<Answer, Error> {
        let (grid, day) = (asked_grid(sight, request)?, asked_day(request)?);
        let area = sight.area(grid)?;
        let patrols = sight.find(&area, &of_day("patrol", day))?;
        let incidents = sight.find(&area, &of_day("incident", day))?;
        let names = Names::load(sight, patrols.iter().chain(&incidents), std::iter::empty())?;
        let routes = sight.routes(&self.routes, &patrols)?;
        let rows = patrols.iter().zip(&routes);
        json(&Day {
            date: date(day),
            grid,
            now_ms: self.now_ms(),
            patrols: rows
                .map(|(row, route)| records::patrol(sight, &names, row, route))
                .collect::<Result<_, _>>()?,
            incidents: incidents
                .iter()
                .map(|row| records::incident(sight, &names, row, &project::state(row)?))
                .collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn day_routes(&self, sight: &Sight<'_>, request: &Request) -> Result<Answer, Error> {
        let (grid, day) = (asked_grid(sight, request)?, asked_day(request)?);
        let patrols = sight.find(&sight.area(grid)?, &of_day("patrol", day))?;
        let routes = sight.routes(&self.routes, &patrols)?;
        let lines = patrols.iter().zip(&routes).map(|(row, route)| RouteLine {
            patrol: row.id,
            worker: row.worker.map(|worker| worker.to_string()),
            segments: route
                .segments
                .iter()
                .map(|points| points.iter().map(|(lon, lat, _)| [*lon, *lat]).collect())
                .collect(),
        });
        json(&Routes {
            routes: lines.collect(),
        })
    }

    pub(super) fn days(&self, sight: &Sight<'_>, request: &Request) -> Result<Answer, Error> {
        let area = sight.area(asked_grid(sight, request)?)?;
        let days = sight.days(&area, &KINDS, MOST_DAYS)?;
        let days: Vec<String> = days.into_iter().map(date).collect();
        json(&object!({ "days": days }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_read_what_they_write() {
        for (day, text) in [
            (0, "1970-01-01"),
            (20_778, "2026-11-21"),
            (-1, "1969-12-31"),
        ] {
            assert_eq!(date(day), text);
            assert_eq!(parse_date(text), Ok(day));
        }
        for bad in ["", "2026-13-01", "2026-11-21T00:00", "yesterday"] {
            assert!(parse_date(bad).is_err(), "{bad}");
        }
    }
}
