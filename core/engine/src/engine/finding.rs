//! What a patrol found, category by category: "nothing abnormal" is a result
//! that is recorded, not an absence.

use gridwalk_domain::kind::finding::{ABNORMAL, KIND, NORMAL};
use gridwalk_domain::{Entity, EntityId, kind};
use serde_json::json;

use super::incident::{grid, near, place_value};
use super::make::{Making, me, time_value};
use super::{Engine, amend};
use crate::core::Core;
use crate::error::{EngineError, Inner, Result};
use crate::view::{self, RecordView, one_of, shown_of, value};

/// A result to record, of the patrol that runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewFinding {
    /// The code of the category that was looked at.
    pub category: String,
    /// The incident that says what was abnormal; none where nothing was.
    pub incident: Option<EntityId>,
    /// What else there is to say: at most 200 characters.
    pub note: Option<String>,
}

/// A result of a patrol.
#[derive(Clone, Debug, PartialEq)]
pub struct FindingView {
    /// What every record has.
    pub record: RecordView,
    /// The patrol.
    pub patrol: Option<EntityId>,
    /// The code of the category.
    pub category: String,
    /// The incident; none where nothing was abnormal.
    pub incident: Option<EntityId>,
    /// What else was said.
    pub note: Option<String>,
}

impl Engine {
    /// Records what the running patrol found of a category. Said again, it is
    /// not written again. Durable when it returns.
    ///
    /// # Errors
    /// `NotEnrolled`, `NoShift`, `NoPatrol`, `OutOfScope`, `UnknownCategory`;
    /// `NotFound` for an incident that this phone does not know; `Invalid`, also
    /// for one of another grid,
    /// `DiskFull`, `Storage`.
    pub fn record_finding(&self, new: &NewFinding) -> Result<EntityId> {
        let said = self.shared.with(|core| {
            if let Some(incident) = new.incident {
                let entity = one_of(core, incident, kind::incident::KIND.name)?;
                // Whoever reads the finding may not know of others' incidents.
                if kind::grid_of(&entity) != Some(grid(core)?.id) {
                    return Err(EngineError::Invalid {
                        field: "incident".to_owned(),
                        why: "expected an incident of the grid of the shift".to_owned(),
                    }
                    .into());
                }
            }
            said_already(core, new)
        })?;
        if let Some(known) = said {
            return Ok(known);
        }
        let plan = |core: &Core, now_ms| {
            let grid = grid(core)?;
            let patrol = core.recorder.live.as_ref().ok_or(EngineError::NoPatrol)?.id;
            let version = core.synced.as_ref();
            let version = version.map(|synced| json!(synced.scope.catalogue.version));
            let result = new.incident.map_or(NORMAL, |_| ABNORMAL);
            let fields = [
                ("worker", me(core)?),
                ("grid", Some(json!(grid.id))),
                ("patrol", Some(json!(patrol))),
                ("catalogue", version),
                ("category", Some(json!(new.category))),
                ("result", Some(json!(result))),
                ("incident", new.incident.map(|id| json!(id))),
                ("note", new.note.as_ref().map(|text| json!(text))),
                ("place", near(core, now_ms).map(place_value)),
                ("found_ms", time_value(&KIND, "found_ms", now_ms)),
            ];
            let making = Making::new(&KIND, fields);
            Ok(making.after(Some(patrol)).after(new.incident))
        };
        self.make(self.draw_id(), &[], plan, |_| Ok(()))
    }

    /// The results of a patrol, the newest first.
    ///
    /// # Errors
    /// `Closed`, `Storage`.
    pub fn findings(&self, patrol: EntityId) -> Result<Vec<FindingView>> {
        self.shared.with(|core| {
            let all = shown_of(core, KIND.name)?.into_iter();
            let all = all.map(|entity| of(core, &entity));
            let all: Vec<FindingView> = all.collect::<Inner<_>>()?;
            let of_it = |finding: &FindingView| finding.patrol == Some(patrol);
            Ok(all.into_iter().filter(of_it).collect())
        })
    }
}

fn of(core: &Core, entity: &Entity) -> Inner<FindingView> {
    Ok(FindingView {
        record: view::record(core, entity)?,
        patrol: value(entity, "patrol"),
        category: value(entity, "category").unwrap_or_default(),
        incident: value(entity, "incident"),
        note: value(entity, "note"),
    })
}

/// The record that says the same of the running patrol.
fn said_already(core: &Core, new: &NewFinding) -> Inner<Option<EntityId>> {
    let Some(live) = &core.recorder.live else {
        return Ok(None);
    };
    let same = |entity: &&Entity| {
        value(entity, "patrol") == Some(live.id)
            && entity.text("category") == Some(&new.category)
            && value(entity, "incident") == new.incident
            && amend::is_own(core, entity)
    };
    let all = shown_of(core, KIND.name)?;
    Ok(all.iter().find(same).map(|entity| entity.id))
}
