//! An incident's life as the worker moves it: what is offered, what is asked,
//! what the engine fills in.

use gridwalk_domain::EntityId;
use gridwalk_domain::kind::incident::Assignee;
use gridwalk_engine::{
    Classification, Engine, EngineError, FetchOptions, NewIncident, NewPhoto, Place, StepOffer,
    StepWords,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

use crate::gate::{colleagues, goes, words};
use crate::server::{COMMUNITY, FakeServer};
use crate::support::{Phone, START_MS, png};
use crate::talk::sync;

const HOUR_MS: i64 = 3_600_000;

fn photo(seed: u8) -> NewPhoto {
    NewPhoto {
        bytes: png(seed),
        mime: String::new(),
    }
}

fn hygiene(engine: &Engine) -> EntityId {
    let new = NewIncident {
        category: "hygiene".into(),
        title: "垃圾满溢".into(),
        ..NewIncident::default()
    };
    engine.report_incident(new).expect("reports")
}

fn offers(engine: &Engine, id: EntityId) -> Vec<(String, String)> {
    let all = engine.steps(id).expect("reads");
    let asks = |offer: &StepOffer| {
        let needs = offer.needs.iter().map(|names| names.join("/"));
        needs.collect::<Vec<_>>().join(",")
    };
    all.iter()
        .map(|offer| (offer.name.clone(), asks(offer)))
        .collect()
}

fn pairs(all: &[(&str, &str)]) -> Vec<(String, String)> {
    let all = all.iter();
    all.map(|(name, needs)| ((*name).to_owned(), (*needs).to_owned()))
        .collect()
}

fn status(engine: &Engine, id: EntityId) -> String {
    engine.incident(id).expect("there").status
}

#[test]
fn what_is_handled_on_the_spot_is_proven_closed_and_opened_again() {
    let (phone, server) = (Phone::new(true), FakeServer::new());
    let engine = phone.on_patrol(&server);
    let id = hygiene(&engine);
    assert_eq!(
        offers(&engine, id),
        pairs(&[("handle", "photos"), ("escalate", "reason")])
    );
    let bare = engine.take(id, "handle", StepWords::default());
    assert!(matches!(
        bare,
        Err(EngineError::NotAllowed { rule: "unfit", field, .. }) if field == "photos"
    ));
    let proven = StepWords {
        photos: vec![photo(4)],
        note: Some("已清理".into()),
        ..StepWords::default()
    };
    engine.take(id, "handle", proven).expect("handles");
    assert_eq!(offers(&engine, id), pairs(&[("close", "")]));
    engine
        .take(id, "close", StepWords::default())
        .expect("closes");
    assert_eq!(offers(&engine, id), pairs(&[("reopen", "reason")]));
    let nothing = engine.take(id, "escalate", StepWords::default());
    assert!(matches!(nothing, Err(EngineError::Invalid { field, .. }) if field == "status"));
    let again = StepWords {
        reason: Some("又满了".into()),
        ..StepWords::default()
    };
    engine.take(id, "reopen", again).expect("reopens");
    assert_eq!(status(&engine, id), "reported");
    sync(&engine, &server).expect("syncs");
    server.with(|state| {
        assert_eq!(state.blobs.len(), 1, "the proof arrives too");
        let known = state.state(id).expect("there");
        assert_eq!(known.history[1].with["note"], "已清理");
        assert_eq!(known.history.len(), 4);
    });
    assert_eq!(
        engine.incident(id).expect("there").send,
        gridwalk_engine::SendState::Sent
    );
}

#[test]
fn a_step_up_names_the_grid_above_by_itself() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.on_patrol(&server);
    let id = hygiene(&engine);
    let up = StepWords {
        reason: Some("需要城管".into()),
        ..StepWords::default()
    };
    engine.take(id, "escalate", up).expect("escalates");
    let view = engine.incident(id).expect("there");
    assert_eq!(
        (view.status.as_str(), view.holder, view.assignee),
        ("escalated", Some(COMMUNITY), None)
    );
    assert_eq!(offers(&engine, id), [], "the community's turn");
}

