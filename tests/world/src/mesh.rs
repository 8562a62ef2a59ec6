//! Cells that share their corners.
//!
//! The cells come from clipping, each by itself, so a corner that three of them
//! share has three slightly different positions. Here such corners are welded
//! into one point. From then on neighbours, contiguity and the boundary of a
//! union are questions about point numbers, with exact answers.

use std::collections::{BTreeMap, HashMap};

use geo::{Area, Centroid, Coord, Distance, Euclidean, LineString, Point, Polygon};

/// Corners nearer than this, in metres, are one corner. Cells are some 670 m
/// wide, and clipping is exact to a millimetre.
const WELD_M: f64 = 0.5;

/// A ring of corners, counter-clockwise, without repeating the first.
type Ring = Vec<usize>;

/// Cells over common corners, in metres.
#[derive(Clone, Debug, Default)]
pub struct Mesh {
    points: Vec<Coord<f64>>,
    cells: Vec<Vec<Ring>>,
    buckets: HashMap<(i64, i64), Vec<usize>>,
}

impl Mesh {
    /// How many cells there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether there is no cell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Adds a cell of one piece, given in metres and counter-clockwise.
    pub fn push(&mut self, exterior: &LineString<f64>) {
        let ring = self.weld(exterior);
        self.cells.push(vec![ring]);
    }

    /// Gives a stray piece to the cell it shares the longest border with.
    ///
    /// Answers whether there was such a cell.
    pub fn give_away(&mut self, piece: &LineString<f64>) -> bool {
        let ring = self.weld(piece);
        let mut shared: BTreeMap<usize, f64> = BTreeMap::new();
        let edges: HashMap<_, _> = edges_of(&ring).map(|edge| (edge, ())).collect();
        for (cell, rings) in self.cells.iter().enumerate() {
            for (a, b) in rings.iter().flat_map(|r| edges_of(r)) {
                if edges.contains_key(&(b, a)) {
                    *shared.entry(cell).or_default() += self.length(a, b);
                }
            }
        }
        let Some((&cell, _)) = shared.iter().max_by(|a, b| a.1.total_cmp(b.1)) else {
            return false;
        };
        let mut rings = self.cells[cell].clone();
        rings.push(ring);
        self.cells[cell] = self.join(rings.iter());
        true
    }

    /// For each cell its neighbours, with the length of the common border in metres.
    #[must_use]
    pub fn neighbours(&self) -> Vec<Vec<(usize, f64)>> {
        let mut owner = HashMap::new();
        for (cell, rings) in self.cells.iter().enumerate() {
            for edge in rings.iter().flat_map(|r| edges_of(r)) {
                owner.insert(edge, cell);
            }
        }
        let beside = |(cell, rings): (usize, &Vec<Ring>)| {
            let mut lengths: BTreeMap<usize, f64> = BTreeMap::new();
            for (a, b) in rings.iter().flat_map(|r| edges_of(r)) {
                match owner.get(&(b, a)) {
                    Some(&other) if other != cell => {
                        *lengths.entry(other).or_default() += self.length(a, b);
                    }
                    _ => {}
                }
            }
            lengths.into_iter().collect()
        };
        self.cells.iter().enumerate().map(beside).collect()
    }

    /// The middle of each cell, in metres.
    #[must_use]
    pub fn centres(&self) -> Vec<Coord<f64>> {
        let middle = |cell| {
            let polygon = self.union(&[cell]);
            polygon
                .centroid()
                .map_or(polygon.exterior().0[0], Coord::from)
        };
        (0..self.len()).map(middle).collect()
    }

    /// The one polygon that these cells make together, in metres.
    ///
    /// The cells are expected to hang together; of cells that do not, the
    /// largest part is the exterior and the others are lost, which
    /// [`crate::partition`] rules out.
    #[must_use]
    pub fn union(&self, cells: &[usize]) -> Polygon<f64> {
        let mut outer: Option<Polygon<f64>> = None;
        let mut holes = Vec::new();
        for ring in self.join(cells.iter().flat_map(|&c| &self.cells[c])) {
            let line = LineString::from_iter(ring.iter().map(|&p| self.points[p]));
            let part = Polygon::new(line, Vec::new());
            if part.signed_area() < 0.0 {
                holes.push(part.exterior().clone());
            } else if outer
                .as_ref()
                .is_none_or(|o| o.unsigned_area() < part.unsigned_area())
            {
                outer = Some(part);
            }
        }
        let exterior = outer.map_or_else(|| LineString::new(Vec::new()), |o| o.into_inner().0);
        Polygon::new(exterior, holes)
    }

