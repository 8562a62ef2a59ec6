//! Incidents.

use gridwalk_domain::catalogue::ANSWER;
use gridwalk_domain::kind::Kind;
use gridwalk_domain::{Catalogue, EntityId, Grid, Intent, Sha256, StreamKey, kind};
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::Engine;
use crate::attachments::{self, Photo};
use crate::core::{Core, begin, pen};
use crate::error::{EngineError, Inner, Result};
use crate::gate::Gate;
use crate::identity::choose_grid;
use crate::observe::Touched;
use crate::view::Place;

/// An incident's place is where the patrol's last fix was, if that is no older.
const FRESH_MS: i64 = 120_000;

/// The severity of an incident whose reporter names none.
const NORMAL: &str = "normal";

/// A photo as the camera gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewPhoto {
    /// Its bytes: JPEG, PNG or WebP.
    pub bytes: Vec<u8>,
    /// What the shell believes it to be. The engine reads the type from the
    /// bytes and goes by that.
    pub mime: String,
}

/// An incident to report. A place and nothing else is enough: it is classified
/// later, before it goes on its way.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewIncident {
    /// The code of its category in the catalogue; empty where it is classified
    /// later.
    pub category: String,
    /// The code of its sub-category.
    pub subcategory: Option<String>,
    /// The code of its severity; where none is named, that which its
    /// sub-category mostly has, else `normal`.
    pub severity: Option<String>,
    /// One line of at most 100 characters; may be empty.
    pub title: String,
    /// What was seen: at most 5,000 characters.
    pub description: Option<String>,
    /// Answers to the questions of its category, by their codes; those that are
    /// required may wait until it goes on its way.
    pub answers: BTreeMap<String, Value>,
    /// Where; without one, the last fix of the running patrol that is used for
    /// the route and is younger than two minutes.
    pub place: Option<Place>,
    /// Where, in words: at most 200 characters. Where nobody says and no fix
    /// tells, the name of the grid stands here.
    pub address: Option<String>,
    /// Photos; metadata is taken out of them.
    pub photos: Vec<NewPhoto>,
}

impl Engine {
    /// Whether the worker may report an incident now: to be asked before the
    /// form opens.
    ///
    /// # Errors
    /// Why not: `NotEnrolled`, `NoShift`, `OutOfScope`, `NotAllowed`.
    pub fn may_report(&self) -> Result<()> {
        self.shared.with(|core| {
            let grid = grid(core)?;
            let gate = Gate::new(core.me()?, core.synced.as_ref());
            let may = gate.rights().may_create(&kind::incident::KIND, grid.id);
            Ok(may.map_err(EngineError::from)?)
        })
    }

    /// Reports an incident in the grid of the shift, on the patrol that runs if
    /// one does. The report and its photos are durable when it returns.
    ///
    /// # Errors
    /// `NotEnrolled`, `NoShift`, `OutOfScope`, `UnknownCategory`, `NotAllowed`
    /// where an answer is none, `Invalid`, `PhotoNotTaken`,
    /// `DiskFull`, `Storage`.
    pub fn report_incident(&self, new: NewIncident) -> Result<EntityId> {
        let now = self.shared.now();
        let id = EntityId::draw(&*self.shared.rng);
        let kind = kind::incident::KIND.name;
        // Whether it may be written comes before the work on the photos.
        self.shared.with(|core| {
            let create = create(core, &new, now.wall_ms)?;
            let pen = pen(core.me.as_ref(), core.synced.as_ref(), &self.shared, now)?;
            pen.would(&core.conn, id, kind, create)
        })?;
        let stored = self.store_photos(&new.photos)?;
        self.shared.change(|core| {
            let now = self.shared.now();
            let create = create(core, &new, now.wall_ms)?;
            let pen = pen(core.me.as_ref(), core.synced.as_ref(), &self.shared, now)?;
            self.ensure_stored(&stored)?;
            let tx = begin(&mut core.conn)?;
            pen.write(&tx, id, kind, vec![], create)?;
            for (sha256, photo) in &stored {
                let value = Photo::reference(photo, *sha256);
                let list = kind::incident::PHOTOS.to_owned();
                pen.write(&tx, id, kind, vec![], Intent::Append { list, value })?;
                attachments::refer(&tx, pen.me.account, id, photo, *sha256, now.wall_ms)?;
            }
            tx.commit()?;
            Ok((id, Touched::records([id])))
        })
    }

