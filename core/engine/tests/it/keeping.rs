//! What was sent is kept until a checked backup has it, and fourteen days.

use gridwalk_engine::{Engine, EngineError, Policy, SendState};

use crate::server::FakeServer;
use crate::support::{CHUNK, Phone};
use crate::talk::{report, sync};

const DAY_MS: i64 = 24 * 3_600_000;

fn rows(phone: &Phone, table: &str) -> i64 {
    let file = rusqlite::Connection::open(phone.path()).expect("opens");
    file.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| {
        row.get(0)
    })
    .expect("counts")
}

/// Closes the engine to count, and opens it again.
fn held(phone: &Phone, engine: Engine) -> (Engine, [i64; 3]) {
    drop(engine);
    let held = ["op", "chunk", "blob"].map(|table| rows(phone, table));
    (phone.open(), held)
}

fn files(phone: &Phone) -> usize {
    std::fs::read_dir(phone.beside("-blobs")).map_or(0, Iterator::count)
}

/// A finished day on the server, receipts pulled.
fn sent(phone: &Phone, server: &FakeServer) -> Engine {
    let engine = phone.on_patrol(server);
    phone.walk_in_bunches(&engine, CHUNK + 20);
    report(&engine, "甲", &[1]);
    engine.finish_patrol().expect("finishes");
    engine.end_shift().expect("ends");
    sync(&engine, server).expect("syncs");
    engine
}

#[test]
fn what_was_sent_goes_only_when_a_backup_has_it_and_fourteen_days_are_over() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = sent(&phone, &server);
    let all = [7, 2, 1];
    // Days alone do not do.
    phone.clock.pass_days(40);
    sync(&engine, &server).expect("syncs");
    let (engine, kept) = held(&phone, engine);
    assert_eq!((kept, files(&phone)), (all, 1));
    // Nor a backup that does not reach so far, nor one without the days.
    report_later(&phone, &engine, &server);
    server.with(|state| {
        let device = *state.devices.keys().next().expect("enrolled");
        state.watermark.insert(device, 2);
    });
    sync(&engine, &server).expect("syncs");
    let (engine, kept) = held(&phone, engine);
    assert_eq!(
        kept,
        [7 - 2 + 3, 2, 1],
        "the first two are in the backup, the rest is not"
    );
    server.verify_backup();
    sync(&engine, &server).expect("syncs");
    let (engine, kept) = held(&phone, engine);
    // What was taken forty days ago goes, the new shift's ops stay.
    assert_eq!((kept, files(&phone)), ([3, 0, 0], 0));
    let incident = &engine.incidents().expect("reads")[0];
    assert_eq!(incident.send, SendState::Sent);
    assert!(!incident.photos[0].here && incident.mine);
    let patrol = engine.patrols().expect("reads").remove(0);
    assert_eq!((patrol.send, patrol.fixes), (SendState::Sent, 0));
    assert_eq!(
        engine.route(patrol.id).map(drop),
        Err(EngineError::NotFound)
    );
    // A purge of what is only on the server now still finds nothing to erase.
    server.with(|state| state.purge(incident.id));
    sync(&engine, &server).expect("syncs");
    assert!(engine.incidents().expect("reads").is_empty());
}

/// A second shift, begun and ended, and a comment: three ops.
fn report_later(phone: &Phone, engine: &Engine, server: &FakeServer) {
    let first = engine.incidents().expect("reads")[0].id;
    engine.start_shift(None).expect("begins");
    engine.comment(first, "后来").expect("comments");
    engine.end_shift().expect("ends");
    sync(engine, server).expect("syncs");
    phone.clock.pass(1000);
}

