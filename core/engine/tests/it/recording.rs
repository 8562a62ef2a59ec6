//! What the recorder makes of fixes that are not as they should be, of gaps and
//! of clocks.

use gridwalk_domain::{Fix, GapCause, MarkKind};
use gridwalk_engine::track::Refusal;
use gridwalk_engine::track::plan::{Power, Priority};
use gridwalk_engine::{Engine, Format, RouteView};

use crate::server::FakeServer;
use crate::support::Phone;

fn on_patrol() -> (Phone, Engine) {
    let phone = Phone::new(false);
    let engine = phone.on_patrol(&FakeServer::new());
    (phone, engine)
}

/// The route so far.
fn route(engine: &Engine) -> RouteView {
    let patrol = engine.status().expect("reads").patrol.expect("runs").id;
    engine.route(patrol).expect("there")
}

fn causes(engine: &Engine) -> Vec<GapCause> {
    route(engine).gaps.iter().map(|gap| gap.cause).collect()
}

/// Records one fix after a walk of ten and says why it was refused.
fn refused(make: impl FnOnce(&Phone, Fix) -> Fix) -> Option<Refusal> {
    let (phone, engine) = on_patrol();
    phone.walk(&engine, 10);
    phone.clock.pass(1000);
    let fix = make(&phone, phone.fix());
    let recorded = engine.record(&[fix]).expect("nothing is dropped");
    assert_eq!(recorded.acked, 11, "it is kept");
    let why = recorded.refused.first().map(|refused| {
        assert_eq!(refused.ordinal, 10);
        refused.why
    });
    // Kept with its reason, also after the app died, and the patrol goes on.
    drop(engine);
    let engine = phone.open();
    phone.walk(&engine, 5);
    let patrol = engine.finish_patrol().expect("finishes").patrol;
    let csv = engine.export(patrol, Format::Csv).expect("exports");
    assert_eq!(csv.lines().count(), 1 + 16);
    let reason = why.map_or(",", Refusal::as_str);
    assert!(
        csv.lines().nth(11).is_some_and(|l| l.ends_with(reason)),
        "{csv}"
    );
    why
}

#[test]
fn a_good_fix_is_used() {
    assert_eq!(refused(|_, fix| fix), None);
}

#[test]
fn a_late_fix_is_kept_as_out_of_order() {
    let late = |_: &Phone, mut fix: Fix| {
        fix.time_ms -= 5_500;
        fix
    };
    assert_eq!(refused(late), Some(Refusal::OutOfOrder));
}

#[test]
fn a_fix_that_comes_twice_is_kept_as_a_duplicate() {
    let twice = |phone: &Phone, _: Fix| {
        phone.clock.pass(-1000);
        let before = phone.fix();
        phone.clock.pass(1000);
        before
    };
    assert_eq!(refused(twice), Some(Refusal::Duplicate));
}

#[test]
fn a_fix_from_the_future_is_kept_and_does_not_freeze_the_route() {
    let future = |_: &Phone, mut fix: Fix| {
        fix.time_ms += 86_400_000;
        fix
    };
    assert_eq!(refused(future), Some(Refusal::Future));
}

#[test]
fn a_mocked_fix_is_kept_flagged() {
    let mocked = |_: &Phone, fix: Fix| Fix {
        mocked: true,
        ..fix
    };
    assert_eq!(refused(mocked), Some(Refusal::Mocked));
}

#[test]
fn a_fix_without_numbers_is_kept_as_out_of_range() {
    for nan in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let not_a_number = |_: &Phone, mut fix: Fix| {
            fix.position.lat = nan;
            fix.accuracy_m = Some(f32::NAN);
            fix.speed_mps = Some(f32::NAN);
            fix
        };
        assert_eq!(refused(not_a_number), Some(Refusal::OutOfRange));
    }
}

#[test]
fn a_fix_off_the_earth_is_kept_as_out_of_range() {
    let off = |_: &Phone, mut fix: Fix| {
        fix.position.lon = 181.0;
        fix
    };
    assert_eq!(refused(off), Some(Refusal::OutOfRange));
}

#[test]
fn a_fix_at_zero_zero_is_kept_as_null_island() {
    let zero = |_: &Phone, mut fix: Fix| {
        (fix.position.lat, fix.position.lon) = (0.0, 0.0);
        fix
    };
    assert_eq!(refused(zero), Some(Refusal::NullIsland));
}

#[test]
fn a_vague_fix_is_kept_as_inaccurate() {
    let vague = |_: &Phone, fix: Fix| Fix {
        accuracy_m: Some(800.0),
        ..fix
    };
    assert_eq!(refused(vague), Some(Refusal::Inaccurate));
}

#[test]
fn a_spike_of_kilometres_is_kept_and_not_counted() {
    let spike = |_: &Phone, mut fix: Fix| {
        fix.position.lat += 0.05;
        fix
    };
    assert_eq!(refused(spike), Some(Refusal::Spike));
}

