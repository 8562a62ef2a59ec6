//! Tasks: work sent down. They are seen, accepted, finished and given back with
//! [`Engine::take`]: `see`, `accept`, `finish`, `return`.

use gridwalk_domain::kind::task::{DONE, KIND, WITHDRAWN, is_overdue};
use gridwalk_domain::{Entity, EntityId};

use super::Engine;
use crate::core::Core;
use crate::error::{Inner, Result};
use crate::view::{self, Place, RecordView, one_of, shown_of, value};

/// A task.
#[derive(Clone, Debug, PartialEq)]
pub struct TaskView {
    /// What every record has.
    pub record: RecordView,
    /// What there is to do: `verify`, `visit`, `inspect`.
    pub work: String,
    /// Its title.
    pub title: String,
    /// What it says.
    pub description: Option<String>,
    /// Until when, in milliseconds since 1970 by the server's clock.
    pub due_ms: Option<i64>,
    /// Whether that is over, as far as this phone knows the time.
    pub overdue: bool,
    /// The record that it is about.
    pub about: Option<EntityId>,
    /// Where.
    pub place: Option<Place>,
    /// Where, in words.
    pub address: Option<String>,
}

impl Engine {
    /// The tasks of the worker and of the worker's grids: what is to be done
    /// first, the most urgent before the others, then what is over.
    ///
    /// # Errors
    /// `Closed`, `Storage`.
    pub fn tasks(&self) -> Result<Vec<TaskView>> {
        self.shared.with(|core| {
            let all = shown_of(core, KIND.name)?.into_iter();
            let all = all.map(|entity| of(core, &entity));
            let mut all: Vec<TaskView> = all.collect::<Inner<_>>()?;
            all.sort_by_key(|task| {
                let over = [DONE, WITHDRAWN].contains(&task.record.status.as_str());
                (over, task.due_ms.unwrap_or(i64::MAX))
            });
            Ok(all)
        })
    }

    /// One task.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn task(&self, id: EntityId) -> Result<TaskView> {
        self.shared
            .with(|core| of(core, &one_of(core, id, KIND.name)?))
    }
}

fn of(core: &Core, entity: &Entity) -> Inner<TaskView> {
    Ok(TaskView {
        record: view::record(core, entity)?,
        work: value(entity, "work").unwrap_or_default(),
        title: value(entity, "title").unwrap_or_default(),
        description: value(entity, "description"),
        due_ms: value(entity, "due_ms"),
        overdue: is_overdue(entity, core.now_ms()),
        about: value(entity, "about"),
        place: value(entity, "place"),
        address: value(entity, "address"),
    })
}