    /// What is left of the rings' edges where shared ones cancel out, as rings.
    fn join<'a>(&self, rings: impl Iterator<Item = &'a Ring> + Clone) -> Vec<Ring> {
        let all: HashMap<_, _> = rings
            .clone()
            .flat_map(|r| edges_of(r))
            .map(|edge| (edge, ()))
            .collect();
        // In the order of their points, so that equal input gives equal rings.
        let mut onward: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (a, b) in rings.flat_map(|r| edges_of(r)) {
            if !all.contains_key(&(b, a)) {
                onward.entry(a).or_default().push(b);
            }
        }
        let mut joined = Vec::new();
        while let Some((&start, _)) = onward.first_key_value() {
            let mut ring = vec![start];
            let (mut before, mut here) = (None, start);
            while let Some(next) = self.take_onward(&mut onward, before, here) {
                before = Some(here);
                here = next;
                if here == start {
                    break;
                }
                ring.push(here);
            }
            joined.push(ring);
        }
        joined
    }

    /// The next corner of a ring, taken from what is left. Where rings touch in
    /// a point, the sharpest turn to the right keeps each of them simple.
    fn take_onward(
        &self,
        onward: &mut BTreeMap<usize, Vec<usize>>,
        before: Option<usize>,
        here: usize,
    ) -> Option<usize> {
        let choices = onward.get_mut(&here)?;
        let angle = |to: usize| {
            let (p, q) = (self.points[here], self.points[to]);
            (q.y - p.y).atan2(q.x - p.x)
        };
        let chosen = match before {
            Some(before) if choices.len() > 1 => {
                let back = angle(before);
                let turn = |to: usize| (angle(to) - back).rem_euclid(std::f64::consts::TAU);
                let by_turn =
                    |a: &usize, b: &usize| turn(choices[*a]).total_cmp(&turn(choices[*b]));
                (0..choices.len()).min_by(by_turn)?
            }
            _ => 0,
        };
        let next = choices.swap_remove(chosen);
        if choices.is_empty() {
            onward.remove(&here);
        }
        Some(next)
    }

    fn weld(&mut self, line: &LineString<f64>) -> Ring {
        let mut ring: Ring = Vec::with_capacity(line.0.len());
        for corner in &line.0 {
            let point = self.point(*corner);
            if ring.last() != Some(&point) {
                ring.push(point);
            }
        }
        while ring.len() > 1 && ring.first() == ring.last() {
            ring.pop();
        }
        ring
    }

    /// The point at this corner: one that is there, or a new one.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a district has no corner 2^63 metres away"
    )]
    fn point(&mut self, corner: Coord<f64>) -> usize {
        let (column, row) = (
            (corner.x / WELD_M).floor() as i64,
            (corner.y / WELD_M).floor() as i64,
        );
        for bucket in (-1..=1).flat_map(|dx| (-1..=1).map(move |dy| (column + dx, row + dy))) {
            for &known in self.buckets.get(&bucket).into_iter().flatten() {
                if Euclidean.distance(Point(self.points[known]), Point(corner)) < WELD_M {
                    return known;
                }
            }
        }
        self.points.push(corner);
        self.buckets
            .entry((column, row))
            .or_default()
            .push(self.points.len() - 1);
        self.points.len() - 1
    }

    fn length(&self, a: usize, b: usize) -> f64 {
        Euclidean.distance(Point(self.points[a]), Point(self.points[b]))
    }
}

fn edges_of(ring: &[usize]) -> impl Iterator<Item = (usize, usize)> + '_ {
    ring.iter()
        .copied()
        .zip(ring.iter().copied().cycle().skip(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn square(x: f64, y: f64, jitter: f64) -> LineString<f64> {
        let corner = |dx: f64, dy: f64| (x + dx + jitter, y + dy - jitter);
        LineString::from(vec![
            corner(0.0, 0.0),
            corner(100.0, 0.0),
            corner(100.0, 100.0),
            corner(0.0, 100.0),
            corner(0.0, 0.0),
        ])
    }

    fn ring_of_eight() -> Mesh {
        let mut mesh = Mesh::default();
        for (column, row) in [
            (0, 0),
            (1, 0),
            (2, 0),
            (2, 1),
            (2, 2),
            (1, 2),
            (0, 2),
            (0, 1),
        ] {
            mesh.push(&square(
                f64::from(column) * 100.0,
                f64::from(row) * 100.0,
                0.001,
            ));
        }
        mesh
    }

    #[test]
    fn corners_that_clipping_moved_a_little_are_one() {
        let mut mesh = Mesh::default();
        mesh.push(&square(0.0, 0.0, 0.0));
        mesh.push(&square(100.0, 0.0, 0.003));
        assert_eq!(mesh.points.len(), 6);
        let beside = mesh.neighbours();
        assert_eq!(beside[0].len(), 1);
        assert!((beside[0][0].1 - 100.0).abs() < 0.01);
    }

    #[test]
    fn a_union_has_no_inner_edges_and_keeps_its_hole() {
        let mesh = ring_of_eight();
        let whole = mesh.union(&[0, 1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(whole.interiors().len(), 1);
        assert!((whole.unsigned_area() - 80_000.0).abs() < 1.0);
        assert!((mesh.union(&[0, 1]).unsigned_area() - 20_000.0).abs() < 1.0);
    }

    #[test]
    fn a_hole_that_touches_the_edge_in_a_point_stays_a_hole() {
        // Seven of the eight and the middle: the missing corner cell and no hole.
        let mut mesh = ring_of_eight();
        mesh.push(&square(100.0, 100.0, 0.0));
        let polygon = mesh.union(&[1, 2, 3, 4, 5, 6, 7]);
        // The middle is missing and meets the missing corner in one point.
        assert_eq!(polygon.interiors().len(), 1);
        assert!((polygon.unsigned_area() - 70_000.0).abs() < 1.0);
    }

    #[test]
    fn a_stray_piece_goes_where_it_has_most_in_common() {
        let mut mesh = Mesh::default();
        mesh.push(&square(0.0, 0.0, 0.0));
        mesh.push(&square(200.0, 0.0, 0.0));
        assert!(mesh.give_away(&square(100.0, 0.0, 0.0)));
        assert_eq!(mesh.len(), 2);
        let areas: f64 = (0..2).map(|c| mesh.union(&[c]).unsigned_area()).sum();
        assert!((areas - 30_000.0).abs() < 1.0);
        assert!(!mesh.give_away(&square(900.0, 900.0, 0.0)));
    }
}