#[test]
fn who_is_given_the_work_does_it_and_another_verifies_it_on_the_spot() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.on_patrol(&server);
    let with_holder = words(&[("holder", json!(COMMUNITY))]);
    let given = |worker: Value| {
        words(&[
            ("assignee", worker),
            ("limit_ms", json!(START_MS + 90 * 24 * HOUR_MS)),
        ])
    };
    let mine = colleagues(&server, 1, json!({}));
    let theirs = colleagues(&server, 2, json!({}));
    let department = json!({"department": "00000000-0000-4000-8000-000000000071"});
    for (id, to) in [
        (mine, json!({"worker": server.worker.id})),
        (theirs, department),
    ] {
        goes(&server, id, "escalated", with_holder.clone());
        goes(&server, id, "accepted", Map::new());
        goes(&server, id, "dispatched", given(to));
    }
    sync(&engine, &server).expect("syncs");
    assert_eq!(
        offers(&engine, mine),
        pairs(&[("begin", ""), ("return", "reason")])
    );
    assert_eq!(offers(&engine, theirs), []);
    engine
        .take(mine, "begin", StepWords::default())
        .expect("begins");
    assert_eq!(
        engine.incident(mine).expect("there").due_ms,
        Some(START_MS + 90 * 24 * HOUR_MS),
        "as the dispatch said"
    );
    let done = StepWords {
        photos: vec![photo(5)],
        ..StepWords::default()
    };
    engine.take(mine, "resolve", done).expect("resolves");
    assert_eq!(offers(&engine, mine), [], "not one's own work");
    let own = engine.take(mine, "verify", StepWords::default());
    assert!(matches!(
        own,
        Err(EngineError::NotAllowed {
            rule: "own_work",
            ..
        })
    ));

    goes(&server, theirs, "in_progress", Map::new());
    let picture = server.hold(&png(6));
    let proof = json!({"sha256": picture, "mime": "image/png", "bytes": png(6).len()});
    let stood = json!({"lat": 35.1, "lon": 118.35, "accuracy_m": 8.0});
    let with = [
        ("note", json!("完")),
        ("photos", json!([proof])),
        ("place", stood),
    ];
    goes(&server, theirs, "resolved", words(&with));
    sync(&engine, &server).expect("syncs");
    // Whoever verifies sees what the other did.
    let view = engine.incident(theirs).expect("there");
    assert_eq!(view.holder, Some(COMMUNITY));
    assert!(matches!(view.assignee, Some(Assignee::Department(_))));
    let dispatch = &view.history[3];
    assert_eq!(dispatch.limit_ms, Some(START_MS + 90 * 24 * HOUR_MS));
    assert_eq!(dispatch.reason.as_deref(), Some("理由"));
    let resolved = view.history.last().expect("a step");
    assert_eq!(resolved.note.as_deref(), Some("完"));
    assert_eq!(resolved.place.expect("said").accuracy_m, Some(8.0));
    let [proof] = &resolved.proof[..] else {
        panic!("one photo: {resolved:?}");
    };
    assert_eq!((proof.sha256, proof.here), (picture, false));
    engine
        .fetch(&server, picture, &FetchOptions::default())
        .expect("fetches");
    assert_eq!(engine.photo(picture), Ok(png(6)));
    let view = engine.incident(theirs).expect("there");
    assert!(view.history.last().expect("a step").proof[0].here);
    assert_eq!(
        offers(&engine, theirs),
        pairs(&[("verify", "place,photos/note"), ("return", "reason")])
    );
    let seen = |place| StepWords {
        note: Some("已恢复".into()),
        place,
        ..StepWords::default()
    };
    let nowhere = engine.take(theirs, "verify", seen(None));
    assert!(
        matches!(nowhere, Err(EngineError::Invalid { .. })),
        "where? {nowhere:?}"
    );
    let far = Place {
        lat: 35.2,
        lon: 118.35,
        accuracy_m: None,
    };
    let far = engine.take(theirs, "verify", seen(Some(far)));
    assert!(matches!(
        far,
        Err(EngineError::NotAllowed { rule: "unfit", field, .. }) if field == "place"
    ));
    phone.walk(&engine, 5);
    assert_eq!(
        offers(&engine, theirs)[0],
        ("verify".to_owned(), "photos/note".to_owned()),
        "the fix says where"
    );
    engine.take(theirs, "verify", seen(None)).expect("verifies");
    let state = engine.record_of(theirs).expect("there");
    let place = &state.history.last().expect("a step").with["place"];
    assert_eq!(place["lon"], 118.35);
}

#[test]
fn every_step_says_where_it_was_taken_as_far_as_that_is_known() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.on_patrol(&server);
    let stood = |record: EntityId| {
        let state = engine.record_of(record).expect("there");
        let step = state.history.last().expect("a step");
        Some(step.with.get("place")?["lat"].as_f64().expect("a number"))
    };
    let proven = || StepWords {
        photos: vec![photo(1)],
        ..StepWords::default()
    };
    let unknown = hygiene(&engine);
    engine.take(unknown, "handle", proven()).expect("handles");
    assert_eq!(stood(unknown), None, "no fix yet");

    let [near, said, late] = [(); 3].map(|()| hygiene(&engine));
    phone.walk(&engine, 5);
    let lat = phone.fix().position.lat;
    engine.take(near, "handle", proven()).expect("handles");
    assert!((stood(near).expect("the last fix") - lat).abs() < 1e-5);
    engine
        .take(near, "close", StepWords::default())
        .expect("closes");
    assert!(stood(near).is_some(), "what needs nothing too");
    let there = Place {
        lat: 35.2,
        lon: 118.35,
        accuracy_m: None,
    };
    let told = StepWords {
        place: Some(there),
        ..proven()
    };
    engine.take(said, "handle", told).expect("handles");
    assert_eq!(stood(said), Some(35.2), "as its author says");

    phone.clock.pass(120_000);
    engine.take(late, "handle", proven()).expect("handles");
    assert_eq!(stood(late), None, "too old");
    sync(&engine, &server).expect("syncs");
    assert_eq!(engine.status().expect("reads").refused, []);
    server.with(|state| {
        let step = state.state(near).expect("there").history[1].clone();
        assert!((step.with["place"]["lat"].as_f64().expect("there") - lat).abs() < 1e-5);
    });
}

