//! Nothing to do costs next to nothing; and starts of a phone are fixed once.
#![allow(clippy::expect_used, reason = "what fails here fails the test")]

mod common;

use common::phone::{chunk, walk};
use common::{BASE, HOUR, MINUTE, MORNING, Phone, World, parts, settings, world};
use gridwalk_domain::wire::{BootSpan, Cursor, RECEIPT_HEADER, Reading, place_of};
use gridwalk_domain::{BootId, Moment, StreamKey};
use gridwalk_server::{Config, Server};
use serde_json::json;
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

/// Where a phone stands that pulled all.
fn pulled(phone: &Phone) -> BTreeMap<StreamKey, Cursor> {
    let scope = phone.hello().scope.expect("a scope");
    let asked: Vec<_> = scope.streams.iter().map(|stream| (*stream, None)).collect();
    let answer = phone.pull(None, &asked);
    let mut cursors: BTreeMap<StreamKey, Cursor> = answer
        .streams
        .into_iter()
        .filter_map(|(stream, page)| Some((stream, page.cursor?)))
        .collect();
    let receipts = answer.receipts.cursor;
    cursors.extend(receipts.map(|cursor| (StreamKey::Receipts(phone.device), cursor)));
    cursors
}

#[test]
fn where_phone_and_server_stand_alike_there_is_no_news() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let mut other = world.phone("李", BASE[0]);
    let news = |phone: &Phone, cursors: &BTreeMap<StreamKey, Cursor>| {
        let mut greeting = phone.greeting();
        greeting.place = (!cursors.is_empty()).then(|| place_of(cursors));
        let hello: gridwalk_domain::wire::HelloResponse = phone.ask("hello", &greeting);
        hello.news
    };
    assert!(!news(&phone, &pulled(&phone)), "nothing was ever made");
    let op = phone.incident("一");
    phone.push_one(&op);
    let before = BTreeMap::new();
    assert!(news(&phone, &before), "its own receipt is news");
    let stands = pulled(&phone);
    assert_eq!(stands.len(), 2);
    assert!(!news(&phone, &stands));
    let edit = other.append(op.entity, "comments", json!({"text": "x"}));
    other.push_one(&edit);
    assert!(news(&phone, &stands), "somebody else's change is");
    assert!(!news(&phone, &pulled(&phone)));
}

/// The bytes of one exchange, heads included.
fn exchange(stream: &mut TcpStream, request: &[u8]) -> (usize, Vec<u8>) {
    stream.write_all(request).expect("writes");
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    loop {
        let length = stream.read(&mut piece).expect("reads");
        answer.extend_from_slice(&piece[..length]);
        let text = String::from_utf8_lossy(&answer).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head
                .lines()
                .find_map(|line| line.strip_prefix("content-length: "))
                .map(|n| n.parse::<usize>().expect("a number"));
            if length.is_some_and(|length| body.len() >= length) {
                return (request.len(), answer);
            }
        }
        assert!(length > 0, "the answer ends: {text}");
    }
}

#[test]
fn a_sync_with_nothing_to_do_is_one_request_of_less_than_1_kb_each_way() {
    let folder = tempfile::tempdir().expect("a folder");
    let clock = common::TestClock::new(201);
    let mut config = Config::new(
        folder.path().to_owned(),
        "127.0.0.1:0".parse().expect("an address"),
    );
    config.settings = settings();
    let server = Server::start(&config, clock.clone(), common::TestRng::new(5)).expect("starts");
    let world = common::filled(server.service().clone(), parts(&clock), clock);
    let mut phone = phone_of(&world);
    // A day's work, so that the numbers have their digits.
    let patrol = phone.patrol();
    phone.tracks(&[chunk(patrol, 7, 0, &walk(MORNING, 600))]);
    for n in 0..30 {
        let op = phone.incident(&n.to_string());
        phone.push_one(&op);
    }
    let stands = pulled(&phone);
    let mut greeting = phone.greeting();
    greeting.unsent = gridwalk_domain::wire::Unsent::default();
    greeting.scope_tag = Some(phone.hello().scope_tag);
    greeting.place = Some(place_of(&stands));
    let body = serde_json::to_vec(&greeting).expect("JSON");
    // What an HTTP client of a phone sends, no less.
    let head = format!(
        "POST /v1/hello HTTP/1.1\r\nhost: grid.linyi-lanshan.example:8443\r\n\
         authorization: Bearer {}\r\ncontent-type: application/json\r\n\
         accept: */*\r\naccept-encoding: zstd\r\nuser-agent: gridwalk/0.1.0\r\n\
         {RECEIPT_HEADER}: {}\r\ncontent-length: {}\r\n\r\n",
        phone.token,
        stands[&StreamKey::Receipts(phone.device)],
        body.len()
    );
    let mut stream = TcpStream::connect(server.addr()).expect("connects");
    let (up, answer) = exchange(&mut stream, &[head.into_bytes(), body].concat());
    let text = String::from_utf8_lossy(&answer);
    assert!(text.starts_with("HTTP/1.1 200"), "{text}");
    println!("up {up} bytes, down {} bytes", answer.len());
    assert!(up <= 1024, "{up} bytes up");
    assert!(answer.len() <= 1024, "{} bytes down: {text}", answer.len());
    if text.contains("content-encoding: zstd") {
        // It is the answer that says that there is nothing to do.
        let at = answer
            .windows(4)
            .position(|w| w == b"\r\n\r\n")
            .expect("a body")
            + 4;
        let body = zstd::stream::decode_all(&answer[at..]).expect("unpacks");
        assert!(String::from_utf8_lossy(&body).contains("\"news\":false"));
    } else {
        assert!(text.contains("\"news\":false"), "{text}");
    }
}

