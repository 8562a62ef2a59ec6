//! Every example of docs/protocol.md is read as the message it claims to be,
//! and written again without a difference; its tables of kinds say what the code
//! says.

#![allow(clippy::expect_used, reason = "a test says what it expected")]

use gridwalk_domain::kind::{self, KINDS, Kind};
use gridwalk_domain::wire::{
    EnrolRequest, EnrolResponse, ErrorResponse, HaveRequest, HaveResponse, HelloRequest,
    HelloResponse, OpOutcome, PullRequest, PullResponse, PushRequest, PushResponse, TracksResponse,
};
use gridwalk_domain::{Check, Intent, OpBody, Sha256};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use std::collections::BTreeSet;

const PAGE: &str = include_str!("../../../docs/protocol.md");

fn same_again<T: DeserializeOwned + Serialize>(example: &str) {
    let message: T = serde_json::from_str(example).unwrap_or_else(|e| panic!("{e} in {example}"));
    let written = serde_json::to_value(message).expect("writes");
    let given: Value = serde_json::from_str(example).expect("json");
    assert_eq!(written, given);
}

#[test]
fn every_example_reads_and_writes_back() {
    let mut seen = BTreeSet::new();
    for block in PAGE.split("```json ").skip(1) {
        let (name, rest) = block.split_once('\n').expect("a name");
        let example = rest.split("\n```").next().expect("an end");
        match name {
            "ErrorResponse" => same_again::<ErrorResponse>(example),
            "EnrolRequest" => same_again::<EnrolRequest>(example),
            "EnrolResponse" => same_again::<EnrolResponse>(example),
            "HelloRequest" => same_again::<HelloRequest>(example),
            "HelloResponse" => same_again::<HelloResponse>(example),
            "OpBody" => same_again::<OpBody>(example),
            "Intent" => same_again::<Intent>(example),
            "PushRequest" => same_again::<PushRequest>(example),
            "PushResponse" => same_again::<PushResponse>(example),
            "OpOutcome" => same_again::<OpOutcome>(example),
            "TracksResponse" => same_again::<TracksResponse>(example),
            "HaveRequest" => same_again::<HaveRequest>(example),
            "HaveResponse" => same_again::<HaveResponse>(example),
            "PullRequest" => same_again::<PullRequest>(example),
            "PullResponse" => same_again::<PullResponse>(example),
            other => panic!("the test does not know the message {other}"),
        }
        seen.insert(name);
    }
    assert_eq!(seen.len(), 15, "each message has an example: {seen:?}");
}

fn example<T: DeserializeOwned>(name: &str) -> T {
    let rest = PAGE
        .split(&format!("```json {name}\n"))
        .nth(1)
        .expect("the example");
    serde_json::from_str(rest.split("\n```").next().expect("an end")).expect("reads")
}

#[test]
fn the_hash_of_the_pushed_op_is_right() {
    for op in example::<PushRequest>("PushRequest").ops {
        assert_eq!(Sha256::of(op.body.as_bytes()), op.sha256);
    }
}

#[test]
fn the_digest_of_the_page_is_right() {
    for page in example::<PullResponse>("PullResponse").streams.values() {
        let mut digest = gridwalk_domain::StreamDigest::default();
        for entity in &page.entities {
            digest.add(entity.id, entity.rev);
        }
        assert_eq!(page.end.map(|end| end.hash), Some(digest));
    }
}

/// The rows of the table that begins so, cell by cell.
fn rows(head: &str) -> Vec<Vec<&'static str>> {
    let rest = PAGE.split(head).nth(1).expect("the table");
    let rows = rest.lines().skip_while(|line| !line.starts_with("|--"));
    let rows = rows.skip(1).take_while(|line| line.starts_with('|'));
    let cells = |row: &'static str| {
        let cells = row.trim_matches('|').split('|');
        cells.map(|cell| cell.trim().trim_matches('`')).collect()
    };
    rows.map(cells).collect()
}

