//! Gaps are never counted, stops do not walk, and each gap has its cause.

use proptest::prelude::*;

use super::*;
use crate::geometry::{Metres, Plane};

const START: i64 = 1_795_219_200_000;

fn ms(second: i64) -> i64 {
    START + second * 1000
}

fn at(second: i64, east: f64, north: f64) -> StoredFix {
    let plane = Plane::around(Position {
        lat: 35.05,
        lon: 118.33,
    });
    StoredFix::used(Fix {
        time_ms: ms(second),
        position: plane.position(Metres { east, north }),
        accuracy_m: Some(5.0),
        altitude_m: None,
        speed_mps: None,
        bearing_deg: None,
        mocked: false,
    })
}

/// East at 1.25 m/s.
fn walk(seconds: std::ops::Range<i64>) -> Vec<StoredFix> {
    seconds.map(|s| at(s, 1.25 * s as f64, 0.0)).collect()
}

fn mark(second: i64, kind: MarkKind) -> Mark {
    Mark {
        at_ms: ms(second),
        kind,
    }
}

fn joined(parts: &[Vec<StoredFix>]) -> Vec<StoredFix> {
    parts.concat()
}

fn causes(route: &Route) -> Vec<GapCause> {
    route.gaps.iter().map(|g| g.cause).collect()
}

#[test]
fn no_fix_no_route() {
    let none: [Vec<StoredFix>; 0] = [];
    assert_eq!(Route::build(&none, &[]), Route::default());
    let route = Route::build(
        &[Vec::new()],
        &[mark(0, MarkKind::Started), mark(600, MarkKind::Finished)],
    );
    assert_eq!(
        (route.segments.len(), causes(&route)),
        (0, vec![GapCause::Unknown])
    );
    assert_eq!(route.gap_ms(), 600_000);
}

#[test]
fn a_straight_walk_is_as_long_as_it_is() {
    let route = Route::build(&[walk(0..801)], &[]);
    assert_eq!(
        (route.segments.len(), route.gaps.len(), route.stops.len()),
        (1, 0, 0)
    );
    assert!(
        (route.distance_m - 1000.0).abs() < 10.0,
        "{}",
        route.distance_m
    );
    assert_eq!(route.moving_ms, 800_000);
    let bbox = route.bbox.unwrap();
    assert!((bbox.west - 118.33).abs() < 1e-6 && bbox.east > bbox.west);
}

#[test]
fn a_gap_is_neither_drawn_nor_counted() {
    // Ten minutes of silence, a kilometre further on.
    let mut far = walk(1400..1801);
    for s in &mut far {
        s.fix.position.lat += 0.01;
    }
    let route = Route::build(&[joined(&[walk(0..401), far])], &[]);
    assert_eq!(route.segments.len(), 2);
    assert_eq!(causes(&route), [GapCause::Unknown]);
    assert!(
        (route.distance_m - 1000.0).abs() < 20.0,
        "{}",
        route.distance_m
    );
    assert_eq!(route.moving_ms, 800_000);
    assert_eq!(
        (route.gaps[0].from_ms, route.gaps[0].to_ms),
        (ms(400), ms(1400))
    );
    assert!(route.gaps[0].from.is_some() && route.gaps[0].to.is_some());
}

#[test]
fn a_pause_is_a_gap_even_where_fixes_went_on() {
    let marks = [mark(100, MarkKind::Paused), mark(130, MarkKind::Resumed)];
    let route = Route::build(&[walk(0..300)], &marks);
    assert_eq!(causes(&route), [GapCause::Paused]);
    assert_eq!(
        (route.gaps[0].from_ms, route.gaps[0].to_ms),
        (ms(99), ms(130))
    );
    assert_eq!((route.fixes, route.used), (300, 270));
}

#[test]
fn another_run_is_a_gap_however_short() {
    let route = Route::build(&[walk(0..100), walk(105..200)], &[]);
    assert_eq!(causes(&route), [GapCause::AppKilled]);
    // In whatever order the runs come.
    let turned = Route::build(&[walk(105..200), walk(0..100)], &[]);
    assert_eq!(route, turned);
    let rebooted = [mark(103, MarkKind::Opened { rebooted: true })];
    let route = Route::build(&[walk(0..100), walk(105..200)], &rebooted);
    assert_eq!(causes(&route), [GapCause::PhoneOff]);
}

