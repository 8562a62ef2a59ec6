//! Which sites and areas a route reached.
//!
//! Segments are tested, not fixes: two fixes may lie on either side of a site
//! with none inside. A gap is never a part of a segment, so nothing is credited
//! for one.

pub mod duty;

use geo::algorithm::line_intersection::{LineIntersection, line_intersection};
use geo::{
    BoundingRect, Contains, Coord, Line, LineString, LinesIter, MultiPolygon, Point, Polygon, Rect,
};
use gridwalk_domain::{Boundary, Fix, Position};

use crate::geometry::{METRES_PER_DEGREE, Metres, Plane, nearest_on};

/// A place with a radius: a site.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Circle {
    /// Its middle.
    pub at: Position,
    /// Its radius in metres.
    pub radius_m: f64,
}

/// One visit of a route to a site.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Pass {
    /// When the way came within the radius: milliseconds since 1970.
    pub from_ms: i64,
    /// When it was last within.
    pub to_ms: i64,
    /// How near it came, in metres.
    pub closest_m: f64,
    /// When it was nearest.
    pub closest_ms: i64,
}

/// A fix less accurate than this many metres credits nothing by itself.
const ACCURATE_M: f64 = 30.0;
/// The accuracy of a fix that does not know its own, in metres.
const ASSUMED_M: f64 = 10.0;
/// Longer lines than this, in milliseconds, say too little about the way
/// between their ends to credit it: only the ends count.
const LINE_MS: i64 = 60_000;
/// Two passes with less than this between them, in milliseconds, are one: at
/// the edge of a circle noise goes in and out.
const SAME_PASS_MS: i64 = 60_000;

/// The visits of a route to a site: where a segment's line leads into the
/// circle for certain, that is by at least half the accuracy of the fixes it
/// joins, or half of the radius where the circle is small.
#[must_use]
pub fn credit(segments: &[Vec<Fix>], site: &Circle) -> Vec<Pass> {
    let plane = Plane::around(site.at);
    let reach = Reach::around(site);
    let mut passes: Vec<Pass> = Vec::new();
    for segment in segments {
        let mut passing: Option<Pass> = None;
        for line in lines(segment) {
            if !reach.may_touch(line) {
                continue;
            }
            let Some(pass) = pass(line, site, &plane) else {
                continue;
            };
            match &mut passing {
                Some(open) if pass.from_ms - open.to_ms < SAME_PASS_MS => join(open, &pass),
                _ => passes.extend(passing.replace(pass)),
            }
        }
        passes.extend(passing);
    }
    passes
}

/// How near segments came to a place, in metres, certain or not; none where
/// there are none. Of a line that is too long to say where it led, its ends.
#[must_use]
pub fn closest(segments: &[Vec<Fix>], at: Position) -> Option<f64> {
    let plane = Plane::around(at);
    let distance = |(a, b): (&Fix, &Fix)| {
        let (from, to) = (plane.metres(a.position), plane.metres(b.position));
        if b.time_ms.saturating_sub(a.time_ms) > LINE_MS {
            let here = Metres::default();
            from.distance(here).min(to.distance(here))
        } else {
            nearest_on(from, to, Metres::default()).1
        }
    };
    let all = segments.iter().flat_map(|segment| lines(segment));
    all.map(distance).reduce(f64::min)
}

/// Each pair of neighbours; a lone fix as a line to itself.
fn lines(segment: &[Fix]) -> impl Iterator<Item = (&Fix, &Fix)> {
    let lone = (segment.len() == 1).then(|| (&segment[0], &segment[0]));
    lone.into_iter()
        .chain(segment.iter().zip(segment.iter().skip(1)))
}

fn join(open: &mut Pass, next: &Pass) {
    open.to_ms = next.to_ms;
    if next.closest_m < open.closest_m {
        open.closest_m = next.closest_m;
        open.closest_ms = next.closest_ms;
    }
}

/// The rectangle around a circle, in degrees: most lines are nowhere near.
struct Reach {
    lat: f64,
    lon: f64,
    at: Position,
}

impl Reach {
    fn around(site: &Circle) -> Self {
        let lat = site.radius_m / METRES_PER_DEGREE;
        Self {
            lat,
            lon: lat / site.at.lat.to_radians().cos().max(0.01),
            at: site.at,
        }
    }

    fn may_touch(&self, (a, b): (&Fix, &Fix)) -> bool {
        let beside =
            |a: f64, b: f64, at: f64, reach: f64| a.min(b) > at + reach || a.max(b) < at - reach;
        !beside(a.position.lat, b.position.lat, self.at.lat, self.lat)
            && !beside(a.position.lon, b.position.lon, self.at.lon, self.lon)
    }
}

