//! Distances on the ground, and a flat map for the few kilometres of a patrol.

use geo::{Distance, Haversine, Point};
use gridwalk_domain::Position;

/// Mean radius of the earth in metres, as `geo` has it.
const EARTH_M: f64 = 6_371_008.8;
/// Metres in one degree of latitude.
pub(crate) const METRES_PER_DEGREE: f64 = EARTH_M * std::f64::consts::PI / 180.0;

/// The distance over the ground between two places in metres.
#[must_use]
pub fn distance_m(a: Position, b: Position) -> f64 {
    Haversine.distance(Point::new(a.lon, a.lat), Point::new(b.lon, b.lat))
}

/// A point on a [`Plane`]: metres east and north of its origin.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Metres {
    pub(crate) east: f64,
    pub(crate) north: f64,
}

impl Metres {
    pub(crate) fn distance(self, other: Self) -> f64 {
        (self.east - other.east).hypot(self.north - other.north)
    }
}

/// A flat map around one place (equirectangular).
///
/// Within 10 km of the origin a distance is right to about 0.1 % at the
/// latitudes where people live; a haversine for each pair of fixes would cost
/// four times as much. For a point further off, make another plane.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Plane {
    origin: Position,
    east_m: f64,
}

impl Plane {
    pub(crate) fn around(origin: Position) -> Self {
        Self {
            origin,
            east_m: METRES_PER_DEGREE * origin.lat.to_radians().cos(),
        }
    }

    pub(crate) fn metres(&self, p: Position) -> Metres {
        Metres {
            east: short_way(p.lon - self.origin.lon) * self.east_m,
            north: (p.lat - self.origin.lat) * METRES_PER_DEGREE,
        }
    }

    pub(crate) fn position(&self, m: Metres) -> Position {
        // At a pole there is no east; any longitude is as right as another.
        let east = if self.east_m > 1e-3 {
            m.east / self.east_m
        } else {
            0.0
        };
        Position {
            lat: self.origin.lat + m.north / METRES_PER_DEGREE,
            lon: short_way(self.origin.lon + east),
        }
    }
}

/// A difference of longitudes the short way round, −180 to 180.
fn short_way(degrees: f64) -> f64 {
    if degrees > 180.0 {
        degrees - 360.0
    } else if degrees < -180.0 {
        degrees + 360.0
    } else {
        degrees
    }
}

/// The point of the line from `a` to `b` that is nearest to `p`, as the share
/// of the way from `a` (0 to 1), and its distance from `p`.
pub(crate) fn nearest_on(a: Metres, b: Metres, p: Metres) -> (f64, f64) {
    let (de, dn) = (b.east - a.east, b.north - a.north);
    let length2 = de * de + dn * dn;
    let share = if length2 > 0.0 {
        (((p.east - a.east) * de + (p.north - a.north) * dn) / length2).clamp(0.0, 1.0)
    } else {
        0.0
    };
    let at = Metres {
        east: a.east + share * de,
        north: a.north + share * dn,
    };
    (share, at.distance(p))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plane_agrees_with_the_sphere_within_ten_kilometres() {
        let origin = Position {
            lat: 35.05,
            lon: 118.33,
        };
        let plane = Plane::around(origin);
        for (dlat, dlon) in [
            (0.0, 0.1),
            (0.08, 0.0),
            (-0.05, 0.07),
            (0.000_01, -0.000_02),
        ] {
            let p = Position {
                lat: origin.lat + dlat,
                lon: origin.lon + dlon,
            };
            let flat = plane.metres(p).distance(Metres::default());
            let sphere = distance_m(origin, p);
            assert!((flat / sphere - 1.0).abs() < 1e-3, "{flat} {sphere}");
            let back = plane.position(plane.metres(p));
            assert!(distance_m(back, p) < 1e-6);
        }
    }

    #[test]
    fn the_date_line_is_no_long_way() {
        let plane = Plane::around(Position {
            lat: 0.0,
            lon: 179.999,
        });
        let m = plane.metres(Position {
            lat: 0.0,
            lon: -179.999,
        });
        assert!((m.east - 222.4).abs() < 0.1, "{}", m.east);
    }

    #[test]
    fn nearest_point_is_on_the_segment() {
        let a = Metres {
            east: 0.0,
            north: 0.0,
        };
        let b = Metres {
            east: 10.0,
            north: 0.0,
        };
        assert_eq!(
            nearest_on(
                a,
                b,
                Metres {
                    east: 4.0,
                    north: 3.0
                }
            ),
            (0.4, 3.0)
        );
        assert_eq!(
            nearest_on(
                a,
                b,
                Metres {
                    east: 14.0,
                    north: 3.0
                }
            ),
            (1.0, 5.0)
        );
        assert_eq!(
            nearest_on(
                a,
                a,
                Metres {
                    east: 3.0,
                    north: 4.0
                }
            ),
            (0.0, 5.0)
        );
    }
}
