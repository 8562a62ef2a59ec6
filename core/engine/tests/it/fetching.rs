//! Attachments of colleagues, fetched when somebody looks.

use gridwalk_domain::{EntityId, Sha256};
use gridwalk_engine::{
    CancelToken, Engine, EngineError, FetchOptions, FetchProgress, Invitation, Network, Policy,
};
use std::sync::{Arc, Mutex};

use crate::media::files;
use crate::server::{FakeServer, Fault};
use crate::support::{Phone, noise, secret_png};
use crate::talk::sync;

/// A photo that a colleague sent, with its thumbnail.
struct Sent {
    record: EntityId,
    photo: Sha256,
    thumb: Sha256,
    bytes: usize,
}

fn send(engine: &Engine, server: &FakeServer, seed: u8) -> Sent {
    let new = gridwalk_engine::NewIncident {
        category: "hygiene".into(),
        title: format!("第{seed}件"),
        photos: vec![gridwalk_engine::NewPhoto {
            bytes: secret_png(&noise(seed, 640, 300)),
            mime: String::new(),
        }],
        ..gridwalk_engine::NewIncident::default()
    };
    let record = engine.report_incident(new).expect("reports");
    sync(engine, server).expect("syncs");
    let photo = engine.incident(record).expect("there").photos.remove(0);
    Sent {
        record,
        photo: photo.sha256,
        thumb: photo.thumb.expect("has one").sha256,
        bytes: usize::try_from(photo.bytes).expect("small"),
    }
}

/// A colleague who sent so many photos, and a phone of the same grid that was
/// told of them.
fn told(server: &FakeServer, keyed: bool, count: u8) -> (Phone, Engine, Vec<Sent>) {
    let colleague = Phone::new(false);
    let engine = colleague.enrolled(server);
    engine.start_shift(None).expect("begins");
    let sent = (1..=count)
        .map(|seed| send(&engine, server, seed))
        .collect();
    server.hire(0x66, "NEXT");
    let mut phone = Phone::new(keyed);
    phone.rng = crate::support::TestRng::new(77);
    let engine = phone.open();
    let invitation = Invitation::parse("NEXT", Some("https://test")).expect("reads");
    engine.enrol(server, &invitation).expect("enrols");
    sync(&engine, server).expect("syncs");
    (phone, engine, sent)
}

fn fetch_all(engine: &Engine, server: &FakeServer, sent: &[Sent]) {
    for sent in sent {
        engine.fetch(server, sent.photo, &asked()).expect("fetches");
    }
}

fn asked() -> FetchOptions {
    FetchOptions {
        by_person: true,
        ..FetchOptions::default()
    }
}

fn here(engine: &Engine, sent: &Sent) -> (bool, bool) {
    let photo = engine
        .incident(sent.record)
        .expect("there")
        .photos
        .remove(0);
    (photo.thumb.expect("has one").here, photo.here)
}

#[test]
fn over_a_metered_network_the_thumbnail_comes_and_the_photo_when_a_person_asks() {
    for keyed in [false, true] {
        let server = FakeServer::new();
        let (phone, engine, sent) = told(&server, keyed, 1);
        let [sent] = sent.as_slice() else { panic!() };
        assert_eq!(here(&engine, sent), (false, false));
        assert_eq!(engine.photo(sent.photo), Err(EngineError::NotFound));
        let metered = FetchOptions {
            network: Network::Metered,
            ..FetchOptions::default()
        };
        let done = engine
            .fetch(&server, sent.photo, &metered)
            .expect("fetches");
        assert_eq!((done.thumb, done.here), (Some(sent.thumb), false));
        assert_eq!(here(&engine, sent), (true, false));
        let thumb = engine.photo(sent.thumb).expect("here");
        assert_eq!(Sha256::of(&thumb), sent.thumb);
        let asked = FetchOptions {
            by_person: true,
            ..metered.clone()
        };
        let done = engine.fetch(&server, sent.photo, &asked).expect("fetches");
        assert!(done.here && done.bytes_down > sent.bytes as u64);
        assert_eq!(here(&engine, sent), (true, true));
        let photo = engine.photo(sent.photo).expect("here");
        assert_eq!(Sha256::of(&photo), sent.photo);
        let again = engine.fetch(&server, sent.photo, &asked).expect("fetches");
        assert_eq!((again.requests, again.here), (0, true));
        assert_eq!(files(&phone), 2);
        // Nothing of it is this phone's to send.
        assert_eq!(engine.status().expect("reads").unsent.blobs, 0);
        drop(engine);
        let engine = phone.open();
        assert_eq!(engine.photo(sent.photo).expect("here"), photo);
        engine.log_out(true).expect("logs out");
        assert_eq!(files(&phone), 0, "it goes with who looked at it");
    }
}

