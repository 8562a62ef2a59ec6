//! An attachment whose file does not read any more, or that the server does not
//! come to hold, rests and is listed; nothing else waits for it.

use gridwalk_domain::EntityId;
use gridwalk_engine::{Engine, EngineError, NewPhoto, SendState};
use std::fs;
use std::path::PathBuf;

use crate::leaving::next_user;
use crate::parking::{Fails, send};
use crate::server::FakeServer;
use crate::support::{Phone, png};
use crate::talk::{report, sync};

type Harm = fn(&PathBuf);

const HARMS: [Harm; 3] = [
    |file| fs::remove_file(file).expect("removes"),
    |file| {
        let bytes = fs::read(file).expect("reads");
        fs::write(file, &bytes[..bytes.len() / 2]).expect("writes");
    },
    |file| {
        let mut bytes = fs::read(file).expect("reads");
        let middle = bytes.len() / 2;
        bytes[middle] ^= 1;
        fs::write(file, bytes).expect("writes");
    },
];

/// Two reports with a photo each; the file of the first one's is harmed.
fn harmed(phone: &Phone, engine: &Engine, harm: Harm) -> [EntityId; 2] {
    engine.start_shift(None).expect("begins");
    let first = report(engine, "甲", &[1]);
    let mut files = fs::read_dir(phone.beside("-blobs")).expect("lists");
    harm(&files.next().expect("one").expect("an entry").path());
    [first, report(engine, "乙", &[2])]
}

fn parked_as(engine: &Engine, id: EntityId) -> Option<String> {
    match send(engine, id) {
        SendState::Parked { code, .. } => Some(code),
        _ => None,
    }
}

fn attach_again(engine: &Engine, id: EntityId, seed: u8) {
    let photo = NewPhoto {
        bytes: png(seed),
        mime: String::new(),
    };
    engine.attach(id, &[photo]).expect("attaches");
}

#[test]
fn a_photo_whose_file_does_not_read_holds_up_nothing_and_is_healed_by_the_same_photo() {
    for keyed in [false, true] {
        for harm in HARMS {
            let (phone, server) = (Phone::new(keyed), FakeServer::new());
            let engine = phone.enrolled(&server);
            let [first, second] = harmed(&phone, &engine, harm);
            let done = sync(&engine, &server).expect("goes on");
            assert_eq!((done.blobs_sent, done.refused), (1, 1));
            assert_eq!(send(&engine, second), SendState::Sent);
            assert_eq!(parked_as(&engine, first).as_deref(), Some("unreadable"));
            let refused = engine.status().expect("reads").refused;
            assert_eq!((refused.len(), refused[0].record), (1, first));
            // It rests, and what the server has came down: one request is hello.
            assert_eq!(sync(&engine, &server).expect("syncs").requests, 1);

            attach_again(&engine, first, 1);
            assert_eq!(sync(&engine, &server).expect("syncs").blobs_sent, 1);
            assert_eq!(send(&engine, first), SendState::Sent);
            assert_eq!(engine.status().expect("reads").refused, []);
        }
    }
}

#[test]
fn what_cannot_be_read_is_counted_and_left_out_of_an_export() {
    for keyed in [false, true] {
        for harm in HARMS {
            let (phone, server) = (Phone::new(keyed), FakeServer::new());
            let engine = phone.enrolled(&server);
            harmed(&phone, &engine, harm);
            let folder = phone.folder().join("export");
            let written = engine.export_unsent(&folder).expect("goes on");
            assert_eq!((written.blobs, written.unreadable), (1, 1));
            let account = fs::read_dir(&folder).expect("lists").next();
            let account = account.expect("one").expect("an entry").path();
            let files = fs::read_dir(&account).expect("lists").count();
            assert_eq!(files, 2, "the ops and the photo that reads");
        }
    }
}

#[test]
fn a_photo_that_the_server_fails_at_alone_rests_after_some_syncs() {
    let (phone, server) = (Phone::new(true), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let id = report(&engine, "甲", &[1]);
    let failing = Fails(&server, "/v1/blobs", 500);
    let mut syncs = 1;
    while sync(&engine, &failing).is_err() {
        syncs += 1;
        assert!(syncs < 20, "for ever");
        phone.clock.pass(3_600_000);
    }
    assert!(syncs > 3, "the server may have had a fault of its own");
    assert!(parked_as(&engine, id).is_some());
    phone.clock.pass(25 * 3_600_000);
    sync(&engine, &server).expect("syncs");
    assert_eq!(send(&engine, id), SendState::Sent);
}

#[test]
fn a_photo_that_never_comes_to_be_whole_rests() {
    let (phone, server) = (Phone::new(true), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let id = report(&engine, "甲", &[1]);
    // Uploads are begun, and then nobody knows of them.
    let forgetting = Fails(&server, "/v1/blobs/", 404);
    assert_eq!(sync(&engine, &forgetting).expect("goes on").refused, 1);
    assert_eq!(parked_as(&engine, id).as_deref(), Some("unfinished"));
    assert_eq!(sync(&engine, &server).expect("syncs").blobs_sent, 0);
    phone.clock.pass(25 * 3_600_000);
    assert_eq!(sync(&engine, &server).expect("syncs").blobs_sent, 1);
    assert_eq!(send(&engine, id), SendState::Sent);
}

#[test]
fn a_row_that_does_not_read_holds_up_nobody_who_left() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    report(&engine, "甲", &[]);
    engine.log_out(true).expect("logs out");
    next_user(&engine, &server);
    engine.start_shift(None).expect("begins");
    drop(engine);
    let file = rusqlite::Connection::open(phone.path()).expect("opens");
    let changed = file.execute("UPDATE account SET line = '' WHERE leaving IS NULL", []);
    assert_eq!(changed, Ok(1));
    drop(file);
    let engine = phone.open();
    let outcome = sync(&engine, &server);
    assert!(
        matches!(outcome, Err(EngineError::Storage { .. })),
        "{outcome:?}"
    );
    let left = engine.vault().expect("reads").remove(0);
    assert_eq!(left.unsent.ops, 0);
}
