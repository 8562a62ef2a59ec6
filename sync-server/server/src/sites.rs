//! The sites of grids, for what routes are credited with.

use gridwalk_domain::kind::{checkin, site};
use gridwalk_domain::{Boundary, CheckIn, GridId, Site, TenantId};
use gridwalk_store::{EntityFilter, EntityRow, Read, StoreError};
use gridwalk_track::coverage::Area;
use std::collections::HashMap;

use crate::project;

/// What of a grid bears on its patrols' coverage.
#[derive(Default)]
pub(crate) struct Place {
    pub(crate) sites: Vec<Site>,
    /// Differs whenever the sites do.
    pub(crate) print: u64,
}

/// The sites of these grids.
pub(crate) fn places(
    tx: &dyn Read,
    tenant: TenantId,
    grids: &[GridId],
) -> Result<HashMap<GridId, Place>, StoreError> {
    let filter = EntityFilter {
        kind: Some(site::KIND.name),
        grids: Some(grids),
        ..EntityFilter::default()
    };
    of_rows(&tx.find(tenant, &filter)?)
}

/// The sites that rows hold, by grid.
pub(crate) fn of_rows(rows: &[EntityRow]) -> Result<HashMap<GridId, Place>, StoreError> {
    let mut places: HashMap<GridId, Place> = HashMap::new();
    for row in rows {
        let Some(grid) = row.grid else { continue };
        let place = places.entry(grid).or_default();
        place.sites.extend(Site::of(&project::state(row)?));
        let mut bytes = [0; 8];
        bytes.copy_from_slice(&row.id.as_bytes()[..8]);
        // An order-free sum: another site, or another revision, is another sum.
        let mark = u64::from_be_bytes(bytes) ^ row.rev.wrapping_mul(0x9e37_79b9_7f4a_7c15);
        place.print = place.print.wrapping_add(mark);
    }
    Ok(places)
}

/// The check-ins that rows hold.
pub(crate) fn checkins(rows: &[EntityRow]) -> Result<Vec<CheckIn>, StoreError> {
    let kept = rows.iter().filter(|row| row.kind == checkin::KIND.name);
    let read = |row| Ok(CheckIn::of(&project::state(row)?));
    kept.filter_map(|row| read(row).transpose()).collect()
}

/// The area of a grid, where its boundary is known.
pub(crate) fn area(
    tx: &dyn Read,
    tenant: TenantId,
    grid: GridId,
) -> Result<Option<Area>, StoreError> {
    let found = tx.boundaries(tenant, Some(&[grid]))?.into_iter().next();
    let read = |(_, json): (GridId, String)| serde_json::from_str::<Boundary>(&json);
    let boundary = found.map(read).transpose();
    let boundary = boundary.map_err(|why| StoreError::Damaged(format!("a boundary: {why}")))?;
    Ok(boundary.as_ref().map(Area::of))
}
