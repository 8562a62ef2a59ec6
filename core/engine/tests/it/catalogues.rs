//! A new version of the catalogue: what was reported before keeps its meaning.

use gridwalk_domain::{Catalogue, EntityId};
use gridwalk_engine::{Classification, Engine, EngineError, NewIncident, NewPhoto, StepWords};
use serde_json::{Value, json};
use std::collections::BTreeMap;

use crate::gate::rule;
use crate::server::FakeServer;
use crate::support::{Phone, png};
use crate::talk::sync;

/// The next version: hygiene has another name, asks something else, proves in
/// words, and may wait for a week.
fn next(old: &Catalogue) -> Catalogue {
    let mut all = serde_json::to_value(old).expect("writes");
    all["version"] = json!(old.version + 1);
    let hygiene = &mut all["categories"][0];
    hygiene["name"] = json!({"zh": "市容环卫", "en": "Tidiness"});
    hygiene["rules"] = json!({"limits": {"reported": "168h"}, "proof": {"handle": ["note"]}});
    hygiene["form"] =
        json!([{"code": "smell", "name": {"zh": "异味", "en": "Smell"}, "kind": "text"}]);
    Catalogue::parse(&all.to_string()).expect("good")
}

fn report(engine: &Engine, question: &str, answer: &str) -> Result<EntityId, EngineError> {
    engine.report_incident(NewIncident {
        category: "hygiene".into(),
        title: "垃圾满溢".into(),
        answers: [(question.to_owned(), json!(answer))].into(),
        ..NewIncident::default()
    })
}

/// What hygiene is called and asks first, by the catalogue of a record.
fn words(engine: &Engine, record: EntityId) -> (String, String) {
    let catalogue = engine.catalogue_of(record).expect("reads").expect("here");
    let hygiene = catalogue.category("hygiene").expect("there");
    (hygiene.name.zh.clone(), hygiene.form[0].code.clone())
}

/// How many hours it may stay as it is.
fn hours(engine: &Engine, id: EntityId) -> i64 {
    let view = engine.incident(id).expect("there");
    (view.due_ms.expect("a limit") - view.history[0].at_ms) / 3_600_000
}

fn asked(engine: &Engine, id: EntityId) -> Vec<Vec<String>> {
    let steps = engine.steps(id).expect("reads");
    let handle = steps.into_iter().find(|step| step.name == "handle");
    handle.expect("offered").needs
}

fn answer(engine: &Engine, id: EntityId, question: &str, value: &str) -> Result<(), EngineError> {
    let field = format!("form.{question}");
    engine.edit(id, [(field, json!(value))].into())
}

#[test]
fn an_old_report_keeps_the_meaning_of_its_version() {
    let (phone, server) = (Phone::new(true), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let quick = engine
        .report_incident(NewIncident::default())
        .expect("saves");
    let old = report(&engine, "amount", "cart").expect("reports");
    sync(&engine, &server).expect("syncs");
    let before = hours(&engine, old);

    let first = Catalogue::shipped();
    let second = next(&first);
    server.with(|state| {
        state.older_catalogues = vec![first.clone()];
        state.catalogue = Some(second.clone());
    });
    sync(&engine, &server).expect("syncs");
    drop(engine);
    let engine = phone.open();
    assert_eq!(engine.catalogue(), Ok(second.clone()));
    let new = report(&engine, "smell", "恶臭").expect("reports");

    let pair = |name: &str, asks: &str| (name.to_owned(), asks.to_owned());
    assert_eq!(words(&engine, old), pair("环境卫生", "amount"));
    assert_eq!(words(&engine, new), pair("市容环卫", "smell"));
    assert_eq!(hours(&engine, old), before);
    assert_eq!(hours(&engine, new), 168);
    assert_ne!(before, hours(&engine, new));
    assert_eq!(asked(&engine, old), [["photos"]]);
    assert_eq!(asked(&engine, new), [["note"]]);

    // Each is answered by its own form.
    answer(&engine, old, "amount", "truck").expect("is asked there");
    answer(&engine, new, "smell", "无").expect("is asked there");
    for (id, question) in [(old, "smell"), (new, "amount")] {
        let refused = rule(answer(&engine, id, question, "cart"));
        assert_eq!(refused, format!("unknown_question form.{question}"));
    }
    let class = |answers: BTreeMap<String, Value>| Classification {
        category: "hygiene".into(),
        subcategory: Some("exposed_garbage".into()),
        answers,
        ..Classification::default()
    };
    let by_old = class([("amount".into(), json!("little"))].into());
    engine.classify(old, &by_old).expect("in its own words");
    let kept = engine.record_of(old).expect("there");
    assert_eq!(kept.value("catalogue"), Some(&json!(first.version)));
    let photos = vec![NewPhoto {
        bytes: png(1),
        mime: String::new(),
    }];
    let proven = StepWords {
        photos,
        ..StepWords::default()
    };
    engine.take(old, "handle", proven).expect("as it asked");

    // What was not classified yet is, by the one in force.
    assert_eq!(engine.catalogue_of(quick), Ok(Some(second.clone())));
    let by_new = class([("smell".into(), json!("无"))].into());
    engine.classify(quick, &by_new).expect("classifies");
    assert_eq!(words(&engine, quick), pair("市容环卫", "smell"));
    sync(&engine, &server).expect("syncs");
    assert_eq!(engine.status().expect("reads").refused, []);

    // What this phone lacks it does not make up.
    server.with(|state| state.older_catalogues.clear());
    sync(&engine, &server).expect("syncs");
    assert_eq!(engine.catalogue_of(old), Ok(None));
    assert_eq!(engine.incident(old).expect("there").due_ms, None);
    assert_eq!(words(&engine, new).0, "市容环卫");
    let nobody = EntityId::from_bytes([0xee; 16]);
    assert_eq!(engine.catalogue_of(nobody), Err(EngineError::NotFound));
}
