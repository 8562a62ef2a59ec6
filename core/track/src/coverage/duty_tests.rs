//! What was due, what was done, and why the rest was not.

use gridwalk_domain::{Fix, Mark, MarkKind};
use proptest::prelude::*;

use super::*;
use crate::StoredFix;

const HERE: Position = Position {
    lat: 35.05,
    lon: 118.33,
};
/// A Monday, 2026-11-23, 09:00 in Linyi.
const NINE: i64 = 1_795_395_600_000;
const HOUR: i64 = 3_600_000;

fn id(n: u8) -> EntityId {
    EntityId::from_bytes([n; 16])
}

fn at(east: f64, north: f64) -> Position {
    Plane::around(HERE).position(Metres { east, north })
}

fn site(n: u8, east: f64, every: Every) -> Site {
    Site {
        id: id(n),
        name: format!("必到点 {n}"),
        sort: None,
        at: at(east, 0.0),
        radius_m: 30.0,
        every,
        times: 1,
        from_ms: NINE - 100 * 24 * HOUR,
        until_ms: None,
    }
}

/// East at 1.25 m/s from the origin, from these seconds after a time.
fn walk(start_ms: i64, seconds: Range<i64>) -> Vec<StoredFix> {
    seconds
        .map(|s| {
            StoredFix::used(Fix {
                time_ms: start_ms + s * 1000,
                position: at(1.25 * s as f64, 0.0),
                accuracy_m: Some(5.0),
                altitude_m: None,
                speed_mps: None,
                bearing_deg: None,
                mocked: false,
            })
        })
        .collect()
}

fn outing(n: u8, start_ms: i64, fixes: Vec<StoredFix>, marks: &[Mark], sites: &[Site]) -> Outing {
    let route = Route::build(&[fixes], marks);
    Outing::of(id(n), start_ms, Some(start_ms + HOUR), &route, sites)
}

fn calendar(now_ms: i64) -> Calendar {
    Calendar {
        utc_offset_min: 480,
        now_ms,
    }
}

fn by_hand(site: u8, patrol: Option<u8>, at_ms: i64) -> CheckIn {
    CheckIn {
        id: id(200),
        site: id(site),
        patrol: patrol.map(id),
        at_ms,
        at: Some(at(40.0, 0.0)),
        missed: None,
        note: None,
    }
}

/// The units of the day of [`NINE`], looked at the day after.
fn day(sites: &[Site], outings: &[Outing], checkins: &[CheckIn]) -> Vec<Unit> {
    let seen = Seen {
        sites,
        outings,
        checkins,
        calendar: calendar(NINE + 24 * HOUR),
    };
    seen.of_day(seen.calendar.day(NINE))
}

fn reasons(units: Vec<Unit>) -> Vec<Option<Reason>> {
    units.into_iter().map(|unit| unit.reason).collect()
}

#[test]
fn a_site_that_the_route_passed_is_met_in_the_patrol_and_on_the_day() {
    let sites = [site(1, 200.0, Every::Patrol), site(2, 300.0, Every::Day)];
    let outings = [outing(9, NINE, walk(NINE, 0..400), &[], &sites)];
    let units = day(&sites, &outings, &[]);
    assert_eq!(count(&units), (2, 2));
    let visit = units[0].visits[0];
    assert_eq!((units[0].site, visit.patrol), (id(2), Some(id(9))));
    assert!(matches!(visit.by, By::Route(m) if m < 1.0));
    let seen = Seen {
        sites: &sites,
        outings: &outings,
        checkins: &[],
        calendar: calendar(NINE + HOUR),
    };
    let of_patrol = seen.of_patrol(id(9));
    assert_eq!(
        count(&of_patrol),
        (1, 1),
        "the site that is due in each patrol"
    );
    assert_eq!(of_patrol[0].period, Period::Patrol(id(9)));
    assert!(seen.of_patrol(id(8)).is_empty());
    let visited: Vec<_> = seen.visits(id(9)).iter().map(|(site, _)| *site).collect();
    assert_eq!(visited, [id(1), id(2)], "the other one too");
}

