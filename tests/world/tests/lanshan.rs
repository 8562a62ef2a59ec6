//! Lanshan as the demo shows it.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::OnceLock;

use geo::{Area as _, BooleanOps, BoundingRect, InteriorPoint, Intersects, MultiPolygon, Point};
use geo::{Polygon, unary_union};
use gridwalk_domain::{GridCode, GridLevel, Position};
use gridwalk_world::replay::{WALKING_MPS, Walks, fit_into_grid};
use gridwalk_world::{Area, Plane, World};

/// Made once for all tests of this file.
fn lanshan() -> &'static World {
    static LANSHAN: OnceLock<World> = OnceLock::new();
    LANSHAN.get_or_init(|| match World::lanshan(1) {
        Ok(world) => world,
        Err(error) => panic!("{error}"),
    })
}

fn walks() -> &'static Walks {
    static WALKS: OnceLock<Walks> = OnceLock::new();
    WALKS.get_or_init(|| match Walks::shipped() {
        Ok(walks) => walks,
        Err(error) => panic!("{error}"),
    })
}

/// Lanshan in square metres: one plane for all, so that sums compare.
fn metres(polygon: &Polygon<f64>) -> Polygon<f64> {
    Plane::at(Position {
        lat: 35.2,
        lon: 118.3,
    })
    .polygon(polygon)
}

fn area(a: &Area) -> f64 {
    metres(&a.boundary).unsigned_area()
}

fn children(code: &str) -> Vec<&'static Area> {
    lanshan()
        .areas()
        .iter()
        .filter(|a| a.parent.as_deref() == Some(code))
        .collect()
}

#[test]
fn it_has_as_many_grids_as_the_list_and_the_report_say() {
    let count = |level| lanshan().level(level).count();
    assert_eq!(count(GridLevel::District), 1);
    assert_eq!(count(GridLevel::Town), 11);
    assert_eq!(count(GridLevel::Community), 359);
    assert_eq!(count(GridLevel::Base), 1956);
}

#[test]
fn codes_have_their_lengths_and_begin_with_their_parents() {
    let mut codes = HashSet::new();
    for grid in lanshan().areas() {
        let digits = match grid.level {
            GridLevel::District => 6,
            GridLevel::Town => 9,
            GridLevel::Community => 12,
            GridLevel::Base => 15,
        };
        assert_eq!(grid.code.len(), digits, "{}", grid.code);
        assert!(grid.code.parse::<GridCode>().is_ok());
        assert!(
            grid.code
                .starts_with(grid.parent.as_deref().unwrap_or_default())
        );
        assert!(codes.insert(&grid.code), "{} comes twice", grid.code);
    }
}

#[test]
fn parents_come_before_children_and_every_community_has_five_or_six() {
    let mut known = HashSet::new();
    for grid in lanshan().areas() {
        assert!(
            grid.parent.as_ref().is_none_or(|p| known.contains(p)),
            "{}",
            grid.code
        );
        known.insert(grid.code.clone());
    }
    for community in lanshan().level(GridLevel::Community) {
        let count = children(&community.code).len();
        assert!((5..=6).contains(&count), "{} has {count}", community.name);
    }
}

#[test]
fn only_the_outline_is_real_and_names_say_where_they_belong() {
    for grid in lanshan().areas() {
        assert_eq!(
            grid.synthetic,
            grid.level != GridLevel::District,
            "{}",
            grid.code
        );
    }
    let first = lanshan().area("371302001001003").unwrap();
    assert_eq!(first.name, "前十社区第三网格");
    assert_eq!(
        lanshan().area("371302001001").unwrap().name,
        "前十社区居民委员会"
    );
}

#[test]
fn base_grids_fill_the_outline() {
    let outline =
        gridwalk_world::world::read_outline(include_str!("../../fixtures/lanshan/outline.geojson"))
            .unwrap();
    let whole = metres(&outline).unsigned_area();
    let sum: f64 = lanshan().level(GridLevel::Base).map(area).sum();
    assert!((sum / whole - 1.0).abs() < 0.001, "{sum} of {whole} m²");
}

