//! What a sync may cost: sizes, networks, budgets, waiting.

use gridwalk_domain::Fix;
use gridwalk_engine::track::read;
use gridwalk_engine::{Cut, Engine, EngineError, Network, Policy, SendState, SyncOptions};
use std::path::PathBuf;

use crate::server::{FakeServer, Fault};
use crate::support::{CHUNK, Phone};
use crate::talk::{report, sync};

/// Eight hours at a fix a second: real traces, one after the other.
fn real_day(phone: &Phone) -> Vec<Fix> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/tracks");
    let mut all = Vec::new();
    for name in [
        "fit_activity_small_fenix2_run.csv",
        "fit_developer_types_sample.csv",
        "fit_edge810_vector_2013_08_16_15_35_10.csv",
        "fit_elemnt_ride.csv",
        "fit_garmin_edge_500_activity.csv",
        "fit_nick.csv",
    ] {
        let text = std::fs::read_to_string(folder.join(name)).expect("a fixture");
        all.extend(read::csv(text.as_bytes()).expect("reads"));
    }
    assert!(all.len() >= 28_800, "{}", all.len());
    all.truncate(28_800);
    for fix in &mut all {
        phone.clock.pass(1000);
        fix.time_ms = phone.clock.true_ms();
    }
    all
}

#[test]
fn a_day_of_routes_and_ten_incidents_is_sixty_kilobytes_up() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.on_patrol(&server);
    sync(&engine, &server).expect("syncs");
    for bunch in real_day(&phone).chunks(60) {
        engine.record(bunch).expect("records");
    }
    for n in 0..10 {
        report(&engine, &format!("楼道堆放杂物，第{n}处"), &[]);
    }
    engine.finish_patrol().expect("finishes");
    engine.end_shift().expect("ends");
    let day = sync(&engine, &server).expect("syncs");
    assert_eq!(server.fixes(), 28_800);
    println!(
        "a day: {} bytes up, {} down, {} requests",
        day.bytes_up, day.bytes_down, day.requests
    );
    assert!(day.bytes_up <= 60 * 1024, "{day:?}");
}

#[test]
fn with_nothing_to_do_a_sync_is_one_request_of_less_than_a_kilobyte_each_way() {
    let (phone, server) = (Phone::new(true), FakeServer::new());
    let engine = phone.on_patrol(&server);
    phone.walk_in_bunches(&engine, CHUNK + 100);
    report(&engine, "甲", &[1]);
    engine.finish_patrol().expect("finishes");
    sync(&engine, &server).expect("syncs");
    for _ in 0..3 {
        phone.clock.pass(15 * 60_000);
        let idle = sync(&engine, &server).expect("syncs");
        println!(
            "nothing to do: {} bytes up, {} down",
            idle.bytes_up, idle.bytes_down
        );
        assert_eq!(idle.requests, 1);
        assert!(idle.bytes_up <= 1024 && idle.bytes_down <= 1024, "{idle:?}");
    }
    // Once a day all is pulled to its end, whatever the server says.
    phone.clock.pass_days(1);
    assert_eq!(sync(&engine, &server).expect("syncs").requests, 2);
    assert_eq!(sync(&engine, &server).expect("syncs").requests, 1);
}

fn over(engine: &Engine, server: &FakeServer, network: Network) -> gridwalk_engine::SyncReport {
    let options = SyncOptions {
        network,
        ..SyncOptions::default()
    };
    engine.sync(server, options).expect("syncs")
}

#[test]
fn mobile_data_is_not_used_for_routes_and_photos_where_the_policy_says_so() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.on_patrol(&server);
    let sparing = Policy {
        routes_on_metered: false,
        ..Policy::default()
    };
    engine.set_policy(sparing).expect("sets");
    phone.walk_in_bunches(&engine, 2 * CHUNK + 100);
    let id = report(&engine, "甲", &[1]);
    let done = over(&engine, &server, Network::Metered);
    assert_eq!(
        (done.ops_sent, done.chunks_sent, done.blobs_sent),
        (4, 0, 0)
    );
    assert!(done.bytes_up < 10_000);
    assert_eq!(engine.incident(id).expect("there").send, SendState::Waiting);
    server.with(|state| {
        let large = |path: &str| path.starts_with("/v1/blobs") || path.starts_with("/v1/tracks");
        assert!(!state.requests.iter().any(|(_, path)| large(path)));
    });
    // Routes are small: they go unless somebody says otherwise.
    engine.set_policy(Policy::default()).expect("sets");
    let done = over(&engine, &server, Network::Metered);
    assert_eq!((done.chunks_sent, done.blobs_sent), (3, 0));
    let done = over(&engine, &server, Network::Unmetered);
    assert_eq!((done.chunks_sent, done.blobs_sent), (0, 1));
    assert_eq!(engine.incident(id).expect("there").send, SendState::Sent);
}

#[test]
fn a_budget_is_kept_ops_go_first_and_the_next_run_goes_on() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.on_patrol(&server);
    phone.walk_in_bunches(&engine, 2 * CHUNK + 100);
    report(&engine, "甲", &[1, 2]);
    engine.finish_patrol().expect("finishes");
    let mut runs = 0;
    loop {
        let options = SyncOptions {
            budget_bytes: Some(40_000),
            ..SyncOptions::default()
        };
        let done = engine.sync(&server, options).expect("syncs");
        assert!(done.bytes_up + done.bytes_down <= 40_000, "{done:?}");
        runs += 1;
        let unsent = engine.status().expect("reads").unsent;
        assert_eq!(unsent.ops, 0, "ops go first");
        if done.cut.is_none() {
            break;
        }
        assert_eq!(done.cut, Some(Cut::Budget));
        assert!(runs < 20, "it gets on");
    }
    assert!(runs >= 8, "300 KB: {runs}");
    let unsent = engine.status().expect("reads").unsent;
    assert_eq!((unsent.chunks, unsent.blobs), (0, 0));
    assert_eq!(server.with(|state| state.blobs.len()), 2);
    // Even one that no request fits into is an answer.
    let options = SyncOptions {
        budget_bytes: Some(10),
        ..SyncOptions::default()
    };
    let done = engine.sync(&server, options).expect("no error");
    assert_eq!((done.cut, done.requests), (Some(Cut::Budget), 0));
}

#[test]
fn a_good_answer_that_asks_to_wait_is_kept_and_nothing_more_is_asked() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.on_patrol(&server);
    report(&engine, "甲", &[1]);
    server.fail("/v1/push", Fault::Also("Retry-After".into(), "120".into()));
    let done = sync(&engine, &server).expect("is no error");
    assert_eq!((done.ops_sent, done.requests), (4, 2));
    assert_eq!(done.cut, Some(Cut::RetryAfter { after_ms: 120_000 }));
    assert_eq!(engine.status().expect("reads").unsent.ops, 0);
    // Not even by hand before the time is over.
    phone.clock.pass(100_000);
    assert_eq!(
        sync(&engine, &server),
        Err(EngineError::RetryLater { after_ms: 20_000 })
    );
    assert_eq!(
        server.with(|state| state.requests.len()),
        2 + 2,
        "enrolment and the sync"
    );
    phone.clock.pass(20_000);
    assert_eq!(sync(&engine, &server).expect("syncs").blobs_sent, 1);
}
