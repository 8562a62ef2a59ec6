//! Tasks of an area: what is to be done, by whom, until when.

use gridwalk_domain::kind::task::{self, KIND};
use gridwalk_domain::{Entity, EntityId, kind};
use gridwalk_store::EntityFilter;
use serde::Serialize;
use serde_json::{Value, json as object};

use super::answers::{GridRef, Who};
use super::day::asked_grid;
use super::look::{Answer, json};
use super::names::Names;
use crate::error::Error;
use crate::http::Request;
use crate::project;
use crate::rights::Sight;
use crate::service::Service;

#[derive(Serialize)]
struct Task {
    id: EntityId,
    work: String,
    title: String,
    status: String,
    /// None where it is for all gridworkers of the grid.
    worker: Option<Who>,
    grid: GridRef,
    at_ms: i64,
    due_ms: Option<i64>,
    overdue: bool,
    /// The record that it is about, where the user sees it.
    about: Option<EntityId>,
}

impl Service {
    pub(super) fn tasks(&self, sight: &Sight<'_>, request: &Request) -> Result<Answer, Error> {
        let area = sight.area(asked_grid(sight, request)?)?;
        let status = request.query("status");
        let filter = EntityFilter {
            kind: Some(KIND.name),
            status: status.as_deref(),
            ..EntityFilter::default()
        };
        let rows = sight.find(&area, &filter)?;
        let names = Names::load(sight, rows.iter(), std::iter::empty())?;
        let now_ms = sight.viewer.at_ms;
        let states: Vec<Entity> = rows.iter().map(project::state).collect::<Result<_, _>>()?;
        let about = |state: &Entity| state.text("about")?.parse::<EntityId>().ok();
        let abouts: Vec<EntityId> = states.iter().filter_map(about).collect();
        let seen = sight.seen(&abouts)?;
        let mut tasks = Vec::with_capacity(rows.len());
        for (row, state) in rows.iter().zip(&states) {
            let text = |field: &str| state.text(field).unwrap_or_default().to_owned();
            tasks.push(Task {
                id: row.id,
                work: text("work"),
                title: text("title"),
                status: row.status.clone().unwrap_or_default(),
                worker: kind::worker_of(state).map(|worker| names.worker(worker)),
                grid: sight.grid_ref(row)?,
                at_ms: row.at_ms,
                due_ms: state.value("due_ms").and_then(Value::as_i64),
                overdue: task::is_overdue(state, now_ms),
                about: about(state).filter(|about| seen.contains(about)),
            });
        }
        json(&object!({ "now_ms": now_ms, "tasks": tasks }))
    }
}