fn pass((a, b): (&Fix, &Fix), site: &Circle, plane: &Plane) -> Option<Pass> {
    let (from, to) = (plane.metres(a.position), plane.metres(b.position));
    if b.time_ms.saturating_sub(a.time_ms) > LINE_MS {
        // Only the ends: each as a line to itself.
        let ends = [(a, from), (b, to)];
        let mut found = ends.into_iter().filter_map(|(f, at)| {
            within(at, at, site.radius_m - margin(f, f, site.radius_m)?)
                .map(|w| pass_of(f.time_ms, f.time_ms, w))
        });
        let first = found.next();
        return match (first, found.next()) {
            // Both, but nothing is known of the time between: the later one.
            (Some(_), Some(later)) => Some(later),
            (one, _) => one,
        };
    }
    let certain = site.radius_m - margin(a, b, site.radius_m)?;
    within(from, to, certain).map(|w| pass_of(a.time_ms, b.time_ms, w))
}

/// How far inside the circle a line has to lead; `None` where its fixes are too
/// vague to say anything.
fn margin(a: &Fix, b: &Fix, radius_m: f64) -> Option<f64> {
    let accuracy = |f: &Fix| f.accuracy_m.map_or(ASSUMED_M, f64::from);
    let accuracy = accuracy(a).max(accuracy(b));
    (accuracy <= ACCURATE_M.max(radius_m)).then(|| (accuracy / 2.0).min(radius_m / 2.0))
}

/// The part of a line within a distance of the origin.
struct Within {
    enters: f64,
    leaves: f64,
    nearest: f64,
    distance: f64,
}

fn within(a: Metres, b: Metres, radius: f64) -> Option<Within> {
    let (nearest, distance) = nearest_on(a, b, Metres::default());
    if distance > radius {
        return None;
    }
    let length = a.distance(b);
    if length <= 0.0 {
        return Some(Within {
            enters: 0.0,
            leaves: 1.0,
            nearest,
            distance,
        });
    }
    // Half the chord, from the foot of the perpendicular on the endless line.
    let along = -(a.east * (b.east - a.east) + a.north * (b.north - a.north)) / (length * length);
    let foot = Metres {
        east: a.east + along * (b.east - a.east),
        north: a.north + along * (b.north - a.north),
    };
    let beside = foot.distance(Metres::default());
    let half = (radius * radius - beside * beside).max(0.0).sqrt() / length;
    let (enters, leaves) = (
        (along - half).clamp(0.0, 1.0),
        (along + half).clamp(0.0, 1.0),
    );
    Some(Within {
        enters,
        leaves,
        nearest,
        distance,
    })
}

fn pass_of(from_ms: i64, to_ms: i64, within: Within) -> Pass {
    Pass {
        from_ms: between(from_ms, to_ms, within.enters),
        to_ms: between(from_ms, to_ms, within.leaves),
        closest_m: within.distance,
        closest_ms: between(from_ms, to_ms, within.nearest),
    }
}

/// The time at a share of the way.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "a part of a line's milliseconds"
)]
fn between(from_ms: i64, to_ms: i64, share: f64) -> i64 {
    from_ms.saturating_add((to_ms.saturating_sub(from_ms) as f64 * share).round() as i64)
}

/// An area with a boundary: a grid.
#[derive(Clone, Debug, PartialEq)]
pub struct Area {
    polygons: MultiPolygon<f64>,
    bounds: Option<Rect<f64>>,
}

/// A route's way through the boundary of an area.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Crossing {
    /// When: milliseconds since 1970.
    pub at_ms: i64,
    /// Where.
    pub at: Position,
    /// Whether it led inside.
    pub inwards: bool,
}

impl Area {
    /// An area within closed polygons, in WGS-84 degrees (x is the longitude).
    #[must_use]
    pub fn new(polygons: MultiPolygon<f64>) -> Self {
        Self {
            bounds: polygons.bounding_rect(),
            polygons,
        }
    }

    /// The area of a grid.
    #[must_use]
    pub fn of(boundary: &Boundary) -> Self {
        let ring = |points: &Vec<[f64; 2]>| points.iter().map(|[lon, lat]| (*lon, *lat)).collect();
        let polygon = |rings: &Vec<Vec<[f64; 2]>>| {
            let mut rings = rings.iter().map(ring);
            let outer = rings.next().unwrap_or_else(|| LineString::new(vec![]));
            Polygon::new(outer, rings.collect())
        };
        Self::new(boundary.0.iter().map(polygon).collect())
    }

    /// Whether a place is inside.
    #[must_use]
    pub fn contains(&self, p: Position) -> bool {
        let point = Point::new(p.lon, p.lat);
        self.bounds
            .is_some_and(|b| b.contains(&point) || touches(&b, point))
            && self.polygons.contains(&point)
    }

