//! Segments are credited, gaps never.

use proptest::prelude::*;

use super::*;

const HERE: Position = Position {
    lat: 35.05,
    lon: 118.33,
};

fn fix(second: i64, east: f64, north: f64) -> Fix {
    Fix {
        time_ms: second * 1000,
        position: Plane::around(HERE).position(Metres { east, north }),
        accuracy_m: Some(5.0),
        altitude_m: None,
        speed_mps: None,
        bearing_deg: None,
        mocked: false,
    }
}

fn site(radius_m: f64) -> Circle {
    Circle { at: HERE, radius_m }
}

#[test]
fn a_way_through_is_credited_though_no_fix_lies_inside() {
    let way = vec![fix(0, -100.0, 10.0), fix(40, 100.0, 10.0)];
    let passes = credit(&[way], &site(30.0));
    assert_eq!(passes.len(), 1);
    assert!((passes[0].closest_m - 10.0).abs() < 0.1);
    assert!((passes[0].closest_ms - 20_000).abs() < 50);
    assert!(
        passes[0].from_ms < 20_000 && passes[0].to_ms > 20_000,
        "{passes:?}"
    );
}

#[test]
fn a_gap_over_the_site_is_not_credited() {
    let segments = [vec![fix(0, -100.0, 0.0)], vec![fix(40, 100.0, 0.0)]];
    assert_eq!(credit(&segments, &site(30.0)), []);
    // Nor is a minute and more of which only the ends are known.
    let sparse = vec![fix(0, -100.0, 0.0), fix(90, 100.0, 0.0)];
    assert_eq!(credit(&[sparse], &site(30.0)), []);
    let arrived = vec![fix(0, -100.0, 0.0), fix(90, 10.0, 0.0)];
    assert_eq!(credit(&[arrived], &site(30.0)).len(), 1);
}

#[test]
fn accuracy_is_taken_into_account() {
    let pass_at = |north: f64, accuracy: f32| {
        let mut way = vec![fix(0, -100.0, north), fix(40, 100.0, north)];
        for f in &mut way {
            f.accuracy_m = Some(accuracy);
        }
        !credit(&[way], &site(30.0)).is_empty()
    };
    assert!(pass_at(25.0, 5.0));
    assert!(
        !pass_at(25.0, 20.0),
        "25 m off with 20 m of doubt is not inside 30 m"
    );
    assert!(pass_at(10.0, 20.0));
    assert!(!pass_at(0.0, 200.0), "so vague a fix says nothing");
    assert!(!pass_at(35.0, 1.0));
}

#[test]
fn leaving_and_coming_back_are_two_visits_noise_at_the_edge_is_one() {
    let stay =
        |from: i64| (from..from + 60).map(|s| fix(s, 0.0, if s % 2 == 0 { 26.0 } else { 33.0 }));
    let away = (60..400).map(|s| fix(s, 0.0, 300.0));
    let segment: Vec<Fix> = stay(0).chain(away).chain(stay(400)).collect();
    let passes = credit(&[segment], &site(30.0));
    assert_eq!(passes.len(), 2, "{passes:?}");
    assert!(passes[0].to_ms - passes[0].from_ms > 50_000);
}

#[test]
fn a_lone_fix_inside_is_a_visit() {
    assert_eq!(credit(&[vec![fix(7, 1.0, 1.0)]], &site(30.0)).len(), 1);
}

fn square(half: f64) -> Area {
    let plane = Plane::around(HERE);
    let corner = |east, north| {
        let p = plane.position(Metres { east, north });
        Coord { x: p.lon, y: p.lat }
    };
    let ring = vec![
        corner(-half, -half),
        corner(half, -half),
        corner(half, half),
        corner(-half, half),
    ];
    Area::new(MultiPolygon::new(vec![Polygon::new(
        LineString::new(ring),
        vec![],
    )]))
}

