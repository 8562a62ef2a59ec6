//! Answers that are pictures: photos and signatures in a report's form.

use gridwalk_domain::{EntityId, Sha256};
use gridwalk_engine::{
    Classification, Engine, EngineError, Network, NewIncident, NewPhoto, PictureAnswer, SendState,
    SyncOptions,
};
use serde_json::json;

use crate::media::{files, jpeg, shows};
use crate::server::FakeServer;
use crate::support::{Phone, SECRET, png, png_of, premises};
use crate::talk::{report, sync};

fn answer(question: &str, bytes: Vec<u8>) -> PictureAnswer {
    let mime = String::new();
    PictureAnswer {
        question: question.into(),
        picture: NewPhoto { bytes, mime },
    }
}

/// A report of the one kind whose form asks for photos.
fn missing(pictures: Vec<PictureAnswer>) -> NewIncident {
    NewIncident {
        category: "public_order".into(),
        subcategory: Some("missing_person".into()),
        title: "老人走失".into(),
        answers: [
            ("police".into(), json!("no")),
            ("who".into(), json!({"name": "某人"})),
        ]
        .into(),
        pictures,
        ..NewIncident::default()
    }
}

/// Fire safety, told in writing; the form asks who was told to sign.
fn told(pictures: Vec<PictureAnswer>) -> Classification {
    let mut answers = premises();
    answers.insert("done".into(), json!(["notice"]));
    Classification {
        category: "fire_safety".into(),
        answers,
        pictures,
        ..Classification::default()
    }
}

fn signed(engine: &Engine, id: EntityId) -> Vec<Sha256> {
    let view = engine.incident(id).expect("there");
    let signed = view.pictures.get("signed").into_iter().flatten();
    signed.map(|picture| picture.sha256).collect()
}