#[test]
fn a_fetch_that_is_cut_goes_on_where_it_was() {
    for keyed in [false, true] {
        let server = FakeServer::new();
        let (phone, mut engine, sent) = told(&server, keyed, 1);
        let [sent] = sent.as_slice() else { panic!() };
        server.with(|state| state.given = 0);
        let mut cuts = 0;
        loop {
            // Each time one request gets through, and the next one does not.
            let cut = crate::talk::Nth {
                server: &server,
                nth: Mutex::new(1),
                fault: Fault::Unreachable,
            };
            match engine.fetch(&cut, sent.photo, &asked()) {
                Ok(done) => {
                    assert!(done.here);
                    break;
                }
                Err(EngineError::Unreachable { .. }) => cuts += 1,
                Err(other) => panic!("{other}"),
            }
            server.with(|state| state.faults.clear());
            assert!(!here(&engine, sent).1, "not shown before it is whole");
            drop(engine);
            engine = phone.open();
        }
        assert!(cuts > 3, "{cuts}");
        let photo = engine.photo(sent.photo).expect("here");
        let thumb = engine.photo(sent.thumb).expect("here");
        let given = server.with(|state| state.given);
        assert_eq!(given, photo.len() + thumb.len(), "no byte came twice");
    }
}

#[test]
fn what_is_not_what_its_hash_says_is_never_shown() {
    let server = FakeServer::new();
    let (phone, engine, sent) = told(&server, true, 1);
    let [sent] = sent.as_slice() else { panic!() };
    server.with(|state| {
        let bytes = state.blobs.get_mut(&sent.photo).expect("there");
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
    });
    let wrong = engine.fetch(&server, sent.photo, &asked());
    assert!(
        matches!(wrong, Err(EngineError::BadAnswer { .. })),
        "{wrong:?}"
    );
    assert_eq!(here(&engine, sent), (true, false));
    assert_eq!(engine.photo(sent.photo), Err(EngineError::NotFound));
    // When the right bytes are there they come, from the start.
    server.with(|state| {
        let bytes = state.blobs.get_mut(&sent.photo).expect("there");
        let last = bytes.len() - 1;
        bytes[last] ^= 1;
    });
    assert!(
        engine
            .fetch(&server, sent.photo, &asked())
            .expect("fetches")
            .here
    );
    assert_eq!(files(&phone), 2);
}

#[test]
fn what_came_and_was_torn_by_a_power_cut_comes_again() {
    let server = FakeServer::new();
    let (phone, engine, sent) = told(&server, true, 1);
    let [sent] = sent.as_slice() else { panic!() };
    let cut = crate::talk::Nth {
        server: &server,
        nth: Mutex::new(3),
        fault: Fault::Unreachable,
    };
    engine
        .fetch(&cut, sent.photo, &asked())
        .expect_err("is cut");
    server.with(|state| state.faults.clear());
    let folder = std::fs::read_dir(phone.beside("-blobs")).expect("lists");
    let part = folder
        .map(|entry| entry.expect("an entry").path())
        .find(|path| path.to_string_lossy().contains("part-"));
    let part = part.expect("it began");
    let mut bytes = std::fs::read(&part).expect("reads");
    bytes[200] ^= 1;
    std::fs::write(&part, bytes).expect("writes");
    assert!(
        engine
            .fetch(&server, sent.photo, &asked())
            .expect("fetches")
            .here
    );
    assert_eq!(
        Sha256::of(&engine.photo(sent.photo).expect("here")),
        sent.photo
    );
}

