//! What the rules say no to is not written, and what must always be written is.

use gridwalk_domain::{Catalogue, EntityId, GridId, Intent, StreamKey};
use gridwalk_engine::{
    Engine, EngineError, Form, NewFinding, NewIncident, NewMediation, NewVisit, Place,
};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

use crate::server::{FakeServer, grid};
use crate::support::{Phone, holder, premises};
use crate::talk::{elsewhere, report, sync};

const DAY_MS: i64 = 24 * 3_600_000;

fn unsent(engine: &Engine) -> u64 {
    engine.status().expect("reads").unsent.ops
}

pub(crate) fn rule(done: Result<(), EngineError>) -> String {
    match done {
        Ok(()) => "–".into(),
        Err(EngineError::NotAllowed { rule, field, .. }) => format!("{rule} {field}"),
        Err(other) => panic!("{other}"),
    }
}

pub(crate) fn words(pairs: &[(&str, Value)]) -> Map<String, Value> {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect()
}

/// An incident of a colleague's, in the worker's grid.
pub(crate) fn colleagues(server: &FakeServer, n: u8, fields: Value) -> EntityId {
    let id = EntityId::from_bytes([0x70 + n; 16]);
    let mut all = json!({"grid": server.grid.id, "catalogue": 1, "category": "hygiene",
        "title": "别人的", "place": {"lat": 35.1, "lon": 118.35}});
    for (name, value) in fields.as_object().expect("a map") {
        all[name] = value.clone();
    }
    let mut fields: BTreeMap<String, Value> = serde_json::from_value(all).expect("a map");
    fields.retain(|_, value| !value.is_null());
    let home = StreamKey::Records(server.grid.id);
    elsewhere(server, id, Intent::Create { home, fields });
    id
}

pub(crate) fn goes(server: &FakeServer, id: EntityId, to: &str, with: Map<String, Value>) {
    let base = server.with(|state| {
        let known = state.state(id).expect("there");
        known.history.last().expect("a status").clone()
    });
    let step = Intent::Transition {
        from: base.to,
        to: to.into(),
        base: base.stamp.op,
        reason: Some("理由".into()),
        with,
    };
    elsewhere(server, id, step);
}

#[test]
fn who_may_not_is_told_why_and_nothing_is_written() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.on_patrol(&server);
    let theirs = colleagues(&server, 1, json!({}));
    sync(&engine, &server).expect("syncs");
    let own = report(&engine, "甲", &[]);
    let before = unsent(&engine);

    assert_eq!(rule(engine.delete(theirs)), "not_for_you ");
    let reject = engine.step(own, "rejected", Some("不是"), Map::new());
    assert_eq!(rule(reject), "not_for_you ", "a supervisor rejects");
    let bare = engine.step(own, "handled_on_site", None, Map::new());
    assert_eq!(rule(bare), "unfit note", "the catalogue asks for words");
    let with = words(&[("holder", json!(GridId::from_bytes([0x55; 16])))]);
    let up = engine.step(own, "escalated", Some("需要"), with);
    assert_eq!(rule(up), "unfit holder", "one level at a time");
    let edit = |field: &str, value| engine.edit(own, [(field.to_owned(), value)].into());
    assert_eq!(rule(edit("found_ms", json!(0))), "fixed found_ms");
    assert_eq!(
        rule(edit("form.ebikes", json!(3))),
        "unknown_question form.ebikes"
    );
    assert_eq!(
        rule(edit("form.premises", json!("moon"))),
        "bad_answer form.premises"
    );
    assert_eq!(unsent(&engine), before);

    engine.comment(theirs, "我也看到了").expect("may say");
    let with = words(&[("note", json!("已劝离")), ("photos", json!([photo()]))]);
    engine
        .step(own, "handled_on_site", None, with)
        .expect("with what is asked for");
    let close = engine.step(own, "closed", None, Map::new());
    assert_eq!(rule(close), "not_self_closed ");
}

fn photo() -> Value {
    json!({"sha256": "ab".repeat(32), "mime": "image/jpeg", "bytes": 10})
}

#[test]
fn whoever_may_report_is_told_before_the_form_opens() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    assert_eq!(engine.may_report(), Err(EngineError::NoShift));
    engine.start_shift(None).expect("begins");
    assert_eq!(engine.may_report(), Ok(()));
    server.with(|state| state.assigned.insert(server.worker.id, vec![grid(0x12)]));
    sync(&engine, &server).expect("syncs");
    assert!(matches!(
        engine.may_report(),
        Err(EngineError::OutOfScope { .. })
    ));
}

