//! Enrolment, hello, pull.
#![allow(clippy::expect_used, reason = "what fails here fails the test")]

mod common;

use common::phone::{Line, Phone, seq};
use common::{BASE, HOUR, settings, world};
use gridwalk_domain::StreamKey;
use gridwalk_domain::wire::{HelloRequest, HelloResponse, Standing};
use gridwalk_server::admin::EnrolFor;
use gridwalk_server::keep::Book;
use serde_json::json;

#[test]
fn a_code_enrols_one_phone_and_a_repeat_is_the_same() {
    let world = world();
    let whom = EnrolFor {
        worker: "王",
        grid: Some(BASE[0]),
    };
    let code = world.service.admin().enrol(whom).expect("a code").code;
    let line = Line::InProcess(world.service.clone());
    let mut phone = Phone::new(line.clone(), world.clock.clone(), world.grid(BASE[0]));
    phone.enrol(&code.to_lowercase().replace('-', " "));
    let (worker, tenant) = (phone.worker, phone.tenant);
    world.clock.turn(48 * HOUR);
    phone.enrol(&code);
    assert_eq!((phone.worker, phone.tenant), (worker, tenant));

    let other = Phone::new(line.clone(), world.clock.clone(), phone.grid);
    let answer = other.post("enrol", &other.enrolment(&code));
    assert_eq!((answer.status, answer.code().as_str()), (403, "wrong_code"));
    let late = world.service.admin().enrol(whom).expect("a code").code;
    world.clock.turn(25 * HOUR);
    let answer = other.post("enrol", &other.enrolment(&late));
    assert_eq!((answer.status, answer.code().as_str()), (403, "wrong_code"));

    // A phone's identity is its worker's for ever.
    let whom = EnrolFor {
        worker: "李",
        grid: Some(BASE[0]),
    };
    let fresh = world.service.admin().enrol(whom).expect("a code").code;
    let mut copy = phone.clone();
    copy.token = "f".repeat(64);
    let answer = copy.post("enrol", &copy.enrolment(&fresh));
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (409, "device_known")
    );
    let mut theirs = other.enrolment(&fresh);
    theirs.worker = Some(phone.worker);
    let answer = other.post("enrol", &theirs);
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (409, "other_worker")
    );
    theirs.worker = None;
    assert_eq!(
        other.post("enrol", &theirs).status,
        200,
        "the code is not used up"
    );
}

#[test]
fn guessing_codes_is_slow() {
    let world = world();
    let line = Line::InProcess(world.service.clone());
    let phone = Phone::new(line, world.clock.clone(), world.grid(BASE[0]));
    let guess = || phone.post("enrol", &phone.enrolment("AAAA-AAAA-AAAA"));
    let statuses: Vec<u16> = (0..12).map(|_| guess().status).collect();
    assert_eq!(statuses[..10], [403; 10]);
    let refused = guess();
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (429, "too_many_attempts")
    );
    let wait: i64 = refused
        .header("retry-after")
        .expect("a time")
        .parse()
        .expect("seconds");
    world.clock.turn(wait * 1000);
    assert_eq!(guess().status, 403);
}

#[test]
fn hello_tells_the_scope_once() {
    let world = world();
    let phone = world.phone("王", BASE[0]);
    let hello = phone.hello();
    let scope = hello.scope.expect("the scope");
    assert_eq!(scope.worker.name, "王");
    assert_eq!(scope.grids.len(), 1);
    assert_eq!(scope.grids[0].code.as_str(), BASE[0]);
    assert!(scope.grids[0].boundary.is_some() && scope.grids[0].synthetic);
    let expected = ["371302", "371302001", "371302001001", BASE[0]];
    for code in expected {
        assert!(
            scope
                .streams
                .contains(&StreamKey::Notices(world.grid(code))),
            "{code}"
        );
    }
    assert!(scope.streams.contains(&phone.records()));
    assert!(scope.streams.contains(&StreamKey::Inbox(phone.worker)));
    assert_eq!(scope.streams.len(), expected.len() + 2);
    let request = HelloRequest {
        scope_tag: Some(hello.scope_tag),
        ..phone.greeting()
    };
    let again: HelloResponse = phone.ask("hello", &request);
    assert_eq!((again.scope, again.scope_tag), (None, hello.scope_tag));
    let answer = phone.post(
        "hello",
        &json!({
            "v": 7, "app": "9", "at": phone.now(), "unsent": {"ops": 0, "chunks": 0, "blobs": 0}
        }),
    );
    assert_eq!(answer.status, 200, "versions only add");
}

