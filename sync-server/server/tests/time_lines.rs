//! A server that goes back in time, told or not, and the phones that find out.
#![allow(clippy::expect_used, reason = "what fails here fails the test")]

mod common;

use common::phone::{Line, chunk, reason, seq, walk};
use common::{BASE, HOUR, MORNING, Phone, World, settings, world};
use gridwalk_domain::wire::{
    BlobState, ChunkName, Cursor, HaveRequest, Outcome, PullRequest, RECEIPT_HEADER, Standing,
    TrackOutcome, Unsent,
};
use gridwalk_domain::{Epoch, RunId, Sha256, StreamKey};
use gridwalk_server::admin::{Assign, EnrolFor, Revoke};
use gridwalk_server::keep::Book;
use gridwalk_store::{StoreError, write};
use serde_json::json;

const DAY: i64 = 24 * HOUR;

fn epoch(world: &World) -> Epoch {
    world
        .stored(|tx| tx.epoch())
        .expect("the data has a time line")
}

/// The code of a push that says it has seen this receipt.
fn push_code(phone: &Phone, seen: Cursor) -> (u16, String) {
    *phone.seen.lock().expect("a lock") = Some(seen);
    let answer = phone.post("push", &json!({"v": 1, "ops": []}));
    match answer.status {
        200 => (200, String::new()),
        status => (status, answer.code()),
    }
}

fn pull(phone: &Phone, stream: StreamKey, cursor: Option<Cursor>) -> common::phone::Answer {
    *phone.seen.lock().expect("a lock") = None;
    let request = PullRequest {
        v: 1,
        receipts: None,
        streams: [(stream, cursor)].into(),
        unsent: Unsent::default(),
    };
    phone.post("pull", &request)
}

#[test]
fn an_answer_tells_the_highest_receipt_and_the_next_request_names_it() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let op = phone.incident("一");
    let answer = phone.post("push", &json!({"v": 1, "ops": [phone.seal(&op)]}));
    let body: serde_json::Value = serde_json::from_slice(&answer.body).expect("JSON");
    let receipt: Cursor = serde_json::from_value(body["receipt"].clone()).expect("a receipt");
    assert_eq!((receipt.epoch, receipt.seq), (epoch(&world), 1));
    assert_eq!(push_code(&phone, receipt), (200, String::new()));
    // A repeat is no news, but the receipt is told again.
    phone.push_one(&op);
    assert_eq!(*phone.seen.lock().expect("a lock"), Some(receipt));

    let patrol = phone.patrol();
    phone.tracks(&[chunk(patrol, 7, 0, &walk(MORNING, 30))]);
    let seen = phone.seen.lock().expect("a lock").expect("a receipt");
    assert_eq!(seen.seq, 4, "two ops and a chunk");
    phone.upload(&[0xff, 0xd8, 0xff, 0xe0, 1]);
    let seen = phone.seen.lock().expect("a lock").expect("a receipt");
    assert_eq!(seen.seq, 5);
    // Another phone of the district sends nothing, and has a receipt all the same.
    let other = world.phone("李", BASE[0]);
    other.upload(&[0xff, 0xd8, 0xff, 0xe0, 1]);
    assert_eq!(other.receipts().len(), 1);
    let seen = other.seen.lock().expect("a lock").expect("a receipt");
    assert_eq!(seen.seq, 1);

    let headers = [
        ("authorization", format!("Bearer {}", phone.token)),
        (RECEIPT_HEADER, "nonsense".to_owned()),
    ];
    let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let bad = phone
        .line
        .send("POST", "/v1/push", &headers, b"{\"v\":1,\"ops\":[]}");
    assert_eq!((bad.status, bad.code().as_str()), (400, "bad_request"));
}

#[test]
fn another_time_line_is_said_and_nothing_is_begun_for_it() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let op = phone.incident("一");
    phone.push_one(&op);
    let before = epoch(&world);
    let other = Epoch::from_bytes([1; 16]);
    let seen = phone.seen.lock().expect("a lock").expect("a receipt");
    let dead = Cursor {
        epoch: other,
        ..seen
    };
    assert_eq!(push_code(&phone, dead), (409, "epoch".to_owned()));
    let stream = phone.records();
    let answer = pull(
        &phone,
        stream,
        Some(Cursor {
            seq: 1,
            tag: 1,
            ..dead
        }),
    );
    assert_eq!((answer.status, answer.code().as_str()), (409, "epoch"));
    assert_eq!(epoch(&world), before);
    // Hello is never refused, and tells the time line.
    assert_eq!(phone.hello().epoch, before);
}

