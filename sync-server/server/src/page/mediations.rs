//! Mediations, for their narrow readers. Each that comes out of a sight is written
//! down as read.

use gridwalk_domain::kind::COMMENTS;
use gridwalk_domain::kind::mediation::{KIND, LOOK_AGAIN, PARTIES, SESSIONS};
use serde_json::{Value, json as object};

use super::look::{Answer, json};
use super::names::Names;
use crate::error::{Error, Fault};
use crate::project;
use crate::rights::Sight;
use crate::service::Service;

impl Service {
    /// A mediation in full, for its narrow readers.
    pub(super) fn mediation(&self, sight: &Sight<'_>, id: &str) -> Result<Answer, Error> {
        let id = id.parse().map_err(|_| Fault::not_found())?;
        let row = sight.record(KIND.name, id)?;
        let state = project::state(&row)?;
        let authors = state.history.iter().map(|step| step.stamp.by);
        let names = Names::load(sight, std::iter::once(&row), authors)?;
        let entries = |list: &str| -> Vec<&Value> {
            state.list(list).iter().map(|entry| &entry.value).collect()
        };
        let parties = state.sets.get(PARTIES).into_iter();
        let parties: Vec<&Value> = parties
            .flat_map(|set| &set.items)
            .map(|item| &item.value)
            .collect();
        let steps = state.history.iter().map(|step| {
            object!({
                "to": step.to, "by": names.author(step.stamp.by), "at_ms": step.stamp.at_ms,
                "reason": step.reason, "with": step.with,
            })
        });
        json(&object!({
            "id": row.id, "title": state.text("title"), "cause": state.text("cause"),
            "status": row.status, "grid": sight.grid_ref(&row)?, "worker": names.owner(&row, &state),
            "at_ms": row.at_ms, "place": state.value("place"), "address": state.text("address"),
            "incident": state.text("incident"), "parties": parties, "sessions": entries(SESSIONS),
            "look_again": entries(LOOK_AGAIN), "history": steps.collect::<Vec<_>>(),
            "comments": entries(COMMENTS),
        }))
    }
}
