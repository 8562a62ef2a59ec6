//! Who is to see a record besides those who read its home stream.
//!
//! An entity is listed for ever by the stream it was made in. It is listed by
//! others too, each in numbers of its own: those of its audiences
//! ([`gridwalk_domain::kind::audiences`]), and where its grid was split or merged, those of the grids that took its place.

use geo::{Coord, Intersects as _, LineString, MultiPolygon, Point, Polygon};
use gridwalk_domain::{Boundary, Entity, GridId, StreamKey, TenantId};
use gridwalk_store::{EntityRow, Read, StoreError};

use crate::tree::Tree;

/// Whether somebody still has to do something about a record: then it moves on
/// when its grid is split or merged.
pub(crate) fn is_open(row: &EntityRow) -> bool {
    const OVER: [&str; 4] = ["ended", "finished", "closed", "rejected"];
    let over = row
        .status
        .as_deref()
        .is_some_and(|status| OVER.contains(&status));
    row.state.is_some() && !row.deleted && !over
}

/// The record streams of the grids that took the place of this record's grid:
/// of that one whose area holds its place, else of all.
pub(crate) fn heirs(
    tx: &dyn Read,
    tenant: TenantId,
    tree: &Tree,
    entity: &Entity,
    home: StreamKey,
) -> Result<Vec<StreamKey>, StoreError> {
    let StreamKey::Records(grid) = home else {
        return Ok(Vec::new());
    };
    let heirs = tree.heirs(grid);
    let holding = match place(entity) {
        Some(place) if heirs.len() > 1 => holding(tx, tenant, &heirs, place)?,
        _ => Vec::new(),
    };
    let grids = if holding.is_empty() { heirs } else { holding };
    Ok(grids.into_iter().map(StreamKey::Records).collect())
}

fn place(entity: &Entity) -> Option<Point> {
    let place = entity.value("place")?;
    let degrees = |name: &str| place.get(name)?.as_f64();
    Some(Point::new(degrees("lon")?, degrees("lat")?))
}

fn holding(
    tx: &dyn Read,
    tenant: TenantId,
    grids: &[GridId],
    place: Point,
) -> Result<Vec<GridId>, StoreError> {
    let mut holding = Vec::new();
    for (grid, json) in tx.boundaries(tenant, Some(grids))? {
        let boundary: Boundary = serde_json::from_str(&json)
            .map_err(|why| StoreError::Damaged(format!("a boundary cannot be read: {why}")))?;
        if area(&boundary).intersects(&place) {
            holding.push(grid);
        }
    }
    Ok(holding)
}

fn area(boundary: &Boundary) -> MultiPolygon {
    let ring = |points: &Vec<[f64; 2]>| -> LineString {
        let points = points.iter().map(|[lon, lat]| Coord { x: *lon, y: *lat });
        LineString::from_iter(points)
    };
    let polygon = |rings: &Vec<Vec<[f64; 2]>>| {
        let mut rings = rings.iter().map(ring);
        let outer = rings.next().unwrap_or_else(|| LineString(vec![]));
        Polygon::new(outer, rings.collect())
    };
    boundary.0.iter().map(polygon).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hole_is_outside_and_an_edge_inside() {
        let square = |from: f64, to: f64| {
            let corners = [[from, from], [to, from], [to, to], [from, to], [from, from]];
            corners.to_vec()
        };
        let with_hole = area(&Boundary(vec![vec![square(0.0, 9.0), square(3.0, 6.0)]]));
        let holds = |lon, lat| with_hole.intersects(&Point::new(lon, lat));
        assert!(holds(1.0, 1.0) && holds(0.0, 5.0));
        assert!(!holds(4.0, 5.0) && !holds(10.0, 1.0));
        assert!(!area(&Boundary(vec![vec![]])).intersects(&Point::new(0.0, 0.0)));
    }
}
