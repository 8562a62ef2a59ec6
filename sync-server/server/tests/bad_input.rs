//! Bad input: each op is refused by itself, with a reason that a phone can show,
//! and nothing else of the batch is touched.
#![allow(clippy::expect_used, reason = "what fails here fails the test")]

mod common;

use common::phone::{reason, seq};
use common::{BASE, HOUR, Phone, World, world};
use gridwalk_domain::wire::Outcome;
use gridwalk_domain::{Change, EntityId, Intent, OpBody, Sha256, StreamKey};
use gridwalk_server::admin::Assign;
use serde_json::{Map, Value, json};

/// A report with some of its fields otherwise; null takes one away.
fn report(phone: &mut Phone, otherwise: &Value) -> OpBody {
    let mut op = phone.incident("一件");
    if let Intent::Create { fields, .. } = &mut op.intent {
        for (name, value) in otherwise.as_object().expect("an object") {
            if value.is_null() {
                fields.remove(name);
            } else {
                fields.insert(name.clone(), value.clone());
            }
        }
    }
    op
}

fn edit(phone: &mut Phone, on: &OpBody, field: &str, value: Value) -> OpBody {
    let base = match &on.intent {
        Intent::Create { fields, .. } => fields.contains_key(field).then_some(on.id),
        _ => None,
    };
    let change = Change { value, base };
    let set = Intent::Set([(field.to_owned(), change)].into());
    phone.body("incident", on.entity, set)
}

fn step(phone: &mut Phone, on: &OpBody, to: &str, with: &Value) -> OpBody {
    let with: Map<String, Value> = serde_json::from_value(with.clone()).expect("an object");
    let intent = Intent::Transition {
        from: "reported".into(),
        to: to.into(),
        base: on.id,
        reason: Some("理由".into()),
        with,
    };
    phone.body("incident", on.entity, intent)
}

/// Pushes one op between two good ones: they stand, and this is what is said of
/// it.
fn between_good_ones(phone: &mut Phone, op: &OpBody) -> Outcome {
    let (before, after) = (phone.incident("之前"), phone.incident("之后"));
    let mut outcomes = phone.push(&[before.clone(), op.clone(), after.clone()]);
    assert!(seq(&outcomes[0]) > 0 && seq(&outcomes[2]) > seq(&outcomes[0]));
    for good in [before, after] {
        assert_eq!(phone.state(good.entity).ops, [good.id]);
    }
    outcomes.remove(1)
}

fn refused(phone: &mut Phone, op: &OpBody, code: &str, says: &str) {
    let outcome = between_good_ones(phone, op);
    assert_eq!(reason(&outcome), format!("rejected {code}"), "{outcome:?}");
    let Outcome::Rejected { reason } = &outcome else {
        return;
    };
    assert!(reason.text.contains(says), "{says}: {}", reason.text);
    assert!(reason.text.chars().count() < 300, "{}", reason.text);
    let first = Box::new(outcome);
    assert_eq!(phone.push_one(op), Outcome::Duplicate { first });
}

#[test]
fn a_report_that_says_what_cannot_be_is_refused_alone() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let giant = "长".repeat(10_000);
    for (otherwise, code, says) in [
        (json!({"title": giant}), "bad_value", "10000 characters"),
        (json!({"title": "一\u{0}二"}), "bad_value", "title"),
        (json!({"title": "一\u{1b}[2J"}), "bad_value", "title"),
        (json!({"description": giant}), "bad_value", "description"),
        (json!({"title": 7}), "bad_value", "title"),
        (json!({"category": "moon_dust"}), "unknown_code", "category"),
        (
            json!({"subcategory": "moon_dust"}),
            "unknown_code",
            "subcategory",
        ),
        (json!({"severity": "dreadful"}), "unknown_code", "severity"),
        (json!({"form.premises": 7}), "bad_answer", "premises"),
        (json!({"form.premises": "castle"}), "bad_answer", "premises"),
        (json!({"form.done": "removed"}), "bad_answer", "done"),
        (json!({"form.moon": "full"}), "unknown_question", "moon"),
        (json!({"place": null}), "unfit", "place"),
        (
            json!({"place": {"lat": 91.0, "lon": 118.3}}),
            "bad_value",
            "place",
        ),
        (
            json!({"place": {"lat": "35", "lon": 118.3}}),
            "bad_value",
            "place",
        ),
        (json!({"found_ms": 1_000_000}), "bad_value", "found_ms"),
        (json!({"found_ms": -1}), "bad_value", "found_ms"),
        (json!({"grid": "nowhere"}), "bad_value", "grid"),
        (json!({"catalogue": null}), "bad_value", "catalogue"),
        (json!({"From The Future": 1}), "bad_value", "name"),
    ] {
        let op = report(&mut phone, &otherwise);
        refused(&mut phone, &op, code, says);
        assert!(!phone.holds(op.entity), "{otherwise}");
    }
}

