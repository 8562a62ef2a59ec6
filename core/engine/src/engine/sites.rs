//! Sites: what is due, what was visited, and checking in by hand.
//!
//! The server decides what a route is credited with, from the fixes that it
//! holds. What is shown here is what that will come to, computed by the same
//! code from the fixes of this phone.

use gridwalk_domain::{CheckIn, Entity, EntityId, Every, GridId, Site, kind};
use gridwalk_track::coverage::duty::{Calendar, Outing, Period, Seen, Unit, count};
use serde_json::json;

use super::Engine;
use super::make::{Making, me};
use crate::core::Core;
use crate::error::{EngineError, Inner, Result};
use crate::identity::Synced;
use crate::view::Place;
use crate::{chunks, entities, recorder};

/// A check-in to save.
#[derive(Clone, Debug, PartialEq)]
pub struct NewCheckIn {
    /// The site.
    pub site: EntityId,
    /// Why it was *not* visited, as a word (`locked`, `no_access`, `nobody_home`
    /// …); none for a visit.
    pub missed: Option<String>,
    /// What else there is to say: at most 5,000 characters.
    pub note: Option<String>,
    /// Where the worker is, where the shell knows; else the patrol's last fix.
    pub place: Option<Place>,
}

/// A site and how it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct SiteView {
    /// The site.
    pub site: Site,
    /// The grid that it is in.
    pub grid: GridId,
    /// How it stands in the patrol, the day or the week that it is due in now;
    /// none where it is due in each patrol and there was none today.
    pub unit: Option<Unit>,
}

/// The sites of the worker's grids and how they stand today.
#[derive(Clone, Debug, PartialEq)]
pub struct CoverageView {
    /// How many visits are due today: in today's patrols, and on the day.
    pub due: usize,
    /// How many of them were made.
    pub met: usize,
    /// The sites, by name.
    pub sites: Vec<SiteView>,
}

impl Engine {
    /// Saves that the worker is at a site, or why they could not be. Durable
    /// when it returns.
    ///
    /// # Errors
    /// `NotEnrolled`, `NoShift`; `NotFound` for a site that this phone does not
    /// know; `OutOfScope` for one of a grid that is not the worker's; `Invalid`,
    /// `DiskFull`, `Storage`.
    pub fn check_in(&self, new: NewCheckIn) -> Result<EntityId> {
        let plan = |core: &Core, now_ms| {
            core.me()?;
            core.shift()?.ok_or(EngineError::NoShift)?;
            let (site, grid) = site(core, new.site)?;
            let patrol = core.recorder.live.as_ref().map(|live| live.id);
            let place = new.place.or_else(|| super::incident::near(core, now_ms));
            let fields = [
                ("worker", me(core)?),
                ("grid", Some(json!(grid))),
                ("site", Some(json!(site.id))),
                ("patrol", patrol.map(|id| json!(id))),
                ("place", place.map(super::incident::place_value)),
                ("missed", new.missed.as_ref().map(|word| json!(word))),
                ("note", new.note.as_ref().map(|text| json!(text))),
            ];
            Ok(Making::new(&kind::checkin::KIND, fields).after(patrol))
        };
        self.make(self.draw_id(), &[], plan, |_| Ok(()))
    }

    /// The sites of the worker's grids and how they stand today.
    ///
    /// # Errors
    /// `Closed`, `Storage`.
    pub fn coverage(&self) -> Result<CoverageView> {
        let now = self.shared.now();
        self.shared.with(|core| {
            let calendar = Calendar {
                utc_offset_min: core.utc_offset_min(),
                now_ms: now.wall_ms,
            };
            view(core, calendar)
        })
    }
}

fn site(core: &Core, id: EntityId) -> Inner<(Site, GridId)> {
    let record = entities::shown(&core.conn, core.account(), id)?.ok_or(EngineError::NotFound)?;
    let found = Site::of(&record).zip(kind::grid_of(&record));
    Ok(found.ok_or(EngineError::NotFound)?)
}