/// Values that are of a type, and values that are not.
fn samples(of: &str) -> (Vec<Value>, Vec<Value>) {
    let long = |n| Value::from("长".repeat(n));
    let id = "0198c5a2-6c1e-4d31-9f0a-3b6f0c1d2e4f";
    let file =
        |mime: &str, bytes: u64| json!({"sha256": "ab".repeat(32), "mime": mime, "bytes": bytes});
    let signed = |bytes: u64| {
        let mut signed = file("image/png", bytes);
        signed["name"] = json!("甲方");
        signed
    };
    let (photo, film) = (
        file("image/jpeg", 20_000_000),
        file("video/mp4", 100_000_000),
    );
    let person = json!({"name": "甲方", "phone": "+86 138-0000", "note": "三楼"});
    let day = 86_400_000_i64;
    let time = [
        json!(1_577_836_800_000_i64),
        json!(4_102_444_800_000_i64 - 1),
    ];
    let no_time = [
        json!(1_577_836_800_000_i64 - 1),
        json!(4_102_444_800_000_i64),
        json!("x"),
    ];
    let session = json!({"from_ms": 20_000 * day, "to_ms": 20_000 * day, "present": [person],
        "said": "", "where": "三楼", "remote": true});
    let without = |value: &Value, name: &str| {
        let mut value = value.clone();
        value.as_object_mut().expect("an object").remove(name);
        value
    };
    let words = |words: &[&str]| words.iter().map(|word| json!(word)).collect();
    match of {
        "id" => (vec![json!(id)], vec![json!("x"), json!(1)]),
        "title" => (
            vec![json!("一"), long(100)],
            vec![json!(" "), long(101), json!("a\nb")],
        ),
        "line" => (vec![json!(""), long(200)], vec![long(201), json!("a\nb")]),
        "text" => (
            vec![json!("a\nb"), long(5_000)],
            vec![long(5_001), json!("\u{0}"), json!(1)],
        ),
        "word" => (
            vec![json!("a-z_0.9"), json!("a".repeat(64))],
            vec![json!(""), json!("A"), json!("a".repeat(65))],
        ),
        "count" => (
            vec![json!(0), json!(10_u64.pow(15))],
            vec![json!(-1), json!(1.5), json!(10_u64.pow(15) + 1)],
        ),
        "metres" => (
            vec![json!(0), json!(1e7)],
            vec![json!(-1), json!(1e7 + 1.0)],
        ),
        "radius" => (
            vec![json!(5), json!(1_000)],
            vec![json!(4.9), json!(1_000.1)],
        ),
        "times" => (vec![json!(1), json!(20)], vec![json!(0), json!(21)]),
        "time" => (time.to_vec(), no_time.to_vec()),
        "every" => (words(&["patrol", "day", "week"]), words(&["month"])),
        "result" => (words(&["normal", "abnormal"]), words(&["fine"])),
        "work" => (words(&["verify", "visit", "inspect"]), words(&["rest"])),
        "cause" => (words(&["not_real", "not_ours", "duplicate"]), words(&["x"])),
        "yes" => (vec![json!(true)], vec![json!(false), json!("true")]),
        "place" => (
            vec![
                json!({"lat": 35.0, "lon": 118.3}),
                json!({"lat": 35.0, "lon": 118.3, "accuracy_m": 8}),
            ],
            vec![
                json!({"lat": 35.0}),
                json!({"lat": 91, "lon": 0}),
                json!({"lat": 35.0, "lon": 118.3, "accuracy_m": -1}),
            ],
        ),
        "person" => (
            vec![json!({"name": "甲"}), person],
            vec![
                json!({}),
                json!({"name": "长".repeat(51)}),
                json!({"name": "甲", "phone": "x"}),
            ],
        ),
        "photo" => (
            vec![photo.clone()],
            vec![
                film,
                without(&photo, "sha256"),
                file("image/jpeg", 20_000_001),
            ],
        ),
        "media" => (
            vec![photo, film, file("application/pdf", 1)],
            vec![file("text/html", 1), file("video/mp4", 100_000_001)],
        ),
        "photos" => (
            vec![json!([photo]), json!(vec![photo.clone(); 20])],
            vec![json!([]), json!(vec![photo; 21]), json!([film])],
        ),
        "signatures" => (
            vec![json!([signed(1_000_000)])],
            vec![
                json!([signed(1_000_001)]),
                json!([file("image/png", 1)]),
                json!(vec![signed(1); 21]),
            ],
        ),
        "session" => (
            vec![session.clone(), without(&session, "where")],
            vec![
                without(&session, "from_ms"),
                without(&session, "present"),
                without(&session, "said"),
            ],
        ),
        "again" => (
            vec![json!({"date": "2099-12-31", "note": "看看"})],
            vec![json!({"date": "2100-01-01"}), json!({"date": "2026-1-1"})],
        ),
        "reader" => (
            vec![json!({"worker": id}), json!({"user": id})],
            vec![json!({"grid": id}), json!(id)],
        ),
        "assignee" => (
            vec![
                json!({"worker": id}),
                json!({"department": id}),
                json!({"team": id}),
            ],
            vec![json!({"user": id}), json!(id)],
        ),
        "mark" => (
            vec![
                json!({"at_ms": 1, "mark": "lost", "cause": "no_signal"}),
                json!({"at_ms": 1, "mark": "found"}),
            ],
            vec![json!({"mark": "found"}), json!({"at_ms": 1, "mark": "x"})],
        ),
        other => panic!("no sample of {other}"),
    }
}

