//! What the gate asks beside who: catalogue, places, proof, sizes.

use super::*;
use crate::testing::P::{self, Colleague, Community, Fire, Town, Worker};
use crate::testing::{BASE, COMMUNITY, DAY, FIRE, T0, Tale, photo};
use crate::{Change, Effect};
use proptest::prelude::*;
use serde_json::json;

fn base() -> Value {
    json!({"worker": Worker.worker(), "grid": BASE, "catalogue": 1, "place": {"lat": 35.05, "lon": 118.34}})
}

fn make(name: &str, value: Value) -> Result<Effect, &'static str> {
    let mut fields = base();
    fields[name] = value;
    Tale::of("incident")
        .make(Worker, fields)
        .map_err(|no| no.code())
}

#[test]
fn a_quick_capture_is_a_place_and_nothing_else() {
    let mut tale = Tale::of("incident");
    assert_eq!(tale.make(Worker, base()), Ok(Effect::Applied));
    tale.append(Worker, "photos", photo()).expect("a photo");
    let no = tale
        .step(Worker, "escalated", json!({"holder": COMMUNITY}))
        .expect_err("not classified");
    assert_eq!(no.code(), "unfit");
    let no = tale
        .step(Worker, "handled_on_site", json!({"note": "好"}))
        .expect_err("not classified");
    assert_eq!(no.code(), "unfit");
    tale.set(Worker, "category", json!("other"))
        .expect("classified");
    tale = tale.goes(&[(Worker, "escalated", json!({"holder": COMMUNITY}))]);
    assert_eq!(tale.entity().status(), Some("escalated"));
    // What is not real needs no category.
    let mut empty = Tale::of("incident");
    empty.make(Worker, base()).expect("made");
    assert_eq!(
        empty.step(Community, "rejected", json!({"cause": "not_real"})),
        Ok(Effect::Applied)
    );
}

#[test]
fn without_a_place_nobody_finds_it() {
    assert_eq!(make("place", json!(null)), Err("unfit"));
    let mut fields = base();
    fields["place"] = json!(null);
    fields["address"] = json!("地下车库二层东侧");
    let mut tale = Tale::of("incident");
    assert_eq!(
        tale.make(Worker, fields),
        Ok(Effect::Applied),
        "where there is no signal"
    );
    assert_eq!(
        tale.set(Worker, "address", json!(null))
            .expect_err("nowhere")
            .code(),
        "unfit"
    );
}

#[test]
fn bad_input_is_refused_with_its_name_and_changes_nothing() {
    for (name, bad, code) in [
        ("title", json!("长".repeat(10_000)), "bad_value"),
        ("title", json!("\u{7}"), "bad_value"),
        ("title", json!("两\n行"), "bad_value"),
        ("description", json!("长".repeat(5_001)), "bad_value"),
        ("found_ms", json!(0), "bad_value"),
        ("found_ms", json!("2026-03-02"), "bad_value"),
        ("place", json!({"lat": 135.0, "lon": 0.0}), "bad_value"),
        (
            "reporter",
            json!({"name": "某", "phone": "call me"}),
            "bad_value",
        ),
        ("grid", json!("371302001001001"), "bad_value"),
        ("category", json!("环境卫生"), "unknown_code"),
        ("category", json!(7), "bad_value"),
        ("category", json!("unheard_of"), "unknown_code"),
        ("severity", json!("extreme"), "unknown_code"),
        ("subcategory", json!("stairs_blocked"), "unknown_code"),
        ("catalogue", json!(99), "unknown_catalogue"),
        ("catalogue", json!(null), "unknown_catalogue"),
        ("form.premises", json!("dwelling"), "unknown_question"),
        ("from_the_future", json!("长".repeat(5_000)), "bad_value"),
    ] {
        if name == "grid" {
            // It names its home by it: a grid that is none has no home.
            let kind = kind::find("incident").expect("a kind");
            assert!(kind.check_field(name, &bad).is_err());
            continue;
        }
        assert_eq!(make(name, bad.clone()), Err(code), "{name}: {bad}");
    }
}