#[test]
fn each_missed_site_has_its_reason() {
    // 60 to 240 s are missing: the sites at 100 and 200 m.
    let lost = [
        Mark {
            at_ms: NINE + 61_000,
            kind: MarkKind::Lost {
                cause: GapCause::PermissionOff,
            },
        },
        Mark {
            at_ms: NINE + 239_000,
            kind: MarkKind::Found,
        },
    ];
    let mut fixes = walk(NINE, 0..61);
    fixes.extend(walk(NINE, 240..500));
    for vague in fixes.iter_mut().filter(|s| s.fix.time_ms > NINE + 420_000) {
        vague.fix.accuracy_m = Some(45.0);
    }
    let sites = [
        site(1, 150.0, Every::Day),
        site(2, 400.0, Every::Day),
        site(3, 590.0, Every::Day),
        site(4, 1500.0, Every::Day),
    ];
    let outings = [outing(9, NINE, fixes, &lost, &sites)];
    let found = reasons(day(&sites, &outings, &[]));
    assert_eq!(
        found[0],
        Some(Reason::Route(Miss::Gap(GapCause::PermissionOff)))
    );
    assert_eq!(found[1], None);
    assert_eq!(found[2], Some(Reason::Route(Miss::Vague)));
    let Some(Reason::Route(Miss::NotNear(Some(metres)))) = found[3] else {
        panic!("{:?}", found[3])
    };
    assert!((metres - 876.25).abs() < 5.0, "{metres}");
    assert_eq!(
        reasons(day(&sites[..1], &[], &[])),
        [Some(Reason::NoPatrol)]
    );
}

#[test]
fn what_the_worker_says_is_the_reason() {
    let sites = [site(1, 1500.0, Every::Day)];
    let outings = [outing(9, NINE, walk(NINE, 0..100), &[], &sites)];
    let said = CheckIn {
        missed: Some("locked".to_owned()),
        note: Some("大门上锁".to_owned()),
        ..by_hand(1, Some(9), NINE + 60_000)
    };
    let units = day(&sites, &outings, std::slice::from_ref(&said));
    let reason = Reason::Said("locked".to_owned(), Some("大门上锁".to_owned()));
    assert_eq!(
        (units[0].met(), units[0].reason.clone()),
        (false, Some(reason))
    );
    // Later they could: then it was visited.
    let units = day(&sites, &outings, &[said, by_hand(1, None, NINE + HOUR)]);
    assert!(units[0].met());
}

#[test]
fn a_check_in_by_hand_counts_and_says_how_far_away_it_was_made() {
    let sites = [site(1, 0.0, Every::Day)];
    let units = day(&sites, &[], &[by_hand(1, None, NINE)]);
    let By::Hand(Some(metres)) = units[0].visits[0].by else {
        panic!("{units:?}")
    };
    assert!(units[0].met() && (metres - 40.0).abs() < 0.1, "{metres}");
    // Another day's counts for that day.
    assert!(!day(&sites, &[], &[by_hand(1, None, NINE - 24 * HOUR)])[0].met());
}

#[test]
fn visits_close_together_are_one_and_two_may_be_due() {
    let sites = [Site {
        times: 2,
        ..site(1, 200.0, Every::Day)
    }];
    let morning = outing(8, NINE, walk(NINE, 0..400), &[], &sites);
    let checked = by_hand(1, Some(8), NINE + 170_000);
    let units = day(
        &sites,
        std::slice::from_ref(&morning),
        std::slice::from_ref(&checked),
    );
    assert_eq!(units[0].visits.len(), 1, "{units:?}");
    assert_eq!(units[0].reason, Some(Reason::TooFew));
    let later = NINE + 5 * HOUR;
    let afternoon = outing(9, later, walk(later, 0..400), &[], &sites);
    assert!(day(&sites, &[morning, afternoon], &[checked])[0].met());
}

