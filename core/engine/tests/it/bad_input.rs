//! Bad input by name: each is a typed error that says what is wrong, and nothing
//! is written.

use gridwalk_engine::{Engine, EngineError, NewIncident, NewPhoto, NewVisit, Place, StepWords};
use serde_json::{Map, Value, json};

use crate::server::FakeServer;
use crate::support::{Phone, premises};
use crate::talk::report;

/// Which error, which rule or field.
fn named(error: &EngineError) -> String {
    match error {
        EngineError::Invalid { field, .. } => format!("invalid {field}"),
        EngineError::NotAllowed { rule, field, .. } => format!("{rule} {field}"),
        other => other.code().to_owned(),
    }
}

/// Each must be refused so, in words that hold nothing of what was typed.
fn refused(engine: &Engine, expected: &str, done: Result<(), EngineError>) {
    let before = engine.status().expect("reads");
    let error = done.expect_err(expected);
    assert_eq!(named(&error), expected, "{error}");
    let said = error.to_string();
    assert!(!said.contains("长长") && !said.contains('\u{7}'), "{said}");
    let after = engine.status().expect("reads");
    assert_eq!(
        before.unsent, after.unsent,
        "{expected}: nothing is written"
    );
}

fn started() -> (Phone, FakeServer, Engine) {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.on_patrol(&server);
    (phone, server, engine)
}

fn fire() -> NewIncident {
    NewIncident {
        category: "fire_safety".into(),
        title: "楼道堆物".into(),
        answers: premises(),
        ..NewIncident::default()
    }
}

#[test]
fn a_report_that_is_too_long_or_holds_control_characters_is_refused() {
    let (_phone, _server, engine) = started();
    let long = |count: usize| "长".repeat(count);
    let at = |lat: f64| {
        Some(Place {
            lat,
            lon: 118.3,
            accuracy_m: None,
        })
    };
    let cases = [
        (
            "invalid title",
            NewIncident {
                title: long(10_000),
                ..fire()
            },
        ),
        (
            "invalid title",
            NewIncident {
                title: "两\n行".into(),
                ..fire()
            },
        ),
        (
            "invalid title",
            NewIncident {
                title: "铃\u{7}".into(),
                ..fire()
            },
        ),
        (
            "invalid title",
            NewIncident {
                title: " ".into(),
                ..fire()
            },
        ),
        (
            "invalid description",
            NewIncident {
                description: Some(long(5_001)),
                ..fire()
            },
        ),
        (
            "invalid description",
            NewIncident {
                description: Some("\u{0}".into()),
                ..fire()
            },
        ),
        (
            "invalid address",
            NewIncident {
                address: Some(long(201)),
                ..fire()
            },
        ),
        (
            "invalid place",
            NewIncident {
                place: at(95.0),
                ..fire()
            },
        ),
        (
            "invalid place",
            NewIncident {
                place: at(f64::NAN),
                ..fire()
            },
        ),
    ];
    for (expected, new) in cases {
        refused(&engine, expected, engine.report_incident(new).map(drop));
    }
    assert_eq!(engine.incidents(), Ok(vec![]));
}

#[test]
fn codes_that_the_catalogue_does_not_have_are_refused() {
    let (_phone, _server, engine) = started();
    let cases = [
        NewIncident {
            category: "unheard_of".into(),
            ..fire()
        },
        NewIncident {
            subcategory: Some("theft".into()),
            ..fire()
        },
        NewIncident {
            severity: Some("extreme".into()),
            ..fire()
        },
    ];
    for new in cases {
        let done = engine.report_incident(new).map(drop);
        refused(&engine, "unknown_category", done);
    }
}

#[test]
fn answers_that_are_wrong_are_refused() {
    let (_phone, _server, engine) = started();
    let with = |pairs: &[(&str, Value)]| {
        let mut new = fire();
        let pairs = pairs.iter();
        new.answers
            .extend(pairs.map(|(code, value)| ((*code).to_owned(), value.clone())));
        new
    };
    let cases = [
        (
            "bad_answer form.premises",
            with(&[("premises", json!("moon"))]),
        ),
        (
            "bad_answer form.premises",
            with(&[("premises", json!(["dwelling"]))]),
        ),
        (
            "bad_answer form.done",
            with(&[("done", json!(["told", "told"]))]),
        ),
        (
            "bad_answer form.by_when",
            with(&[("done", json!(["told"])), ("by_when", json!("1970-01-01"))]),
        ),
        (
            "unknown_question form.people",
            with(&[("people", json!(3))]),
        ),
    ];
    for (expected, new) in cases {
        refused(&engine, expected, engine.report_incident(new).map(drop));
    }
}

#[test]
fn steps_that_there_are_not_or_that_lack_something_are_refused() {
    let (_phone, _server, engine) = started();
    let id = report(&engine, "甲", &[]);
    let step = |to: &str, reason: Option<&str>, with: Map<String, Value>| {
        engine.step(id, to, reason, with)
    };
    refused(
        &engine,
        "invalid status",
        step("resolved", None, Map::new()),
    );
    refused(&engine, "invalid status", step("nowhere", None, Map::new()));
    refused(
        &engine,
        "invalid status",
        step("escalated", None, Map::new()),
    );
    refused(
        &engine,
        "not_for_you ",
        step("rejected", Some("x"), Map::new()),
    );
    let take = |name: &str, words| engine.take(id, name, words);
    refused(
        &engine,
        "invalid status",
        take("dispatch", StepWords::default()),
    );
    refused(
        &engine,
        "invalid status",
        take("escalate", StepWords::default()),
    );
    let wordy = StepWords {
        reason: Some("长".repeat(5_001)),
        ..StepWords::default()
    };
    refused(&engine, "invalid reason", take("escalate", wordy));
    let gif = NewPhoto {
        bytes: b"GIF89a".to_vec(),
        mime: "image/jpeg".into(),
    };
    let believed = StepWords {
        note: Some("已劝离".into()),
        photos: vec![gif],
        ..StepWords::default()
    };
    refused(&engine, "file_unknown_type", take("handle", believed));
}

#[test]
fn dates_that_nobody_means_are_refused() {
    let (_phone, _server, engine) = started();
    let id = report(&engine, "甲", &[]);
    for ms in [0, -1, 4_102_444_800_001_i64] {
        let done = engine.edit(id, [("seen_ms".to_owned(), json!(ms))].into());
        assert_eq!(done, Ok(()), "a field of a newer version is kept");
    }
    let edit = |field: &str, value| engine.edit(id, [(field.to_owned(), value)].into());
    refused(&engine, "fixed found_ms", edit("found_ms", json!(0)));
    refused(
        &engine,
        "invalid title",
        edit("title", json!("长".repeat(10_000))),
    );
    refused(
        &engine,
        "bad_answer form.by_when",
        edit("form.by_when", json!("1970-01-01")),
    );
    let visit = NewVisit {
        household: "甲".into(),
        found: Some("长".repeat(10_000)),
        ..NewVisit::default()
    };
    refused(
        &engine,
        "invalid found",
        engine.record_visit(&visit).map(drop),
    );
    refused(
        &engine,
        "invalid comments",
        engine.comment(id, &"长".repeat(10_000)),
    );
    refused(
        &engine,
        "invalid tags",
        engine.add_item(id, "tags", json!("")),
    );
    refused(
        &engine,
        "invalid status",
        engine.add_item(id, "wishes", json!("x")),
    );
}