fn on_shift(keyed: bool) -> (Phone, FakeServer, Engine) {
    let (phone, server) = (Phone::new(keyed), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    (phone, server, engine)
}

#[test]
fn photos_in_a_form_are_sent_like_all_others() {
    let (phone, server, engine) = on_shift(true);
    let mut new = missing(vec![
        answer("picture", jpeg(1000, 750)),
        answer("picture", png(2)),
    ]);
    new.photos = vec![NewPhoto {
        bytes: png(3),
        mime: String::new(),
    }];
    let id = engine.report_incident(new).expect("reports");
    let view = engine.incident(id).expect("there");
    assert_eq!((view.photos.len(), view.pictures.len()), (1, 1));
    let pictures = &view.pictures["picture"];
    assert_eq!(view.answers["picture"].as_array().map(Vec::len), Some(2));
    assert!(pictures.iter().all(|one| one.here && !one.sent));
    let thumb = pictures[0].thumb.as_ref().expect("has one").sha256;
    assert_eq!(files(&phone), 4);
    // Killed, not closed.
    drop(engine);
    let engine = phone.open();
    let taken = engine.photo(pictures[0].sha256).expect("stored");
    assert!(shows(&jpeg(1000, 750), SECRET) && !shows(&taken, SECRET));

    let metered = SyncOptions {
        network: Network::Metered,
        ..SyncOptions::default()
    };
    engine.sync(&server, metered).expect("syncs");
    server.with(|state| {
        assert!(state.blobs.contains_key(&thumb));
        assert!(!state.blobs.contains_key(&pictures[0].sha256));
        let named = state.state(id).expect("there").blobs();
        assert!(pictures.iter().all(|one| named.contains(&one.sha256)));
    });
    assert_eq!(engine.incident(id).expect("there").send, SendState::Waiting);
    sync(&engine, &server).expect("syncs");
    let view = engine.incident(id).expect("there");
    assert_eq!(view.send, SendState::Sent);
    assert!(view.pictures["picture"].iter().all(|one| one.sent));
    let held = server.with(|state| state.blobs[&pictures[0].sha256].clone());
    assert_eq!(held, taken);
    assert_eq!(engine.status().expect("reads").refused, []);

    server.with(|state| state.purge(id));
    sync(&engine, &server).expect("syncs");
    assert_eq!(files(&phone), 0);
}

#[test]
fn a_signature_answers_when_the_report_is_classified() {
    let (phone, server, engine) = on_shift(false);
    let id = report(&engine, "楼道", &[1]);
    engine
        .classify(id, &told(vec![answer("signed", png_of(7, 9_000))]))
        .expect("classifies");
    let first = signed(&engine, id);
    assert_eq!(first.len(), 1);
    let view = engine.incident(id).expect("there");
    assert!(view.answers["signed"].is_object(), "one, and no list");
    assert!(view.pictures["signed"][0].thumb.is_none());
    assert_eq!(view.send, SendState::Saved);

    // Said again without it, it stays; another one takes its place.
    engine.classify(id, &told(vec![])).expect("classifies");
    assert_eq!(signed(&engine, id), first);
    engine
        .classify(id, &told(vec![answer("signed", png_of(8, 9_000))]))
        .expect("classifies");
    assert_ne!(signed(&engine, id), first);
    sync(&engine, &server).expect("syncs");
    assert_eq!(engine.incident(id).expect("there").send, SendState::Sent);
    let now = signed(&engine, id)[0];
    assert!(server.with(|state| state.blobs.contains_key(&now)));

    server.with(|state| state.purge_blob(now));
    sync(&engine, &server).expect("syncs");
    let view = engine.incident(id).expect("there");
    assert!(!view.pictures["signed"][0].here);
    assert_eq!(engine.photo(now), Err(EngineError::NotFound));
    assert_eq!(view.answers["signed"]["purged"], true);
    assert!(phone.beside("-blobs").exists());
}

#[test]
fn what_answers_no_such_question_is_refused_and_nothing_is_stored() {
    let (phone, _server, engine) = on_shift(false);
    let rule = |pictures: Vec<PictureAnswer>| match engine.report_incident(missing(pictures)) {
        Err(EngineError::NotAllowed { rule, field, .. }) => format!("{rule} {field}"),
        Err(EngineError::NotTaken { index, why }) => format!("{} {index}", why.code()),
        other => panic!("{other:?}"),
    };
    let photos = |count: u8| (0..count).map(|n| answer("picture", png_of(n, 900)));
    let cases = [
        (vec![answer("who", png(1))], "bad_answer form.who"),
        (vec![answer("tail", png(1))], "unknown_question form.tail"),
        (photos(4).collect(), "bad_answer form.picture"),
        (
            photos(2).chain([answer("picture", vec![])]).collect(),
            "file_empty 2",
        ),
        (
            vec![answer("picture", b"GIF89a".to_vec())],
            "file_unknown_type 0",
        ),
    ];
    for (pictures, expected) in cases {
        assert_eq!(rule(pictures), expected);
    }
    assert_eq!(engine.incidents(), Ok(vec![]));

    let id = report(&engine, "楼道", &[]);
    let before = engine.record_of(id).expect("there");
    let twice = vec![answer("signed", png(1)), answer("signed", png(2))];
    let twice = engine.classify(id, &told(twice));
    assert!(
        matches!(twice, Err(EngineError::NotAllowed { field, .. }) if field == "form.signed"),
        "one signature"
    );
    let large = engine.classify(id, &told(vec![answer("signed", png_of(1, 1_500_000))]));
    assert!(
        matches!(&large, Err(EngineError::NotTaken { index: 0, why }) if why.code() == "file_too_large"),
        "{large:?}"
    );
    assert_eq!(engine.record_of(id), Ok(before));
    assert_eq!(files(&phone), 0);
}

#[test]
fn a_draft_keeps_the_pictures_of_its_form() {
    let (phone, server, engine) = on_shift(true);
    let pictures = vec![
        answer("picture", jpeg(1000, 750)),
        answer("picture", png(2)),
    ];
    let mut new = missing(pictures);
    new.photos = vec![NewPhoto {
        bytes: png(3),
        mime: String::new(),
    }];
    let id = engine.save_draft(None, new).expect("saves");
    drop(engine);
    let engine = phone.open();
    assert_eq!(engine.drafts().expect("reads")[0].photos, 1);
    let mut opened = engine.draft(id).expect("opens");
    assert_eq!((opened.photos.len(), opened.pictures.len()), (1, 2));
    assert_eq!(files(&phone), 3);

    opened.pictures.remove(0);
    let endless = NewIncident {
        description: Some("长".repeat(20_000)),
        pictures: vec![answer("picture", png(9))],
        ..opened.clone()
    };
    assert!(engine.save_draft(Some(id), endless).is_err());
    assert_eq!(files(&phone), 3, "what was stored for it is gone");
    engine.save_draft(Some(id), opened).expect("saves");
    assert_eq!(files(&phone), 2);

    let made = engine.submit_draft(id).expect("submits");
    let view = engine.incident(made).expect("there");
    assert_eq!((view.photos.len(), view.pictures["picture"].len()), (1, 1));
    sync(&engine, &server).expect("syncs");
    assert_eq!(engine.incident(made).expect("there").send, SendState::Sent);
    assert_eq!(server.with(|state| state.blobs.len()), 2);
}
