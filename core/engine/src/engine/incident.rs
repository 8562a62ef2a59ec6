//! Incidents.

use gridwalk_domain::catalogue::ANSWER;
use gridwalk_domain::{Catalogue, Entity, EntityId, Grid, Intent, kind};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;

use super::Engine;
use super::amend::{amendable, setting};
use super::form::{self, Picture, PictureAnswer};
use super::make::{Form, Making, me, time_value};
use crate::attachments::{self, Kept, NewPhoto, pretence};
use crate::core::{Core, pen};
use crate::error::{EngineError, Inner, Result};
use crate::gate::Gate;
use crate::identity::choose_grid;
use crate::view::Place;

/// An incident's place is where the patrol's last fix was, if that is no older.
const FRESH_MS: i64 = 120_000;

/// The severity of an incident whose reporter names none.
const NORMAL: &str = "normal";

/// An incident to report. A place and nothing else is enough: it is classified
/// later, before it goes on its way.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
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
    /// Answers that are pictures: a signature, or photos in their order, behind
    /// those of which a reference stands in `answers`.
    #[serde(skip)]
    pub pictures: Vec<PictureAnswer>,
    /// Where; without one, the last fix of the running patrol that is used for
    /// the route and is younger than two minutes.
    pub place: Option<Place>,
    /// Where, in words: at most 200 characters. Where nobody says and no fix
    /// tells, the name of the grid stands here.
    pub address: Option<String>,
    /// Photos; metadata is taken out of them.
    #[serde(skip)]
    pub photos: Vec<NewPhoto>,
}

/// What an incident is, in the catalogue's words.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Classification {
    /// The code of its category.
    pub category: String,
    /// The code of its sub-category.
    pub subcategory: Option<String>,
    /// The code of its severity; as in [`NewIncident`] where none is named.
    pub severity: Option<String>,
    /// Answers to the questions of its category, by their codes.
    pub answers: BTreeMap<String, Value>,
    /// Answers that are pictures; as in [`NewIncident`].
    pub pictures: Vec<PictureAnswer>,
}

impl NewIncident {
    fn class(&self) -> Classification {
        Classification {
            category: self.category.clone(),
            subcategory: self.subcategory.clone(),
            severity: self.severity.clone(),
            answers: self.answers.clone(),
            // They are large, and stay where they are.
            pictures: vec![],
        }
    }
}

impl Engine {
    /// Whether the worker may report an incident now: to be asked before the
    /// form opens.
    ///
    /// # Errors
    /// Those of [`Engine::may_make`].
    pub fn may_report(&self) -> Result<()> {
        self.may_make(Form::Incident)
    }

    /// Reports an incident in the grid of the shift, on the patrol that runs if
    /// one does. The report and its photos are durable when it returns.
    ///
    /// # Errors
    /// `NotEnrolled`, `NoShift`, `OutOfScope`, `UnknownCategory`, `NotAllowed`
    /// where an answer is none, `Invalid`, `NotTaken`,
    /// `DiskFull`, `Storage`.
    pub fn report_incident(&self, new: NewIncident) -> Result<EntityId> {
        let plan = |core: &Core, now_ms| report(core, &new, &Seen::now(core, now_ms));
        self.make(self.draw_id(), &new.photos, plan, |_| Ok(()))
    }

    /// Says what an incident is, or says it anew: a quick capture before it goes
    /// on its way. Answers that are not given again stay. It and its pictures
    /// are durable when it returns.
    ///
    /// # Errors
    /// Those of [`Engine::edit`]; `UnknownCategory`, `NotAllowed` where an answer
    /// is none, and `NotTaken`.
    pub fn classify(&self, incident: EntityId, class: &Classification) -> Result<()> {
        let now = self.shared.now();
        let pictures = self.shared.with(|core| {
            let entity = amendable(core, incident)?;
            let pen = pen(core.me.as_ref(), core.synced.as_ref(), &self.shared, now)?;
            let pictures = pictures_of(class, pen.gate.catalogue_for(&entity)?);
            let references = std::iter::repeat_with(pretence);
            let intent = classing(&pen.gate, &entity, class, references)?;
            pen.would(&core.conn, incident, &entity.kind, intent)?;
            let pictures = pictures.iter().map(Picture::attachment);
            Ok(pictures.collect::<Vec<_>>())
        })?;
        // The record says where.
        let kept = self.keep(pictures, None)?;
        self.amend(incident, |tx, pen, shown| {
            kept.ensure()?;
            let references = kept.iter().map(Kept::reference);
            let intent = classing(&pen.gate, shown, class, references)?;
            pen.amend(tx, shown, intent)?;
            kept.iter().try_for_each(|one| {
                attachments::refer(tx, pen.me.account, incident, one, pen.at.wall_ms)
            })
        })
    }
}