#[test]
fn base_grids_overlap_nowhere_and_leave_no_hole() {
    // Were there an overlap, the union would be smaller than the sum; were there
    // a hole, it would have an interior.
    let cells: Vec<_> = lanshan()
        .level(GridLevel::Base)
        .map(|a| metres(&a.boundary))
        .collect();
    let sum: f64 = cells.iter().map(geo::Area::unsigned_area).sum();
    let union: MultiPolygon<f64> = unary_union(&cells);
    // Corners are rounded to a tenth of a metre, edges of two cells alike.
    assert!(
        (sum - union.unsigned_area()).abs() < 100.0,
        "{} m²",
        sum - union.unsigned_area()
    );
    let holes: f64 = union
        .iter()
        .flat_map(Polygon::interiors)
        .map(|hole| Polygon::new(hole.clone(), Vec::new()).unsigned_area())
        .sum();
    assert!(holes < 100.0, "{holes} m²");
}

#[test]
fn base_grids_are_about_as_wide_as_they_should_be() {
    let mut widths: Vec<f64> = lanshan()
        .level(GridLevel::Base)
        .map(|a| area(a).sqrt())
        .collect();
    widths.sort_by(f64::total_cmp);
    #[expect(clippy::cast_precision_loss, reason = "a count")]
    let mean = widths.iter().sum::<f64>() / widths.len() as f64;
    assert!((640.0..700.0).contains(&mean), "{mean} m");
    assert!(
        widths[0] > 400.0 && widths[1955] < 950.0,
        "{} to {}",
        widths[0],
        widths[1955]
    );
}

#[test]
fn an_area_is_what_its_children_make_together() {
    for parent in lanshan()
        .areas()
        .iter()
        .filter(|a| a.level != GridLevel::Base)
    {
        let parts = children(&parent.code);
        let sum: f64 = parts.iter().map(|c| area(c)).sum();
        assert!(
            (sum / area(parent) - 1.0).abs() < 1e-4,
            "{}: {sum}",
            parent.name
        );
        let boundary = metres(&parent.boundary);
        for part in parts {
            let place = part.boundary.interior_point().unwrap();
            assert!(
                parent.boundary.intersects(&place),
                "{} in {}",
                part.code,
                parent.code
            );
            let outside = metres(&part.boundary).difference(&boundary).unsigned_area();
            assert!(
                outside < 1.0,
                "{outside} m² of {} outside {}",
                part.code,
                parent.code
            );
        }
    }
}

#[test]
fn each_base_grid_lies_in_exactly_one_community() {
    let mut homes: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    let communities: Vec<_> = lanshan()
        .level(GridLevel::Community)
        .map(|c| (c, c.boundary.bounding_rect().unwrap()))
        .collect();
    for base in lanshan().level(GridLevel::Base) {
        let place = base.boundary.interior_point().unwrap();
        for (community, bounds) in &communities {
            if bounds.intersects(&place) && community.boundary.intersects(&place) {
                homes.entry(&base.code).or_default().push(&community.code);
            }
        }
    }
    assert_eq!(homes.len(), 1956);
    for base in lanshan().level(GridLevel::Base) {
        assert_eq!(
            homes[&*base.code],
            [base.parent.as_deref().unwrap()],
            "{}",
            base.code
        );
    }
}

#[test]
fn a_seed_is_a_world_and_the_same_seed_the_same_bytes() {
    let bytes = |world: &World| world.to_geojson().to_string();
    assert_eq!(bytes(lanshan()), bytes(&World::lanshan(1).unwrap()));
    assert_ne!(bytes(lanshan()), bytes(&World::lanshan(2).unwrap()));
}