#[test]
fn the_last_known_position_of_an_hour_ago_is_kept_and_not_walked_from() {
    let (phone, engine) = on_patrol();
    phone.clock.pass(1000);
    let mut stale = phone.fix();
    stale.time_ms -= 3_600_000;
    stale.position.lon += 0.02;
    let recorded = engine.record(&[stale]).expect("records");
    assert_eq!(recorded.refused[0].why, Refusal::OutOfOrder);
    phone.walk(&engine, 100);
    assert!(route(&engine).distance_m < 125.0 && causes(&engine).is_empty());
}

#[test]
fn a_bunch_that_was_held_back_is_used_whole() {
    let (phone, engine) = on_patrol();
    phone.walk_in_bunches(&engine, 500);
    let route = route(&engine);
    assert_eq!(
        (route.fixes, route.used, route.segments.len()),
        (500, 500, 1)
    );
}

#[test]
fn each_gap_has_its_cause() {
    let reported = [
        GapCause::PermissionOff,
        GapCause::LocationOff,
        GapCause::BatteryLow,
        GapCause::NoSignal,
    ];
    for cause in reported {
        let (phone, engine) = on_patrol();
        phone.walk(&engine, 20);
        phone.clock.pass(1500);
        engine.mark(MarkKind::Lost { cause }).expect("marks");
        phone.clock.pass(120_000);
        engine.mark(MarkKind::Found).expect("marks");
        phone.walk(&engine, 20);
        assert_eq!(causes(&engine), [cause]);
    }
    // Nobody knows.
    let (phone, engine) = on_patrol();
    phone.walk(&engine, 20);
    phone.clock.pass(120_000);
    phone.walk(&engine, 20);
    assert_eq!(causes(&engine), [GapCause::Unknown]);
    // The sensor delivered, and nothing of use.
    let (phone, engine) = on_patrol();
    phone.walk(&engine, 20);
    for _ in 0..30 {
        phone.clock.pass(4000);
        let vague = Fix {
            accuracy_m: Some(500.0),
            ..phone.fix()
        };
        engine.record(&[vague]).expect("records");
    }
    phone.walk(&engine, 20);
    assert_eq!(causes(&engine), [GapCause::NoSignal]);
}

#[test]
fn a_kill_and_a_restart_of_the_phone_are_told_apart() {
    for (reboot, cause) in [(false, GapCause::AppKilled), (true, GapCause::PhoneOff)] {
        let (phone, engine) = on_patrol();
        phone.walk(&engine, 20);
        drop(engine);
        phone.clock.pass(90_000);
        if reboot {
            phone.clock.reboot(0);
        }
        let engine = phone.open();
        phone.walk(&engine, 20);
        assert_eq!(causes(&engine), [cause]);
    }
}

#[test]
fn what_ran_low_before_the_phone_went_off_is_the_cause() {
    let (phone, engine) = on_patrol();
    phone.walk(&engine, 20);
    phone.clock.pass(1500);
    let cause = GapCause::BatteryLow;
    engine.mark(MarkKind::Lost { cause }).expect("marks");
    drop(engine);
    phone.clock.pass(3_600_000);
    phone.clock.reboot(0);
    let engine = phone.open();
    phone.walk(&engine, 20);
    assert_eq!(causes(&engine), [cause]);
}

const DAY_MS: i64 = 86_400_000;
const YEARS_20_MS: i64 = 20 * 365 * DAY_MS;

#[test]
fn a_pause_and_a_kill_are_where_they_were_however_wrong_the_clock_is() {
    for ahead in [
        -300_000,
        300_000,
        -DAY_MS,
        DAY_MS,
        -YEARS_20_MS,
        YEARS_20_MS,
    ] {
        let phone = Phone::new(false);
        phone.clock.set_ahead(ahead);
        let engine = phone.on_patrol(&FakeServer::new());
        phone.walk(&engine, 60);
        engine.pause_patrol().expect("pauses");
        phone.clock.pass(200_000);
        engine.resume_patrol().expect("resumes");
        phone.walk(&engine, 60);
        drop(engine);
        phone.clock.pass(100_000);
        phone.clock.reboot(0);
        let engine = phone.open();
        phone.walk(&engine, 60);
        let cause = GapCause::LocationOff;
        phone.clock.pass(500);
        engine.mark(MarkKind::Lost { cause }).expect("marks");
        phone.clock.pass(100_000);
        phone.walk(&engine, 60);
        let route = route(&engine);
        let found: Vec<_> = route.gaps.iter().map(|gap| gap.cause).collect();
        // Where the patrol began is the wall clock's word alone.
        let inner = found
            .iter()
            .rev()
            .take(3)
            .rev()
            .copied()
            .collect::<Vec<_>>();
        assert_eq!(
            inner,
            [GapCause::Paused, GapCause::PhoneOff, cause],
            "{ahead} ms ahead: {found:?}"
        );
        // At most the first four are not believed.
        assert!(route.used >= 236, "{ahead} ms ahead: {} used", route.used);
        assert_eq!(route.segments.len(), 4, "{ahead} ms ahead");
    }
}