#[test]
fn a_server_that_went_back_unannounced_is_found_out_by_a_receipt() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let first = phone.incident("kept");
    phone.push_one(&first);
    let old = world.copy();
    let second = phone.incident("lost");
    phone.push_one(&second);
    let before = epoch(&world);
    world.go_back(&*old);

    let answer = phone.post("push", &json!({"v": 1, "ops": []}));
    assert_eq!((answer.status, answer.code().as_str()), (409, "epoch"));
    let now = epoch(&world);
    assert_ne!(now, before, "a time line begins");
    assert_eq!(phone.hello().epoch, now);

    // The phone asks for what it holds, and sends what is missing.
    *phone.seen.lock().expect("a lock") = None;
    let held = phone.have_ops(&[first.clone(), second.clone()]);
    assert!(matches!(held[0], Some(Outcome::Applied { seq: 1, .. })));
    assert_eq!(held[1], None);
    assert_eq!(seq(&phone.push_one(&second)), 2);
    assert_eq!(phone.read(phone.records()).len(), 2);
}

#[test]
fn a_number_that_was_given_again_has_another_tag() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let old = world.copy();
    let op = phone.incident("dead");
    phone.push_one(&op);
    let stream = phone.records();
    let cursor = phone.pull(None, &[(stream, None)]).streams[&stream].cursor;
    world.go_back(&*old);
    // Somebody else's change takes the number.
    let mut other = world.phone("李", BASE[0]);
    let op = other.incident("alive");
    assert_eq!(seq(&other.push_one(&op)), 1);
    let before = epoch(&world);
    let answer = pull(&phone, stream, cursor);
    assert_eq!((answer.status, answer.code().as_str()), (409, "epoch"));
    assert_ne!(epoch(&world), before);
}

#[test]
fn a_cursor_that_was_never_given_shows_it_too() {
    for bad in [0, 1, 2] {
        let world = world();
        let mut phone = world.phone("王", BASE[0]);
        let op = phone.incident("一");
        phone.push_one(&op);
        let stream = phone.records();
        let good = phone.pull(None, &[(stream, None)]).streams[&stream].cursor;
        let good = good.expect("a cursor");
        let bad = match bad {
            0 => Cursor {
                tag: good.tag ^ 1,
                ..good
            },
            1 => Cursor {
                seq: good.seq + 1,
                ..good
            },
            _ => Cursor {
                seq: u64::MAX,
                ..good
            },
        };
        let before = epoch(&world);
        assert_eq!(pull(&phone, stream, Some(good)).status, 200);
        let answer = pull(&phone, stream, Some(bad));
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (409, "epoch"),
            "{bad:?}"
        );
        assert_ne!(epoch(&world), before);
    }
}

#[test]
fn one_phone_begins_a_time_line_at_most_once_a_day() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let op = phone.incident("一");
    phone.push_one(&op);
    let strange = || {
        let now = epoch(&world);
        let never = Cursor {
            epoch: now,
            seq: 99,
            tag: 5,
        };
        assert_eq!(push_code(&phone, never), (409, "epoch".to_owned()));
        epoch(&world) != now
    };
    assert!(strange());
    assert!(!strange() && !strange(), "then for itself alone");
    world.clock.turn(DAY);
    assert!(strange());
}

#[test]
fn a_cursor_too_old_to_be_known_is_read_anew_and_is_no_misfit() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let stream = phone.records();
    let mut cursors = Vec::new();
    let mut made = Vec::new();
    for n in 0..4 {
        let op = phone.incident(&n.to_string());
        phone.push_one(&op);
        made.push(op.entity);
        cursors.push(phone.pull(None, &[(stream, None)]).streams[&stream].cursor);
        world.clock.turn(DAY);
    }
    world.clock.turn(91 * DAY);
    let op = phone.incident("today");
    phone.push_one(&op);
    made.push(op.entity);
    world.service.maintain().expect("maintains");
    let before = epoch(&world);
    *phone.seen.lock().expect("a lock") = None;
    let page = |cursor| phone.pull(None, &[(stream, cursor)]).streams[&stream].clone();
    for cursor in &cursors[1..4] {
        let again = page(*cursor);
        assert!(again.reset, "{cursor:?}");
        assert_eq!(again.entities.len(), 5);
    }
    // The lowest one stands for all.
    let on = page(cursors[0]);
    assert_eq!((on.reset, on.entities.len()), (false, 4));
    assert_eq!(epoch(&world), before);

    // Pages that end at a number whose tag is forgotten can be gone on from.
    let mut wide = phone.clone();
    let big = "长".repeat(4_900);
    let mut long = Vec::new();
    for n in 0..30 {
        let mut op = wide.incident(&n.to_string());
        if let gridwalk_domain::Intent::Create { fields, .. } = &mut op.intent {
            fields.insert("description".into(), json!(big));
        }
        long.push(op);
    }
    for ops in long.chunks(10) {
        wide.push(ops);
    }
    world.clock.turn(100 * DAY);
    let op = wide.incident("last");
    wide.push_one(&op);
    world.service.maintain().expect("maintains");
    *phone.seen.lock().expect("a lock") = None;
    assert_eq!(phone.read(stream).len(), 36);
}

