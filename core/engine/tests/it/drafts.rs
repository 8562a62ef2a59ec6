//! Drafts: kept on the phone alone until they are submitted or thrown away.

use gridwalk_domain::{EntityId, Sha256};
use gridwalk_engine::{Engine, EngineError, Invitation, LogOut, NewIncident, NewPhoto};
use std::fs;

use crate::server::FakeServer;
use crate::support::{Phone, START_MS, png};
use crate::talk::sync;

fn photo(seed: u8) -> NewPhoto {
    NewPhoto {
        bytes: png(seed),
        mime: String::new(),
    }
}

fn draft(title: &str, photos: &[u8]) -> NewIncident {
    NewIncident {
        title: title.into(),
        photos: photos.iter().copied().map(photo).collect(),
        ..NewIncident::default()
    }
}

fn titles(engine: &Engine) -> Vec<String> {
    let drafts = engine.drafts().expect("reads").into_iter();
    drafts.map(|draft| draft.title).collect()
}

fn files(phone: &Phone) -> usize {
    fs::read_dir(phone.beside("-blobs")).map_or(0, Iterator::count)
}

#[test]
fn a_draft_outlives_the_app_and_is_sent_only_once_it_is_submitted() {
    for keyed in [false, true] {
        let (phone, server) = (Phone::new(keyed), FakeServer::new());
        let engine = phone.on_patrol(&server);
        phone.walk(&engine, 5);
        sync(&engine, &server).expect("syncs");
        let walked = phone.clock.true_ms();
        let id = engine
            .save_draft(None, draft("楼道", &[1, 2]))
            .expect("saves");
        // Killed, not closed.
        drop(engine);
        let engine = phone.open();
        assert_eq!(titles(&engine), ["楼道"]);
        let mut opened = engine.draft(id).expect("opens");
        assert_eq!(opened.photos.len(), 2);
        assert!(opened.place.is_some(), "where it was begun");
        assert_eq!(engine.status().expect("reads").unsent.ops, 0);
        assert_eq!(sync(&engine, &server).expect("syncs").blobs_sent, 0);

        phone.clock.pass(3_600_000);
        phone.walk(&engine, 5);
        opened.title = "楼道堆物".into();
        opened.category = "hygiene".into();
        opened.photos.truncate(1);
        assert_eq!(engine.save_draft(Some(id), opened), Ok(id));
        assert_eq!(files(&phone), 1, "the other photo is nobody's");
        let shown = engine.drafts().expect("reads").remove(0);
        assert_eq!((shown.category.as_str(), shown.photos), ("hygiene", 1));
        assert_eq!((shown.found_ms, shown.saved_ms > walked), (walked, true));

        let made = engine.submit_draft(id).expect("submits");
        assert_eq!((made, titles(&engine).len()), (id, 0));
        let view = engine.incident(id).expect("there");
        assert_eq!((view.title.as_str(), view.found_ms), ("楼道堆物", walked));
        assert!(view.place.expect("there").lat < phone.fix().position.lat);
        assert!(view.patrol.is_some() && view.photos.len() == 1);
        assert_eq!(engine.submit_draft(id), Err(EngineError::NotFound));
        let done = sync(&engine, &server).expect("syncs");
        assert_eq!(done.blobs_sent, 1);
        assert_eq!(engine.status().expect("reads").refused, []);
    }
}

#[test]
fn files_that_no_row_names_are_removed_at_the_next_opening() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    let id = engine.save_draft(None, draft("甲", &[1])).expect("saves");
    drop(engine);
    // As after a death between the file and the transaction.
    let content = png(2);
    let orphan = phone
        .beside("-blobs")
        .join(Sha256::of(&content).to_string());
    fs::write(&orphan, &content).expect("writes");
    let engine = phone.open();
    assert!(!orphan.exists());
    assert_eq!(engine.draft(id).expect("there").photos.len(), 1);
}