#[test]
fn what_may_be_filled_in_is_told_before_its_form_opens() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.open();
    let all = [Form::Incident, Form::Visit, Form::Mediation, Form::Finding];
    let answers = |engine: &Engine| all.map(|form| engine.may_make(form));
    assert_eq!(
        answers(&engine),
        [(); 4].map(|()| Err(EngineError::NotEnrolled))
    );
    drop(engine);
    let engine = phone.enrolled(&server);
    assert_eq!(
        answers(&engine),
        [(); 4].map(|()| Err(EngineError::NoShift))
    );
    engine.start_shift(None).expect("begins");
    assert_eq!(
        answers(&engine),
        [Ok(()), Ok(()), Ok(()), Err(EngineError::NoPatrol)]
    );
    engine.start_patrol().expect("starts");
    assert_eq!(answers(&engine), [(); 4].map(Ok));
    // What is promised is kept.
    let visit = NewVisit {
        household: "三号楼".into(),
        ..NewVisit::default()
    };
    engine.record_visit(&visit).expect("records");
    let mediation = NewMediation {
        title: "邻里".into(),
        ..NewMediation::default()
    };
    engine.open_mediation(&mediation).expect("opens");
    let finding = NewFinding {
        category: "hygiene".into(),
        ..NewFinding::default()
    };
    engine.record_finding(&finding).expect("records");

    server.with(|state| state.assigned.insert(server.worker.id, vec![grid(0x12)]));
    sync(&engine, &server).expect("syncs");
    for answer in answers(&engine) {
        assert!(matches!(answer, Err(EngineError::OutOfScope { .. })));
    }
    assert!(matches!(
        engine.record_visit(&visit),
        Err(EngineError::OutOfScope { .. })
    ));
}

#[test]
fn a_quick_capture_needs_nothing_and_is_classified_before_it_goes_on_its_way() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let quick = NewIncident {
        description: Some("三楼 电动车\n在充电".into()),
        ..NewIncident::default()
    };
    let id = engine
        .report_incident(quick)
        .expect("nothing more is needed");
    let view = engine.incident(id).expect("there");
    assert_eq!(
        (view.title.as_str(), view.category.as_str()),
        ("三楼 电动车", "")
    );
    let state = engine.record_of(id).expect("there");
    assert_eq!(
        state.text("address"),
        Some("第三网格"),
        "no fix tells, so the grid"
    );
    assert_eq!((state.text("title"), state.text("severity")), (None, None));
    let up = engine.step(id, "escalated", Some("需要"), holder());
    assert_eq!(rule(up), "unfit category");
    sync(&engine, &server).expect("the server takes it");
    assert_eq!(engine.status().expect("reads").refused, []);

    // What the form requires may wait, and no longer than that.
    let fire = NewIncident {
        category: "fire_safety".into(),
        subcategory: Some("stairs_blocked".into()),
        ..NewIncident::default()
    };
    let waits = engine.report_incident(fire).expect("saves");
    let state = engine.record_of(waits).expect("there");
    assert_eq!(state.text("category"), Some("fire_safety"));
    assert!(state.text("severity").is_some());
    let up = engine.step(waits, "escalated", Some("需要"), holder());
    assert_eq!(rule(up), "unanswered form.premises");
    let premises = premises().into_iter();
    let answers = premises.map(|(code, answer)| (format!("form.{code}"), answer));
    engine.edit(waits, answers.collect()).expect("answers");
    engine
        .step(waits, "escalated", Some("需要"), holder())
        .expect("goes on its way");
}

#[test]
fn nobody_is_refused_for_their_clock() {
    for years in [-20, 20] {
        let (phone, server) = (Phone::new(false), FakeServer::new());
        let engine = phone.enrolled(&server);
        let closed = colleagues(&server, 1, json!({}));
        goes(
            &server,
            closed,
            "handled_on_site",
            words(&[("note", json!("好"))]),
        );
        goes(&server, closed, "closed", Map::new());
        sync(&engine, &server).expect("syncs");
        phone.clock.turn(years * 365 * DAY_MS);
        engine.start_shift(None).expect("begins");
        engine.start_patrol().expect("starts");
        let id = report(&engine, "钟不准", &[]);
        engine
            .step(closed, "reported", Some("又出现了"), Map::new())
            .expect("the server knows the days");
        engine.comment(id, "看过了").expect("comments");
        engine.finish_patrol().expect("finishes");
        engine.end_shift().expect("ends");
    }
}

#[test]
fn what_only_another_version_of_the_catalogue_could_tell_is_left_to_the_server() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    let newer = Catalogue::shipped().version + 1;
    let id = colleagues(
        &server,
        1,
        json!({"catalogue": newer, "category": "new_words", "form.new": 1}),
    );
    sync(&engine, &server).expect("syncs");
    engine.start_shift(None).expect("begins");
    engine
        .edit(id, [("form.new".to_owned(), json!(2))].into())
        .expect("an answer to a question that is not known here");
    engine
        .step(id, "handled_on_site", None, Map::new())
        .expect("what it must prove is not known here");
    engine.step(id, "closed", None, Map::new()).expect("closes");
    let foreign = engine.delete(id);
    assert_eq!(rule(foreign), "not_for_you ", "that is known");
}

#[test]
fn the_record_of_a_grid_that_is_not_theirs_is_out_of_scope() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let id = report(&engine, "甲", &[]);
    sync(&engine, &server).expect("syncs");
    let place = Place {
        lat: 35.1,
        lon: 118.35,
        accuracy_m: None,
    };
    let elsewhere = NewIncident {
        category: "other".into(),
        place: Some(place),
        ..NewIncident::default()
    };
    server.with(|state| state.assigned.insert(server.worker.id, vec![grid(0x12)]));
    sync(&engine, &server).expect("syncs");
    assert_eq!(engine.comment(id, "x"), Err(EngineError::NotFound));
    assert!(matches!(
        engine.report_incident(elsewhere),
        Err(EngineError::OutOfScope { .. })
    ));
    engine.end_shift().expect("ends all the same");
}
