//! The program itself: its verbs, its messages, its end.
#![cfg(unix)]
#![allow(clippy::expect_used, reason = "what fails here fails the test")]

mod common;

use common::phone::{Line, Phone};
use common::process::{refused, run, said, serve};
use common::socket::Socket;
use common::{BASE, LANSHAN, TestClock};
use gridwalk_domain::GridId;
use serde_json::Value;
use std::path::Path;
use std::process::Command;

fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("writes");
    path.display().to_string()
}

#[test]
fn a_district_from_nothing_to_a_phone_while_the_server_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let serving = serve(&data, "127.0.0.1:0");
    // Every verb works on the folder that is being served.
    let csv = file(folder.path(), "lanshan.csv", LANSHAN);
    let imported = said(&run(
        &data,
        &["import", "grids", &csv, "--notice-zh", "演示"],
    ));
    assert_eq!(imported, "Imported: 10 added, 0 updated, 0 unchanged.\n");
    let user = said(&run(
        &data,
        &[
            "user",
            "add",
            "--name",
            "admin",
            "--role",
            "administrator",
            "--grid",
            "371302",
        ],
    ));
    let password = user.lines().last().expect("the password").to_owned();
    let code = said(&run(
        &data,
        &[
            "enrol",
            "--url",
            &serving.url,
            "--grid",
            BASE[0],
            "王网格员",
        ],
    ));
    let uri = code
        .lines()
        .find(|line| line.starts_with("gridwalk://enrol?"))
        .expect("alone on its line");
    let address = serving.url.replace(':', "%3A").replace('/', "%2F");
    assert!(uri.contains(&format!("server={address}")), "{uri}");
    assert!(code.contains('█') || code.contains('▀'), "a QR code");
    let json = said(&run(
        &data,
        &["enrol", "--json", "--url", &serving.url, "王网格员"],
    ));
    let json: Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(json["name"], "王网格员");

    let socket = Socket::new(&serving.url);
    let clock = TestClock::new(1);
    let mut phone = Phone::new(
        Line::Socket(socket.clone()),
        clock,
        GridId::from_bytes([0; 16]),
    );
    phone.enrol(json["code"].as_str().expect("a code"));
    let scope = phone.hello().scope.expect("a scope");
    phone.grid = scope.grids[0].id;
    let op = phone.incident("楼道");
    phone.push_one(&op);

    let login = serde_json::json!({"name": "admin", "password": password}).to_string();
    let answer = socket.send(
        "POST",
        "/api/login",
        &[("x-gridwalk", "1")],
        login.as_bytes(),
    );
    assert_eq!(answer.status, 200);
    let me: Value = serde_json::from_slice(&answer.body).expect("JSON");
    assert_eq!(me["notice"]["zh"], "演示");
    let held: Value = serde_json::from_str(&said(&run(&data, &["holdings"]))).expect("JSON");
    assert_eq!(held["ops"], serde_json::json!([op.id]));

    // The same address again at once, and all is there.
    let address = serving.url.trim_start_matches("http://").to_owned();
    serving.end();
    let serving = serve(&data, &address);
    assert_eq!(serving.url, format!("http://{address}"));
    let again: Value = serde_json::from_str(&said(&run(&data, &["holdings"]))).expect("JSON");
    assert_eq!(again, held);
    serving.end();
}