    /// How long a route was inside, in milliseconds: the parts of its segments'
    /// lines, also where no fix lies inside.
    #[must_use]
    pub fn time_inside_ms(&self, segments: &[Vec<Fix>]) -> i64 {
        let mut inside = 0.0;
        for (a, b) in segments.iter().flat_map(|s| s.iter().zip(s.iter().skip(1))) {
            #[expect(clippy::cast_precision_loss, reason = "milliseconds of one line")]
            let ms = b.time_ms.saturating_sub(a.time_ms) as f64;
            inside += ms * self.share_inside(a, b);
        }
        #[expect(clippy::cast_possible_truncation, reason = "milliseconds of a patrol")]
        let inside = inside.round() as i64;
        inside
    }

    /// Whether any part of a route was inside.
    #[must_use]
    pub fn entered(&self, segments: &[Vec<Fix>]) -> bool {
        segments.iter().any(|segment| {
            segment.first().is_some_and(|f| self.contains(f.position))
                || segment
                    .iter()
                    .zip(segment.iter().skip(1))
                    .any(|(a, b)| self.share_inside(a, b) > 0.0)
        })
    }

    /// Where a route's segments lead in and out, in order.
    #[must_use]
    pub fn crossings(&self, segments: &[Vec<Fix>]) -> Vec<Crossing> {
        let mut crossings = Vec::new();
        for (a, b) in segments.iter().flat_map(|s| s.iter().zip(s.iter().skip(1))) {
            let pieces = self.pieces(a, b);
            for pair in pieces.windows(2) {
                let ((_, share, was), (_, _, is)) = (pair[0], pair[1]);
                if was != is {
                    crossings.push(Crossing {
                        at_ms: between(a.time_ms, b.time_ms, share),
                        at: along(a.position, b.position, share),
                        inwards: is,
                    });
                }
            }
        }
        crossings
    }

    fn share_inside(&self, a: &Fix, b: &Fix) -> f64 {
        let pieces = self.pieces(a, b);
        pieces
            .iter()
            .filter(|(_, _, inside)| *inside)
            .map(|(from, to, _)| to - from)
            .sum()
    }

    /// A line cut at the boundary: from which share of it to which, and whether
    /// inside.
    fn pieces(&self, a: &Fix, b: &Fix) -> Vec<(f64, f64, bool)> {
        let coord = |p: Position| Coord { x: p.lon, y: p.lat };
        let line = Line::new(coord(a.position), coord(b.position));
        let near = self.bounds.is_some_and(|bounds| beside(&bounds, &line));
        if !near {
            return vec![(0.0, 1.0, false)];
        }
        let mut cuts = vec![0.0, 1.0];
        for edge in self.polygons.lines_iter() {
            match line_intersection(line, edge) {
                Some(LineIntersection::SinglePoint { intersection, .. }) => {
                    cuts.push(share_of(&line, intersection));
                }
                Some(LineIntersection::Collinear { intersection }) => {
                    cuts.push(share_of(&line, intersection.start));
                    cuts.push(share_of(&line, intersection.end));
                }
                None => {}
            }
        }
        cuts.sort_by(f64::total_cmp);
        let pieces = cuts.windows(2).filter(|w| w[1] > w[0]);
        pieces
            .map(|w| {
                let middle = along(a.position, b.position, f64::midpoint(w[0], w[1]));
                (w[0], w[1], self.contains(middle))
            })
            .collect()
    }
}

/// Whether a line's own rectangle meets another.
fn beside(bounds: &Rect<f64>, line: &Line<f64>) -> bool {
    let (min, max) = (bounds.min(), bounds.max());
    line.start.x.min(line.end.x) <= max.x
        && line.start.x.max(line.end.x) >= min.x
        && line.start.y.min(line.end.y) <= max.y
        && line.start.y.max(line.end.y) >= min.y
}

fn touches(bounds: &Rect<f64>, p: Point<f64>) -> bool {
    beside(bounds, &Line::new(p.0, p.0))
}

/// Where on a line a point of it lies, 0 to 1.
fn share_of(line: &Line<f64>, p: Coord<f64>) -> f64 {
    let d = line.delta();
    let length2 = d.x * d.x + d.y * d.y;
    if length2 <= 0.0 {
        return 0.0;
    }
    (((p.x - line.start.x) * d.x + (p.y - line.start.y) * d.y) / length2).clamp(0.0, 1.0)
}

fn along(a: Position, b: Position, share: f64) -> Position {
    Position {
        lat: a.lat + share * (b.lat - a.lat),
        lon: a.lon + share * (b.lon - a.lon),
    }
}

#[cfg(test)]
mod tests;