/// Each row of a table names a part of its kind with its type; none is missing.
fn same_parts(rows: &[Vec<&'static str>], parts: fn(&Kind) -> Vec<(&'static str, Check)>) {
    let mut told: BTreeSet<(&str, &str)> = BTreeSet::new();
    for row in rows.iter().filter(|row| row[0] != "every") {
        let [kind, name, of] = [row[0], row[1], row[2]];
        let parts = parts(kind::find(kind).expect("a kind"));
        let check = parts.iter().find(|(known, _)| *known == name);
        let (_, check) = check.unwrap_or_else(|| panic!("{kind} has no {name}"));
        let (good, bad) = samples(of);
        for value in good {
            assert_eq!(check(&value), Ok(()), "{kind} {name}: {value}");
        }
        for value in bad {
            assert!(check(&value).is_err(), "{kind} {name}: {value}");
        }
        assert!(told.insert((kind, name)), "{kind} {name} twice");
    }
    let meant = KINDS.iter().flat_map(|kind| {
        let parts = parts(kind).into_iter();
        parts.map(|(name, _)| (kind.name, name))
    });
    assert_eq!(told, meant.collect());
}

#[test]
fn each_field_entry_and_word_of_a_step_is_told_with_its_type() {
    let fields = rows("| kind | field | type | | |");
    same_parts(&fields, |kind| kind.fields.to_vec());
    for row in &fields {
        let kind = kind::find(row[0]).expect("a kind");
        let required = kind.required.contains(&row[1]).then_some("required");
        let fixed = kind.fixed.contains(&row[1]).then_some("fixed");
        let said: Vec<&str> = required.into_iter().chain(fixed).collect();
        assert_eq!(row[3], said.join(", "), "{} {}", row[0], row[1]);
    }
    let entries = rows("| kind | list or set | type of an entry | |");
    same_parts(&entries, |kind| [kind.lists, kind.sets].concat());
    for row in entries.iter().filter(|row| row[0] != "every") {
        let kind = kind::find(row[0]).expect("a kind");
        let list = kind.lists.iter().any(|(name, _)| *name == row[1]);
        assert!(
            row[3].starts_with(if list { "list" } else { "set" }),
            "{row:?}"
        );
    }
    same_parts(&rows("| kind | in `with` | type |"), |kind| {
        kind.with.to_vec()
    });
}

#[test]
fn the_tables_of_kinds_and_steps_are_the_tables() {
    let lists = |kind: &Kind| {
        let names = |parts: &[(&str, Check)]| {
            let names: Vec<String> = parts.iter().map(|(name, _)| format!("`{name}`")).collect();
            names.join(", ").trim_matches('`').to_owned()
        };
        [kind.name.to_owned(), names(kind.lists), names(kind.sets)]
    };
    let told = rows("| kind | lives in | status (first in bold) | lists | sets |");
    let told = told
        .iter()
        .map(|row| [row[0], row[3], row[4]].map(str::to_owned));
    assert_eq!(
        told.collect::<Vec<_>>(),
        KINDS.iter().map(|kind| lists(kind)).collect::<Vec<_>>()
    );
    let list = |words: Vec<String>, by: &str| match words.join(by) {
        none if none.is_empty() => "–".to_owned(),
        some => some,
    };
    let steps = ["mediation", "task", "notice"]
        .into_iter()
        .flat_map(|name| {
            let kind = kind::find(name).expect("a kind");
            kind.steps.iter().map(move |row| {
                let who = list(row.who.iter().map(ToString::to_string).collect(), "; ");
                let needs = list(row.needs.iter().map(ToString::to_string).collect(), ", ");
                [name, row.name, row.from, row.to, &who, &needs].map(str::to_owned)
            })
        });
    let told = rows("| kind | step | from | to | who | must carry |").into_iter();
    let told: Vec<Vec<String>> = told
        .map(|row| row.into_iter().map(str::to_owned).collect())
        .collect();
    assert_eq!(told, steps.map(Vec::from).collect::<Vec<_>>());
}