#[test]
fn a_clock_that_jumps_in_mid_patrol_moves_no_pause() {
    for jump in [-DAY_MS, DAY_MS, YEARS_20_MS] {
        let (phone, engine) = on_patrol();
        phone.walk(&engine, 60);
        phone.clock.set_ahead(jump);
        phone.walk(&engine, 60);
        engine.pause_patrol().expect("pauses");
        phone.clock.pass(200_000);
        engine.resume_patrol().expect("resumes");
        phone.walk(&engine, 60);
        assert_eq!(causes(&engine), [GapCause::Paused], "{jump} ms");
        assert_eq!(route(&engine).used, 180);
    }
}

#[test]
fn the_sensors_are_asked_for_what_the_patrol_needs() {
    let phone = Phone::new(false);
    let full = Power::default();
    let engine = phone.enrolled(&FakeServer::new());
    let plan = |engine: &Engine, power| engine.sensor_plan(power).expect("plans");
    assert_eq!(plan(&engine, full), None, "off shift");
    engine.start_shift(None).expect("begins");
    assert_eq!(plan(&engine, full), None, "no patrol");
    engine.start_patrol().expect("starts");
    assert_eq!(plan(&engine, full).map(|r| r.every_ms), Some(1_000));
    phone.walk(&engine, 60);
    assert_eq!(plan(&engine, full).map(|r| r.every_ms), Some(1_000));
    let low = Power {
        percent: Some(10),
        ..full
    };
    assert_eq!(plan(&engine, low).map(|r| r.every_ms), Some(10_000));
    // Standing: the same place again and again.
    let here = phone.fix();
    for _ in 0..60 {
        phone.clock.pass(1000);
        let fix = Fix {
            time_ms: phone.clock.true_ms(),
            speed_mps: Some(0.0),
            ..here
        };
        engine.record(&[fix]).expect("records");
    }
    let still = plan(&engine, full).expect("on");
    assert_eq!((still.every_ms, still.priority), (20_000, Priority::High));
    engine.pause_patrol().expect("pauses");
    assert_eq!(plan(&engine, full), None, "paused");
    engine.resume_patrol().expect("resumes");
    assert_eq!(plan(&engine, full).map(|r| r.every_ms), Some(1_000));
    engine.finish_patrol().expect("finishes");
    assert_eq!(plan(&engine, full), None, "finished");
}

#[test]
fn a_chunk_that_cannot_be_read_is_kept_and_the_patrol_goes_on() {
    let (phone, engine) = on_patrol();
    phone.walk(&engine, 700);
    drop(engine);
    let file = rusqlite::Connection::open(phone.path()).expect("opens");
    let newer = "UPDATE chunk SET body = CAST(x'c8' || substr(body, 2) AS BLOB)";
    assert_eq!(file.execute(newer, []).expect("changes"), 1);
    drop(file);
    let engine = phone.open();
    assert_eq!(
        phone.walk(&engine, 50),
        150,
        "the unread chunk is not counted"
    );
    let summary = engine.finish_patrol().expect("finishes");
    assert_eq!(summary.used, 150);
    drop(engine);
    let file = rusqlite::Connection::open(phone.path()).expect("opens");
    let kept: Vec<u8> = file
        .query_row("SELECT body FROM chunk ORDER BY rowid LIMIT 1", [], |r| {
            r.get(0)
        })
        .expect("there");
    assert_eq!(kept[0], 0xc8, "as it was, to be sent on");
}

/// Copies of damaged journals.
fn copies(phone: &Phone) -> Vec<Vec<u8>> {
    let folder = std::fs::read_dir(phone.folder()).expect("lists");
    let paths = folder.map(|entry| entry.expect("an entry").path());
    let copies = paths.filter(|path| path.to_string_lossy().contains("-journal.gw.damaged-"));
    copies
        .map(|path| std::fs::read(path).expect("reads"))
        .collect()
}

#[test]
fn a_journal_whose_head_or_length_was_changed_is_copied_before_it_is_emptied() {
    // In the head: the patrol; in the first frame: its length.
    for at in [10, 40] {
        for keyed in [false, true] {
            let (phone, server) = (Phone::new(keyed), FakeServer::new());
            let engine = phone.on_patrol(&server);
            phone.walk(&engine, 5);
            drop(engine);
            let journal = phone.beside("-journal.gw");
            let mut bytes = std::fs::read(&journal).expect("there");
            bytes[at] ^= 0x55;
            std::fs::write(&journal, &bytes).expect("writes");
            let engine = phone.open();
            assert_eq!(copies(&phone), [bytes], "{at} {keyed}");
            assert_eq!(phone.walk(&engine, 2), 2, "recording goes on");
        }
    }
}

#[test]
fn a_journal_of_which_a_power_cut_left_nothing_is_no_damage() {
    for left in [&[][..], &[0; 500][..]] {
        let (phone, server) = (Phone::new(true), FakeServer::new());
        let engine = phone.on_patrol(&server);
        phone.walk(&engine, 5);
        drop(engine);
        std::fs::write(phone.beside("-journal.gw"), left).expect("writes");
        let engine = phone.open();
        assert!(copies(&phone).is_empty());
        assert_eq!(phone.walk(&engine, 2), 2);
    }
}