#[test]
fn an_edit_that_cannot_be_is_refused_and_the_record_stays_as_it_was() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let made = phone.incident("一件");
    phone.push_one(&made);
    let before = phone.state(made.entity);
    let elsewhere = world.grid(BASE[1]);
    for (field, value, code) in [
        ("grid", json!(elsewhere), "fixed"),
        ("worker", json!(phone.worker), "fixed"),
        ("form.premises", json!(["dwelling"]), "bad_answer"),
        ("form.moon", json!("full"), "unknown_question"),
        ("subcategory", json!("moon_dust"), "unknown_code"),
        ("description", json!("\u{7}"), "bad_value"),
        ("address", json!("x".repeat(5_000)), "bad_value"),
    ] {
        let op = edit(&mut phone, &made, field, value);
        refused(&mut phone, &op, code, "");
    }
    let list = phone.append(made.entity, "videos", json!({}));
    refused(&mut phone, &list, "unknown_part", "incident");
    let photo = phone.append(made.entity, "photos", json!({"sha256": "not a hash"}));
    refused(&mut phone, &photo, "bad_value", "photos");
    let comment = phone.append(made.entity, "comments", json!({"text": "\u{0}"}));
    refused(&mut phone, &comment, "bad_value", "comments");
    assert_eq!(phone.state(made.entity), before);
}

#[test]
fn an_attachment_of_the_wrong_sort_or_size_is_refused_alone() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let made = phone.incident("一件");
    phone.push_one(&made);
    let of = |mime: &str, bytes: u64| json!({"sha256": Sha256::of(b"never sent"), "mime": mime, "bytes": bytes});
    for (list, entry, says) in [
        ("media", of("video/mp4", 200_000_000), "100000000"),
        ("photos", of("image/jpeg", 20_000_001), "20000000"),
        ("photos", of("application/pdf", 10), "image/jpeg"),
        ("photos", of("video/mp4", 10), "image/jpeg"),
        ("media", of("text/html", 10), "application/pdf"),
        ("media", of("image/svg+xml", 10), "application/pdf"),
        (
            "media",
            json!({"sha256": Sha256::of(b"x"), "mime": "video/mp4"}),
            "bytes",
        ),
    ] {
        let op = phone.append(made.entity, list, entry);
        refused(&mut phone, &op, "bad_value", says);
    }
    // As the proof of a step, and as an answer's signature.
    let proof = json!({"note": "已劝离", "photos": [of("application/pdf", 10)]});
    let op = step(&mut phone, &made, "handled_on_site", &proof);
    refused(&mut phone, &op, "bad_value", "photos");
    let mediation = json!({"worker": phone.worker, "grid": phone.grid, "title": "婆媳"});
    let mut mediation = phone.create("mediation", mediation);
    if let Intent::Create { home, .. } = &mut mediation.intent {
        *home = StreamKey::Inbox(phone.worker);
    }
    phone.push_one(&mediation);
    let mut signed = of("image/png", 1_000_001);
    signed["name"] = json!("甲方");
    let agree = Intent::Transition {
        from: "open".into(),
        to: "agreed".into(),
        base: mediation.id,
        reason: None,
        with: [
            ("agreement".into(), json!("轮流做饭")),
            ("signatures".into(), json!([signed])),
        ]
        .into_iter()
        .collect(),
    };
    let op = phone.body("mediation", mediation.entity, agree);
    refused(&mut phone, &op, "bad_value", "signature");
    assert_eq!(phone.state(made.entity).ops, [made.id]);
}

#[test]
fn what_a_newer_version_wrote_hides_no_control_character() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let made = phone.incident("一件");
    phone.push_one(&made);
    for value in [
        json!("\u{0}"),
        json!({"a": ["\u{1b}[2J"]}),
        json!({"\u{0}": 1}),
    ] {
        let op = edit(&mut phone, &made, "from_the_future", value);
        refused(&mut phone, &op, "bad_value", "from_the_future");
    }
    let place = json!({"lat": 35.05, "lon": 118.34, "from": "\u{0}"});
    let op = edit(&mut phone, &made, "place", place);
    refused(&mut phone, &op, "bad_value", "place");
    let comment = json!({"text": "好", "mood": {"word": "\u{7}"}});
    let op = phone.append(made.entity, "comments", comment);
    refused(&mut phone, &op, "bad_value", "comments");
    let photo = json!({"sha256": Sha256::of(b"x"), "mime": "image/jpeg", "bytes": 10});
    let with = json!({"note": "好", "photos": [photo], "weather": ["\u{0}"]});
    let op = step(&mut phone, &made, "handled_on_site", &with);
    refused(&mut phone, &op, "bad_value", "weather");
    let fine = json!({"text": "好", "mood": {"word": "两\n行"}});
    let fine = phone.append(made.entity, "comments", fine);
    assert!(seq(&phone.push_one(&fine)) > 0);
}

/// A JPEG whose head says that it has so many pixels, and nothing behind it.
fn jpeg(width: u16, height: u16) -> Vec<u8> {
    let sides = [height.to_be_bytes(), width.to_be_bytes()].concat();
    [b"\xff\xd8\xff\xc0\0\x0b\x08", &sides[..], b"\x01\x01\x11\0"].concat()
}

