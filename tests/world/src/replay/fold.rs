//! Setting a walk down in a polygon and folding it at the edge.

use geo::Polygon;
use geo::{AffineTransform, Area, BoundingRect, Buffer, Coord, Intersects, Line, LinesIter, Point};
use gridwalk_domain::{Fix, Position};

use crate::{Plane, WorldError};

/// How far inside the edge, in metres, a folded walk turns: so that neither
/// rounding nor a simplified boundary takes it outside.
const MARGIN_M: f64 = 3.0;
/// Folds within one step before the walk is taken to be stuck in a corner.
const MOST_FOLDS: usize = 32;

/// Moves a trace into a grid: its first fix to a place in the polygon that the
/// seed chooses, at `start_ms`; mirrored at the edge wherever it would leave.
///
/// The polygon is in degrees (x the longitude). Every step keeps its length
/// along the folded way, and its time.
///
/// # Errors
///
/// An empty trace, or a polygon without area.
pub fn fit_into_grid(
    trace: &[Fix],
    polygon: &Polygon<f64>,
    start_ms: i64,
    seed: u64,
) -> Result<Vec<Fix>, WorldError> {
    if trace.is_empty() {
        return Err(WorldError::Replay("the trace has no fix"));
    }
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut walker = Walker::set_down(polygon, &mut rng)?;
    Ok(walker.follow(trace, start_ms, &mut rng))
}

/// Somebody in a polygon, who can follow traces.
pub(super) struct Walker {
    plane: Plane,
    edges: Vec<Line<f64>>,
    ground: Polygon<f64>,
    here: Coord<f64>,
}

impl Walker {
    /// Puts somebody anywhere in the polygon.
    pub(super) fn set_down(
        polygon: &Polygon<f64>,
        rng: &mut fastrand::Rng,
    ) -> Result<Self, WorldError> {
        const NOWHERE: WorldError = WorldError::Replay("the grid's polygon has no area");
        let corner = polygon.exterior().0.first().ok_or(NOWHERE)?;
        let plane = Plane::at(Position {
            lat: corner.y,
            lon: corner.x,
        });
        let whole = plane.polygon(polygon);
        let inset = whole.buffer(-MARGIN_M).into_iter();
        let ground = inset
            .max_by(|a, b| a.unsigned_area().total_cmp(&b.unsigned_area()))
            .unwrap_or(whole);
        let bounds = ground.bounding_rect().ok_or(NOWHERE)?;
        if ground.unsigned_area() <= 0.0 {
            return Err(NOWHERE);
        }
        let here = loop {
            let place = Coord {
                x: bounds.min().x + rng.f64() * bounds.width(),
                y: bounds.min().y + rng.f64() * bounds.height(),
            };
            if ground.intersects(&Point(place)) {
                break place;
            }
        };
        let edges = ground.lines_iter().collect();
        Ok(Self {
            plane,
            edges,
            ground,
            here,
        })
    }

    /// Follows a trace from where the walker is, starting at `start_ms`.
    pub(super) fn follow(
        &mut self,
        trace: &[Fix],
        start_ms: i64,
        rng: &mut fastrand::Rng,
    ) -> Vec<Fix> {
        let Some(first) = trace.first() else {
            return Vec::new();
        };
        let source = Plane::at(first.position);
        let mut placing = turned(rng.u8(0..4), rng.bool()).translated(self.here.x, self.here.y);
        let moved = |fix: &Fix| {
            let walked = source.metres(Coord {
                x: fix.position.lon,
                y: fix.position.lat,
            });
            self.step(walked, &mut placing);
            let place = self.plane.degrees(self.here);
            Fix {
                time_ms: start_ms + (fix.time_ms - first.time_ms),
                position: Position {
                    lat: place.y,
                    lon: place.x,
                },
                altitude_m: None,
                bearing_deg: None,
                ..*fix
            }
        };
        trace.iter().map(moved).collect()
    }

    /// Goes to where `placing` puts this point of the trace. Each edge on the
    /// way mirrors the rest of the walk.
    fn step(&mut self, walked: Coord<f64>, placing: &mut AffineTransform<f64>) {
        let (mut from, mut folded_at) = (self.here, None);
        for _ in 0..MOST_FOLDS {
            let way = Line::new(from, placing.apply(walked));
            match self.first_edge(way, folded_at) {
                Some((edge, place)) => {
                    *placing = placing.compose(&mirror(self.edges[edge]));
                    (from, folded_at) = (place, Some(edge));
                }
                None if self.ground.intersects(&Point(way.end)) => {
                    self.here = way.end;
                    return;
                }
                None => break,
            }
        }
        // Caught in a corner, where rounding decides: wait a step, then go on.
        let there = placing.apply(walked);
        *placing = placing.translated(self.here.x - there.x, self.here.y - there.y);
    }

    /// The first edge that a way crosses, other than the one it starts from.
    fn first_edge(&self, way: Line<f64>, start: Option<usize>) -> Option<(usize, Coord<f64>)> {
        let others = (0..self.edges.len()).filter(|e| Some(*e) != start);
        others
            .filter_map(|e| Some((e, crossing(way, self.edges[e])?)))
            .min_by(|a, b| a.1.total_cmp(&b.1))
            .map(|(edge, part)| (edge, way.start + way.delta() * part))
    }
}