#[test]
fn a_proxy_that_knows_no_ranges_gives_all_of_it() {
    let server = FakeServer::new();
    let (_phone, engine, sent) = told(&server, false, 1);
    server.with(|state| state.no_ranges = true);
    assert!(
        engine
            .fetch(&server, sent[0].photo, &asked())
            .expect("fetches")
            .here
    );
}

#[test]
fn a_fetch_tells_how_far_it_is_and_is_cancelled_at_the_next_request() {
    struct Until(CancelToken, Mutex<Vec<(u64, u64)>>);
    impl FetchProgress for Until {
        fn progress(&self, _: Sha256, bytes: u64, of: u64) {
            self.1.lock().expect("no panic").push((bytes, of));
            if bytes > 100_000 && bytes < of {
                self.0.cancel();
            }
        }
    }
    let server = FakeServer::new();
    let (_phone, engine, sent) = told(&server, false, 1);
    let cancel = CancelToken::new();
    let until = Arc::new(Until(cancel.clone(), Mutex::default()));
    let options = FetchOptions {
        progress: Some(until.clone()),
        cancel,
        ..asked()
    };
    let cut = engine.fetch(&server, sent[0].photo, &options);
    assert_eq!(cut, Err(EngineError::Cancelled));
    let told = until.1.lock().expect("no panic").clone();
    assert_eq!(told.last().expect("told").1, sent[0].bytes as u64);
    assert!(told.iter().all(|(bytes, of)| bytes <= of));
    assert!(
        engine
            .fetch(&server, sent[0].photo, &asked())
            .expect("fetches")
            .here
    );
}

#[test]
fn the_oldest_goes_where_the_cache_is_full_and_thumbnails_and_own_files_stay() {
    let server = FakeServer::new();
    let (phone, engine, sent) = told(&server, true, 4);
    engine
        .set_policy(Policy {
            keep_fetched_mb: 2,
            ..Policy::default()
        })
        .expect("sets");
    engine.start_shift(None).expect("begins");
    let own = send(&engine, &server, 99);
    assert_eq!(files(&phone), 2);
    // Each has some 577 KB: three and their thumbnails have room.
    fetch_all(&engine, &server, &sent[..3]);
    assert_eq!(files(&phone), 8);
    engine.photo(sent[0].photo).expect("is looked at");
    engine
        .fetch(&server, sent[3].photo, &asked())
        .expect("fetches");
    let all: Vec<_> = sent.iter().map(|sent| here(&engine, sent)).collect();
    assert_eq!(
        all,
        [(true, true), (true, false), (true, true), (true, true)]
    );
    assert_eq!(files(&phone), 9, "the file is gone");
    assert_eq!(here(&engine, &own), (true, true));
}

#[test]
fn what_is_purged_or_leaves_the_phone_with_its_grid_goes() {
    let server = FakeServer::new();
    let (phone, engine, sent) = told(&server, true, 3);
    fetch_all(&engine, &server, &sent);
    assert_eq!(files(&phone), 6);
    server.with(|state| state.purge_blob(sent[0].photo));
    sync(&engine, &server).expect("syncs");
    assert_eq!(files(&phone), 4, "with its thumbnail");
    server.with(|state| state.purge(sent[1].record));
    sync(&engine, &server).expect("syncs");
    assert_eq!(files(&phone), 2);
    server.with(|state| state.assigned.clear());
    sync(&engine, &server).expect("syncs");
    assert_eq!(files(&phone), 0);
    let gone = engine.fetch(&server, sent[2].photo, &asked());
    assert_eq!(gone.map(drop), Err(EngineError::NotFound));
}

