//! Coverage: which visits to sites were due, which were made, and why the
//! others were not. A route's credits are decided here and nowhere else.

use gridwalk_domain::kind::{checkin, site};
use gridwalk_domain::{CheckIn, EntityId, Every, GapCause, GridId, Site};
use gridwalk_store::{EntityFilter, EntityRow};
use gridwalk_track::coverage::duty::{
    By, Calendar, Miss, Outing, Period, Reason, Seen, Unit, Visit, count,
};
use serde::Serialize;
use std::collections::{BTreeMap, HashMap};

use super::answers::{GridRef, Point, point};
use super::day::{asked_day, asked_grid, date, of_day};
use super::look::{Answer, json};
use crate::error::Error;
use crate::http::Request;
use crate::rights::Sight;
use crate::service::Service;
use crate::sites;

/// A week is counted for at most this many grids: a town. For a district it
/// would be thousands of routes.
const MOST_WEEK_GRIDS: usize = 500;
/// At most so many units are listed; their counts hold all of them.
const MOST_UNITS: usize = 3_000;

#[derive(Serialize)]
struct Coverage {
    date: String,
    grid: GridId,
    now_ms: i64,
    day: Counts,
    week: Option<Week>,
    sites: Vec<SiteRef>,
    units: Vec<UnitSaid>,
}

#[derive(Serialize)]
struct Counts {
    due: usize,
    met: usize,
}

impl Counts {
    fn of(units: &[Unit]) -> Self {
        let (due, met) = count(units);
        Self { due, met }
    }
}

#[derive(Serialize)]
struct Week {
    from: String,
    to: String,
    #[serde(flatten)]
    counts: Counts,
}

#[derive(Serialize)]
struct SiteRef {
    id: EntityId,
    name: String,
    sort: Option<String>,
    grid: GridRef,
    at: Point,
    radius_m: f64,
    every: Every,
    times: u32,
}

/// What a patrol came to: its sites, and the time in its grid.
#[derive(Serialize)]
pub(super) struct OfPatrol {
    #[serde(flatten)]
    counts: Counts,
    inside_s: Option<i64>,
    outside_s: Option<i64>,
    sites: Vec<SiteRef>,
    /// The sites that are due in each patrol.
    units: Vec<UnitSaid>,
    /// Visits in this patrol to any of the sites.
    visits: Vec<Visited>,
}

#[derive(Serialize)]
struct Visited {
    site: EntityId,
    #[serde(flatten)]
    visit: VisitSaid,
}

#[derive(Serialize)]
struct UnitSaid {
    site: EntityId,
    period: &'static str,
    patrol: Option<EntityId>,
    times: u32,
    met: bool,
    visits: Vec<VisitSaid>,
    reason: Option<ReasonSaid>,
}

#[derive(Serialize)]
struct VisitSaid {
    at_ms: i64,
    patrol: Option<EntityId>,
    by: &'static str,
    away_m: Option<f64>,
}

#[derive(Serialize)]
struct ReasonSaid {
    why: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    word: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    cause: Option<GapCause>,
    #[serde(skip_serializing_if = "Option::is_none")]
    closest_m: Option<f64>,
}

fn rounded(metres: f64) -> f64 {
    metres.round()
}

impl From<&Reason> for ReasonSaid {
    fn from(reason: &Reason) -> Self {
        let mut said = Self {
            why: "",
            word: None,
            note: None,
            cause: None,
            closest_m: None,
        };
        said.why = match reason {
            Reason::Said(word, note) => {
                (said.word, said.note) = (Some(word.clone()), note.clone());
                "said"
            }
            Reason::NotYet => "not_yet",
            Reason::TooFew => "too_few",
            Reason::NoPatrol => "no_patrol",
            Reason::Route(Miss::Vague) => "vague",
            Reason::Route(Miss::Gap(cause)) => {
                said.cause = Some(*cause);
                "gap"
            }
            Reason::Route(Miss::NotNear(closest_m)) => {
                said.closest_m = closest_m.map(rounded);
                "not_near"
            }
        };
        said
    }
}

impl From<&Visit> for VisitSaid {
    fn from(visit: &Visit) -> Self {
        let (by, away_m) = match visit.by {
            By::Route(metres) => ("route", Some(metres)),
            By::Hand(metres) => ("hand", metres),
        };
        Self {
            at_ms: visit.at_ms,
            patrol: visit.patrol,
            by,
            away_m: away_m.map(rounded),
        }
    }
}

impl From<&Unit> for UnitSaid {
    fn from(unit: &Unit) -> Self {
        let (period, patrol) = match unit.period {
            Period::Patrol(id) => ("patrol", Some(id)),
            Period::Day(_) => ("day", None),
            Period::Week(_) => ("week", None),
        };
        Self {
            site: unit.site,
            period,
            patrol,
            times: unit.times,
            met: unit.met(),
            visits: unit.visits.iter().map(Into::into).collect(),
            reason: unit.reason.as_ref().map(Into::into),
        }
    }
}

/// What bears on the coverage of one grid.
#[derive(Default)]
struct OfGrid {
    sites: Vec<Site>,
    outings: Vec<Outing>,
    checkins: Vec<CheckIn>,
}