#[test]
fn a_quick_capture_is_answered_later_with_all_its_form_asks() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.on_patrol(&server);
    let quick = NewIncident {
        category: "fire_safety".into(),
        photos: vec![photo(6)],
        ..NewIncident::default()
    };
    let id = engine.report_incident(quick).expect("saves");
    let view = engine.incident(id).expect("there");
    assert_eq!(
        (view.category.as_str(), view.photos.len()),
        ("fire_safety", 1)
    );
    let asks = pairs(&[
        ("handle", "answers,note,photos"),
        ("escalate", "reason,answers"),
    ]);
    assert_eq!(offers(&engine, id), asks);
    let class = |answers: BTreeMap<String, Value>| Classification {
        category: "fire_safety".into(),
        subcategory: Some("gas_smell".into()),
        answers,
        ..Classification::default()
    };
    engine
        .classify(id, &class(crate::support::premises()))
        .expect("classifies");
    let words = StepWords {
        reason: Some("要人".into()),
        ..StepWords::default()
    };
    let missing = engine.take(id, "escalate", words);
    assert!(matches!(
        missing,
        Err(EngineError::NotAllowed { rule: "unanswered", field, .. }) if field == "form.evacuated"
    ));
    let mut answers = crate::support::premises();
    answers.insert("evacuated".into(), json!("yes"));
    engine.classify(id, &class(answers)).expect("classifies");
    let view = engine.incident(id).expect("there");
    assert_eq!(view.subcategory.as_deref(), Some("gas_smell"));
    assert_eq!(view.answers["evacuated"], "yes");
    assert!(view.severity.is_some());
    // What was something else loses its sub-category.
    let other = Classification {
        category: "other".into(),
        ..Classification::default()
    };
    engine.classify(id, &other).expect("classifies anew");
    let view = engine.incident(id).expect("there");
    assert_eq!((view.category.as_str(), view.subcategory), ("other", None));
    sync(&engine, &server).expect("syncs");
    assert_eq!(engine.status().expect("reads").refused, []);
}

#[test]
fn what_may_be_of_the_same_thing_is_hinted_at() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.on_patrol(&server);
    let near = colleagues(
        &server,
        1,
        json!({"place": {"lat": 35.1002, "lon": 118.35}}),
    );
    colleagues(&server, 2, json!({"place": {"lat": 35.11, "lon": 118.35}}));
    colleagues(&server, 3, json!({"category": "other"}));
    let open = colleagues(&server, 4, json!({"category": null}));
    sync(&engine, &server).expect("syncs");
    phone.walk(&engine, 3);
    let new = NewIncident {
        category: "hygiene".into(),
        ..NewIncident::default()
    };
    let ids = |found: Vec<gridwalk_engine::DuplicateView>| {
        let ids = found.into_iter().map(|found| found.incident.id);
        ids.collect::<Vec<_>>()
    };
    let hinted = engine.possible_duplicates(&new).expect("reads");
    assert!(hinted[1].apart_m > 15.0 && hinted[1].apart_m < 25.0);
    assert_eq!(ids(hinted), [open, near]);
    let own = engine.report_incident(new).expect("reports");
    assert_eq!(ids(engine.duplicates_of(own).expect("reads")), [open, near]);
    assert_eq!(
        ids(engine.duplicates_of(near).expect("reads")),
        [own, open],
        "and the other way"
    );
}

#[test]
fn a_limit_runs_and_passes() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.on_patrol(&server);
    let id = hygiene(&engine);
    let view = engine.incident(id).expect("there");
    let due_ms = view.due_ms.expect("a working day");
    assert!(!view.overdue && due_ms > START_MS);
    phone.clock.pass(due_ms - START_MS + 10_000);
    assert!(engine.incident(id).expect("there").overdue);
    let found = engine.find_incidents(&gridwalk_engine::IncidentQuery::default());
    assert!(found.expect("finds").incidents[0].overdue);
}
