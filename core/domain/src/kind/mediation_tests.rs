use super::*;
use crate::testing::P::{Community, Neighbour, Stranger, Town, Worker};
use crate::testing::{BASE, T0, Tale, photo};
use crate::{Effect, Intent};

fn dispute() -> Tale {
    let mut tale = Tale::of("mediation");
    let fields = json!({"worker": Worker.worker(), "grid": BASE, "title": "婆媳因带孩子争吵",
        "cause": "儿媳下班晚，婆婆独自带孩子，说话都急。", "address": "三单元 201"});
    tale.make(Worker, fields).expect("a mediation");
    tale
}

fn meeting() -> Value {
    json!({"from_ms": T0, "to_ms": T0 + 3_600_000, "where": "社区调解室",
        "present": [{"name": "甲"}, {"name": "乙", "phone": "0539-8000000"}],
        "said": "双方各说了难处，约定每周六由儿子带。"})
}

fn signed() -> Value {
    let by = |name: &str| {
        let mut signature = photo();
        signature["name"] = json!(name);
        signature
    };
    json!({"agreement": "周六由儿子带孩子，婆婆休息。", "signatures": [by("甲"), by("乙")]})
}

#[test]
fn a_dispute_is_heard_settled_and_looked_at_again() {
    let mut tale = dispute();
    for party in ["甲", "乙"] {
        let add = Intent::Add {
            set: PARTIES.into(),
            value: json!({"name": party}),
        };
        tale.take(Worker, add).expect("a party");
    }
    tale.append(Worker, SESSIONS, meeting()).expect("a session");
    tale = tale.goes(&[(Worker, AGREED, signed())]);
    tale.append(
        Worker,
        LOOK_AGAIN,
        json!({"date": "2026-03-16", "note": "看看孩子"}),
    )
    .expect("a date");
    let tale = tale.goes(&[(Community, CLOSED, json!({"note": "已回访，和好"}))]);
    assert_eq!(tale.entity().status(), Some(CLOSED));
    assert_eq!(tale.entity().blobs().len(), 1, "the signatures");
}

#[test]
fn an_agreement_is_signed() {
    let tale = dispute();
    let code = |with: Value| {
        tale.try_op(Worker, tale.transition(AGREED, with))
            .map(|_| ())
            .map_err(|no| no.code())
    };
    assert_eq!(code(signed()), Ok(()));
    for missing in ["agreement", "signatures"] {
        let mut with = signed();
        with.as_object_mut().expect("an object").remove(missing);
        assert_eq!(code(with), Err("step_needs"), "{missing}");
    }
    let mut nameless = signed();
    nameless["signatures"][1]
        .as_object_mut()
        .expect("an object")
        .remove("name");
    assert_eq!(code(nameless), Err("bad_value"));
    let mut endless = signed();
    endless["agreement"] = json!("长".repeat(5001));
    assert_eq!(code(endless), Err("bad_value"));
}

#[test]
fn a_session_says_when_who_and_what() {
    assert_eq!(session(&meeting()), Ok(()));
    for (name, bad) in [
        ("from_ms", json!(0)),
        ("to_ms", json!(T0 - 1)),
        ("present", json!([])),
        ("present", json!([{"phone": "1234"}])),
        ("present", json!(vec![json!({"name": "某"}); 31])),
        ("said", json!(null)),
        ("said", json!("长".repeat(5001))),
        ("where", json!("a\nb")),
        ("remote", json!("yes")),
    ] {
        let mut session = meeting();
        session[name] = bad;
        let why = super::session(&session).expect_err(name);
        assert!(why.starts_with(name), "{name}: {why}");
    }
}

#[test]
fn it_lives_in_the_workers_inbox_and_in_those_it_names() {
    let mut tale = dispute();
    assert_eq!(tale.entity().home, StreamKey::Inbox(Worker.worker()));
    assert!(crate::kind::audiences(tale.entity()).is_empty());
    for reader in [Neighbour, Town, Worker] {
        let value = serde_json::to_value(reader.person().actor).expect("json");
        tale.take(
            Worker,
            Intent::Add {
                set: READERS.into(),
                value,
            },
        )
        .expect("named");
    }
    let audiences: Vec<_> = crate::kind::audiences(tale.entity()).into_iter().collect();
    assert_eq!(
        audiences,
        [StreamKey::Inbox(Neighbour.worker())],
        "its home aside"
    );
    let bad = Intent::Add {
        set: READERS.into(),
        value: json!("everybody"),
    };
    assert_eq!(
        tale.take(Worker, bad).expect_err("nobody").code(),
        "bad_value"
    );
    assert!(is_narrow("mediation") && !is_narrow("incident"));
}

#[test]
fn dates_to_look_again_become_tasks_that_say_nothing_of_why() {
    let mut tale = dispute();
    assert!(look_again(tale.entity(), 480).is_empty());
    tale.append(
        Worker,
        LOOK_AGAIN,
        json!({"date": "2026-03-16", "note": "看看孩子"}),
    )
    .expect("a date");
    tale.append(Worker, LOOK_AGAIN, json!({"date": "2026-04-16"}))
        .expect("a date");
    let tasks = look_again(tale.entity(), 480);
    assert_eq!(tasks.len(), 2);
    let op = tale.entity().list(LOOK_AGAIN)[0].stamp.op;
    assert_eq!(
        tasks[0].id.as_bytes(),
        op.as_bytes(),
        "made twice it is one"
    );
    assert_eq!(
        tasks[0].home,
        StreamKey::Inbox(Worker.worker()),
        "nobody else's"
    );
    // The end of 16 March in China.
    assert_eq!(tasks[0].fields["due_ms"], json!(1_773_676_800_000_i64));
    let text = serde_json::to_string(&tasks[0].fields).expect("json");
    for word in ["婆媳", "孩子", "儿媳"] {
        assert!(!text.contains(word), "{text}");
    }
    // The clock may make them, and nobody minds that they are made again.
    let mut task = Tale::of("task");
    let fields = serde_json::to_value(&tasks[0].fields).expect("json");
    assert_eq!(
        task.make(crate::testing::P::Clock, fields),
        Ok(Effect::Applied)
    );
}

#[test]
fn a_date_in_1970_and_one_that_is_none_are_refused() {
    let mut tale = dispute();
    for date in ["1970-01-01", "2026-02-30", "明天", ""] {
        let no = tale
            .append(Worker, LOOK_AGAIN, json!({"date": date}))
            .expect_err(date);
        assert_eq!(no.code(), "bad_value");
    }
}

#[test]
fn whom_it_does_not_name_it_does_not_concern() {
    let mut tale = dispute();
    let said = json!({"text": "我听说"});
    assert_eq!(
        tale.append(Stranger, "comments", said)
            .expect_err("not named")
            .code(),
        "not_for_you"
    );
}