impl Service {
    /// The coverage of a day and of its week, in a grid and below.
    pub(super) fn coverage(&self, sight: &Sight<'_>, request: &Request) -> Result<Answer, Error> {
        let (grid, day) = (asked_grid(sight, request)?, asked_day(request)?);
        let calendar = self.calendar(sight);
        let monday = Calendar::monday(day);
        let with_week = sight.grids_below(grid)?.len() <= MOST_WEEK_GRIDS;
        let days = if with_week {
            monday..monday + 7
        } else {
            day..day + 1
        };
        let grids = self.gather(sight, grid, days)?;
        let (mut of_day, mut of_week) = (Vec::new(), Vec::new());
        for of in grids.values() {
            let seen = Seen {
                sites: &of.sites,
                outings: &of.outings,
                checkins: &of.checkins,
                calendar,
            };
            of_day.extend(seen.of_day(day));
            if with_week {
                of_week.extend(seen.of_week(monday));
            }
        }
        let weekly = |unit: &&Unit| matches!(unit.period, Period::Week(_));
        let listed = of_day.iter().chain(of_week.iter().filter(weekly));
        let units = listed.take(MOST_UNITS).map(Into::into).collect();
        json(&Coverage {
            date: date(day),
            grid,
            now_ms: calendar.now_ms,
            day: Counts::of(&of_day),
            week: with_week.then(|| Week {
                from: date(monday),
                to: date(monday + 6),
                counts: Counts::of(&of_week),
            }),
            sites: site_refs(sight, grids.iter().map(|(grid, of)| (*grid, &of.sites[..]))),
            units,
        })
    }

    /// The coverage of one patrol.
    pub(super) fn patrol_coverage(
        &self,
        sight: &Sight<'_>,
        row: &EntityRow,
    ) -> Result<OfPatrol, Error> {
        let routes = sight.routes(&self.routes, std::slice::from_ref(row))?;
        let summary = routes.first().ok_or_else(crate::error::Fault::not_found)?;
        let rows = sight.children(checkin::KIND.name, row.id)?;
        let checkins = sites::checkins(&rows)?;
        let sites: Vec<Site> = match row.grid {
            Some(grid) => sight.sites(grid)?,
            None => Vec::new(),
        };
        let seen = Seen {
            sites: &sites,
            outings: std::slice::from_ref(&summary.outing),
            checkins: &checkins,
            calendar: self.calendar(sight),
        };
        let units = seen.of_patrol(row.id);
        let (inside, outside) = summary.inside_ms.unzip();
        Ok(OfPatrol {
            counts: Counts::of(&units),
            inside_s: inside.map(|ms| ms / 1000),
            outside_s: outside.map(|ms| ms / 1000),
            sites: site_refs(sight, row.grid.map(|grid| (grid, &sites[..])).into_iter()),
            units: units.iter().map(Into::into).collect(),
            visits: seen
                .visits(row.id)
                .iter()
                .map(|(site, visit)| Visited {
                    site: *site,
                    visit: visit.into(),
                })
                .collect(),
        })
    }

    fn calendar(&self, sight: &Sight<'_>) -> Calendar {
        Calendar {
            utc_offset_min: sight.viewer.tenant.utc_offset_min,
            now_ms: self.now_ms(),
        }
    }

    /// Sites, routes and check-ins by base grid.
    fn gather(
        &self,
        sight: &Sight<'_>,
        grid: GridId,
        days: std::ops::Range<i32>,
    ) -> Result<BTreeMap<GridId, OfGrid>, Error> {
        let area = sight.area(grid)?;
        let sites = EntityFilter {
            kind: Some(site::KIND.name),
            ..EntityFilter::default()
        };
        let mut out: BTreeMap<GridId, OfGrid> = BTreeMap::new();
        for (grid, place) in sites::of_rows(&sight.find(&area, &sites)?)? {
            out.entry(grid).or_default().sites = place.sites;
        }
        for day in days {
            let patrols = sight.find(&area, &of_day("patrol", day))?;
            let routes = sight.routes(&self.routes, &patrols)?;
            for (row, route) in patrols.iter().zip(routes) {
                if let Some(of) = row.grid.and_then(|grid| out.get_mut(&grid)) {
                    of.outings.push(route.outing.clone());
                }
            }
            let rows = sight.find(&area, &of_day(checkin::KIND.name, day))?;
            let mut by_grid: HashMap<GridId, Vec<EntityRow>> = HashMap::new();
            for row in rows {
                if let Some(grid) = row.grid {
                    by_grid.entry(grid).or_default().push(row);
                }
            }
            for (grid, rows) in by_grid {
                if let Some(of) = out.get_mut(&grid) {
                    of.checkins.extend(sites::checkins(&rows)?);
                }
            }
        }
        Ok(out)
    }
}

/// The sites, by name within each grid.
fn site_refs<'a>(
    sight: &Sight<'_>,
    grids: impl Iterator<Item = (GridId, &'a [Site])>,
) -> Vec<SiteRef> {
    let mut out = Vec::new();
    for (grid, sites) in grids {
        let Some(row) = sight.grid(grid) else {
            continue;
        };
        let mut sites: Vec<&Site> = sites.iter().collect();
        sites.sort_by(|a, b| a.name.cmp(&b.name).then(a.id.cmp(&b.id)));
        out.extend(sites.into_iter().map(|site| SiteRef {
            id: site.id,
            name: site.name.clone(),
            sort: site.sort.clone(),
            grid: GridRef::from(row),
            at: point(site.at),
            radius_m: site.radius_m,
            every: site.every,
            times: site.times,
        }));
    }
    out
}
