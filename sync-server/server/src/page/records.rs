//! Patrols, incidents and their attachments.

use gridwalk_domain::kind::COMMENTS;
use gridwalk_domain::kind::incident::PHOTOS;
use gridwalk_domain::kind::incident::running::running;
use gridwalk_domain::{Entity, EntityId, Sha256};
use gridwalk_store::{AuditRow, EntityRow, StoreError};
use serde_json::Value;
use std::sync::Arc;

use super::answers::{
    Comment, Gap, GridRef, Incident, Patrol, PatrolDetail, Photo, Place, Segment, Stop, point,
};
use super::look::{Answer, json};
use super::names::Names;
use crate::error::{Error, Fault};
use crate::project;
use crate::rights::{Sight, Viewer};
use crate::routes::{Summary, TOLERANCE_M};
use crate::service::Service;

impl Sight<'_> {
    /// The grid of a record of this sight.
    pub(super) fn grid_ref(&self, row: &EntityRow) -> Result<GridRef, Error> {
        let grid = row.grid.and_then(|grid| self.viewer.tree.get(grid));
        let missing = || StoreError::Damaged(format!("record {} has no grid", row.id));
        Ok(GridRef::from(grid.ok_or_else(missing)?))
    }
}

pub(super) fn patrol(
    sight: &Sight<'_>,
    names: &Names,
    row: &EntityRow,
    route: &Summary,
) -> Result<Patrol, Error> {
    let worker = row
        .worker
        .ok_or_else(|| StoreError::Damaged("a patrol without a worker".into()))?;
    Ok(Patrol {
        id: row.id,
        worker: names.worker(worker),
        grid: sight.grid_ref(row)?,
        status: row.status.clone().unwrap_or_default(),
        started_ms: route.started_ms,
        ended_ms: route.ended_ms,
        distance_m: route.distance_m,
        moving_s: route.moving_s,
        fixes: route.fixes,
        gaps: route.gaps.len(),
        gap_s: route.gap_s,
        bbox: route.bbox.map(|b| [b.west, b.south, b.east, b.north]),
    })
}

pub(super) fn incident(
    sight: &Sight<'_>,
    names: &Names,
    row: &EntityRow,
    state: &Entity,
) -> Result<Incident, Error> {
    let text = |field: &str| state.text(field).unwrap_or_default().to_owned();
    let place = state.value("place").and_then(|place| {
        Some(Place {
            lat: place.get("lat")?.as_f64()?,
            lon: place.get("lon")?.as_f64()?,
            accuracy_m: place.get("accuracy_m").and_then(Value::as_f64),
        })
    });
    let Viewer { law, at_ms, .. } = sight.viewer;
    let running = running(state, law.catalogue_of(state), &law.calendar);
    Ok(Incident {
        due_ms: running.as_ref().and_then(|running| running.due_ms),
        overdue: running.is_some_and(|running| running.is_overdue(*at_ms)),
        id: row.id,
        category: text("category"),
        title: text("title"),
        status: row.status.clone().unwrap_or_default(),
        severity: state.text("severity").unwrap_or("normal").to_owned(),
        worker: names.owner(row, state),
        grid: sight.grid_ref(row)?,
        at_ms: row.at_ms,
        place,
        photos: state.list(PHOTOS).len(),
        patrol: names.parent(row),
        conflicts: state.conflicts(),
    })
}

pub(super) fn asked<T: std::str::FromStr>(id: &str) -> Result<T, Fault> {
    id.parse().map_err(|_| Fault::not_found())
}

impl Service {
    /// A patrol in full. That somebody looked is written down: the worker may
    /// see it.
    pub(super) fn patrol(&self, viewer: &Viewer, id: &str) -> Result<Answer, Error> {
        let id: EntityId = asked(id)?;
        let answer = self.seen(viewer, |sight| self.patrol_detail(sight, id))?;
        let (tenant, line) = (
            viewer.tenant.id,
            AuditRow {
                at_ms: self.now_ms(),
                who: format!("user/{}", viewer.user.id),
                what: "look".to_owned(),
                on: format!("patrol/{id}"),
            },
        );
        self.commit(move |tx| Ok(tx.add_audit(tenant, &line)?))?;
        Ok(answer)
    }