#[test]
fn what_the_shell_reports_is_the_cause() {
    let fixes = joined(&[walk(0..100), walk(200..300)]);
    for cause in [
        GapCause::PermissionOff,
        GapCause::LocationOff,
        GapCause::BatteryLow,
        GapCause::NoSignal,
    ] {
        let lost = [
            mark(110, MarkKind::Lost { cause }),
            mark(190, MarkKind::Found),
        ];
        assert_eq!(causes(&Route::build(&[&fixes[..]], &lost)), [cause]);
        // Reported a little before the last fix came in.
        let early = [mark(98, MarkKind::Lost { cause })];
        assert_eq!(causes(&Route::build(&[&fixes[..]], &early)), [cause]);
        // Reported and over long before.
        let over = [
            mark(10, MarkKind::Lost { cause }),
            mark(20, MarkKind::Found),
        ];
        assert_eq!(
            causes(&Route::build(&[&fixes[..]], &over)),
            [GapCause::Unknown]
        );
    }
    let battery = [
        mark(
            110,
            MarkKind::Lost {
                cause: GapCause::BatteryLow,
            },
        ),
        mark(190, MarkKind::Opened { rebooted: true }),
    ];
    assert_eq!(
        causes(&Route::build(&[&fixes[..]], &battery)),
        [GapCause::BatteryLow]
    );
}

#[test]
fn a_short_loss_is_a_gap_only_where_it_was_reported() {
    let fixes = joined(&[walk(0..100), walk(130..200)]);
    assert_eq!(Route::build(&[&fixes[..]], &[]).gaps.len(), 0);
    let lost = [
        mark(
            101,
            MarkKind::Lost {
                cause: GapCause::LocationOff,
            },
        ),
        mark(128, MarkKind::Found),
    ];
    assert_eq!(
        causes(&Route::build(&[&fixes[..]], &lost)),
        [GapCause::LocationOff]
    );
}

#[test]
fn vague_fixes_alone_mean_no_signal() {
    let mut vague = walk(100..200);
    for s in &mut vague {
        s.fix.accuracy_m = Some(400.0);
        s.refused = Some(Refusal::Inaccurate);
    }
    let route = Route::build(&[joined(&[walk(0..100), vague, walk(200..300)])], &[]);
    assert_eq!(causes(&route), [GapCause::NoSignal]);
    assert_eq!(route.refused, [(Refusal::Inaccurate, 100)]);
}

#[test]
fn a_jump_that_nobody_makes_is_a_gap() {
    let mut far = walk(101..200);
    for s in &mut far {
        s.fix.position.lon += 0.05;
    }
    let route = Route::build(&[joined(&[walk(0..100), far])], &[]);
    assert_eq!(causes(&route), [GapCause::Unknown]);
    assert!(route.distance_m < 260.0);
}

#[test]
fn a_clock_set_back_is_a_gap_of_no_length() {
    let mut later = walk(100..200);
    for s in &mut later {
        s.fix.time_ms -= 86_400_000;
    }
    let route = Route::build(&[joined(&[walk(0..100), later])], &[]);
    assert_eq!(
        (causes(&route), route.gap_ms()),
        (vec![GapCause::Unknown], 0)
    );
    assert_eq!(route.used, 200);
}

#[test]
fn a_logger_that_writes_rarely_is_no_row_of_gaps() {
    let sparse: Vec<StoredFix> = (0..60).map(|i| at(i * 40, 50.0 * i as f64, 0.0)).collect();
    let mut holed = sparse.clone();
    holed.drain(20..23);
    assert_eq!(Route::build(&[&holed[..]], &[]).gaps.len(), 0);
    holed.drain(20..30);
    assert_eq!(Route::build(&[&holed[..]], &[]).gaps.len(), 1);
    // Dense, then asked to be sparse, as a plan does that saves the battery.
    let saved = joined(&[walk(0..300), vec![at(420, 375.0, 0.0)], walk(540..600)]);
    assert_eq!(Route::build(&[&saved[..]], &[]).gaps.len(), 2);
    let asked = [mark(299, MarkKind::Asked { every_ms: 120_000 })];
    assert_eq!(Route::build(&[&saved[..]], &asked).gaps.len(), 0);
}

#[test]
fn the_edges_of_a_patrol_are_gaps_where_they_are_silent() {
    let marks = [mark(-300, MarkKind::Started), mark(500, MarkKind::Finished)];
    let route = Route::build(&[walk(0..100)], &marks);
    assert_eq!(causes(&route), [GapCause::Unknown; 2]);
    assert_eq!((route.gaps[0].from, route.gaps[1].to), (None, None));
    assert_eq!(
        (route.started_ms, route.ended_ms),
        (Some(ms(-300)), Some(ms(500)))
    );
    let paused = [mark(120, MarkKind::Paused), mark(500, MarkKind::Finished)];
    assert_eq!(
        causes(&Route::build(&[walk(0..100)], &paused)),
        [GapCause::Paused]
    );
    // Marks of another clock say nothing.
    let other = [
        mark(-90_000_000, MarkKind::Started),
        mark(90_000_000, MarkKind::Finished),
    ];
    assert_eq!(Route::build(&[walk(0..100)], &other).gaps.len(), 0);
}

