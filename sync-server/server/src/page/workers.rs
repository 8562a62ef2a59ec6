//! Who is out, when they were last heard from, and what they have not sent.

use gridwalk_domain::kind::shift::ON;
use gridwalk_store::{ContactRow, EntityFilter};
use std::collections::BTreeSet;

use super::answers::{GridRef, LastPosition, UnsentSaid, Worker, Workers};
use super::day::asked_grid;
use super::look::{Answer, json};
use crate::error::Error;
use crate::http::Request;
use crate::rights::Sight;
use crate::service::Service;

impl Service {
    pub(super) fn workers(&self, sight: &Sight<'_>, request: &Request) -> Result<Answer, Error> {
        let now_ms = self.now_ms();
        let area = sight.area(asked_grid(sight, request)?)?;
        let workers = sight.workers(&area, now_ms)?;
        let names = sight.worker_names(&workers.keys().copied().collect())?;
        let contacts = sight.contacts(&workers)?;
        let positions = sight.positions(&workers)?;
        let filter = EntityFilter {
            kind: Some("shift"),
            status: Some(ON),
            ..EntityFilter::default()
        };
        let shifts = sight.find(&area, &filter)?;
        let on_shift: BTreeSet<_> = shifts.into_iter().filter_map(|row| row.worker).collect();
        let mut out = Vec::with_capacity(workers.len());
        for (id, grids) in &workers {
            let phones = || contacts.iter().filter(|row| row.worker == *id);
            let grids = grids.iter().filter_map(|grid| sight.grid(*grid));
            out.push(Worker {
                id: id.to_string(),
                name: names.get(id).cloned().unwrap_or_default(),
                grids: grids.map(GridRef::from).collect(),
                on_shift: on_shift.contains(id),
                last_contact_ms: phones().map(|row| row.last_ms).max(),
                unsent: phones()
                    .filter_map(unsent)
                    .max_by_key(|said| said.reported_ms),
                last_position: positions.get(id).map(|row| LastPosition {
                    lat: row.at.lat,
                    lon: row.at.lon,
                    at_ms: row.at_ms,
                }),
            });
        }
        out.sort_by(|a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
        json(&Workers {
            now_ms,
            workers: out,
        })
    }
}

fn unsent(row: &ContactRow) -> Option<UnsentSaid> {
    Some(UnsentSaid {
        unsent: row.unsent?,
        reported_ms: row.reported_ms?,
    })
}
