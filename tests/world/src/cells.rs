//! Cells of about one size that fill an outline.

use geo::{
    Area, BooleanOps, BoundingRect, Centroid, Contains, Coord, Intersects, Line, LineString, Orient,
};
use geo::{Polygon, orient::Direction};
use spade::handles::VoronoiVertex::Inner;
use spade::{DelaunayTriangulation, HasPosition, Point2, Triangulation};

use crate::WorldError;
use crate::mesh::Mesh;

/// Rounds of Lloyd's method. After thirty, four cells of five are within 15 % of
/// the mean area; more rounds change little.
const ROUNDS: usize = 30;

/// Cuts the outline (in metres) into `count` cells.
///
/// # Errors
///
/// An outline without area, or cells that cannot be made from this seed.
pub fn cut(outline: &Polygon<f64>, count: usize, seed: u64) -> Result<Mesh, WorldError> {
    let fault = |problem: &str| WorldError::Cells {
        wanted: count,
        problem: problem.into(),
    };
    // Exteriors counter-clockwise: shared edges then run in opposite directions.
    let outline = outline.orient(Direction::Default);
    let bounds = outline
        .bounding_rect()
        .ok_or_else(|| fault("the outline is empty"))?;
    if outline.unsigned_area() <= 0.0 {
        return Err(fault("the outline has no area"));
    }
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut sites = Vec::with_capacity(count);
    while sites.len() < count {
        let place = Coord {
            x: bounds.min().x + rng.f64() * bounds.width(),
            y: bounds.min().y + rng.f64() * bounds.height(),
        };
        if outline.contains(&place) {
            sites.push(place);
        }
    }
    for _ in 0..ROUNDS {
        sites = pieces(&outline, &sites)
            .map_err(|problem| fault(&problem))?
            .iter()
            .map(|parts| {
                parts[0]
                    .centroid()
                    .map_or(parts[0].exterior().0[0], Coord::from)
            })
            .collect();
    }
    let cells = pieces(&outline, &sites).map_err(|problem| fault(&problem))?;
    let mut mesh = Mesh::default();
    for parts in &cells {
        mesh.push(parts[0].exterior());
    }
    for stray in cells.iter().flat_map(|parts| &parts[1..]) {
        if !mesh.give_away(stray.exterior()) {
            return Err(fault("a piece of the outline touches no cell"));
        }
    }
    Ok(mesh)
}

/// For each site the parts of its Voronoi cell within the outline, largest first.
fn pieces(outline: &Polygon<f64>, sites: &[Coord<f64>]) -> Result<Vec<Vec<Polygon<f64>>>, String> {
    let clip = |cell: LineString<f64>| {
        let cell = Polygon::new(cell, Vec::new()).orient(Direction::Default);
        if !at_the_rim(outline, &cell) {
            return vec![cell];
        }
        let mut parts: Vec<_> = outline
            .intersection(&cell)
            .0
            .iter()
            .map(|p| p.orient(Direction::Default))
            .collect();
        parts.sort_by(|a, b| b.unsigned_area().total_cmp(&a.unsigned_area()));
        parts
    };
    let cells: Vec<_> = voronoi(outline, sites)?.into_iter().map(clip).collect();
    match cells.iter().position(Vec::is_empty) {
        Some(empty) => Err(format!("cell {empty} lies outside the outline")),
        None => Ok(cells),
    }
}

/// Whether the outline's edge passes through the cell. Of its many lines few are
/// near any one cell, and boxes are compared much faster than shapes.
fn at_the_rim(outline: &Polygon<f64>, cell: &Polygon<f64>) -> bool {
    let Some(bounds) = cell.bounding_rect() else {
        return false;
    };
    let near = |edge: &Line<f64>| edge.bounding_rect().intersects(&bounds);
    outline
        .exterior()
        .lines()
        .any(|edge| near(&edge) && edge.intersects(cell))
}

fn voronoi(outline: &Polygon<f64>, sites: &[Coord<f64>]) -> Result<Vec<LineString<f64>>, String> {
    let bounds = outline.bounding_rect().ok_or("the outline is empty")?;
    let (middle, reach) = (bounds.center(), 4.0 * (bounds.width() + bounds.height()));
    // Four sites far outside close the cells at the rim.
    let far = [(-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0)]
        .map(|(x, y)| Point2::new(middle.x + x * reach, middle.y + y * reach));
    let all: Vec<_> = sites
        .iter()
        .map(|s| Point2::new(s.x, s.y))
        .chain(far)
        .collect();
    let wanted = all.len();
    let delaunay =
        DelaunayTriangulation::<Point2<f64>>::bulk_load_stable(all).map_err(|e| e.to_string())?;
    if delaunay.num_vertices() != wanted {
        return Err("two cells have the same middle".into());
    }
    let corners = |vertex: spade::handles::FixedVertexHandle| {
        let face = delaunay.vertex(vertex).as_voronoi_face();
        face.adjacent_edges()
            .map(|edge| match edge.from() {
                Inner(triangle) => {
                    let corner = triangle.circumcenter().position();
                    Ok(Coord {
                        x: corner.x,
                        y: corner.y,
                    })
                }
                spade::handles::VoronoiVertex::Outer(_) => Err("a cell is open at the rim".into()),
            })
            .collect::<Result<Vec<_>, String>>()
            .map(LineString::new)
    };
    delaunay
        .fixed_vertices()
        .take(sites.len())
        .map(corners)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A U, whose arms a wide cell can reach across.
    fn u_shape() -> Polygon<f64> {
        let corners = [
            (0.0, 0.0),
            (3000.0, 0.0),
            (3000.0, 3000.0),
            (2900.0, 3000.0),
            (2900.0, 200.0),
            (100.0, 200.0),
            (100.0, 3000.0),
            (0.0, 3000.0),
        ];
        Polygon::new(LineString::from(corners.to_vec()), Vec::new())
    }

    #[test]
    fn the_cells_fill_the_outline_also_where_it_bends() {
        for seed in 0..8 {
            let outline = u_shape();
            let mesh = cut(&outline, 40, seed).unwrap();
            assert_eq!(mesh.len(), 40);
            let sum: f64 = (0..40).map(|c| mesh.union(&[c]).unsigned_area()).sum();
            assert!(
                (sum / outline.unsigned_area() - 1.0).abs() < 1e-3,
                "seed {seed}: {sum}"
            );
        }
    }

    #[test]
    fn an_outline_without_area_is_refused() {
        let flat = Polygon::new(LineString::from(vec![(0.0, 0.0), (9.0, 0.0)]), Vec::new());
        assert!(
            cut(&flat, 4, 1)
                .unwrap_err()
                .to_string()
                .contains("no area")
        );
    }
}