#[test]
fn the_geojson_names_its_coordinates_and_says_what_was_made_up() {
    let json: serde_json::Value =
        serde_json::from_str(&lanshan().to_geojson().to_string()).unwrap();
    assert_eq!(json["type"], "FeatureCollection");
    assert_eq!(json["crs_name"], "wgs84");
    assert_eq!(json["synthetic"], true);
    assert!(json["note"].as_str().unwrap().contains("合成边界"));
    let features = json["features"].as_array().unwrap();
    assert_eq!(features.len(), 1 + 11 + 359 + 1956);
    let base = &features[features.len() - 1];
    let mut keys: Vec<_> = base["properties"].as_object().unwrap().keys().collect();
    keys.sort();
    assert_eq!(keys, ["code", "level", "name", "parent", "synthetic"]);
    assert_eq!(base["properties"]["level"], "base");
    assert_eq!(base["geometry"]["type"], "Polygon");
    let ring = base["geometry"]["coordinates"][0].as_array().unwrap();
    assert_eq!(ring.first(), ring.last());
    assert_eq!(features[0]["properties"]["parent"], serde_json::Value::Null);
}

#[test]
fn the_shipped_traces_hold_hours_of_walking() {
    let minutes = walks().length_ms() / 60_000;
    let mut by_source: HashMap<&str, i64> = HashMap::new();
    for walk in walks().all() {
        *by_source.entry(&walk.source).or_default() += walk.length_ms() / 60_000;
    }
    assert!(minutes >= 300, "{minutes} minutes: {by_source:?}");
    assert!(by_source.len() >= 4, "{by_source:?}");
    println!(
        "{} walks, {minutes} minutes: {by_source:?}",
        walks().all().len()
    );
}

#[test]
fn twelve_workers_walk_an_hour_in_their_own_grids() {
    for (seed, grid) in lanshan().level(GridLevel::Base).step_by(163).enumerate() {
        let start_ms = 1_760_000_000_000;
        let walk = walks()
            .patrol(&grid.boundary, start_ms, 3_600_000, seed as u64)
            .unwrap();
        assert!(walk.len() > 200, "{}: {} fixes", grid.code, walk.len());
        assert_eq!(walk[0].time_ms, start_ms);
        assert!(walk[walk.len() - 1].time_ms > start_ms + 3_500_000);
        assert!(walk.is_sorted_by(|a, b| a.time_ms < b.time_ms));
        assert!(walk.iter().all(|f| f.time_ms <= start_ms + 3_600_000));
        let outside = |f: &&gridwalk_domain::Fix| {
            !grid
                .boundary
                .intersects(&Point::new(f.position.lon, f.position.lat))
        };
        assert_eq!(walk.iter().filter(outside).count(), 0, "{}", grid.code);
        assert!(
            (0.1..=*WALKING_MPS.end()).contains(&mean_mps(&walk)),
            "{}",
            mean_mps(&walk)
        );
    }
}

fn mean_mps(walk: &[gridwalk_domain::Fix]) -> f64 {
    use geo::{Distance, Haversine};
    let place = |f: &gridwalk_domain::Fix| Point::new(f.position.lon, f.position.lat);
    let length: f64 = walk
        .windows(2)
        .map(|p| Haversine.distance(place(&p[0]), place(&p[1])))
        .sum();
    #[expect(clippy::cast_precision_loss, reason = "an hour in milliseconds")]
    let seconds = (walk[walk.len() - 1].time_ms - walk[0].time_ms) as f64 / 1000.0;
    length / seconds
}

#[test]
fn one_walk_can_be_moved_by_itself() {
    let grid = lanshan().area("371302001001003").unwrap();
    let trace = &walks().all()[0].fixes;
    let moved = fit_into_grid(trace, &grid.boundary, 0, 7).unwrap();
    assert_eq!(moved.len(), trace.len());
    let steps = |t: &[gridwalk_domain::Fix]| -> Vec<i64> {
        t.windows(2).map(|p| p[1].time_ms - p[0].time_ms).collect()
    };
    assert_eq!(steps(&moved), steps(trace));
}