/// What a classification writes.
fn classing(
    gate: &Gate<'_>,
    shown: &Entity,
    class: &Classification,
    references: impl IntoIterator<Item = Value>,
) -> Inner<Intent> {
    let catalogue = gate.catalogue_for(shown)?;
    let mut values = class_fields(class, catalogue);
    form::fill(&mut values, &pictures_of(class, catalogue), references);
    let version = json!(catalogue.version);
    if shown.text("category").is_none() && shown.value("catalogue") != Some(&version) {
        values.insert("catalogue".to_owned(), version);
    }
    if shown.text("subcategory").is_some() {
        let entry = values.entry("subcategory".to_owned());
        entry.or_insert(Value::Null);
    }
    Ok(setting(values, shown))
}

/// The grid that the worker reports in: that of the shift.
pub(super) fn grid(core: &Core) -> Inner<Grid> {
    core.me()?;
    let (running, _) = core.shift()?.ok_or(EngineError::NoShift)?;
    Ok(choose_grid(core.synced.as_ref(), Some(running.grid.id))?)
}

/// When and on which patrol an incident was found.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Seen {
    pub(super) found_ms: i64,
    pub(super) patrol: Option<EntityId>,
}

impl Seen {
    pub(super) fn now(core: &Core, now_ms: i64) -> Self {
        Self {
            found_ms: now_ms,
            patrol: core.recorder.live.as_ref().map(|live| live.id),
        }
    }
}

/// A report as it is written.
pub(super) fn report<'a>(core: &Core, new: &'a NewIncident, seen: &Seen) -> Inner<Making<'a>> {
    let grid = grid(core)?;
    let synced = core.synced.as_ref().ok_or(EngineError::NotEnrolled)?;
    let catalogue = &synced.scope.catalogue;
    let class = class_fields(&new.class(), catalogue);
    let place = new.place.or_else(|| near(core, seen.found_ms));
    let said = new.address.as_ref().filter(|text| !text.trim().is_empty());
    let address = said.or_else(|| place.is_none().then_some(&grid.name));
    let title = (!new.title.is_empty()).then_some(&new.title);
    let kind = &kind::incident::KIND;
    let fields = [
        ("worker", me(core)?),
        ("grid", Some(json!(grid.id))),
        ("patrol", seen.patrol.map(|id| json!(id))),
        ("catalogue", Some(json!(catalogue.version))),
        ("title", title.map(|text| json!(text))),
        (
            "description",
            new.description.as_ref().map(|text| json!(text)),
        ),
        ("place", place.map(place_value)),
        ("address", address.map(|text| json!(text))),
        ("found_ms", time_value(kind, "found_ms", seen.found_ms)),
    ];
    let pictures = form::pictures(
        &new.pictures,
        catalogue,
        &new.category,
        new.subcategory.as_deref(),
    );
    Ok(Making::new(kind, fields).and(class).answered_by(pictures))
}

/// The pictures of a classification.
fn pictures_of<'a>(class: &'a Classification, catalogue: &Catalogue) -> Vec<Picture<'a>> {
    let sub = class.subcategory.as_deref();
    form::pictures(&class.pictures, catalogue, &class.category, sub)
}

/// How a report is classified, with the answers to its form.
fn class_fields(class: &Classification, catalogue: &Catalogue) -> BTreeMap<String, Value> {
    let category = catalogue.category(&class.category);
    let sub = class.subcategory.as_deref();
    let usual = category
        .zip(sub)
        .and_then(|(category, sub)| category.sub(sub)?.severity.as_deref());
    let usual = usual.or_else(|| category.map(|_| NORMAL));
    let severity = class.severity.as_deref().or(usual);
    let category = (!class.category.is_empty()).then_some(class.category.as_str());
    let codes = [
        ("category", category),
        ("subcategory", sub),
        ("severity", severity),
    ];
    let codes = codes
        .into_iter()
        .filter_map(|(name, code)| Some((name.to_owned(), json!(code?))));
    let answers = class.answers.iter();
    let answers = answers.map(|(code, value)| (format!("{ANSWER}{code}"), value.clone()));
    codes.chain(answers).collect()
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
