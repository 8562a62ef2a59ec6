//! Converts between the coordinate systems of Chinese maps.
//!
//! Everything inside is WGS-84. Amap and Tencent draw GCJ-02, Baidu BD-09, some
//! 50 to 700 m away: convert for a layer of theirs, and what is imported from
//! them. CGCS2000 (Tianditu, official boundaries) differs from WGS-84 by
//! centimetres and is taken as the same.
//!
//! GCJ-02 was never published. The formulas are those that have been in public
//! use since 2010: a polynomial with sines on the ellipsoid of Krasovsky 1940,
//! nothing outside a rectangle around China. The way back has no formula; it is
//! found by iterating until it fits to less than a millimetre.

use gridwalk_domain::Position;

use std::f64::consts::PI;

/// A coordinate system that positions may come in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum System {
    /// What satellite receivers and this program use.
    Wgs84,
    /// The Chinese national system of 2000: for our purpose WGS-84.
    Cgcs2000,
    /// Amap, Tencent.
    Gcj02,
    /// Baidu.
    Bd09,
}

/// Converts a position from one system to another.
#[must_use]
pub fn convert(p: Position, from: System, to: System) -> Position {
    use System::{Bd09, Cgcs2000, Gcj02, Wgs84};
    match (from, to) {
        (Wgs84 | Cgcs2000, Wgs84 | Cgcs2000) | (Gcj02, Gcj02) | (Bd09, Bd09) => p,
        (Wgs84 | Cgcs2000, Gcj02) => wgs84_to_gcj02(p),
        (Wgs84 | Cgcs2000, Bd09) => wgs84_to_bd09(p),
        (Gcj02, Wgs84 | Cgcs2000) => gcj02_to_wgs84(p),
        (Gcj02, Bd09) => gcj02_to_bd09(p),
        (Bd09, Wgs84 | Cgcs2000) => bd09_to_wgs84(p),
        (Bd09, Gcj02) => bd09_to_gcj02(p),
    }
}

/// Semi-major axis of the Krasovsky ellipsoid in metres.
const AXIS: f64 = 6_378_245.0;
/// Its squared eccentricity.
const ECCENTRICITY2: f64 = 0.006_693_421_622_965_943;
/// Baidu's own twist.
const BAIDU: f64 = PI * 3000.0 / 180.0;
/// Baidu's shift in degrees: longitude, latitude.
const BAIDU_SHIFT: (f64, f64) = (0.0065, 0.006);

/// Whether the systems differ here: the rectangle within which GCJ-02 is used.
#[must_use]
pub fn shifted_here(p: Position) -> bool {
    (72.004..=137.8347).contains(&p.lon) && (0.8293..=55.8271).contains(&p.lat)
}

/// From WGS-84 to GCJ-02; unchanged outside China.
#[must_use]
pub fn wgs84_to_gcj02(p: Position) -> Position {
    if !shifted_here(p) {
        return p;
    }
    let (dlat, dlon) = offset(p);
    Position {
        lat: p.lat + dlat,
        lon: p.lon + dlon,
    }
}

/// From GCJ-02 to WGS-84; unchanged outside China.
#[must_use]
pub fn gcj02_to_wgs84(p: Position) -> Position {
    if !shifted_here(p) {
        return p;
    }
    // The offset changes slowly: each turn is hundreds of times nearer.
    let mut wgs = p;
    for _ in 0..8 {
        let (dlat, dlon) = offset(wgs);
        wgs = Position {
            lat: p.lat - dlat,
            lon: p.lon - dlon,
        };
    }
    wgs
}

/// From GCJ-02 to BD-09; unchanged outside China.
#[must_use]
pub fn gcj02_to_bd09(p: Position) -> Position {
    if !shifted_here(p) {
        return p;
    }
    let (lon, lat) = twisted(p.lon, p.lat, 1.0);
    Position {
        lat: lat + BAIDU_SHIFT.1,
        lon: lon + BAIDU_SHIFT.0,
    }
}

/// From BD-09 to GCJ-02; unchanged outside China.
#[must_use]
pub fn bd09_to_gcj02(p: Position) -> Position {
    if !shifted_here(p) {
        return p;
    }
    // The published way back is a metre off in places: iterate as well.
    let (lon, lat) = twisted(p.lon - BAIDU_SHIFT.0, p.lat - BAIDU_SHIFT.1, -1.0);
    let mut gcj = Position { lat, lon };
    for _ in 0..4 {
        let (lon, lat) = twisted(gcj.lon, gcj.lat, 1.0);
        gcj.lat += p.lat - (lat + BAIDU_SHIFT.1);
        gcj.lon += p.lon - (lon + BAIDU_SHIFT.0);
    }
    gcj
}

/// From WGS-84 to BD-09; unchanged outside China.
#[must_use]
pub fn wgs84_to_bd09(p: Position) -> Position {
    gcj02_to_bd09(wgs84_to_gcj02(p))
}

/// From BD-09 to WGS-84; unchanged outside China.
#[must_use]
pub fn bd09_to_wgs84(p: Position) -> Position {
    gcj02_to_wgs84(bd09_to_gcj02(p))
}

