//! The program is killed in the middle of pushes: what it acknowledged is there,
//! and its files are whole.
#![cfg(unix)]
#![allow(clippy::expect_used, reason = "what fails here fails the test")]

mod common;

use common::phone::{Line, Phone};
use common::process::{run, said, serve};
use common::socket::Socket;
use common::{BASE, LANSHAN, TestClock};
use gridwalk_domain::wire::{Outcome, PushResponse};
use gridwalk_domain::{GridId, OpBody, OpId};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::path::Path;
use std::sync::mpsc;

const WRITERS: usize = 8;
const BATCH: usize = 5;
/// Acknowledged batches after which it is killed.
const UNTIL: usize = 60;

/// How often it is killed: 20 times, or as often as `GRIDWALK_CRASH_LOOPS` says.
fn loops() -> u32 {
    let loops = std::env::var("GRIDWALK_CRASH_LOOPS").ok();
    loops.and_then(|text| text.parse().ok()).unwrap_or(20)
}

fn enrolled(data: &Path, url: &str, n: usize) -> Phone {
    let worker = format!("网格员{n}");
    let code = said(&run(data, &["enrol", "--json", "--grid", BASE[0], &worker]));
    let code: Value = serde_json::from_str(&code).expect("JSON");
    let line = Line::Socket(Socket::new(url));
    let mut phone = Phone::new(line, TestClock::new(1), GridId::from_bytes([0; 16]));
    phone.enrol(code["code"].as_str().expect("a code"));
    phone.grid = phone.hello().scope.expect("a scope").grids[0].id;
    phone
}

/// The outcomes of a push, or none where the line broke.
fn try_push(phone: &Phone, socket: &Socket, ops: &[OpBody]) -> Option<PushResponse> {
    let sealed: Vec<_> = ops.iter().map(|op| phone.seal(op)).collect();
    let body = serde_json::to_vec(&json!({"v": 1, "ops": sealed})).expect("JSON");
    let token = format!("Bearer {}", phone.token);
    let headers = [("authorization", token.as_str())];
    let answer = socket.try_send("POST", "/v1/push", &headers, &body)?;
    (answer.status == 200).then(|| serde_json::from_slice(&answer.body).expect("reads"))
}

/// Pushes until the line breaks: what was made, and what was acknowledged.
fn work(mut phone: Phone, socket: &Socket, told: &mpsc::Sender<()>) -> (Vec<OpBody>, Vec<OpId>) {
    let (mut made, mut acknowledged) = (Vec::new(), Vec::new());
    loop {
        let ops: Vec<OpBody> = (0..BATCH)
            .map(|n| phone.incident(&format!("{} {n}", made.len())))
            .collect();
        made.extend(ops.iter().cloned());
        let Some(answer) = try_push(&phone, socket, &ops) else {
            return (made, acknowledged);
        };
        for outcome in answer.outcomes {
            assert!(
                matches!(outcome.outcome, Outcome::Applied { .. }),
                "{outcome:?}"
            );
            acknowledged.push(outcome.op.expect("an id"));
        }
        // Nobody may be counting any more.
        let _ = told.send(());
    }
}

fn stored(data: &Path) -> BTreeSet<OpId> {
    let held: Value = serde_json::from_str(&said(&run(data, &["holdings"]))).expect("JSON");
    let ops = held["ops"].as_array().expect("a list").iter();
    ops.map(|id| id.as_str().expect("an id").parse().expect("an id"))
        .collect()
}

#[test]
fn acknowledged_set_equals_stored_set_under_eight_writers_and_a_killed_server() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let csv = folder.path().join("lanshan.csv");
    std::fs::write(&csv, LANSHAN).expect("writes");
    said(&run(
        &data,
        &["import", "grids", &csv.display().to_string()],
    ));
    let mut serving = serve(&data, "127.0.0.1:0");
    let phones: Vec<Phone> = (0..WRITERS)
        .map(|n| enrolled(&data, &serving.url, n))
        .collect();
    let mut all: BTreeSet<OpId> = BTreeSet::new();
    for n in 0..loops() {
        let (told, counted) = mpsc::channel();
        let (made, acknowledged) = std::thread::scope(|scope| {
            let url = serving.url.clone();
            let threads: Vec<_> = phones
                .iter()
                .map(|phone| {
                    let (phone, told, url) = (phone.clone(), told.clone(), url.clone());
                    scope.spawn(move || work(phone, &Socket::new(&url), &told))
                })
                .collect();
            for _ in 0..UNTIL {
                counted.recv().expect("somebody works");
            }
            serving.kill();
            let done = threads.into_iter().map(|t| t.join().expect("runs"));
            let (made, acknowledged): (Vec<_>, Vec<_>) = done.unzip();
            (made, acknowledged.concat())
        });
        let here = stored(&data);
        let acknowledged: BTreeSet<OpId> = acknowledged.into_iter().collect();
        assert!(acknowledged.len() >= UNTIL * BATCH);
        assert!(
            acknowledged.is_subset(&here),
            "what was acknowledged is there"
        );
        assert!(all.is_subset(&here), "and stays");
        // Its check reads every page and every attachment.
        let backup = folder.path().join(format!("backup {n}"));
        let to = backup.display().to_string();
        said(&run(&data, &["backup", &to]));
        said(&run(&data, &["verify-backup", &to]));
        std::fs::remove_dir_all(backup).expect("removes");
        // What was not answered is sent again: then both are the same.
        serving = serve(&data, "127.0.0.1:0");
        let socket = Socket::new(&serving.url);
        for (phone, made) in phones.iter().zip(&made) {
            for ops in made.chunks(200) {
                let answer = try_push(phone, &socket, ops).expect("answers");
                for outcome in answer.outcomes {
                    let known = acknowledged.contains(&outcome.op.expect("an id"));
                    let again = matches!(outcome.outcome, Outcome::Duplicate { .. });
                    assert!(again || !known, "{outcome:?}");
                    all.insert(outcome.op.expect("an id"));
                }
            }
        }
        assert_eq!(stored(&data), all);
    }
    serving.end();
}