#[test]
fn a_report_answers_what_its_category_asks_before_it_goes_on_its_way() {
    let mut fields = base();
    fields["category"] = json!("fire_safety");
    fields["form.premises"] = json!("moon");
    let mut tale = Tale::of("incident");
    assert_eq!(
        tale.make(Worker, fields.clone())
            .expect_err("no choice")
            .code(),
        "bad_answer"
    );
    fields["form.premises"] = json!(null);
    assert_eq!(tale.make(Worker, fields), Ok(Effect::Applied));
    let up = json!({"holder": COMMUNITY});
    let proof = json!({"note": "已清走", "photos": [photo()]});
    for (to, with) in [("escalated", &up), ("handled_on_site", &proof)] {
        let no = tale
            .step(Worker, to, with.clone())
            .expect_err("which premises");
        assert_eq!(no.code(), "unanswered");
    }
    assert_eq!(
        tale.set(Worker, "form.premises", json!("let")),
        Ok(Effect::Applied)
    );
    assert_eq!(
        tale.set(Worker, "form.colour", json!("red"))
            .expect_err("not asked")
            .code(),
        "unknown_question"
    );
    assert_eq!(
        tale.set(Worker, "title", json!("改了标题")),
        Ok(Effect::Applied)
    );
    // Moved to another category, the old answers stay and are nobody's.
    assert_eq!(
        tale.set(Colleague, "category", json!("other")),
        Ok(Effect::Applied)
    );
    assert!(tale.entity().value("form.premises").is_some());
}

#[test]
fn an_edit_that_does_not_fit_is_kept_and_not_refused() {
    let mut tale = Tale::reported();
    let creation = tale.entity().base("severity");
    tale.set(Worker, "severity", json!("serious"))
        .expect("the first");
    let change = Change {
        value: json!("urgent"),
        base: creation,
    };
    let late = Intent::Set([("severity".to_owned(), change)].into());
    assert_eq!(tale.take(Colleague, late), Ok(Effect::ConflictKept));
    assert_eq!(tale.entity().text("severity"), Some("serious"));
    assert_eq!(tale.entity().conflicts(), 1);
}

#[test]
fn a_resolution_is_checked_like_an_edit() {
    let mut tale = Tale::reported();
    let resolve = |value: &str, tale: &Tale| Intent::Resolve {
        field: "severity".into(),
        value: json!(value),
        base: tale.entity().base("severity"),
        replaces: vec![],
    };
    let bad = resolve("extreme", &tale);
    assert_eq!(
        tale.take(Worker, bad).expect_err("no severity").code(),
        "unknown_code"
    );
    let good = resolve("urgent", &tale);
    assert_eq!(tale.take(Worker, good), Ok(Effect::Applied));
}

#[test]
fn a_category_does_not_keep_the_sub_category_of_another() {
    let mut tale = Tale::reported();
    let no = tale
        .set(Worker, "category", json!("other"))
        .expect_err("of fire safety");
    assert_eq!(no.code(), "unknown_code");
    let change = |tale: &Tale, name: &str, value: Value| {
        let base = tale.entity().base(name);
        (name.to_owned(), Change { value, base })
    };
    let both = [
        change(&tale, "category", json!("other")),
        change(&tale, "subcategory", json!("neighbours")),
    ];
    assert_eq!(
        tale.take(Worker, Intent::Set(both.into())),
        Ok(Effect::Applied)
    );
}

#[test]
fn steps_carry_the_proof_that_their_category_asks_for() {
    let handle = |category: &str, more: Value, with: Value| {
        let mut fields = base();
        fields["category"] = json!(category);
        for (name, value) in more.as_object().expect("an object") {
            fields[name] = value.clone();
        }
        let mut tale = Tale::of("incident");
        tale.make(Worker, fields).expect("made");
        tale.step(Worker, "handled_on_site", with)
            .map_err(|no| no.to_string())
    };
    let note = json!({"note": "已清理"});
    let picture = json!({"photos": [photo()]});
    let both = json!({"note": "已清理", "photos": [photo()]});
    let fire = json!({"form.premises": "shop"});
    assert_eq!(
        handle("hygiene", json!({}), picture.clone()),
        Ok(Effect::Applied)
    );
    assert!(handle("hygiene", json!({}), note.clone()).is_err_and(|why| why.contains("photo")));
    assert_eq!(
        handle("other", json!({}), note.clone()),
        Ok(Effect::Applied)
    );
    assert!(
        handle("other", json!({}), json!({"note": "  "})).is_err_and(|why| why.contains("words"))
    );
    assert_eq!(
        handle("fire_safety", fire.clone(), both),
        Ok(Effect::Applied)
    );
    assert!(handle("fire_safety", fire.clone(), note).is_err());
    assert!(handle("fire_safety", fire, picture).is_err());
    let many = json!({"photos": vec![photo(); 21]});
    assert!(handle("hygiene", json!({}), many).is_err_and(|why| why.contains("20")));
}