    /// Cleans photos and stores them, without the lock: all can be taken, or
    /// none is stored.
    pub(super) fn store_photos(&self, photos: &[NewPhoto]) -> Result<Vec<(Sha256, Photo)>> {
        let mut cleaned = Vec::with_capacity(photos.len());
        for (index, photo) in photos.iter().enumerate() {
            let index = u32::try_from(index).unwrap_or(u32::MAX);
            let taken = attachments::clean(photo.bytes.clone()).map_err(|why| {
                EngineError::PhotoNotTaken {
                    index,
                    why: why.to_owned(),
                }
            })?;
            cleaned.push(taken);
        }
        let mut stored = Vec::with_capacity(cleaned.len());
        for photo in cleaned {
            stored.push((self.shared.vault.put(&photo.bytes)?, photo));
        }
        Ok(stored)
    }

    /// Makes sure, under the lock, that photos which were stored before it are
    /// in place still: the same content may just have been removed with the
    /// last record that showed it.
    pub(super) fn ensure_stored(&self, stored: &[(Sha256, Photo)]) -> Inner<()> {
        for (sha256, photo) in stored {
            if !self.shared.vault.holds(*sha256, photo.bytes.len())? {
                self.shared.vault.put(&photo.bytes)?;
            }
        }
        Ok(())
    }
}

/// The grid that the worker reports in: that of the shift.
pub(super) fn grid(core: &Core) -> Inner<Grid> {
    core.me()?;
    let (running, _) = core.shift()?.ok_or(EngineError::NoShift)?;
    Ok(choose_grid(core.synced.as_ref(), Some(running.grid.id))?)
}

/// A report as it is written.
fn create(core: &Core, new: &NewIncident, now_ms: i64) -> Inner<Intent> {
    let grid = grid(core)?;
    let catalogue = core
        .synced
        .as_ref()
        .map(|synced| &synced.scope.catalogue)
        .ok_or(EngineError::NotEnrolled)?;
    let place = new.place.or_else(|| near(core, now_ms)).map(place_value);
    let said = new.address.clone().filter(|text| !text.trim().is_empty());
    let address = said.or_else(|| place.is_none().then(|| grid.name.clone()));
    let live = core.recorder.live.as_ref();
    let fields = [
        ("worker", Some(json!(core.me()?.worker.id))),
        ("grid", Some(json!(grid.id))),
        ("patrol", live.map(|live| json!(live.id))),
        ("catalogue", Some(json!(catalogue.version))),
        ("title", (!new.title.is_empty()).then(|| json!(new.title))),
        (
            "description",
            new.description.as_ref().map(|text| json!(text)),
        ),
        ("place", place),
        ("address", address.map(|text| json!(text))),
        (
            "found_ms",
            time_value(&kind::incident::KIND, "found_ms", now_ms),
        ),
    ];
    let fields = fields
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?)));
    let home = StreamKey::Records(grid.id);
    let fields = fields.chain(class_fields(new, catalogue)).collect();
    Ok(Intent::Create { home, fields })
}

/// How a report is classified, with the answers to its form.
fn class_fields(new: &NewIncident, catalogue: &Catalogue) -> BTreeMap<String, Value> {
    let category = catalogue.category(&new.category);
    let sub = new.subcategory.as_deref();
    let usual = category
        .zip(sub)
        .and_then(|(category, sub)| category.sub(sub)?.severity.as_deref());
    let usual = usual.or_else(|| category.map(|_| NORMAL));
    let severity = new.severity.as_deref().or(usual);
    let category = (!new.category.is_empty()).then_some(new.category.as_str());
    let class = [
        ("category", category),
        ("subcategory", sub),
        ("severity", severity),
    ];
    let class = class
        .into_iter()
        .filter_map(|(name, code)| Some((name.to_owned(), json!(code?))));
    let answers = new.answers.iter();
    let answers = answers.map(|(code, value)| (format!("{ANSWER}{code}"), value.clone()));
    class.chain(answers).collect()
}

/// A time by this phone's clock as a field of a record; none where the clock is
/// so wrong that it can be no time: the server knows better when that was.
pub(super) fn time_value(kind: &Kind, field: &str, at_ms: i64) -> Option<Value> {
    let check = kind.fields.iter().find(|(name, _)| *name == field)?.1;
    Some(json!(at_ms)).filter(|time| check(time).is_ok())
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
pub(super) fn place_value(place: Place) -> Value {
    match place.accuracy_m {
        None => json!({ "lat": place.lat, "lon": place.lon }),
        Some(accuracy) => json!({ "lat": place.lat, "lon": place.lon, "accuracy_m": accuracy }),
    }
}