#[test]
fn a_file_that_no_phone_takes_is_refused_when_it_is_whole() {
    let world = world();
    let phone = world.phone("王", BASE[0]);
    let large = phone.begin_upload(Sha256::of(b"a film"), 200_000_000);
    assert_eq!((large.status, large.code().as_str()), (413, "too_large"));
    let mut photo = jpeg(640, 480);
    photo.resize(20_000_001, 0);
    for (bytes, status, code) in [
        (jpeg(50_000, 50_000), 422, "too_many_pixels"),
        (photo, 413, "too_large"),
    ] {
        let hash = Sha256::of(&bytes);
        let begun = phone.begin_upload(hash, bytes.len());
        let path = begun.header("location").expect("a location").to_owned();
        let answer = phone.patch(&path, 0, &bytes);
        assert_eq!((answer.status, answer.code().as_str()), (status, code));
        let gone = phone.tus("HEAD", &path, &[], b"");
        assert_eq!(gone.status, 404, "its bytes are not kept");
        assert_eq!(phone.begin_upload(hash, bytes.len()).offset(), 0);
    }
    phone.upload(&jpeg(640, 480));
}

#[test]
fn a_step_that_is_not_allowed_is_refused_and_says_why() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let made = phone.incident("一件");
    let quick = report(
        &mut phone,
        &json!({"category": null, "form.premises": null, "title": null}),
    );
    let unanswered = report(&mut phone, &json!({"form.premises": null}));
    phone.push(&[made.clone(), quick.clone(), unanswered.clone()]);
    let above = world.grid("371302001001");
    let town = world.grid("371302001");
    for (on, to, with, code) in [
        (&made, "verified", json!({}), "no_such_step"),
        (&made, "on_the_moon", json!({}), "no_such_step"),
        (&made, "escalated", json!({}), "step_needs"),
        (
            &unanswered,
            "escalated",
            json!({"holder": above}),
            "unanswered",
        ),
        (&made, "escalated", json!({"holder": town}), "unfit"),
        (&made, "escalated", json!({"holder": "above"}), "unfit"),
        (&made, "handled_on_site", json!({}), "unfit"),
        (
            &made,
            "escalated",
            json!({"holder": above, "note": "\u{0}"}),
            "bad_value",
        ),
        (&quick, "escalated", json!({"holder": above}), "unfit"),
        (&made, "rejected", json!({}), "not_for_you"),
    ] {
        let op = step(&mut phone, on, to, &with);
        let outcome = between_good_ones(&mut phone, &op);
        assert_eq!(reason(&outcome), format!("rejected {code}"), "{to} {with}");
    }
    assert_eq!(phone.state(made.entity).status(), Some("reported"));
}

#[test]
fn what_is_for_others_is_refused_and_what_is_not_there_waits() {
    let world = world();
    let (mut phone, mut colleague) = (world.phone("王", BASE[0]), world.phone("李", BASE[0]));
    let made = phone.incident("一件");
    phone.push_one(&made);
    let theirs = colleague.body("incident", made.entity, Intent::Delete { base: made.id });
    refused(&mut colleague, &theirs, "not_for_you", "whose record it is");
    let order = json!({"grid": phone.grid, "work": "visit", "title": "去看看"});
    let order = phone.create("task", order);
    refused(&mut phone, &order, "not_for_you", "supervisor");
    // Not refused: it may be known tomorrow.
    let newer = report(&mut phone, &json!({"catalogue": 4_000_000}));
    let outcome = between_good_ones(&mut phone, &newer);
    assert_eq!(reason(&outcome), "quarantined unknown_catalogue");
    let never = phone.clone().incident("never sent");
    let nothing = edit(&mut phone, &never, "title", json!("x"));
    let outcome = between_good_ones(&mut phone, &nothing);
    assert_eq!(reason(&outcome), "quarantined missing");
}

#[test]
fn rights_are_those_of_the_time_of_writing() {
    let world = world();
    let (mut phone, mut stand_in) = (world.phone("王", BASE[0]), world.phone("李", BASE[1]));
    let made = phone.incident("一件");
    phone.push_one(&made);
    lend(&world, "李", BASE[0]);
    world.clock.turn(HOUR / 2);
    let told = stand_in.append(made.entity, "comments", json!({"text": "代班时"}));
    world.clock.turn(HOUR);
    let late = stand_in.append(made.entity, "comments", json!({"text": "代班后"}));
    assert!(
        seq(&stand_in.push_one(&told)) > 0,
        "sent late, written in time"
    );
    assert_eq!(
        reason(&stand_in.push_one(&late)),
        "quarantined out_of_scope"
    );
}

fn lend(world: &World, worker: &str, grid: &str) {
    let now = world.clock.wall_ms();
    let assign = Assign {
        worker,
        grid,
        from_ms: Some(now),
        until_ms: Some(now + HOUR),
    };
    world.service.admin().assign(assign).expect("assigns");
}

trait Holds {
    fn holds(&self, entity: EntityId) -> bool;
}

impl Holds for Phone {
    fn holds(&self, entity: EntityId) -> bool {
        self.read(self.records()).contains_key(&entity)
    }
}