#[test]
fn no_clock_that_somebody_sets_makes_it_go_early() {
    for turns in [
        vec![20 * 365 * DAY_MS],
        vec![-20 * 365 * DAY_MS, 40 * 365 * DAY_MS],
        vec![15 * DAY_MS, -30 * DAY_MS, 60 * DAY_MS],
    ] {
        let (phone, server) = (Phone::new(false), FakeServer::new());
        let engine = sent(&phone, &server);
        server.verify_backup();
        for turn in turns {
            phone.clock.turn(turn);
            // The server's clock of these tests follows the phone's.
            sync(&engine, &server).expect("syncs");
            phone.clock.reboot(turn);
            sync(&engine, &server).expect("syncs");
        }
        let (engine, kept) = held(&phone, engine);
        assert_eq!(kept, [7, 2, 1]);
        // Thirteen days on, in two starts of the system.
        phone.clock.pass_days(7);
        engine.start_shift(None).expect("saves something");
        phone.clock.reboot(400 * DAY_MS);
        engine.end_shift().expect("saves something");
        phone.clock.pass_days(6);
        sync(&engine, &server).expect("syncs");
        let (engine, kept) = held(&phone, engine);
        assert_eq!(kept, [9, 2, 1]);
        phone.clock.pass_days(1);
        sync(&engine, &server).expect("syncs");
        let (_, kept) = held(&phone, engine);
        assert_eq!(kept, [2, 2, 0], "routes are kept thirty days");
    }
}

#[test]
fn routes_are_kept_as_long_as_the_policy_says_and_never_less_than_fourteen_days() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = sent(&phone, &server);
    server.verify_backup();
    let policy = Policy {
        keep_routes_days: 3,
        ..Policy::default()
    };
    engine.set_policy(policy).expect("sets");
    phone.clock.pass_days(13);
    sync(&engine, &server).expect("syncs");
    let (engine, kept) = held(&phone, engine);
    assert_eq!((kept[1], engine.policy()), (2, Ok(policy)));
    phone.clock.pass_days(2);
    sync(&engine, &server).expect("syncs");
    assert_eq!(held(&phone, engine).1[1], 0);
}

#[test]
fn what_was_refused_stays_for_the_worker_to_see() {
    use gridwalk_domain::wire::{Outcome, Reason};
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let reason = Reason {
        code: "not_allowed".into(),
        text: "no".into(),
    };
    server.with(|state| {
        state
            .refuse
            .insert("甲".into(), Outcome::Rejected { reason });
    });
    let engine = sent(&phone, &server);
    server.verify_backup();
    phone.clock.pass_days(60);
    sync(&engine, &server).expect("syncs");
    let refused = engine.status().expect("reads").refused;
    assert!(refused.iter().any(|item| item.code == "not_allowed"));
    assert!(engine.incident(refused[0].record).is_ok());
}

#[test]
fn a_patrol_that_runs_keeps_its_fixes_and_a_shift_its_first_op() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.on_patrol(&server);
    phone.walk_in_bunches(&engine, CHUNK + 20);
    sync(&engine, &server).expect("syncs");
    server.verify_backup();
    phone.clock.pass_days(60);
    sync(&engine, &server).expect("syncs");
    let (engine, kept) = held(&phone, engine);
    assert_eq!((kept[0], kept[1]), (2, 1));
    assert_eq!(
        engine.status().expect("reads").patrol.expect("runs").fixes,
        (CHUNK + 20) as u64
    );
}

/// Weeks after its backup was checked nothing of a photo is left.
fn lets_go(phone: &Phone, server: &FakeServer, engine: Engine) -> Engine {
    server.verify_backup();
    phone.clock.pass_days(40);
    sync(&engine, server).expect("syncs");
    let (engine, kept) = held(phone, engine);
    assert_eq!((kept[2], files(phone)), (0, 0));
    engine
}

#[test]
fn a_photo_that_the_server_has_already_goes_like_any_other() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = sent(&phone, &server);
    let engine = lets_go(&phone, &server, engine);
    // The same picture once more: the server has it, and no new receipt for it.
    engine.start_shift(None).expect("begins");
    report(&engine, "乙", &[1]);
    engine.end_shift().expect("ends");
    sync(&engine, &server).expect("syncs");
    let engine = lets_go(&phone, &server, engine);
    // And somebody who then leaves goes whole.
    engine.start_shift(None).expect("begins");
    report(&engine, "丙", &[1]);
    engine.log_out(true).expect("logs out");
    sync(&engine, &server).expect("syncs");
    server.verify_backup();
    phone.clock.pass(3_600_000);
    sync(&engine, &server).expect("syncs");
    assert_eq!((engine.vault(), files(&phone)), (Ok(vec![]), 0));
}