#[test]
fn what_cannot_be_done_is_one_clear_line_and_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let nothing = refused(&run(&data, &["holdings"]));
    assert!(
        nothing.contains("There is no data in") && nothing.contains("import grids"),
        "{nothing}"
    );
    assert!(refused(&run(&data, &["import", "/no/such.csv"])).contains("/no/such.csv"));
    assert!(!data.exists(), "a mistyped folder or file makes nothing");

    let csv = file(
        folder.path(),
        "bad.csv",
        "code,parent,level,name\n371302,,district,x\n3713020,371399,town,y\n",
    );
    let text = refused(&run(&data, &["import", "grids", &csv]));
    assert!(
        text.contains("bad.csv, line 3:") && text.contains("371399"),
        "{text}"
    );
    let good = file(folder.path(), "good.csv", LANSHAN);
    said(&run(&data, &["import", &good]));
    let before = said(&run(&data, &["import", &good]));
    assert_eq!(before, "Imported: 0 added, 0 updated, 10 unchanged.\n");
    let map = file(
        folder.path(),
        "map.geojson",
        "{\"type\":\"FeatureCollection\",\"features\":[]}",
    );
    assert!(refused(&run(&data, &["import", &map])).contains("--crs"));
    for arguments in [
        &["worker", "add", "--name", "x", "--grid", "999999"][..],
        &["enrol", "x", "--grid", "999999"],
        &[
            "user", "add", "--name", "x", "--role", "town", "--grid", "999999",
        ],
    ] {
        assert!(refused(&run(&data, arguments)).contains("999999"));
    }
    assert!(refused(&run(&data, &["enrol", "nobody"])).contains("nobody"));
    assert!(
        refused(&run(
            &data,
            &["enrol", "x", "--grid", BASE[0], "--ca", &good]
        ))
        .contains("good.csv")
    );
    assert!(
        !run(&data, &["serve", "--listen", "nonsense"])
            .status
            .success()
    );

    // Chinese first, English beside it.
    let mut both = Command::new(env!("CARGO_BIN_EXE_gridwalk-server"));
    let output = both
        .arg("--data")
        .arg(&data)
        .args(["enrol", "nobody"])
        .output()
        .expect("runs");
    let text = refused(&output);
    assert!(
        text.starts_with("没有网格员 nobody") && text.contains("There is no worker nobody"),
        "{text}"
    );
}

/// A district that is served, with a phone.
fn served(folder: &Path) -> (common::process::Serving, Phone) {
    let data = folder.join("data");
    let csv = file(folder, "lanshan.csv", LANSHAN);
    said(&run(&data, &["import", &csv]));
    let serving = serve(&data, "127.0.0.1:0");
    let enrol = ["enrol", "--json", "--grid", BASE[0], "王网格员"];
    let code: Value = serde_json::from_str(&said(&run(&data, &enrol))).expect("JSON");
    let line = Line::Socket(Socket::new(&serving.url));
    let mut phone = Phone::new(line, TestClock::new(1), GridId::from_bytes([0; 16]));
    // A clock that is right, so that what is written now is within its time.
    let now = serde_json::from_str::<Value>(&said(&run(&data, &enrol))).expect("JSON");
    let expires = now["expires_ms"].as_i64().expect("a time");
    phone
        .clock
        .turn(expires - 24 * 3_600_000 - phone.clock.wall_ms());
    phone.enrol(code["code"].as_str().expect("a code"));
    phone.grid = phone.hello().scope.expect("a scope").grids[0].id;
    (serving, phone)
}