#[test]
fn a_fence_crossed_with_no_fix_inside_is_crossed() {
    let area = square(50.0);
    let way = vec![fix(0, -100.0, 0.0), fix(40, 100.0, 0.0)];
    let crossings = area.crossings(std::slice::from_ref(&way));
    assert_eq!(
        crossings.iter().map(|c| c.inwards).collect::<Vec<_>>(),
        [true, false]
    );
    assert!((crossings[0].at_ms - 10_000).abs() < 20 && (crossings[1].at_ms - 30_000).abs() < 20);
    assert!((area.time_inside_ms(std::slice::from_ref(&way)) - 20_000).abs() < 40);
    assert!(area.entered(&[way]));
}

#[test]
fn who_never_entered_never_left() {
    let area = square(50.0);
    let outside = vec![fix(0, 80.0, 0.0), fix(10, 90.0, 0.0), fix(20, 80.0, 200.0)];
    assert!(area.crossings(std::slice::from_ref(&outside)).is_empty() && !area.entered(&[outside]));
    let gap = [vec![fix(0, -100.0, 0.0)], vec![fix(40, 100.0, 0.0)]];
    assert!(!area.entered(&gap));
    assert_eq!(area.time_inside_ms(&gap), 0);
    assert!(area.contains(HERE) && !area.contains(fix(0, 51.0, 0.0).position));
}

#[test]
fn the_area_of_a_grid_has_its_holes() {
    let ring = |half: f64| {
        let plane = Plane::around(HERE);
        let corners = [
            (-half, -half),
            (half, -half),
            (half, half),
            (-half, half),
            (-half, -half),
        ];
        let at = |(east, north)| plane.position(Metres { east, north });
        corners.map(at).map(|p| [p.lon, p.lat]).to_vec()
    };
    let area = Area::of(&Boundary(vec![vec![ring(100.0), ring(20.0)]]));
    assert!(area.contains(fix(0, 60.0, 0.0).position));
    assert!(!area.contains(HERE) && !area.contains(fix(0, 120.0, 0.0).position));
    assert!(!Area::of(&Boundary::default()).contains(HERE));
}

#[test]
fn an_area_without_polygons_contains_nothing() {
    let nowhere = Area::new(MultiPolygon::new(vec![]));
    assert!(!nowhere.contains(HERE));
    assert_eq!(
        nowhere.time_inside_ms(&[vec![fix(0, 0.0, 0.0), fix(9, 1.0, 1.0)]]),
        0
    );
}

proptest! {
    /// A credit is a promise that the way really came near.
    #[test]
    fn whoever_is_credited_was_there(
        steps in prop::collection::vec((1..100_i64, -80.0..80.0_f64, -80.0..80.0_f64, 1.0..60.0_f32), 1..40),
        cuts in prop::collection::vec(any::<bool>(), 40),
        radius in 5.0..60.0_f64,
    ) {
        let mut segments: Vec<Vec<Fix>> = vec![vec![]];
        let (mut t, mut east, mut north) = (0, -100.0, 0.0);
        for ((dt, de, dn, accuracy), cut) in steps.into_iter().zip(cuts) {
            t += dt; east += de; north += dn;
            if cut && dt > 50 { segments.push(vec![]); }
            segments.last_mut().unwrap().push(Fix { accuracy_m: Some(accuracy), ..fix(t, east, north) });
        }
        let plane = Plane::around(HERE);
        let nearest = segments.iter().flat_map(|s| lines(s)).map(|(a, b)| {
            nearest_on(plane.metres(a.position), plane.metres(b.position), Metres::default()).1
        }).fold(f64::INFINITY, f64::min);
        let passes = credit(&segments, &site(radius));
        if nearest > radius { prop_assert!(passes.is_empty()); }
        for pass in &passes {
            prop_assert!(pass.closest_m <= radius);
            prop_assert!(pass.from_ms <= pass.closest_ms && pass.closest_ms <= pass.to_ms);
            let within = |s: &Vec<Fix>| s[0].time_ms <= pass.from_ms && pass.to_ms <= s[s.len() - 1].time_ms;
            prop_assert!(segments.iter().filter(|s| !s.is_empty()).any(within), "across a gap");
        }
        let area = square(radius);
        let inside = area.time_inside_ms(&segments);
        prop_assert!(inside >= 0 && inside <= t * 1000);
        if !area.entered(&segments) {
            prop_assert_eq!((inside, area.crossings(&segments).len()), (0, 0));
        }
    }
}