    fn patrol_detail(&self, sight: &Sight<'_>, id: EntityId) -> Result<Answer, Error> {
        let row = sight.record("patrol", id)?;
        let incidents = sight.children("incident", id)?;
        let rows = std::iter::once(&row).chain(&incidents);
        let names = Names::load(sight, rows, std::iter::empty())?;
        let routes = sight.routes(&self.routes, std::slice::from_ref(&row))?;
        let route: &Arc<Summary> = routes.first().ok_or_else(Fault::not_found)?;
        let gaps = route.gaps.iter().map(|gap| Gap {
            from_ms: gap.from_ms,
            to_ms: gap.to_ms,
            cause: gap.cause,
            from: gap.from.map(point),
            to: gap.to.map(point),
        });
        let stops = route.stops.iter().map(|stop| Stop {
            from_ms: stop.from_ms,
            to_ms: stop.to_ms,
            at: point(stop.at),
        });
        let segments = route.segments.iter().map(|points| Segment {
            points: points.clone(),
        });
        json(&PatrolDetail {
            patrol: patrol(sight, &names, &row, route)?,
            tolerance_m: TOLERANCE_M,
            segments: segments.collect(),
            gaps: gaps.collect(),
            stops: stops.collect(),
            coverage: self.patrol_coverage(sight, &row)?,
            incidents: incidents
                .iter()
                .map(|row| incident(sight, &names, row, &project::state(row)?))
                .collect::<Result<_, _>>()?,
        })
    }

    pub(super) fn blob(&self, viewer: &Viewer, sha256: &str) -> Result<Answer, Error> {
        let sha256 = asked(sha256)?;
        let row = self.seen(viewer, |sight| sight.blob(sha256))?;
        let bytes = self.blob_bytes(sha256)?;
        Ok(Answer::Blob(row, bytes))
    }
}

/// The attachments that these values refer to. Until the bytes are here, their
/// type and size are what the phone said.
pub(super) fn photos<'a>(
    sight: &Sight<'_>,
    said: impl IntoIterator<Item = &'a Value>,
) -> Result<Vec<Photo>, Error> {
    let hash = |value: &Value| value.get("sha256")?.as_str()?.parse().ok();
    let said: Vec<(Sha256, &Value)> = said
        .into_iter()
        .filter_map(|value| Some((hash(value)?, value)))
        .collect();
    if said.is_empty() {
        return Ok(vec![]);
    }
    let hashes: Vec<Sha256> = said.iter().map(|(sha256, _)| *sha256).collect();
    let here = sight.blobs(&hashes)?;
    let photo = |(sha256, value): &(Sha256, &Value)| {
        let blob = here.iter().find(|blob| blob.sha256 == *sha256);
        let mime = || value["mime"].as_str().unwrap_or_default().to_owned();
        Photo {
            sha256: *sha256,
            mime: blob.map_or_else(mime, |blob| blob.mime.clone()),
            bytes: blob.map_or_else(|| value["bytes"].as_u64().unwrap_or(0), |blob| blob.bytes),
            here: blob.is_some(),
        }
    };
    Ok(said.iter().map(photo).collect())
}

/// What people said about a record.
pub(super) fn comments(names: &Names, state: &Entity) -> Vec<Comment> {
    let comments = state.list(COMMENTS).iter().map(|entry| Comment {
        by: names.author(entry.stamp.by),
        at_ms: entry.stamp.at_ms,
        text: entry.value["text"].as_str().unwrap_or_default().to_owned(),
    });
    comments.collect()
}