#[test]
fn the_server_says_what_it_has() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let patrol = phone.patrol();
    let fixes = walk(MORNING, 300);
    phone.tracks(&[
        chunk(patrol, 7, 0, &fixes[..100]),
        chunk(patrol, 7, 100, &fixes[100..200]),
    ]);
    let photo = phone.upload(&[0xff, 0xd8, 0xff, 0xe0, 1, 2]);
    let bad = phone.create("incident", json!({"title": "no grid", "category": "other"}));
    let good = phone.incident("一");
    let never = phone.incident("never sent");
    phone.push(&[bad.clone(), good.clone()]);
    let mut other_hash = good.clone();
    other_hash.nonce = "ffffffffffffffff".into();

    let held = phone.have_ops(&[good, never, bad, other_hash]);
    let words: Vec<_> = held
        .iter()
        .map(|outcome| outcome.as_ref().map(reason))
        .collect();
    assert!(matches!(held[0], Some(Outcome::Applied { .. })));
    assert_eq!(words[1..], [None, Some("rejected bad_value".into()), None]);

    let name = |run, first, count| ChunkName {
        patrol,
        run: RunId(run),
        first,
        count,
    };
    let unheard = Sha256::of(b"unheard of");
    let answer = phone.have(&HaveRequest {
        v: 1,
        ops: vec![],
        chunks: vec![
            name(7, 0, 200),
            name(7, 50, 100),
            name(7, 150, 100),
            name(8, 0, 1),
        ],
        blobs: vec![unheard, photo],
    });
    let stored = Some(TrackOutcome::Stored);
    assert_eq!(
        answer.chunks,
        [stored.clone(), stored, None, None],
        "however they were cut"
    );
    assert_eq!(answer.blobs, [None, Some(BlobState::Whole)]);

    let many = HaveRequest {
        v: 1,
        ops: vec![],
        chunks: vec![],
        blobs: vec![unheard; 501],
    };
    let refused = phone.post("have", &many);
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (413, "too_large")
    );
}

#[test]
fn bytes_that_were_lost_are_asked_for_again() {
    let world = world();
    let phone = world.phone("王", BASE[0]);
    let bytes = [0xff, 0xd8, 0xff, 0xe0, 1, 2];
    let photo = phone.upload(&bytes);
    world.parts.blobs.remove(photo).expect("the disk lost it");
    let request = HaveRequest {
        v: 1,
        ops: vec![],
        chunks: vec![],
        blobs: vec![photo],
    };
    assert_eq!(phone.have(&request).blobs, [None]);
    let begun = phone.begin_upload(photo, bytes.len());
    assert_eq!((begun.status, begun.offset()), (201, 0));
    phone.upload(&bytes);
    assert_eq!(phone.have(&request).blobs, [Some(BlobState::Whole)]);
}

#[test]
fn the_time_line_is_read_where_the_answer_is_made() {
    // Another process may restore while this one serves.
    let mut world = world();
    let mut phone = world.phone("王", BASE[0]);
    let op = phone.incident("一");
    phone.push_one(&op);
    let begun = Epoch::from_bytes([9; 16]);
    write::<_, StoreError>(&*world.parts.store, |tx| tx.set_epoch(begun)).expect("writes");
    let answer = phone.post("push", &json!({"v": 1, "ops": []}));
    assert_eq!((answer.status, answer.code().as_str()), (409, "epoch"));
    assert_eq!(phone.hello().epoch, begun);
    world.restart(settings());
    assert_eq!(phone.hello().epoch, begun, "a restart begins none");
}

