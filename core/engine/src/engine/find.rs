//! Lists of incidents, and searching them.

use gridwalk_domain::calendar::Date;
use gridwalk_domain::{EntityId, Position, kind, search};
use gridwalk_track::geometry::distance_m;
use rusqlite::{Row, params};

use super::Engine;
use crate::core::Core;
use crate::error::{EngineError, Inner, Result};
use crate::{IncidentView, view};

/// The most incidents on one page.
pub const MAX_PAGE: usize = 500;
/// The longest text that is searched for, in characters.
pub const MAX_SEARCH: usize = 100;
const DAY_MS: i64 = 24 * 3_600_000;

/// A circle on the ground, WGS-84.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Near {
    /// Its middle.
    pub position: Position,
    /// Its radius in metres.
    pub within_m: f64,
}

/// In which order incidents come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Sort {
    /// The newest first.
    #[default]
    Newest,
    /// The nearest first, by [`IncidentQuery::near`]; the newest first among
    /// equals.
    Nearest,
}

/// Which incidents are asked for: those that fit all that is named.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentQuery {
    /// Its state: `reported`, `escalated` …
    pub status: Option<String>,
    /// The code of its category.
    pub category: Option<String>,
    /// The day on which it was found, by the district's clocks.
    pub day: Option<Date>,
    /// Words, all of which are in its title or its description, as parts of
    /// words too; at most [`MAX_SEARCH`] characters.
    pub text: Option<String>,
    /// Where it was found; what has no place is not near anything.
    pub near: Option<Near>,
    /// In which order they come.
    pub sort: Sort,
    /// How many come before this page.
    pub offset: usize,
    /// How many come at most: up to [`MAX_PAGE`].
    pub limit: usize,
}

impl Default for IncidentQuery {
    fn default() -> Self {
        Self {
            status: None,
            category: None,
            day: None,
            text: None,
            near: None,
            sort: Sort::default(),
            offset: 0,
            limit: 50,
        }
    }
}

/// A page of incidents.
#[derive(Clone, Debug, PartialEq)]
pub struct IncidentPage {
    /// How many fit in all.
    pub total: usize,
    /// Those of the page.
    pub incidents: Vec<IncidentView>,
}

impl Engine {
    /// The incidents on this phone that fit.
    ///
    /// # Errors
    /// `Invalid` with the part of the query at fault; `DiskFull` where another
    /// version of the app made the index and it cannot be made anew; `Closed`,
    /// `Storage`.
    pub fn find_incidents(&self, query: &IncidentQuery) -> Result<IncidentPage> {
        check(query)?;
        self.shared.with(|core| {
            core.renew_index(&self.shared.app)?;
            let ids = ids(core, query)?;
            let page = ids.iter().skip(query.offset).take(query.limit);
            let mut incidents = Vec::with_capacity(query.limit.min(ids.len()));
            for id in page {
                incidents.extend(view::incident(core, *id)?);
            }
            Ok(IncidentPage {
                total: ids.len(),
                incidents,
            })
        })
    }
}

fn check(query: &IncidentQuery) -> Result<()> {
    let invalid = |field: &str, why: String| {
        Err(EngineError::Invalid {
            field: field.to_owned(),
            why,
        })
    };
    if let Some(status) = &query.status
        && !kind::incident::STATUSES.contains(&status.as_str())
    {
        let known = kind::incident::STATUSES.join(", ");
        return invalid("status", format!("not a state; there are: {known}"));
    }
    if let Some(text) = &query.text
        && text.chars().nth(MAX_SEARCH).is_some()
    {
        return invalid("text", format!("longer than {MAX_SEARCH} characters"));
    }
    if let Some(near) = query.near {
        let Position { lat, lon } = near.position;
        if !((-90.0..=90.0).contains(&lat) && (-180.0..=180.0).contains(&lon)) {
            return invalid("near", "not a place on the earth, in degrees".to_owned());
        }
        if !near.within_m.is_finite() || near.within_m < 0.0 {
            return invalid("near", "not a distance in metres".to_owned());
        }
    }
    if query.sort == Sort::Nearest && query.near.is_none() {
        return invalid("sort", "nearest to what? name a place".to_owned());
    }
    if !(1..=MAX_PAGE).contains(&query.limit) {
        return invalid("limit", format!("expected 1 to {MAX_PAGE}"));
    }
    Ok(())
}

/// All that fit, in their order.
fn ids(core: &Core, query: &IncidentQuery) -> Inner<Vec<EntityId>> {
    let day = query.day.map(|day| {
        let from = day.day() * DAY_MS - i64::from(core.utc_offset_min()) * 60_000;
        (from, from + DAY_MS)
    });
    let words = query.text.as_deref().map(search::folded);
    let (from, to) = day.unwrap_or((i64::MIN, i64::MAX));
    let mut rows = core.conn.prepare_cached(
        "SELECT entity, lat, lon, text FROM found
         WHERE found_ms >= ?1 AND found_ms < ?2
           AND (?3 IS NULL OR status = ?3) AND (?4 IS NULL OR category = ?4)
         ORDER BY found_ms DESC, entity DESC",
    )?;
    let mut rows = rows.query(params![from, to, query.status, query.category])?;
    let mut out = Vec::new();
    while let Some(row) = rows.next()? {
        let distance = match query.near {
            None => 0.0,
            Some(near) => match distance(row, near)? {
                Some(distance) => distance,
                None => continue,
            },
        };
        if let Some(words) = &words
            && !search::matches(row.get_ref(3)?.as_str().unwrap_or_default(), words)
        {
            continue;
        }
        out.push((distance, EntityId::from_bytes(row.get(0)?)));
    }
    if query.sort == Sort::Nearest {
        out.sort_by(|(a, _), (b, _)| a.total_cmp(b));
    }
    Ok(out.into_iter().map(|(_, id)| id).collect())
}

/// How far from the middle, where that is within the circle.
fn distance(row: &Row<'_>, near: Near) -> Inner<Option<f64>> {
    let (lat, lon): (Option<f64>, Option<f64>) = (row.get(1)?, row.get(2)?);
    let place = lat.zip(lon).map(|(lat, lon)| Position { lat, lon });
    let distance = place.map(|place| distance_m(near.position, place));
    Ok(distance.filter(|distance| *distance <= near.within_m))
}
