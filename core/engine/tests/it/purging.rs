//! Purges: what an order erases is nowhere on the phone any more.

use gridwalk_domain::{EntityId, Sha256};
use gridwalk_engine::{Engine, EngineError, NewIncident, NewPhoto, SendState};
use std::fs;
use std::path::Path;

use crate::server::{FakeServer, Fault};
use crate::support::{CHUNK, Phone, png};
use crate::talk::{report, sync};

/// Whether a text stands in any file of the phone.
fn on_disk(folder: &Path, text: &str) -> bool {
    fs::read_dir(folder).expect("lists").any(|entry| {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            return on_disk(&path, text);
        }
        let bytes = fs::read(&path).expect("reads");
        bytes
            .windows(text.len())
            .any(|window| window == text.as_bytes())
    })
}

fn files(phone: &Phone) -> usize {
    fs::read_dir(phone.beside("-blobs")).map_or(0, Iterator::count)
}

fn photo_of(engine: &Engine, id: EntityId, at: usize) -> Sha256 {
    engine.incident(id).expect("there").photos[at].sha256
}

#[test]
fn a_purged_record_is_erased_with_ops_photos_and_what_was_not_sent() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let purged = report(&engine, "SECRET-TITLE", &[1, 2]);
    let stays = report(&engine, "HARMLESS-TITLE", &[2]);
    sync(&engine, &server).expect("syncs");
    engine.comment(purged, "SECRET-COMMENT").expect("comments");
    assert!(on_disk(phone.folder(), "SECRET"));
    server.with(|state| state.purge(purged));
    let done = sync(&engine, &server).expect("syncs");
    assert_eq!(
        (done.refused, done.snapshots),
        (0, 0),
        "it is still counted"
    );
    assert_eq!(
        engine.incident(purged).map(drop),
        Err(EngineError::NotFound)
    );
    assert!(!on_disk(phone.folder(), "SECRET"));
    assert!(on_disk(phone.folder(), "HARMLESS"));
    assert_eq!(
        files(&phone),
        1,
        "the photo that another record shows stays"
    );
    let unsent = engine.status().expect("reads").unsent;
    assert_eq!((unsent.ops, unsent.blobs), (0, 0));
    assert!(engine.photo(photo_of(&engine, stays, 0)).is_ok());
    drop(engine);
    assert!(!on_disk(phone.folder(), "SECRET"));
}

#[test]
fn nothing_of_purged_records_is_left_in_any_page_whatever_lay_beside_them() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let mark = |n: usize| format!("MARK{n:03}PURGED");
    let all: Vec<EntityId> = (0..90)
        .map(|n| {
            let id = report(&engine, &mark(n), &[]);
            // Of every length, so that pages split and join.
            let said = format!("{} {}", mark(n), "长".repeat(n * 17 % 1500));
            engine.comment(id, &said).expect("comments");
            id
        })
        .collect();
    sync(&engine, &server).expect("syncs");
    for round in 0..3 {
        let purged: Vec<usize> = (0..90).filter(|n| n % 7 % 3 == round).collect();
        server.with(|state| purged.iter().for_each(|n| state.purge(all[*n])));
        sync(&engine, &server).expect("syncs");
        for n in purged {
            assert!(!on_disk(phone.folder(), &mark(n)), "{n}");
        }
    }
    assert!(engine.incidents().expect("reads").is_empty());
}

#[test]
fn a_purged_photo_goes_from_every_record_and_is_not_sent() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let ids = [
        report(&engine, "甲", &[1]),
        report(&engine, "乙", &[1]),
        report(&engine, "丙", &[2]),
    ];
    sync(&engine, &server).expect("syncs");
    let sha256 = photo_of(&engine, ids[0], 0);
    server.with(|state| state.purge_blob(sha256));
    sync(&engine, &server).expect("syncs");
    assert_eq!(files(&phone), 1);
    let here = ids.map(|id| engine.incident(id).expect("there").photos[0].here);
    assert_eq!(here, [false, false, true]);
    assert_eq!(engine.photo(sha256), Err(EngineError::NotFound));

    // The same photo again, and one that is purged before it was sent.
    let again = report(&engine, "丁", &[1]);
    let status = engine.status().expect("reads");
    assert_eq!(status.unsent.blobs, 1);
    sync(&engine, &server).expect("is told 410");
    assert_eq!(engine.status().expect("reads").unsent.blobs, 0);
    assert_eq!(files(&phone), 1);
    assert_eq!(engine.incident(again).expect("there").send, SendState::Sent);
}