/// How far GCJ-02 is from WGS-84 at a place, in degrees: latitude, longitude.
fn offset(p: Position) -> (f64, f64) {
    let (x, y) = (p.lon - 105.0, p.lat - 35.0);
    let root = x.abs().sqrt();
    let short = 20.0 * ((6.0 * x * PI).sin() + (2.0 * x * PI).sin());
    let north = -100.0
        + 2.0 * x
        + 3.0 * y
        + 0.2 * y * y
        + 0.1 * x * y
        + 0.2 * root
        + (short + waves(y, [20.0, 40.0], [160.0, 320.0], [1.0, 3.0, 12.0, 30.0])) * 2.0 / 3.0;
    let east = 300.0
        + x
        + 2.0 * y
        + 0.1 * x * x
        + 0.1 * x * y
        + 0.1 * root
        + (short + waves(x, [20.0, 40.0], [150.0, 300.0], [1.0, 3.0, 12.0, 30.0])) * 2.0 / 3.0;
    // Metres on the ellipsoid to degrees.
    let lat = p.lat.to_radians();
    let bulge = 1.0 - ECCENTRICITY2 * lat.sin() * lat.sin();
    let meridian = AXIS * (1.0 - ECCENTRICITY2) / (bulge * bulge.sqrt());
    let parallel = AXIS / bulge.sqrt() * lat.cos();
    (
        (north / meridian).to_degrees(),
        (east / parallel).to_degrees(),
    )
}

/// The slower sines of an offset: two of one pair of strengths, two of another,
/// each with its share of a half wave a degree.
fn waves(v: f64, near: [f64; 2], far: [f64; 2], slowness: [f64; 4]) -> f64 {
    let [a, b, c, d] = slowness.map(|s| (v * PI / s).sin());
    near[0] * a + near[1] * b + far[0] * c + far[1] * d
}

/// Baidu's twist of a position around 0° 0°, there (1) or back (−1).
fn twisted(lon: f64, lat: f64, way: f64) -> (f64, f64) {
    let radius = lon.hypot(lat) + way * 0.000_02 * (lat * BAIDU).sin();
    let angle = lat.atan2(lon) + way * 0.000_003 * (lon * BAIDU).cos();
    (radius * angle.cos(), radius * angle.sin())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::geometry::distance_m;

    fn at(lon: f64, lat: f64) -> Position {
        Position { lat, lon }
    }

    /// Pairs that `coordtransform` (npm, 2.1.2) publishes in its own test.
    #[test]
    fn published_reference_pairs() {
        let tiananmen = at(116.404, 39.915);
        for (got, lon, lat) in [
            (
                wgs84_to_gcj02(tiananmen),
                116.410_244_499_169_38,
                39.916_404_281_501_64,
            ),
            (
                gcj02_to_bd09(tiananmen),
                116.410_369_493_710_29,
                39.921_336_993_510_21,
            ),
        ] {
            assert!(
                (got.lon - lon).abs() < 1e-9 && (got.lat - lat).abs() < 1e-9,
                "{got:?}"
            );
        }
        // Its ways back are single steps: right to a few metres only.
        for (got, lon, lat) in [
            (
                gcj02_to_wgs84(tiananmen),
                116.397_755_500_830_61,
                39.913_595_718_498_36,
            ),
            (
                bd09_to_gcj02(tiananmen),
                116.397_627_291_193_15,
                39.908_656_739_576_31,
            ),
        ] {
            assert!(distance_m(got, at(lon, lat)) < 5.0, "{got:?}");
        }
    }

    #[test]
    fn chinese_maps_are_hundreds_of_metres_off_in_lanshan() {
        let here = at(118.33, 35.05);
        let gcj = distance_m(here, wgs84_to_gcj02(here));
        let bd = distance_m(here, wgs84_to_bd09(here));
        assert!((300.0..800.0).contains(&gcj), "{gcj}");
        assert!((600.0..1800.0).contains(&bd), "{bd}");
    }

    #[test]
    fn nothing_moves_outside_china() {
        for p in [
            at(2.35, 48.86),
            at(-74.0, 40.7),
            at(151.2, -33.9),
            at(180.0, 90.0),
        ] {
            for from in [System::Wgs84, System::Gcj02, System::Bd09] {
                for to in [System::Wgs84, System::Gcj02, System::Bd09, System::Cgcs2000] {
                    assert_eq!(convert(p, from, to), p);
                }
            }
        }
    }

    proptest! {
        #[test]
        fn there_and_back_is_within_a_centimetre(lon in 73.6..135.0_f64, lat in 3.9..53.5_f64) {
            let p = at(lon, lat);
            for system in [System::Gcj02, System::Bd09, System::Cgcs2000] {
                let back = convert(convert(p, System::Wgs84, system), system, System::Wgs84);
                prop_assert!(distance_m(p, back) < 0.01, "{:?} {}", system, distance_m(p, back));
            }
            let back = convert(convert(p, System::Gcj02, System::Bd09), System::Bd09, System::Gcj02);
            prop_assert!(distance_m(p, back) < 0.01);
        }
    }
}
