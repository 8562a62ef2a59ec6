//! Patrols' routes, computed when somebody looks and kept until more fixes or
//! marks come.

use gridwalk_domain::kind::patrol::{FINISHED, marks};
use gridwalk_domain::{EntityId, Epoch, GridId, TenantId};
use gridwalk_store::{EntityRow, Read, StoreError, TrackVersion};
use gridwalk_track::coverage::duty::Outing;
use gridwalk_track::route::{Bbox, Gap, Stop};
use gridwalk_track::simplify::simplified;
use gridwalk_track::{StoredFix, codec, route::Route};
use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex};

use crate::commits::lock;
use crate::project;
use crate::sites::{self, Place};

/// How far a drawn route may lie from the fixes, in metres.
pub(crate) const TOLERANCE_M: f64 = 5.0;
/// How many routes are kept: some 12 KB each.
const MOST_KEPT: usize = 4096;

/// What is shown of a patrol's route.
#[derive(Debug)]
pub(crate) struct Summary {
    /// `[lon, lat, ms]`, simplified; a gap is the space between two.
    pub(crate) segments: Vec<Vec<(f64, f64, i64)>>,
    pub(crate) gaps: Vec<Gap>,
    pub(crate) stops: Vec<Stop>,
    pub(crate) distance_m: f64,
    pub(crate) moving_s: i64,
    pub(crate) gap_s: i64,
    pub(crate) bbox: Option<Bbox>,
    pub(crate) started_ms: i64,
    pub(crate) ended_ms: Option<i64>,
    /// Stored fixes, used or not.
    pub(crate) fixes: u64,
    /// What the route says of the sites of its grid.
    pub(crate) outing: Outing,
    /// Milliseconds within the grid and outside of it; none where its boundary
    /// is not known.
    pub(crate) inside_ms: Option<(i64, i64)>,
}

/// What a summary was computed from.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Version {
    epoch: Option<Epoch>,
    track: TrackVersion,
    rev: u64,
    sites: u64,
    grids: u64,
}

#[derive(Default)]
struct Kept {
    by_patrol: HashMap<EntityId, (Version, Arc<Summary>)>,
    order: VecDeque<EntityId>,
}

/// The kept routes.
#[derive(Default)]
pub(crate) struct Routes {
    kept: Mutex<Kept>,
}

impl Routes {
    /// The routes of these patrols, in their order.
    pub(crate) fn of(
        &self,
        tx: &dyn Read,
        tenant: TenantId,
        patrols: &[EntityRow],
    ) -> Result<Vec<Arc<Summary>>, StoreError> {
        let ids: Vec<EntityId> = patrols.iter().map(|row| row.id).collect();
        let tracks = tx.track_versions(tenant, &ids)?;
        let epoch = tx.epoch()?;
        let mut grids: Vec<GridId> = patrols.iter().filter_map(|row| row.grid).collect();
        grids.sort_unstable();
        grids.dedup();
        let places = sites::places(tx, tenant, &grids)?;
        let grids_version = tx.tenant(tenant)?.map_or(0, |row| row.grids_version);
        let nothing = Place::default();
        let rows = patrols.iter().zip(tracks);
        rows.map(|(row, track)| {
            let place = row
                .grid
                .and_then(|grid| places.get(&grid))
                .unwrap_or(&nothing);
            let version = Version {
                epoch,
                track,
                rev: row.rev,
                sites: place.print,
                grids: grids_version,
            };
            if let Some((kept, summary)) = lock(&self.kept).by_patrol.get(&row.id)
                && *kept == version
            {
                return Ok(Arc::clone(summary));
            }
            // Computed without the lock: two who ask at once compute twice.
            let summary = Arc::new(compute(tx, tenant, row, track, place)?);
            self.keep(row.id, version, &summary);
            Ok(summary)
        })
        .collect()
    }

    /// Forgets the route of a patrol that was purged.
    pub(crate) fn forget(&self, patrol: EntityId) {
        lock(&self.kept).by_patrol.remove(&patrol);
    }

    fn keep(&self, patrol: EntityId, version: Version, summary: &Arc<Summary>) {
        let mut kept = lock(&self.kept);
        let entry = (version, Arc::clone(summary));
        if kept.by_patrol.insert(patrol, entry).is_none() {
            kept.order.push_back(patrol);
        }
        if kept.order.len() > MOST_KEPT
            && let Some(oldest) = kept.order.pop_front()
        {
            kept.by_patrol.remove(&oldest);
        }
    }
}

fn compute(
    tx: &dyn Read,
    tenant: TenantId,
    row: &EntityRow,
    track: TrackVersion,
    place: &Place,
) -> Result<Summary, StoreError> {
    let damaged = |why: &dyn std::fmt::Display| {
        StoreError::Damaged(format!("patrol {} cannot be read: {why}", row.id))
    };
    let patrol = project::state(row)?;
    let mut runs: Vec<Vec<StoredFix>> = Vec::new();
    let mut last = None;
    for chunk in tx.chunks(tenant, row.id)? {
        let fixes = codec::decode(&chunk.body).map_err(|why| damaged(&why))?;
        match runs.last_mut() {
            Some(run) if last == Some(chunk.span.key.run) => run.extend(fixes),
            _ => runs.push(fixes),
        }
        last = Some(chunk.span.key.run);
    }
    let route = Route::build(&runs, &marks(&patrol));
    let segments = route.segments.iter().map(|segment| {
        let fixes = simplified(segment, TOLERANCE_M);
        let point = |fix: &gridwalk_domain::Fix| (fix.position.lon, fix.position.lat, fix.time_ms);
        fixes.iter().map(point).collect()
    });
    let finished = patrol.history.last().filter(|step| step.to == FINISHED);
    let ended_ms = finished.map(|step| step.stamp.at_ms);
    let outing = Outing::of(row.id, row.at_ms, ended_ms, &route, &place.sites);
    let area = row
        .grid
        .map(|grid| sites::area(tx, tenant, grid))
        .transpose()?
        .flatten();
    let inside_ms = area.map(|area| {
        let inside = area.time_inside_ms(&route.segments);
        let lasts = |s: &Vec<gridwalk_domain::Fix>| {
            s.last()
                .zip(s.first())
                .map_or(0, |(b, a)| b.time_ms - a.time_ms)
        };
        let all: i64 = route.segments.iter().map(lasts).sum();
        (inside, (all - inside).max(0))
    });
    Ok(Summary {
        outing,
        inside_ms,
        segments: segments.collect(),
        distance_m: route.distance_m,
        moving_s: route.moving_ms / 1000,
        gap_s: route.gap_ms() / 1000,
        bbox: route.bbox,
        started_ms: row.at_ms,
        ended_ms,
        fixes: track.fixes,
        gaps: route.gaps,
        stops: route.stops,
    })
}