/// How much of the way is behind when it crosses the edge, from 0 to 1.
fn crossing(way: Line<f64>, edge: Line<f64>) -> Option<f64> {
    let (w, e) = (way.delta(), edge.delta());
    let offset = edge.start - way.start;
    let across = w.x * e.y - w.y * e.x;
    let on_way = (offset.x * e.y - offset.y * e.x) / across;
    let on_edge = (offset.x * w.y - offset.y * w.x) / across;
    let part = 0.0..=1.0;
    // Parallel lines divide by zero, and no range contains what comes of that.
    (part.contains(&on_way) && part.contains(&on_edge)).then_some(on_way)
}

/// Quarter turns about the origin, after mirroring or not.
fn turned(quarters: u8, mirrored: bool) -> AffineTransform<f64> {
    let (cos, sin) = [(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)][usize::from(quarters % 4)];
    let flip = if mirrored { -1.0 } else { 1.0 };
    AffineTransform::new(cos * flip, -sin, 0.0, sin * flip, cos, 0.0)
}

/// The mirror that stands on a line.
fn mirror(line: Line<f64>) -> AffineTransform<f64> {
    let (d, s) = (line.delta(), line.start);
    let length = d.x * d.x + d.y * d.y;
    let (cos, sin) = ((d.x * d.x - d.y * d.y) / length, 2.0 * d.x * d.y / length);
    AffineTransform::new(
        cos,
        sin,
        s.x - cos * s.x - sin * s.y,
        sin,
        -cos,
        s.y - sin * s.x + cos * s.y,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::{Distance, Euclidean, LineString};
    use proptest::prelude::*;

    fn grid(corners: &[(f64, f64)]) -> Polygon<f64> {
        let degrees = |&(x, y): &(f64, f64)| (118.3 + x / 91_000.0, 35.1 + y / 111_195.0);
        Polygon::new(
            LineString::from_iter(corners.iter().map(degrees)),
            Vec::new(),
        )
    }

    fn straight(steps: i32, metres: f64) -> Vec<Fix> {
        let fix = |i: i32| Fix {
            time_ms: 5_000_000 + i64::from(i) * 1000,
            position: Position {
                lat: 46.0 + f64::from(i) * metres / 111_195.0,
                lon: 6.0,
            },
            accuracy_m: Some(4.0),
            altitude_m: Some(900.0),
            speed_mps: Some(1.25),
            bearing_deg: Some(0.0),
            mocked: false,
        };
        (0..steps).map(fix).collect()
    }

    #[test]
    fn a_long_straight_walk_stays_in_a_bent_grid() {
        let bent = grid(&[
            (0.0, 0.0),
            (600.0, 0.0),
            (600.0, 500.0),
            (300.0, 120.0),
            (0.0, 500.0),
        ]);
        for seed in 0..50 {
            let walk = fit_into_grid(&straight(3000, 1.3), &bent, 7_000, seed).unwrap();
            let outside = walk.iter().filter(|f| !inside(&bent, f)).count();
            assert_eq!(outside, 0, "seed {seed}");
        }
    }

    #[test]
    fn time_moves_as_a_whole_and_foreign_facts_stay_behind() {
        let square = grid(&[(0.0, 0.0), (600.0, 0.0), (600.0, 600.0), (0.0, 600.0)]);
        let walk = fit_into_grid(&straight(100, 1.0), &square, 1_700_000_000_000, 3).unwrap();
        assert_eq!(walk[0].time_ms, 1_700_000_000_000);
        assert_eq!(walk[99].time_ms, 1_700_000_099_000);
        assert_eq!(
            (walk[9].accuracy_m, walk[9].speed_mps),
            (Some(4.0), Some(1.25))
        );
        assert_eq!((walk[9].altitude_m, walk[9].bearing_deg), (None, None));
    }

    #[test]
    fn a_seed_is_a_place_and_the_same_seed_the_same_place() {
        let square = grid(&[(0.0, 0.0), (600.0, 0.0), (600.0, 600.0), (0.0, 600.0)]);
        let walk = |seed| fit_into_grid(&straight(100, 1.0), &square, 0, seed).unwrap();
        assert_eq!(walk(1), walk(1));
        assert_ne!(walk(1), walk(2));
    }

    #[test]
    fn nothing_to_walk_and_nowhere_to_walk_are_errors() {
        let square = grid(&[(0.0, 0.0), (600.0, 0.0), (600.0, 600.0), (0.0, 600.0)]);
        assert!(fit_into_grid(&[], &square, 0, 1).is_err());
        let line = grid(&[(0.0, 0.0), (600.0, 0.0)]);
        assert!(fit_into_grid(&straight(9, 1.0), &line, 0, 1).is_err());
    }

    fn inside(polygon: &Polygon<f64>, fix: &Fix) -> bool {
        polygon.intersects(&Point::new(fix.position.lon, fix.position.lat))
    }

    proptest! {
        /// Mirroring shortens a step where it folds it, and lengthens none.
        #[test]
        fn no_step_grows(seed: u64, metres in 0.2..40.0) {
            let square = grid(&[(0.0, 0.0), (500.0, 50.0), (600.0, 600.0), (20.0, 400.0)]);
            let walk = fit_into_grid(&straight(300, metres), &square, 0, seed).unwrap();
            let plane = Plane::at(Position { lat: 35.1, lon: 118.3 });
            let place = |f: &Fix| Point(plane.metres(Coord { x: f.position.lon, y: f.position.lat }));
            for pair in walk.windows(2) {
                prop_assert!(inside(&square, &pair[0]));
                let step = Euclidean.distance(place(&pair[0]), place(&pair[1]));
                prop_assert!(step <= metres * 1.001 + 1e-6, "{step} of {metres}");
            }
        }
    }
}