#[test]
fn what_cannot_be_submitted_stays_a_draft() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    let wrong = NewIncident {
        category: "unheard_of".into(),
        ..draft("甲", &[1])
    };
    let id = engine.save_draft(None, wrong).expect("need not be right");
    assert_eq!(engine.submit_draft(id), Err(EngineError::NoShift));
    engine.start_shift(None).expect("begins");
    assert!(matches!(
        engine.submit_draft(id),
        Err(EngineError::UnknownCategory { .. })
    ));
    assert_eq!(engine.draft(id).expect("there").photos.len(), 1);
    assert_eq!(engine.incidents(), Ok(vec![]));

    let endless = NewIncident {
        description: Some("长".repeat(20_000)),
        ..draft("乙", &[2])
    };
    let refused = engine.save_draft(Some(id), endless);
    assert!(matches!(refused, Err(EngineError::Invalid { field, .. }) if field == "draft"));
    assert_eq!(titles(&engine), ["甲"], "the earlier one stands");
    assert_eq!(files(&phone), 1, "what was stored for it is gone");
    let nobody = EntityId::from_bytes([0xee; 16]);
    assert_eq!(
        engine.save_draft(Some(nobody), draft("丙", &[])),
        Err(EngineError::NotFound)
    );
    let gif = NewPhoto {
        bytes: b"GIF89a".to_vec(),
        mime: String::new(),
    };
    let bad = NewIncident {
        photos: vec![gif],
        ..draft("丁", &[])
    };
    assert!(matches!(
        engine.save_draft(None, bad),
        Err(EngineError::NotTaken { .. })
    ));
    engine.discard_draft(id).expect("discards");
    assert_eq!(engine.drafts(), Ok(vec![]));
    assert_eq!(engine.discard_draft(id), Err(EngineError::NotFound));
    engine.close();
    let raw = fs::read(phone.path()).expect("reads");
    let word = "unheard_of".as_bytes();
    assert!(!raw.windows(word.len()).any(|part| part == word), "gone");
}

#[test]
fn a_draft_waits_for_its_author_and_nobody_else_sees_it() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    let id = engine.save_draft(None, draft("甲", &[1])).expect("saves");
    let LogOut::Asks(departure) = engine.log_out(false).expect("asks") else {
        panic!("a draft is left behind")
    };
    assert_eq!(departure.drafts, 1);
    engine.log_out(true).expect("logs out");
    assert_eq!(engine.drafts(), Err(EngineError::NotEnrolled));
    let enrol = |code: &str| {
        let invitation = Invitation::parse(code, Some("https://test")).expect("reads");
        engine.enrol(&server, &invitation).expect("enrols");
    };
    server.hire(0x66, "NEXT");
    enrol("NEXT");
    assert_eq!(engine.drafts(), Ok(vec![]));
    assert_eq!(engine.draft(id), Err(EngineError::NotFound));
    assert_eq!(engine.submit_draft(id), Err(EngineError::NotFound));
    engine.log_out(true).expect("logs out");
    server.with(|state| {
        let author = server.worker.id;
        state.codes.insert("AGAIN".to_owned(), author)
    });
    enrol("AGAIN");
    assert_eq!(titles(&engine), ["甲"]);
    assert_eq!(engine.draft(id).expect("there").photos.len(), 1);
}

#[test]
fn a_photo_that_a_draft_needs_stays_when_a_record_lets_it_go() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let id = engine.save_draft(None, draft("草稿", &[1])).expect("saves");
    let mut report = draft("已报", &[1]);
    report.category = "other".into();
    engine.report_incident(report).expect("reports");
    assert_eq!(files(&phone), 1, "one file a content");
    sync(&engine, &server).expect("syncs");
    server.verify_backup();
    phone.clock.pass_days(15);
    sync(&engine, &server).expect("lets go");
    let shown = engine.incidents().expect("reads").remove(0);
    assert!(!shown.photos[0].here, "the record's own is gone");
    assert_eq!(engine.draft(id).expect("there").photos.len(), 1);
    assert!(phone.clock.true_ms() > START_MS);
}