fn phone_of(world: &World) -> Phone {
    world.phone("王", BASE[0])
}

#[test]
fn a_quiet_hello_costs_no_commit() {
    let world = world();
    let phone = world.phone("王", BASE[0]);
    phone.hello();
    let contact = || {
        let row = world.stored(|tx| tx.contact(world.tenant, phone.device));
        row.expect("heard from").last_ms
    };
    let first = contact();
    world.clock.turn(MINUTE / 2);
    phone.hello();
    assert_eq!(contact(), first, "nothing new, nothing written");
    world.clock.turn(MINUTE);
    phone.hello();
    assert_eq!(contact(), first + MINUTE * 3 / 2);
    let mut greeting = phone.greeting();
    greeting.rereads = 2;
    for _ in 0..2 {
        let _: gridwalk_domain::wire::HelloResponse = phone.ask("hello", &greeting);
    }
    let row = world.stored(|tx| tx.contact(world.tenant, phone.device));
    assert_eq!(
        row.expect("heard from").rereads,
        4,
        "it should never be more"
    );
}

#[test]
fn what_was_saved_before_reboots_gets_its_true_time() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    phone.hello();
    // Offline: a boot whose wall clock is a day ahead, then one twenty years back,
    // then the phone starts once more and is online.
    let boots = [1, 2, 3].map(|n| BootId::from_bytes([n; 16]));
    let wrong = [24 * HOUR, -20 * 365 * 24 * HOUR, 0];
    let mut truth = Vec::new();
    let mut told = Vec::new();
    let mut ops = Vec::new();
    for (boot, wrong) in boots.into_iter().zip(wrong) {
        world.clock.turn(2 * HOUR);
        let started = world.clock.wall_ms();
        let reading = |after: i64| Reading {
            wall_ms: started + after + wrong,
            mono_ms: after,
        };
        world.clock.turn(10 * MINUTE);
        let mut op = phone.incident("x");
        op.at = Moment {
            wall_ms: reading(10 * MINUTE).wall_ms,
            boot,
            mono_ms: 10 * MINUTE,
        };
        truth.push(world.clock.wall_ms());
        ops.push(op);
        told.push(BootSpan {
            boot,
            first: reading(1_000),
            last: reading(10 * MINUTE),
        });
    }
    let mut greeting = phone.greeting();
    greeting.at = ops[2].at;
    greeting.boots = told;
    let _: gridwalk_domain::wire::HelloResponse = phone.ask("hello", &greeting);
    phone.push(&ops);
    let at: Vec<i64> = ops
        .iter()
        .map(|op| phone.state(op.entity).created.at_ms)
        .collect();
    assert_eq!(at[2], truth[2]);
    // Where the clocks say nothing, order and bounds are kept.
    assert!(MORNING < at[0] && at[0] < at[1] && at[1] < at[2]);
    assert_eq!(phone.state(ops[0].entity).created_clock, ops[0].at);

    // Once fixed, a boot stays fixed, whatever is told of it later.
    greeting.boots[0].last.wall_ms = MORNING;
    let _: gridwalk_domain::wire::HelloResponse = phone.ask("hello", &greeting);
    let mut late = phone.incident("late");
    late.at = ops[0].at;
    phone.push_one(&late);
    assert_eq!(phone.state(late.entity).created.at_ms, at[0]);
    let many = vec![greeting.boots[0]; 201];
    greeting.boots = many;
    assert_eq!(phone.post("hello", &greeting).status, 400);
}