#[test]
fn a_draft_keeps_the_photo_that_was_fetched_too() {
    let server = FakeServer::new();
    let (phone, engine, sent) = told(&server, false, 1);
    let [sent] = sent.as_slice() else { panic!() };
    engine.fetch(&server, sent.photo, &asked()).expect("comes");
    let fetched = gridwalk_engine::NewPhoto {
        bytes: engine.photo(sent.photo).expect("here"),
        mime: String::new(),
    };
    let new = gridwalk_engine::NewIncident {
        photos: vec![fetched.clone()],
        ..gridwalk_engine::NewIncident::default()
    };
    let id = engine.save_draft(None, new).expect("saves");
    engine.log_out(true).expect("logs out");
    server.hire(0x66, "AGAIN");
    let invitation = Invitation::parse("AGAIN", Some("https://test")).expect("reads");
    engine.enrol(&server, &invitation).expect("enrols");
    let again = engine.draft(id).expect("there").photos;
    assert!(again == [fetched], "it can be read");
    drop((engine, phone));
}

#[test]
fn what_the_server_does_not_have_yet_is_not_found_and_asked_for_again() {
    let server = FakeServer::new();
    let (_phone, engine, sent) = told(&server, false, 1);
    let bytes = server.with(|state| state.blobs.remove(&sent[0].photo));
    let none = engine.fetch(&server, sent[0].photo, &asked());
    assert_eq!(none.map(drop), Err(EngineError::NotFound));
    assert_eq!(here(&engine, &sent[0]), (true, false));
    let (photo, bytes) = (sent[0].photo, bytes.expect("there"));
    server.with(|state| state.blobs.insert(photo, bytes));
    assert!(
        engine
            .fetch(&server, photo, &asked())
            .expect("fetches")
            .here
    );
    let unknown = engine.fetch(&server, Sha256([9; 32]), &asked());
    assert_eq!(unknown.map(drop), Err(EngineError::NotFound));
    server.fail("/v1/blobs", Fault::Status(401, vec![]));
    engine.log_out(true).expect("logs out");
    let left = engine.fetch(&server, photo, &asked());
    assert_eq!(left.map(drop), Err(EngineError::NotEnrolled));
}

#[test]
fn a_file_that_is_in_place_already_is_held_to_its_hash_too() {
    let server = FakeServer::new();
    let (phone, engine, sent) = told(&server, false, 1);
    let place = phone.beside("-blobs").join(sent[0].photo.to_string());
    std::fs::create_dir_all(phone.beside("-blobs")).expect("makes");
    std::fs::write(&place, vec![7; sent[0].bytes]).expect("writes");
    engine
        .fetch(&server, sent[0].photo, &asked())
        .expect("fetches");
    let photo = engine.photo(sent[0].photo).expect("is right");
    assert_eq!(Sha256::of(&photo), sent[0].photo);
}

#[test]
fn while_a_damaged_file_lies_beside_only_a_purge_removes_files() {
    let server = FakeServer::new();
    let (phone, engine, sent) = told(&server, true, 3);
    let aside = phone.beside(".damaged-1");
    std::fs::write(&aside, b"").expect("writes");
    fetch_all(&engine, &server, &sent);
    assert_eq!(files(&phone), 6);
    server.with(|state| state.purge_blob(sent[0].photo));
    sync(&engine, &server).expect("syncs");
    assert_eq!(files(&phone), 4, "with its thumbnail");
    // It may be the one photo of a report that the damaged file names.
    engine.start_shift(None).expect("begins");
    let endless = gridwalk_engine::NewIncident {
        description: Some("长".repeat(20_000)),
        photos: vec![gridwalk_engine::NewPhoto {
            bytes: crate::support::png(9),
            mime: String::new(),
        }],
        ..gridwalk_engine::NewIncident::default()
    };
    engine.save_draft(None, endless).expect_err("too large");
    assert_eq!(files(&phone), 5, "of a save that failed");
    engine.end_shift().expect("ends");
    server.with(|state| state.assigned.clear());
    sync(&engine, &server).expect("syncs");
    assert_eq!(files(&phone), 5, "of a grid that was lost");
    assert_eq!(engine.photo(sent[2].photo), Err(EngineError::NotFound));
    drop(engine);
    drop(phone.open());
    assert_eq!(files(&phone), 5);
    std::fs::remove_file(&aside).expect("support took it");
    phone.open();
    assert_eq!(files(&phone), 0);
}
