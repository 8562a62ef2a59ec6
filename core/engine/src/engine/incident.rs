//! Incidents.

use gridwalk_domain::{EntityId, Intent, StreamKey, kind};
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::Engine;
use crate::attachments::{self, NewPhoto};
use crate::core::{Core, begin, pen};
use crate::error::{EngineError, Inner, Result};
use crate::identity::choose_grid;
use crate::observe::Touched;
use crate::view::Place;

/// An incident's place is where the patrol's last fix was, if that is no older.
const FRESH_MS: i64 = 120_000;

/// The severity of an incident whose reporter names none.
const NORMAL: &str = "normal";

/// An incident to report.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewIncident {
    /// The code of its category in the catalogue.
    pub category: String,
    /// The code of its severity; `normal` where none is named.
    pub severity: Option<String>,
    /// One line, 1 to 100 characters.
    pub title: String,
    /// What was seen: at most 5,000 characters.
    pub description: Option<String>,
    /// Where; without one, the last fix of the running patrol that is used for
    /// the route and is younger than two minutes.
    pub place: Option<Place>,
    /// Photos; metadata is taken out of them.
    pub photos: Vec<NewPhoto>,
}

impl Engine {
    /// Reports an incident in the grid of the shift, on the patrol that runs if
    /// one does. The report and its photos are durable when it returns.
    ///
    /// # Errors
    /// `NotEnrolled`, `NoShift`, `OutOfScope`, `UnknownCategory`, `Invalid`,
    /// `NotTaken`, `DiskFull`, `Storage`.
    pub fn report_incident(&self, mut new: NewIncident) -> Result<EntityId> {
        // Whether it may be written comes before the work on the photos.
        self.shared.with(|core| check(core, &new))?;
        let photos = std::mem::take(&mut new.photos);
        // The report says where.
        let kept = self.take(photos.into_iter().map(Into::into).collect(), None)?;
        self.shared.change(|core| {
            let now = self.shared.now();
            let (home, fields) = fields(core, &new, now.wall_ms)?;
            let pen = pen(
                core.me.as_ref().ok_or(EngineError::NotEnrolled)?,
                &self.shared,
                now,
            );
            let id = EntityId::draw(&*self.shared.rng);
            let kind = kind::incident::KIND.name;
            self.ensure(&kept)?;
            let tx = begin(&mut core.conn)?;
            pen.write(&tx, id, kind, vec![], Intent::Create { home, fields })?;
            for photo in &kept {
                let value = photo.reference();
                let list = kind::incident::PHOTOS.to_owned();
                pen.write(&tx, id, kind, vec![], Intent::Append { list, value })?;
                attachments::refer(&tx, pen.me.account, id, photo, now.wall_ms)?;
            }
            tx.commit()?;
            Ok((id, Touched::records([id])))
        })
    }
}

/// Whether the report may be written: who, when, where, as what.
fn check(core: &mut Core, new: &NewIncident) -> Inner<()> {
    core.me()?;
    let (running, _) = core.shift()?.ok_or(EngineError::NoShift)?;
    choose_grid(core.synced.as_ref(), Some(running.grid.id))?;
    let catalogue = core
        .synced
        .as_ref()
        .map(|synced| &synced.scope.catalogue)
        .ok_or(EngineError::NotEnrolled)?;
    let unknown = |code: &str| EngineError::UnknownCategory {
        code: code.to_owned(),
    };
    catalogue
        .category(&new.category)
        .ok_or_else(|| unknown(&new.category))?;
    let severity = new.severity.as_deref().unwrap_or(NORMAL);
    catalogue
        .severity(severity)
        .ok_or_else(|| unknown(severity))?;
    Ok(())
}

fn fields(
    core: &mut Core,
    new: &NewIncident,
    now_ms: i64,
) -> Inner<(StreamKey, BTreeMap<String, Value>)> {
    check(core, new)?;
    let (running, _) = core.shift()?.ok_or(EngineError::NoShift)?;
    let version = core
        .synced
        .as_ref()
        .map_or(0, |synced| synced.scope.catalogue.version);
    let place = new.place.or_else(|| near(core, now_ms)).map(place_value);
    let live = core.recorder.live.as_ref();
    let fields = [
        ("worker", Some(json!(core.me()?.worker.id))),
        ("grid", Some(json!(running.grid.id))),
        ("patrol", live.map(|live| json!(live.id))),
        ("catalogue", Some(json!(version))),
        ("category", Some(json!(new.category))),
        (
            "severity",
            Some(json!(new.severity.as_deref().unwrap_or(NORMAL))),
        ),
        ("title", Some(json!(new.title))),
        (
            "description",
            new.description.as_ref().map(|text| json!(text)),
        ),
        ("place", place),
        ("found_ms", Some(json!(now_ms))),
    ];
    let fields = fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Ok((StreamKey::Records(running.grid.id), fields.collect()))
}

/// Where the running patrol's last fix was, if that is no older than it may be.
pub(super) fn near(core: &Core, now_ms: i64) -> Option<Place> {
    let live = core.recorder.live.as_ref().filter(|live| !live.paused)?;
    let fix = live.last_used?;
    ((now_ms - fix.time_ms).abs() < FRESH_MS).then(|| Place {
        lat: fix.position.lat,
        lon: fix.position.lon,
        accuracy_m: fix.accuracy_m.map(f64::from),
    })
}

/// A place as a record holds it.
pub(crate) fn place_value(place: Place) -> Value {
    match place.accuracy_m {
        None => json!({ "lat": place.lat, "lon": place.lon }),
        Some(accuracy) => json!({ "lat": place.lat, "lon": place.lon, "accuracy_m": accuracy }),
    }
}