#[test]
fn a_stop_has_a_place_and_a_length_and_no_distance() {
    let noise = |s: i64| ((s * 7919) % 13 - 6) as f64;
    let stand = (400..1000)
        .map(|s| at(s, 500.0 + noise(s), noise(s + 5)))
        .collect();
    let after = (1000..1400)
        .map(|s| at(s, 500.0 + 1.25 * (s - 1000) as f64, 0.0))
        .collect();
    let route = Route::build(&[joined(&[walk(0..400), stand, after])], &[]);
    assert_eq!(route.stops.len(), 1, "{:?}", route.stops);
    let stop = route.stops[0];
    assert!((stop.duration_ms() - 600_000).abs() < 20_000, "{stop:?}");
    assert!(
        (route.distance_m - 1000.0).abs() < 25.0,
        "{}",
        route.distance_m
    );
    assert!((route.moving_ms - 800_000).abs() < 20_000);
}

fn any_fixes() -> impl Strategy<Value = Vec<StoredFix>> {
    let step = (
        0..400_i64,
        -60.0..60.0_f64,
        -60.0..60.0_f64,
        prop::option::weighted(0.1, 0..8_usize),
    );
    prop::collection::vec(step, 0..120).prop_map(|steps| {
        let (mut t, mut east, mut north) = (0, 0.0, 0.0);
        let mut fixes = Vec::new();
        for (dt, de, dn, refused) in steps {
            // Mostly a second, sometimes minutes.
            t += if dt < 300 { 1 } else { dt };
            east += de;
            north += dn;
            let refused = refused.map(|r| Refusal::ALL[r]);
            fixes.push(StoredFix {
                refused,
                ..at(t, east, north)
            });
        }
        fixes
    })
}

fn any_marks() -> impl Strategy<Value = Vec<Mark>> {
    let kind = prop::sample::select(vec![
        MarkKind::Started,
        MarkKind::Paused,
        MarkKind::Resumed,
        MarkKind::Finished,
        MarkKind::Opened { rebooted: true },
        MarkKind::Lost {
            cause: GapCause::NoSignal,
        },
        MarkKind::Found,
        MarkKind::Asked { every_ms: 5000 },
    ]);
    prop::collection::vec((0..4000_i64, kind).prop_map(|(s, k)| mark(s, k)), 0..6)
}

proptest! {
    /// However far apart the segments lie, the distance is the same: a gap
    /// counts for nothing.
    #[test]
    fn distance_never_counts_a_gap(fixes in any_fixes(), marks in any_marks(), away in -0.4..0.4_f64) {
        let route = Route::build(&[&fixes[..]], &marks);
        let lengths: f64 = route.segments.iter().map(|segment| {
            segment.windows(2).map(|w| crate::geometry::distance_m(w[0].position, w[1].position)).sum::<f64>()
        }).sum();
        // A stop's middle may lie beside the way that the fixes took.
        let most = lengths * 1.001 + 20.0 * route.stops.len() as f64;
        prop_assert!(route.distance_m <= most, "{} {}", route.distance_m, lengths);
        prop_assert_eq!(route.used, route.segments.iter().map(Vec::len).sum::<usize>());

        // Each segment moved somewhere else: still the same distance.
        let mut moved = Vec::new();
        for (i, segment) in route.segments.iter().enumerate() {
            moved.push(segment.iter().map(|f| {
                let mut fix = *f;
                fix.position.lon += away * (i % 2) as f64;
                StoredFix::used(fix)
            }).collect::<Vec<_>>());
        }
        let parts: f64 = moved.iter().map(|run| motion::of(
            &run.iter().map(|s| s.fix).collect::<Vec<_>>(), &MotionRules::default()).distance_m).sum();
        prop_assert!((parts - route.distance_m).abs() < 1e-3 * (1.0 + parts));
    }

    #[test]
    fn segments_and_gaps_take_turns(fixes in any_fixes(), marks in any_marks()) {
        let route = Route::build(&[&fixes[..]], &marks);
        let inner = route.gaps.iter().filter(|g| g.from.is_some() && g.to.is_some()).count();
        prop_assert_eq!(inner, route.segments.len().saturating_sub(1));
        prop_assert!(route.segments.iter().all(|s| !s.is_empty()));
        for segment in &route.segments {
            prop_assert!(segment.windows(2).all(|w| w[0].time_ms < w[1].time_ms));
        }
        for gap in &route.gaps {
            let inside = |f: &&Fix| gap.from_ms < f.time_ms && f.time_ms < gap.to_ms;
            prop_assert!(route.fixes_used().find(inside).is_none());
        }
        prop_assert!(route.moving_ms >= 0 && route.distance_m >= 0.0);
    }
}