#[test]
fn a_cursor_goes_on_where_it_was() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let stream = phone.records();
    for n in 0..3 {
        let op = phone.incident(&n.to_string());
        phone.push_one(&op);
    }
    let page = |cursor| phone.pull(None, &[(stream, cursor)]).streams[&stream].clone();
    let whole = page(None);
    assert!(!whole.reset && whole.entities.len() == 3);
    let good = whole.cursor.expect("a cursor");
    let same = page(Some(good));
    assert!(same.entities.is_empty() && same.cursor == Some(good) && !same.more && !same.reset);
    assert_eq!(same.end, whole.end);
}

#[test]
fn pages_are_small_and_changes_come_once() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let stream = phone.records();
    let mut made = Vec::new();
    for n in 0..30 {
        let mut op = phone.incident(&n.to_string());
        if let gridwalk_domain::Intent::Create { fields, .. } = &mut op.intent {
            fields.insert("description".into(), json!("长".repeat(4_900)));
        }
        assert_eq!(seq(&phone.push_one(&op)), n + 1);
        made.push(op.entity);
    }
    let mut cursor = None;
    let (mut got, mut pages) = (Vec::new(), 0);
    loop {
        let page = &phone.pull(None, &[(stream, cursor)]).streams[&stream];
        let bytes = serde_json::to_vec(&page.entities).expect("JSON").len();
        assert!(bytes < 300 * 1024, "{bytes}");
        got.extend(page.entities.iter().map(|entity| entity.id));
        cursor = page.cursor;
        pages += 1;
        assert_eq!(page.more, page.end.is_none());
        if !page.more {
            break;
        }
    }
    assert!(pages > 1, "{pages}");
    assert_eq!(got, made);
    let op = phone.append(made[3], "comments", json!({"text": "已劝离"}));
    phone.push_one(&op);
    let page = &phone.pull(None, &[(stream, cursor)]).streams[&stream];
    assert_eq!(page.entities.len(), 1);
    assert_eq!((page.entities[0].id, page.entities[0].rev), (made[3], 2));
}

#[test]
fn foreign_streams_are_never_served() {
    let world = world();
    let mut theirs = world.phone("李", BASE[3]);
    let op = theirs.incident("secret");
    theirs.push_one(&op);
    let phone = world.phone("王", BASE[0]);
    let foreign = [
        theirs.records(),
        StreamKey::Notices(theirs.grid),
        StreamKey::Inbox(theirs.worker),
        StreamKey::Receipts(theirs.device),
        StreamKey::Receipts(phone.device),
    ];
    let asked: Vec<_> = foreign.iter().map(|stream| (*stream, None)).collect();
    let answer = phone.pull(None, &asked);
    assert!(answer.streams.is_empty(), "{answer:?}");
    assert!(answer.receipts.items.is_empty());
    // A stand-in's time is over: what was theirs is theirs no more.
    world.clock.turn(HOUR);
    assert_eq!(
        phone.pull(None, &[(phone.records(), None)]).streams.len(),
        1
    );
}

#[test]
fn a_refused_enrolment_stops_no_start() {
    let mut world = world();
    let phone = world.phone("王", BASE[0]);
    let whom = EnrolFor {
        worker: "李",
        grid: Some(BASE[0]),
    };
    let code = world.service.admin().enrol(whom).expect("a code").code;
    let line = Line::InProcess(world.service.clone());
    let mut other = Phone::new(line, world.clock.clone(), phone.grid);
    // A token that another phone has.
    let mut same = other.enrolment(&code);
    same.token.clone_from(&phone.token);
    let answer = other.post("enrol", &same);
    assert_eq!((answer.status, answer.code().as_str()), (403, "wrong_code"));
    let ledger = world.keep().lines(Book::Ledger).expect("reads");
    assert_eq!(ledger.len(), 1, "what is refused is not written down");
    // An earlier version did.
    let poisoned = ledger[0].replace(&phone.device.to_string(), &other.device.to_string());
    assert_ne!(poisoned, ledger[0]);
    let append = world.keep().append(Book::Ledger, &[poisoned]);
    append.expect("appends");
    world.restart(settings());
    other.line = Line::InProcess(world.service.clone());
    other.enrol(&code);
    assert_eq!(other.hello().standing, Standing::Active);
}
