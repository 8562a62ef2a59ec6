//! A flat map of a small part of the earth.

use geo::{Coord, LineString, Polygon};
use gridwalk_domain::Position;

/// Metres in one degree of a great circle of the mean earth (radius 6,371,008.8 m).
const METRES_PER_DEGREE: f64 = 111_195.080;

/// A local map in metres: x to the east, y to the north of its origin.
///
/// Equirectangular. Over the 40 km of a district the scale is off by less than
/// 0.3 %, in a walk of a few kilometres by nothing one can measure.
#[derive(Clone, Copy, Debug)]
pub struct Plane {
    origin: Coord<f64>,
    x_scale: f64,
}

impl Plane {
    /// The plane that touches the earth at this place.
    #[must_use]
    pub fn at(origin: Position) -> Self {
        Self {
            origin: Coord {
                x: origin.lon,
                y: origin.lat,
            },
            x_scale: METRES_PER_DEGREE * origin.lat.to_radians().cos(),
        }
    }

    /// A place on the earth as metres from the origin.
    #[must_use]
    pub fn metres(&self, degrees: Coord<f64>) -> Coord<f64> {
        Coord {
            x: (degrees.x - self.origin.x) * self.x_scale,
            y: (degrees.y - self.origin.y) * METRES_PER_DEGREE,
        }
    }

    /// Metres from the origin as longitude (x) and latitude (y).
    #[must_use]
    pub fn degrees(&self, metres: Coord<f64>) -> Coord<f64> {
        Coord {
            x: self.origin.x + metres.x / self.x_scale,
            y: self.origin.y + metres.y / METRES_PER_DEGREE,
        }
    }

    /// A polygon in degrees as one in metres.
    #[must_use]
    pub fn polygon(&self, degrees: &Polygon<f64>) -> Polygon<f64> {
        let ring = |line: &LineString<f64>| {
            LineString::new(line.0.iter().map(|c| self.metres(*c)).collect())
        };
        Polygon::new(
            ring(degrees.exterior()),
            degrees.interiors().iter().map(ring).collect(),
        )
    }
}