/// A phone of a worker who is known.
fn another(world: &World, worker: &str, mut phone: Phone) -> Phone {
    let whom = EnrolFor { worker, grid: None };
    let code = world.service.admin().enrol(whom).expect("a code");
    phone.line = Line::InProcess(world.service.clone());
    phone.enrol(&code.code);
    phone
}

fn new_phone(world: &World) -> Phone {
    let line = Line::InProcess(world.service.clone());
    Phone::new(line, world.clock.clone(), world.grid(BASE[0]))
}

#[test]
fn a_phone_that_was_enrolled_since_goes_on_after_the_server_went_back() {
    let mut world = world();
    let mut old = world.phone("王", BASE[0]);
    let before = world.copy();
    world.clock.turn(HOUR);
    let mut new = another(&world, "王", new_phone(&world));
    let mut stranger = world.phone("李", BASE[0]);
    let [mine, theirs] = [new.incident("一"), stranger.incident("二")];
    new.push_one(&mine);
    stranger.push_one(&theirs);
    world.go_back(&*before);
    for _ in 0..2 {
        world.restart(settings());
        for phone in [&mut old, &mut new, &mut stranger] {
            phone.line = Line::InProcess(world.service.clone());
            *phone.seen.lock().expect("a lock") = None;
        }
        assert_eq!(new.hello().standing, Standing::Active);
        assert_eq!(old.hello().standing, Standing::SendOnly, "it was replaced");
        assert_eq!(stranger.hello().standing, Standing::Active);
    }
    assert!(seq(&new.push_one(&mine)) > 0);
    // Of a worker who was lost too, who and not where is known: what they send
    // waits until they are given their grid.
    assert_eq!(
        reason(&stranger.push_one(&theirs)),
        "quarantined out_of_scope"
    );
    let assign = Assign {
        worker: "李",
        grid: BASE[0],
        from_ms: Some(MORNING - DAY),
        until_ms: None,
    };
    world.service.admin().assign(assign).expect("assigns");
    assert_eq!(new.read(new.records()).len(), 2);
}

#[test]
fn what_was_enrolled_again_or_revoked_since_is_so_after_the_server_went_back() {
    let mut world = world();
    let mut phone = world.phone("王", BASE[0]);
    let void = phone.token.clone();
    let before = world.copy();
    world.clock.turn(HOUR);
    phone.token = "a".repeat(64);
    phone.send_token = "b".repeat(64);
    let phone = another(&world, "王", phone);
    world.clock.turn(HOUR);
    let taken = another(&world, "王", new_phone(&world));
    let id = taken.device.to_string();
    world.clock.turn(HOUR);
    let admin = world.service.admin();
    admin.revoke(Revoke::Device(&id), false).expect("revokes");
    world.go_back(&*before);
    world.restart(settings());
    for (mut phone, token, known) in [
        (phone.clone(), phone.token.clone(), true),
        (phone, void, false),
        (taken.clone(), taken.token.clone(), true),
    ] {
        phone.line = Line::InProcess(world.service.clone());
        phone.token = token;
        let answer = phone.post("hello", &phone.greeting());
        let expected = if known { 200 } else { 401 };
        assert_eq!(answer.status, expected);
        if known {
            assert_eq!(phone.hello().standing, Standing::SendOnly);
        }
    }
    let secrets = [&taken.token, &taken.send_token];
    let ledger = world.keep().lines(Book::Ledger).expect("reads").concat();
    assert!(secrets.iter().all(|token| !ledger.contains(token.as_str())));
}

#[test]
fn a_code_that_was_used_up_is_so_after_the_server_went_back() {
    let mut world = world();
    world.phone("王", BASE[0]);
    let whom = EnrolFor {
        worker: "王",
        grid: None,
    };
    let code = world.service.admin().enrol(whom).expect("a code").code;
    let before = world.copy();
    let first = new_phone(&world);
    let asked = first.enrolment(&code);
    assert_eq!(first.post("enrol", &asked).status, 200);
    world.go_back(&*before);
    world.restart(settings());
    let line = Line::InProcess(world.service.clone());
    assert_eq!(Phone { line, ..first }.post("enrol", &asked).status, 200);
    let thief = new_phone(&world);
    let answer = thief.post("enrol", &thief.enrolment(&code));
    assert_eq!((answer.status, answer.code().as_str()), (403, "wrong_code"));
}