#[test]
fn every_order_of_an_operator_works_while_the_server_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let (serving, mut phone) = served(folder.path());
    let create = phone.incident("楼道");
    phone.push_one(&create);
    let id = create.entity.to_string();
    let done = |arguments: &[&str]| said(&run(&data, arguments));

    // Somebody on the page.
    let user = [
        "user",
        "add",
        "--name",
        "sup",
        "--role",
        "town",
        "--grid",
        "371302001",
    ];
    done(&user);
    done(&[
        "act",
        "--as",
        "sup",
        "set",
        &id,
        "title=楼道堆物",
        "severity=\"serious\"",
    ]);
    done(&["act", "--as", "sup", "comment", &id, "请尽快处理"]);
    let op = "0198c5a2-6c1e-7d31-9f0a-3b6f0c1d2e4f";
    for _ in 0..2 {
        let step = [
            "act",
            "--as",
            "sup",
            "--op",
            op,
            "transition",
            &id,
            "rejected",
            "--reason",
            "x",
        ];
        assert!(done(&step).contains(op), "a repeat is the same act");
    }
    let state = phone.state(create.entity);
    assert_eq!(
        (state.text("title"), state.status()),
        (Some("楼道堆物"), Some("rejected"))
    );
    assert_eq!(state.list("comments").len(), 1);
    assert!(refused(&run(&data, &["act", "--as", "nobody", "delete", &id])).contains("nobody"));
    let stale = phone.set_title(create.entity, "我的", create.id);
    phone.push_one(&stale);
    done(&["act", "--as", "sup", "resolve", &id, "title", "楼道"]);
    assert_eq!(phone.state(create.entity).conflicts(), 0);

    // Quarantine and assignments.
    let mut away = phone.clone();
    away.grid = {
        let scope = |phone: &Phone| phone.hello().scope.expect("a scope").grids;
        done(&["assign", "--worker", "王网格员", "--grid", BASE[1]]);
        let grid = scope(&phone)
            .iter()
            .find(|grid| grid.id != phone.grid)
            .expect("two")
            .id;
        done(&["unassign", "--worker", "王网格员", "--grid", BASE[1]]);
        assert_eq!(scope(&phone).len(), 1);
        grid
    };
    phone.clock.turn(60_000);
    let out = away.incident("越界");
    phone.push_one(&out);
    let listed = done(&["quarantine", "list"]);
    assert!(
        listed.contains("out_of_scope") && listed.lines().count() == 1,
        "{listed}"
    );
    let hash = listed.split(' ').next().expect("a hash");
    done(&["quarantine", "refuse", hash]);
    assert!(refused(&run(&data, &["quarantine", "accept", hash])).contains(hash));
    let held: Value = serde_json::from_str(&done(&["quarantine", "list", "--json"])).expect("JSON");
    assert_eq!(held["ops"], serde_json::json!([]));
    let until = [
        "assign",
        "--worker",
        "王网格员",
        "--grid",
        BASE[1],
        "--from",
        "2026-01-01T00:00:00+08:00",
        "--until",
        "2020-01-01T00:00:00+08:00",
    ];
    assert!(refused(&run(&data, &until)).contains("before the beginning"));

    // Backups: made, checked, restored while it is served.
    let backup = folder.path().join("backup").display().to_string();
    done(&["backup", &backup]);
    assert!(refused(&run(&data, &["restore", &backup])).contains("verify-backup"));
    done(&["verify-backup", &backup]);
    let lost = phone.incident("丢失");
    phone.push_one(&lost);
    done(&["restore", &backup]);
    let answer = phone.post("push", &serde_json::json!({"v": 1, "ops": []}));
    assert_eq!((answer.status, answer.code().as_str()), (409, "epoch"));
    *phone.seen.lock().expect("a lock") = None;
    assert!(phone.hello().watermark > 0);
    phone.push_one(&lost);

    // Grids, phones, purges.
    done(&["grid", "move", BASE[0], "--under", "371302002001"]);
    done(&["grid", "merge", BASE[0], "--into", BASE[1]]);
    assert_ne!(
        phone.hello().scope.expect("a scope").grids[0].id,
        phone.grid
    );
    let purged = done(&["purge", "entity", &id]);
    assert!(purged.starts_with("Purged: "), "{purged}");
    assert!(refused(&run(&data, &["purge", "blob", "xyz"])).contains("xyz"));
    let devices: Value = serde_json::from_str(&done(&["device", "list"])).expect("JSON");
    let device = devices[0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(device, phone.device.to_string());
    done(&["device", "revoke", &device, "--stolen"]);
    assert_eq!(
        phone.hello().standing,
        gridwalk_domain::wire::Standing::Wipe
    );
    serving.end();
}

#[test]
fn a_journal_elsewhere_is_not_forgotten() {
    let folder = tempfile::tempdir().expect("a folder");
    let (data, journal) = (folder.path().join("data"), folder.path().join("journal"));
    let journal = journal.display().to_string();
    let csv = file(folder.path(), "lanshan.csv", LANSHAN);
    said(&run(&data, &["--journal", &journal, "import", &csv]));
    let without = refused(&run(&data, &["holdings"]));
    assert!(without.contains("--journal"), "{without}");
    said(&run(&data, &["--journal", &journal, "holdings"]));
    std::fs::remove_dir_all(&journal).expect("the disk is lost");
    assert!(refused(&run(&data, &["--journal", &journal, "holdings"])).contains("--new-journal"));
    said(&run(
        &data,
        &["--journal", &journal, "--new-journal", "holdings"],
    ));
    said(&run(&data, &["--journal", &journal, "holdings"]));
}