#[test]
fn what_was_purged_before_it_was_sent_is_erased_at_the_servers_word() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let new = NewIncident {
        category: "other".into(),
        title: "SECRET-TITLE".into(),
        photos: vec![NewPhoto {
            bytes: png(1),
            mime: String::new(),
        }],
        ..NewIncident::default()
    };
    let id = engine.report_incident(new).expect("reports");
    server.with(|state| {
        state.purged_entities.insert(id);
    });
    sync(&engine, &server).expect("syncs");
    assert_eq!(engine.incident(id).map(drop), Err(EngineError::NotFound));
    assert!(!on_disk(phone.folder(), "SECRET"));
    assert_eq!(
        (files(&phone), server.with(|state| state.blobs.len())),
        (0, 0)
    );
    let status = engine.status().expect("reads");
    assert_eq!((status.unsent.ops, status.refused.len()), (0, 0));
}

#[test]
fn a_photo_that_another_record_shows_too_is_sent_again_after_a_purge() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let (purged, stays) = (report(&engine, "甲", &[1]), report(&engine, "乙", &[1]));
    sync(&engine, &server).expect("syncs");
    let sha256 = photo_of(&engine, stays, 0);
    // The server let it go with the record, and waits for one that shows it.
    server.with(|state| {
        state.purge(purged);
        state.blobs.remove(&sha256);
        state.locked.insert(sha256);
    });
    sync(&engine, &server).expect("the photo waits, all else goes on");
    assert_eq!(
        engine.incident(stays).expect("there").send,
        SendState::Waiting
    );
    assert_eq!(files(&phone), 1);
    server.with(|state| state.locked.clear());
    assert_eq!(sync(&engine, &server).expect("syncs").blobs_sent, 1);
    assert_eq!(engine.incident(stays).expect("there").send, SendState::Sent);
    assert_eq!(server.with(|state| state.blobs.len()), 1);
}

#[test]
fn a_photo_that_went_with_its_record_goes_where_nothing_here_shows_it_any_more() {
    let (phone, server) = (Phone::new(true), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let id = report(&engine, "甲", &[1]);
    let sha256 = photo_of(&engine, id, 0);
    let draft = gridwalk_engine::NewIncident {
        photos: vec![NewPhoto {
            bytes: png(2),
            mime: String::new(),
        }],
        ..gridwalk_engine::NewIncident::default()
    };
    let draft = engine.save_draft(None, draft).expect("saves");
    server.with(|state| {
        state.locked.insert(sha256);
    });
    sync(&engine, &server).expect("the photo waits for its op");
    assert_eq!(files(&phone), 2);
    // All that was taken is let go.
    server.verify_backup();
    phone.clock.pass_days(15);
    sync(&engine, &server).expect("syncs");
    sync(&engine, &server).expect("syncs");
    assert_eq!(engine.status().expect("reads").unsent.blobs, 0);
    assert_eq!(files(&phone), 1, "the draft's");
    assert_eq!(engine.draft(draft).expect("there").photos.len(), 1);
}

#[test]
fn a_patrol_that_is_purged_while_it_runs_ends_and_its_fixes_go() {
    let (phone, server) = (Phone::new(true), FakeServer::new());
    let engine = phone.on_patrol(&server);
    phone.walk(&engine, CHUNK + 50);
    sync(&engine, &server).expect("syncs");
    phone.walk(&engine, 20);
    let patrol = engine.status().expect("reads").patrol.expect("runs").id;
    server.with(|state| state.purge(patrol));
    sync(&engine, &server).expect("syncs");
    let status = engine.status().expect("reads");
    assert_eq!((status.patrol, status.unsealed_fixes), (None, 0));
    assert_eq!((status.unsent.ops, status.unsent.chunks), (0, 0));
    assert_eq!(engine.record(&[phone.fix()]), Err(EngineError::NoPatrol));
    drop(engine);
    let engine = phone.open();
    assert_eq!(engine.patrols(), Ok(vec![]));
    engine.start_patrol().expect("another one starts");
    phone.walk(&engine, 3);
}

#[test]
fn a_file_that_the_app_died_before_removing_goes_at_the_next_opening() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let id = report(&engine, "甲", &[1]);
    let sha256 = photo_of(&engine, id, 0);
    drop(engine);
    let file = rusqlite::Connection::open(phone.path()).expect("opens");
    file.execute("DELETE FROM blob", []).expect("writes");
    file.execute("INSERT INTO unwanted VALUES (?1)", [sha256.0])
        .expect("writes");
    drop(file);
    assert_eq!(files(&phone), 1);
    drop(phone.open());
    assert_eq!(files(&phone), 0);
}

#[test]
fn a_purge_that_is_heard_twice_or_after_a_lost_answer_is_the_same() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let id = report(&engine, "SECRET", &[1]);
    sync(&engine, &server).expect("syncs");
    server.with(|state| state.purge(id));
    server.fail("/v1/pull", Fault::AnswerLost);
    assert!(sync(&engine, &server).is_err());
    server.with(|state| state.purge(id));
    sync(&engine, &server).expect("syncs");
    assert!(!on_disk(phone.folder(), "SECRET"));
    let next = sync(&engine, &server).expect("syncs");
    assert_eq!((next.requests, next.snapshots), (1, 0));
}
