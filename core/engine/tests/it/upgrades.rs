//! Queues of every released version: what was saved under one drains under all
//! later ones.
//!
//! A fixture is a phone's folder as an old version left it, with a queue, and
//! `server.json`, which says what the server must know of it. It is made once,
//! by the version itself (docs/testing.md), and never changed after a release.

use gridwalk_domain::{DeviceId, EntityId, WorkerId};
use gridwalk_engine::{Engine, IncidentQuery, SendState};
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

use crate::server::FakeServer;
use crate::support::{Phone, holder};
use crate::talk::sync;

#[derive(Serialize, Deserialize)]
struct Known {
    device: DeviceId,
    worker: WorkerId,
    token: String,
    send_token: String,
}

#[derive(Serialize, Deserialize)]
struct Fixture {
    known: Vec<Known>,
    /// What must be on the server in the end.
    titles: Vec<String>,
    fixes: usize,
    blobs: usize,
    ops: usize,
}

fn fixtures() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures")
}

/// Copies a folder and what is in it, one level deep below.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("makes");
    for entry in fs::read_dir(from).expect("lists") {
        let path = entry.expect("an entry").path();
        let name = path.file_name().expect("a name");
        match path.is_dir() {
            true => copy(&path, &to.join(name)),
            false => drop(fs::copy(&path, to.join(name)).expect("copies")),
        }
    }
}

#[test]
fn a_queue_of_every_version_drains() {
    let mut seen = 0;
    for entry in fs::read_dir(fixtures()).expect("lists") {
        let folder = entry.expect("an entry").path();
        let text = fs::read_to_string(folder.join("server.json")).expect("a fixture");
        let fixture: Fixture = serde_json::from_str(&text).expect("reads");
        let (phone, server) = (Phone::new(false), FakeServer::new());
        copy(&folder, phone.folder());
        for known in fixture.known {
            server.hire(known.worker.as_bytes()[0], "–");
            server.adopt(known.device, known.worker, &known.token, &known.send_token);
        }
        let engine = phone.open();
        let shown = engine.incidents().expect("reads");
        let found = engine.find_incidents(&IncidentQuery::default());
        assert!(!shown.is_empty());
        assert_eq!(found.expect("finds").incidents, shown, "indexed at once");
        sync(&engine, &server).expect("syncs");
        if engine.status().expect("reads").patrol.is_some() {
            engine.finish_patrol().expect("finishes");
        }
        sync(&engine, &server).expect("syncs");
        let status = engine.status().expect("reads");
        assert_eq!(
            (status.unsent.ops, status.unsent.chunks, status.unsent.blobs),
            (0, 0, 0)
        );
        assert_eq!((status.left_unsent, status.refused.len()), (0, 0));
        assert_eq!(server.fixes(), fixture.fixes);
        server.with(|state| {
            let mut titles: Vec<_> = state
                .states()
                .filter_map(|state| state.text("title"))
                .collect();
            titles.sort_unstable();
            assert_eq!(titles, fixture.titles);
            assert_eq!(state.blobs.len(), fixture.blobs);
            assert!(state.ops.len() >= fixture.ops);
        });
        for incident in engine.incidents().expect("reads") {
            assert_eq!(incident.send, SendState::Sent);
        }
        seen += 1;
    }
    assert!(seen > 0, "there is a fixture");
}

fn saved(engine: &Engine, title: &str, photo: Option<u8>) -> EntityId {
    let photos = photo.map(|seed| gridwalk_engine::NewPhoto {
        bytes: crate::support::png_of(seed, 900),
        mime: String::new(),
    });
    let new = gridwalk_engine::NewIncident {
        category: "fire_safety".into(),
        title: title.into(),
        answers: crate::support::premises(),
        photos: photos.into_iter().collect(),
        ..gridwalk_engine::NewIncident::default()
    };
    engine.report_incident(new).expect("reports")
}

/// Makes the fixture of this version. Its numbers are those of the tests' clock
/// and randomness, so that making it again makes the same.
#[test]
#[ignore = "writes core/engine/tests/fixtures/v1 anew"]
fn make_the_fixture_of_this_version() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    // Somebody who left with their work unsent.
    let engine = phone.on_patrol(&server);
    phone.walk_in_bunches(&engine, 310);
    saved(&engine, "先走的人的", Some(1));
    engine.log_out(true).expect("logs out");
    // Somebody who is on patrol.
    server.hire(0x66, "NEXT");
    let invitation = gridwalk_engine::Invitation::parse("NEXT", Some("https://test"));
    engine
        .enrol(&server, &invitation.expect("reads"))
        .expect("enrols");
    engine.start_shift(None).expect("begins");
    engine.start_patrol().expect("starts");
    phone.walk(&engine, 330);
    let id = saved(&engine, "在班的人的", Some(2));
    engine.comment(id, "看过了").expect("comments");
    engine
        .step(id, "escalated", Some("需要"), holder())
        .expect("steps");
    engine.close();
    let file = rusqlite::Connection::open(phone.path()).expect("opens");
    file.execute_batch("PRAGMA journal_mode = DELETE; VACUUM;")
        .expect("packs");
    let ops: i64 = file
        .query_row("SELECT count(*) FROM op", [], |row| row.get(0))
        .expect("counts");
    drop(file);
    let known = server.with(|state| {
        let known = state.devices.iter().map(|(device, known)| Known {
            device: *device,
            worker: known.worker,
            token: known.tokens().0.to_owned(),
            send_token: known.tokens().1.to_owned(),
        });
        known.collect()
    });
    let fixture = Fixture {
        known,
        titles: vec!["先走的人的".to_owned(), "在班的人的".to_owned()],
        fixes: 640,
        blobs: 2,
        ops: usize::try_from(ops).expect("small"),
    };
    let folder = fixtures().join("v1");
    let _ = fs::remove_dir_all(&folder);
    copy(phone.folder(), &folder);
    let json = serde_json::to_string_pretty(&fixture).expect("writes");
    fs::write(folder.join("server.json"), json + "\n").expect("writes");
}
