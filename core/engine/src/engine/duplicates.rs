//! A hint at reports that may be of the same thing, colleagues' included.

use gridwalk_domain::kind::incident::duplicates::{Report, duplicates};
use gridwalk_domain::{Catalogue, Entity, EntityId, Position};
use rusqlite::params;

use super::amend::shown;
use super::incident::near;
use super::{Engine, NewIncident};
use crate::core::Core;
use crate::entities;
use crate::error::{Inner, Result};
use crate::view::{self, IncidentView};

/// A degree of latitude is never shorter, in metres.
const DEGREE_M: f64 = 110_500.0;
/// How far off both places may be at most for the hint to look there.
const VAGUE_M: f64 = 2_000.0;
const HOUR_MS: i64 = 3_600_000;

/// A report that may be of the same thing.
#[derive(Clone, Debug, PartialEq)]
pub struct DuplicateView {
    /// Which.
    pub incident: IncidentView,
    /// Metres between the two places.
    pub apart_m: f64,
    /// Milliseconds between the two findings.
    pub apart_ms: i64,
}

impl Engine {
    /// Incidents that may be of the same thing as what is about to be reported,
    /// the nearest first. Without a place there is no telling.
    ///
    /// # Errors
    /// `Closed`, `Storage`.
    pub fn possible_duplicates(&self, new: &NewIncident) -> Result<Vec<DuplicateView>> {
        let now_ms = self.shared.now().wall_ms;
        self.shared.with(|core| {
            let Some(place) = new.place.or_else(|| near(core, now_ms)) else {
                return Ok(vec![]);
            };
            let category = (!new.category.is_empty()).then_some(new.category.as_str());
            let report = Report {
                place: Position {
                    lat: place.lat,
                    lon: place.lon,
                },
                accuracy_m: place.accuracy_m.unwrap_or(0.0),
                found_ms: now_ms,
                category,
            };
            like(core, &report, None)
        })
    }

    /// Incidents that may be of the same thing as this one, the nearest first.
    ///
    /// # Errors
    /// `NotFound`, `Closed`, `Storage`.
    pub fn duplicates_of(&self, incident: EntityId) -> Result<Vec<DuplicateView>> {
        self.shared.with(|core| {
            let entity = shown(core, incident)?;
            match Report::of(&entity) {
                Some(report) => like(core, &report, Some(incident)),
                None => Ok(vec![]),
            }
        })
    }
}

fn like(core: &Core, report: &Report<'_>, own: Option<EntityId>) -> Inner<Vec<DuplicateView>> {
    let synced = core.synced.as_ref();
    let nearness = synced.map_or_else(
        || Catalogue::shipped().duplicates(),
        |synced| synced.scope.catalogue.duplicates(),
    );
    let around = f64::from(nearness.metres) + report.accuracy_m + VAGUE_M;
    let lat = around / DEGREE_M;
    let lon = lat / report.place.lat.to_radians().cos().max(0.01);
    let ms = i64::from(nearness.hours) * HOUR_MS;
    let mut query = core.conn.prepare_cached(
        "SELECT entity FROM found
         WHERE found_ms BETWEEN ?1 AND ?2 AND lat BETWEEN ?3 AND ?4 AND lon BETWEEN ?5 AND ?6",
    )?;
    let rows = query.query_map(
        params![
            report.found_ms.saturating_sub(ms),
            report.found_ms.saturating_add(ms),
            report.place.lat - lat,
            report.place.lat + lat,
            report.place.lon - lon,
            report.place.lon + lon
        ],
        |row| row.get::<_, [u8; 16]>(0),
    )?;
    let ids: Vec<_> = rows.collect::<rusqlite::Result<_>>()?;
    let mut others: Vec<Entity> = Vec::new();
    for id in ids.into_iter().map(EntityId::from_bytes) {
        if Some(id) != own {
            others.extend(entities::shown(&core.conn, core.account(), id)?);
        }
    }
    let mut out = Vec::new();
    for found in duplicates(report, &others, nearness) {
        out.extend(
            view::incident(core, found.incident)?.map(|incident| DuplicateView {
                incident,
                apart_m: found.apart_m,
                apart_ms: found.apart_ms,
            }),
        );
    }
    Ok(out)
}