/// All records of a kind in the worker's own grids.
fn all(core: &Core, kind: &str) -> Inner<Vec<Entity>> {
    let mut out = Vec::new();
    for id in entities::ids(&core.conn, core.account(), kind)? {
        let record = entities::shown(&core.conn, core.account(), id)?;
        let own = |record: &Entity| {
            let grid = kind::grid_of(record);
            grid.is_some_and(|g| core.synced.as_ref().is_some_and(|s: &Synced| s.writes(g)))
        };
        out.extend(record.filter(own));
    }
    Ok(out)
}

fn view(core: &Core, calendar: Calendar) -> Inner<CoverageView> {
    let records = all(core, kind::site::KIND.name)?;
    let mut sites: Vec<(Site, GridId)> = records
        .iter()
        .filter_map(|record| Site::of(record).zip(kind::grid_of(record)))
        .collect();
    sites.sort_by(|(a, _), (b, _)| a.name.cmp(&b.name).then(a.id.cmp(&b.id)));
    let checkins = all(core, kind::checkin::KIND.name)?;
    let checkins: Vec<CheckIn> = checkins.iter().filter_map(CheckIn::of).collect();
    let today = calendar.day(calendar.now_ms);
    let monday = Calendar::monday(today);
    let weekly = sites.iter().any(|(site, _)| site.every == Every::Week);
    let from = if weekly { monday } else { today };
    let outings = outings(core, &sites, |at_ms| {
        (from..=today).contains(&calendar.day(at_ms))
    })?;

    let (mut day, mut week) = (Vec::new(), Vec::new());
    for grid in core.synced.iter().flat_map(Synced::own_grids) {
        let own: Vec<Site> = sites
            .iter()
            .filter(|(_, of)| *of == grid.id)
            .map(|(site, _)| site.clone())
            .collect();
        let outings: Vec<Outing> = outings
            .iter()
            .filter(|(of, _)| *of == grid.id)
            .map(|(_, outing)| outing.clone())
            .collect();
        let seen = Seen {
            sites: &own,
            outings: &outings,
            checkins: &checkins,
            calendar,
        };
        day.extend(seen.of_day(today));
        let weekly = |unit: &Unit| matches!(unit.period, Period::Week(_));
        week.extend(seen.of_week(monday).into_iter().filter(weekly));
    }
    let (due, met) = count(&day);
    let last = |site: &Site| {
        let mut units = day.iter().chain(&week).rev();
        units.find(|unit| unit.site == site.id).cloned()
    };
    Ok(CoverageView {
        due,
        met,
        sites: sites
            .into_iter()
            .map(|(site, grid)| SiteView {
                unit: last(&site),
                site,
                grid,
            })
            .collect(),
    })
}

/// This phone's patrols that began at such times, with their grids, in the
/// order of time.
fn outings(
    core: &Core,
    sites: &[(Site, GridId)],
    wanted: impl Fn(i64) -> bool,
) -> Inner<Vec<(GridId, Outing)>> {
    let mut out = Vec::new();
    for patrol in all(core, kind::patrol::KIND.name)? {
        let started_ms = patrol.created.at_ms;
        let Some(grid) = kind::grid_of(&patrol).filter(|_| wanted(started_ms)) else {
            continue;
        };
        let live = core
            .recorder
            .live
            .as_ref()
            .filter(|live| live.id == patrol.id);
        let route = match live {
            Some(live) => live.route(&patrol),
            None => {
                let runs = chunks::decode(&chunks::bodies(&core.conn, patrol.id)?)?;
                // A colleague's patrol is known here, its fixes are not.
                if runs.is_empty() {
                    continue;
                }
                recorder::route(runs.values(), &patrol)
            }
        };
        let own: Vec<Site> = sites
            .iter()
            .filter(|(_, of)| *of == grid)
            .map(|(site, _)| site.clone())
            .collect();
        let finished = patrol.history.last();
        let finished = finished.filter(|step| step.to == kind::patrol::FINISHED);
        let ended_ms = finished.map(|step| step.stamp.at_ms);
        out.push((
            grid,
            Outing::of(patrol.id, started_ms, ended_ms, &route, &own),
        ));
    }
    out.sort_by_key(|(_, outing)| outing.started_ms);
    Ok(out)
}