#[test]
fn verifying_is_done_on_the_spot() {
    let fire = json!({"assignee": {"department": FIRE}, "limit_ms": T0 + DAY});
    let tale = Tale::reported().goes(&[
        (Worker, "escalated", json!({"holder": COMMUNITY})),
        (Community, "accepted", json!({})),
        (Community, "dispatched", fire),
        (Fire, "in_progress", json!({})),
        (
            Fire,
            "resolved",
            json!({"note": "已清", "photos": [photo()]}),
        ),
    ]);
    let verify = |place: Value| {
        let with = json!({"note": "已看", "place": place});
        tale.try_op(Worker, tale.transition("verified", with))
            .map(|_| ())
            .map_err(|no| no.code())
    };
    assert_eq!(
        verify(json!({"lat": 35.0520, "lon": 118.34})),
        Ok(()),
        "220 m away"
    );
    assert_eq!(
        verify(json!({"lat": 35.0540, "lon": 118.34})),
        Err("unfit"),
        "440 m away"
    );
    assert_eq!(
        verify(json!({"lat": 35.0540, "lon": 118.34, "accuracy_m": 200})),
        Ok(()),
        "who knows"
    );
    assert_eq!(verify(json!(null)), Err("step_needs"));
}

#[test]
fn work_is_given_to_workers_below_who_holds_it() {
    let tale = Tale::reported().goes(&[
        (Worker, "escalated", json!({"holder": COMMUNITY})),
        (Community, "accepted", json!({})),
    ]);
    let give = |to: P| {
        let with = json!({"assignee": {"worker": to.worker()}, "limit_ms": T0 + DAY});
        tale.try_op(Community, tale.transition("dispatched", with))
            .map(|_| ())
            .map_err(|no| no.code())
    };
    assert_eq!(give(P::Neighbour), Ok(()));
    assert_eq!(give(P::Stranger), Err("unfit"));
    assert_eq!(give(P::Former), Err("unfit"), "walks nowhere any more");
    let nobody = json!({"assignee": "somebody", "limit_ms": T0 + DAY});
    let no = tale
        .try_op(Community, tale.transition("dispatched", nobody))
        .expect_err("nobody");
    assert_eq!(no.code(), "bad_value");
}

#[test]
fn what_was_touched_is_not_deleted() {
    let mut tale = Tale::reported();
    let delete = |tale: &Tale| Intent::Delete {
        base: *tale.entity().ops.last().expect("an op"),
    };
    assert!(tale.try_op(Worker, delete(&tale)).is_ok());
    assert_eq!(
        tale.try_op(Colleague, delete(&tale))
            .expect_err("not theirs")
            .code(),
        "not_for_you"
    );
    tale = tale.goes(&[(Worker, "escalated", json!({"holder": COMMUNITY}))]);
    assert_eq!(
        tale.try_op(Worker, delete(&tale))
            .expect_err("sent up")
            .code(),
        "unfit"
    );
}

#[test]
fn every_reason_has_a_word_and_a_sentence_without_the_value() {
    let secret = "密".repeat(6_000);
    let mut tale = Tale::reported();
    let no = tale
        .set(Town, "form.premises", json!(secret))
        .expect_err("no choice");
    let crate::testing::No::Breach(breach) = no else {
        panic!("{no:?}")
    };
    let sentence = breach.to_string();
    assert!(
        !sentence.contains('密') && sentence.len() < 200,
        "{sentence}"
    );
}

/// JSON of any shape, small.
fn json_values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z_]{1,8}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    /// Whatever anybody writes anywhere: an answer, never a panic, and what is
    /// refused changes nothing.
    #[test]
    fn nothing_that_is_written_breaks_anything(
        field in 0_usize..40, value in json_values(), person in 0_usize..17, to in 0_usize..10,
    ) {
        let mut tale = Tale::reported();
        let person = P::ALL[person];
        let kind = kind::find("incident").expect("a kind");
        let names: Vec<&str> = kind.fields.iter().map(|(name, _)| *name)
            .chain(["form.premises", "form.done", "form.by_when", "form.signed", "new"])
            .collect();
        let name = names[field % names.len()];
        let before = tale.state.clone();
        if tale.set(person, name, value.clone()).is_err() {
            prop_assert_eq!(&tale.state, &before);
        }
        for list in ["photos", "media", "comments"] {
            let _ = tale.append(person, list, value.clone());
        }
        let with: Vec<&str> = kind.with.iter().map(|(name, _)| *name).collect();
        let carried = json!({with[field % with.len()]: value, "holder": COMMUNITY});
        let _ = tale.step(person, crate::kind::incident::STATUSES[to], carried);
        prop_assert!(crate::kind::incident::Life::of(tale.entity()).is_some());
    }
}
