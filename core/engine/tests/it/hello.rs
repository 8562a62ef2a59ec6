//! What a hello tells, and when to say the next.

use gridwalk_domain::BootId;
use gridwalk_domain::wire::HelloRequest;
use gridwalk_engine::{Network, NextSync, Policy};

use crate::server::{FakeServer, Fault};
use crate::support::{CHUNK, Phone, START_MS};
use crate::talk::{report, sync};

fn last_hello(server: &FakeServer) -> HelloRequest {
    server.with(|state| state.hellos.last().expect("said").clone())
}

#[test]
fn starts_of_the_system_are_told_once_in_their_order_with_the_last_save() {
    let (phone, server) = (Phone::new(true), FakeServer::new());
    let engine = phone.enrolled(&server);
    // Enrolling said hello already, and told of the start that runs.
    assert_eq!(last_hello(&server).boots.len(), 1);
    phone.clock.pass(60_000);
    engine.start_shift(None).expect("begins");
    drop(engine);
    // Two starts without a network; nothing is saved in the first.
    phone.clock.reboot(3_600_000);
    drop(phone.open());
    phone.clock.reboot(7_200_000);
    let engine = phone.open();
    phone.clock.pass(5_000);
    report(&engine, "甲", &[]);
    phone.clock.pass(90_000);
    server.fail("/v1/hello", Fault::AnswerLost);
    assert!(sync(&engine, &server).is_err());
    let told = last_hello(&server);
    sync(&engine, &server).expect("syncs");
    assert_eq!(last_hello(&server).boots, told.boots, "the answer was lost");
    let boots: Vec<_> = told.boots.iter().map(|span| span.boot).collect();
    let boot = |n| BootId::from_bytes([n; 16]);
    assert_eq!(boots, [boot(2), boot(3)]);
    assert_eq!(told.at.boot, boot(3), "the running one is the last");
    let running = told.boots[1];
    assert_eq!(
        running.first.wall_ms,
        START_MS + 60_000 + 3_600_000 + 7_200_000
    );
    assert_eq!(
        running.last.wall_ms - running.first.wall_ms,
        5_000,
        "the last save"
    );
    assert_eq!(running.last.mono_ms - running.first.mono_ms, 5_000);
    sync(&engine, &server).expect("syncs");
    assert_eq!(last_hello(&server).boots, []);
}

#[test]
fn where_phone_and_server_stand_at_the_same_place_nothing_is_pulled() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    sync(&engine, &server).expect("syncs");
    engine.start_shift(None).expect("begins");
    let id = report(&engine, "甲", &[]);
    sync(&engine, &server).expect("syncs");
    assert_eq!(sync(&engine, &server).expect("syncs").requests, 1);
    let comment = gridwalk_domain::Intent::Append {
        list: "comments".into(),
        value: serde_json::json!({"text": "已安排"}),
    };
    crate::talk::elsewhere(&server, id, comment);
    let pulled = sync(&engine, &server).expect("syncs");
    assert_eq!((pulled.requests, pulled.entities_pulled), (2, 1));
    let hello = last_hello(&server);
    assert!(hello.scope_tag.is_some() && hello.place.is_some());
    assert_eq!(hello.app, "0");
}

#[test]
fn that_a_stream_had_to_be_read_again_is_told_once() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    server.with(|state| state.lie_about_count = true);
    assert_eq!(sync(&engine, &server).expect("syncs").snapshots, 1);
    server.with(|state| state.lie_about_count = false);
    assert_eq!(last_hello(&server).rereads, 0);
    server.fail("/v1/hello", Fault::Unreachable);
    assert!(sync(&engine, &server).is_err());
    for expected in [1, 0] {
        phone.clock.pass(15 * 60_000);
        sync(&engine, &server).expect("syncs");
        assert_eq!(last_hello(&server).rereads, expected);
    }
}

#[test]
fn when_to_sync_next_comes_from_what_is_stored() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.open();
    let next =
        |engine: &gridwalk_engine::Engine, network| engine.next_sync(network).expect("answers");
    assert_eq!(next(&engine, Network::Unmetered), NextSync::Never);
    drop(engine);
    let engine = phone.enrolled(&server);
    assert_eq!(next(&engine, Network::Unmetered), NextSync::Now);
    assert_eq!(next(&engine, Network::None), NextSync::WhenOnline);
    sync(&engine, &server).expect("syncs");
    let idle = NextSync::In { ms: 15 * 60_000 };
    assert_eq!(next(&engine, Network::Metered), idle);
    // Something is saved: promptly, over any network.
    engine.start_shift(None).expect("begins");
    assert_eq!(next(&engine, Network::Metered), NextSync::Now);
    report(&engine, "甲", &[1]);
    let options = gridwalk_engine::SyncOptions {
        network: Network::Metered,
        ..gridwalk_engine::SyncOptions::default()
    };
    engine.sync(&server, options).expect("syncs");
    // The photo waits for an unmetered network, and goes as soon as there is one.
    assert_eq!(next(&engine, Network::Metered), idle);
    assert_eq!(next(&engine, Network::Unmetered), NextSync::Now);
    let policy = Policy {
        photos_on_metered: true,
        ..Policy::default()
    };
    engine.set_policy(policy).expect("sets");
    assert_eq!(next(&engine, Network::Metered), NextSync::Now);
    // The line breaks: a random wait, the same for an app that starts again.
    server.fail("/v1/hello", Fault::Unreachable);
    assert!(sync(&engine, &server).is_err());
    let waits = next(&engine, Network::Unmetered);
    assert!(
        matches!(waits, NextSync::In { ms } if ms <= 10_000),
        "{waits:?}"
    );
    drop(engine);
    let engine = phone.open();
    assert_eq!(next(&engine, Network::Unmetered), waits);
    engine.network_returned().expect("told");
    assert_eq!(next(&engine, Network::Unmetered), NextSync::Now);
    sync(&engine, &server).expect("syncs");
    assert_eq!(next(&engine, Network::Unmetered), idle);
    phone.clock.pass(15 * 60_000);
    assert_eq!(next(&engine, Network::Unmetered), NextSync::Now);
    // Somebody leaves with work unsent: the phone goes on by itself.
    report(&engine, "乙", &[]);
    engine.log_out(true).expect("logs out");
    assert_eq!(next(&engine, Network::Unmetered), NextSync::Now);
    sync(&engine, &server).expect("syncs");
    server.verify_backup();
    phone.clock.pass(60 * 60_000);
    sync(&engine, &server).expect("syncs");
    assert_eq!(next(&engine, Network::Unmetered), NextSync::Never);
}

#[test]
fn after_healing_queues_reach_zero_with_no_new_write() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.on_patrol(&server);
    phone.walk_in_bunches(&engine, 2 * CHUNK + 100);
    report(&engine, "甲", &[1, 2]);
    engine.finish_patrol().expect("finishes");
    for _ in 0..12 {
        server.fail("/", Fault::Unreachable);
    }
    let mut waited = 0;
    // The watchdog alone: whatever it answers comes true.
    for _ in 0..60 {
        match engine.next_sync(Network::Unmetered).expect("answers") {
            NextSync::Now => drop(sync(&engine, &server)),
            NextSync::In { ms } => {
                phone.clock.pass(ms);
                waited += ms;
            }
            other => panic!("{other:?}"),
        }
        let unsent = engine.status().expect("reads").unsent;
        if (unsent.ops, unsent.chunks, unsent.blobs) == (0, 0, 0) {
            assert!(waited < 12 * 15 * 60_000, "{waited}");
            return;
        }
    }
    panic!("it did not drain");
}