#[test]
fn a_week_counts_its_days_up_to_the_present_and_begins_on_monday() {
    let calendar_day = |day: &str| match day {
        "1970-01-01" => 0,
        "2026-11-23" => 20_780,
        _ => unreachable!(),
    };
    assert_eq!(Calendar::monday(calendar_day("1970-01-01")), -3);
    let monday = calendar_day("2026-11-23");
    assert_eq!(calendar(0).day(NINE), monday);
    assert_eq!(Calendar::monday(monday), monday);
    assert_eq!(Calendar::monday(monday + 6), monday);

    let sites = [site(1, 200.0, Every::Week), site(2, 200.0, Every::Day)];
    let outings = [outing(9, NINE, walk(NINE, 0..400), &[], &sites)];
    let seen = |now_ms| Seen {
        sites: &sites,
        outings: &outings,
        checkins: &[],
        calendar: calendar(now_ms),
    };
    // On Wednesday: the week's own, and three days.
    let units = seen(NINE + 2 * 24 * HOUR).of_week(monday);
    assert_eq!(count(&units), (4, 2));
    let by_day: Vec<_> = units[1..].iter().map(|u| u.reason.clone()).collect();
    assert_eq!(by_day, [None, Some(Reason::NoPatrol), Some(Reason::NotYet)]);
    assert_eq!(count(&seen(NINE + 30 * 24 * HOUR).of_week(monday)), (8, 2));
}

#[test]
fn a_site_is_due_from_when_it_was_made_until_it_ends() {
    let new = Site {
        from_ms: NINE + 24 * HOUR,
        ..site(1, 0.0, Every::Day)
    };
    let ended = Site {
        until_ms: Some(NINE - 24 * HOUR),
        ..site(2, 0.0, Every::Day)
    };
    assert!(day(&[new, ended], &[], &[]).is_empty());
}

#[test]
fn a_patrol_without_any_fix_says_why() {
    let sites = [site(1, 200.0, Every::Patrol)];
    let marks = [
        Mark {
            at_ms: NINE,
            kind: MarkKind::Started,
        },
        Mark {
            at_ms: NINE + 1000,
            kind: MarkKind::Lost {
                cause: GapCause::LocationOff,
            },
        },
        Mark {
            at_ms: NINE + HOUR,
            kind: MarkKind::Finished,
        },
    ];
    let outings = [outing(9, NINE, Vec::new(), &marks, &sites)];
    let expected = Reason::Route(Miss::Gap(GapCause::LocationOff));
    assert_eq!(reasons(day(&sites, &outings, &[])), [Some(expected)]);
}

proptest! {
    /// Whatever the route: a visit that it is credited with lies within a
    /// segment, and each site has a visit or a reason, never both.
    #[test]
    fn coverage_never_credits_a_gap(
        steps in prop::collection::vec((1..200_i64, -60.0..60.0_f64, -60.0..60.0_f64, 1.0..60.0_f32), 1..80),
        east in -300.0..300.0_f64,
        radius_m in 5.0..120.0_f64,
    ) {
        let (mut t, mut x, mut y) = (0, 0.0, 0.0);
        let fixes: Vec<StoredFix> = steps.iter().map(|(dt, dx, dy, accuracy)| {
            t += dt; x += dx; y += dy;
            let mut stored = walk(NINE, 0..1)[0];
            stored.fix.time_ms += t * 1000;
            stored.fix.position = at(x, y);
            stored.fix.accuracy_m = Some(*accuracy);
            stored
        }).collect();
        let route = Route::build(&[fixes], &[]);
        let sites = [Site { radius_m, ..site(1, east, Every::Day) }];
        let outing = Outing::of(id(9), NINE, Some(NINE + HOUR), &route, &sites);
        prop_assert_eq!(outing.visits.is_empty(), outing.misses.contains_key(&id(1)));
        for (_, pass) in &outing.visits {
            let inside = |s: &Vec<Fix>| s[0].time_ms <= pass.from_ms && pass.to_ms <= s[s.len() - 1].time_ms;
            prop_assert!(route.segments.iter().any(inside));
            let over = |gap: &Gap| pass.from_ms < gap.to_ms && gap.from_ms < pass.to_ms;
            prop_assert!(!route.gaps.iter().any(over));
        }
    }
}
