//! Household visits.

use gridwalk_domain::kind::visit::KIND;
use gridwalk_domain::{Entity, EntityId};
use serde_json::json;

use super::incident::{grid, near, place_value};
use super::make::{Making, me, time_value};
use super::{Engine, NewPhoto};
use crate::core::Core;
use crate::error::{Inner, Result};
use crate::view::{self, Person, Place, RecordView, one_of, shown_of, value};

/// The earliest time that a record may name: where no clock can be right.
const FROM_2020_MS: i64 = 1_577_836_800_000;

/// A visit to record.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NewVisit {
    /// Whose door it was: one line, 1 to 100 characters.
    pub household: String,
    /// Whom the worker spoke with.
    pub person: Option<Person>,
    /// What for, as a word: `routine`, `elder`, `tenant` …
    pub purpose: Option<String>,
    /// What was found: at most 5,000 characters.
    pub found: Option<String>,
    /// The task that asked for it.
    pub task: Option<EntityId>,
    /// Where; without one, the last fix of the running patrol.
    pub place: Option<Place>,
    /// Where, in words: at most 200 characters.
    pub address: Option<String>,
    /// Photos; metadata is taken out of them.
    pub photos: Vec<NewPhoto>,
}

/// A visit.
#[derive(Clone, Debug, PartialEq)]
pub struct VisitView {
    /// What every record has.
    pub record: RecordView,
    /// When, in milliseconds since 1970.
    pub visited_ms: i64,
    /// Whose door it was.
    pub household: String,
    /// Whom the worker spoke with.
    pub person: Option<Person>,
    /// What for.
    pub purpose: Option<String>,
    /// What was found.
    pub found: Option<String>,
    /// The task that asked for it.
    pub task: Option<EntityId>,
    /// Where.
    pub place: Option<Place>,
    /// Where, in words.
    pub address: Option<String>,
}

impl Engine {
    /// Records a visit in the grid of the shift, on the patrol that runs if one
    /// does. Durable when it returns.
    ///
    /// # Errors
    /// `NotEnrolled`, `NoShift`, `OutOfScope`, `Invalid`, `NotTaken`,
    /// `DiskFull`, `Storage`.
    pub fn record_visit(&self, new: &NewVisit) -> Result<EntityId> {
        let plan = |core: &Core, now_ms| {
            let grid = grid(core)?;
            let patrol = core.recorder.live.as_ref().map(|live| live.id);
            let at_ms = core.server_ms(now_ms);
            let visited = time_value(&KIND, "visited_ms", at_ms);
            let place = new.place.or_else(|| near(core, now_ms));
            let fields = [
                ("worker", me(core)?),
                ("grid", Some(json!(grid.id))),
                ("patrol", patrol.map(|id| json!(id))),
                ("task", new.task.map(|id| json!(id))),
                ("visited_ms", visited.or(Some(json!(FROM_2020_MS)))),
                ("household", Some(json!(new.household))),
                ("person", new.person.as_ref().map(|person| json!(person))),
                ("purpose", new.purpose.as_ref().map(|word| json!(word))),
                ("found", new.found.as_ref().map(|text| json!(text))),
                ("place", place.map(place_value)),
                ("address", new.address.as_ref().map(|text| json!(text))),
            ];
            Ok(Making::new(&KIND, fields).after(patrol))
        };
        self.make(self.draw_id(), &new.photos, plan, |_| Ok(()))
    }

    /// The visits that this phone knows, the newest first.
    ///
    /// # Errors
    /// `Closed`, `Storage`.
    pub fn visits(&self) -> Result<Vec<VisitView>> {
        self.shared.with(|core| {
            let all = shown_of(core, KIND.name)?.into_iter();
            all.map(|entity| of(core, &entity)).collect()
        })
    }

    /// One visit.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn visit(&self, id: EntityId) -> Result<VisitView> {
        self.shared
            .with(|core| of(core, &one_of(core, id, KIND.name)?))
    }
}

fn of(core: &Core, entity: &Entity) -> Inner<VisitView> {
    Ok(VisitView {
        record: view::record(core, entity)?,
        visited_ms: value(entity, "visited_ms").unwrap_or(entity.created.at_ms),
        household: value(entity, "household").unwrap_or_default(),
        person: value(entity, "person"),
        purpose: value(entity, "purpose"),
        found: value(entity, "found"),
        task: value(entity, "task"),
        place: value(entity, "place"),
        address: value(entity, "address"),
    })
}
