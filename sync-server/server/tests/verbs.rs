//! The program itself: its verbs, its messages, its end.
#![cfg(unix)]
#![allow(clippy::expect_used, reason = "what fails here fails the test")]

mod common;

use common::phone::{Line, Phone};
use common::socket::Socket;
use common::{BASE, LANSHAN, TestClock};
use gridwalk_domain::GridId;
use serde_json::Value;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Output, Stdio};

fn program(data: &Path) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_gridwalk-server"));
    command.arg("--data").arg(data).args(["--lang", "en"]);
    command
}

fn run(data: &Path, arguments: &[&str]) -> Output {
    program(data).args(arguments).output().expect("runs")
}

fn said(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

/// The one line that a failure says.
fn refused(output: &Output) -> String {
    assert!(!output.status.success());
    assert!(output.stdout.is_empty());
    let text = String::from_utf8(output.stderr.clone()).expect("UTF-8");
    assert_eq!(text.lines().count(), 1, "{text}");
    text
}

struct Serving {
    child: Child,
    lines: std::io::Lines<BufReader<ChildStdout>>,
    url: String,
}

fn serve(data: &Path, listen: &str) -> Serving {
    let mut child = program(data)
        .args(["serve", "--listen", listen])
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("runs");
    let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
    let url = lines
        .by_ref()
        .map(|line| line.expect("a line"))
        .find_map(|line| {
            line.split_whitespace()
                .find(|word| word.starts_with("http://"))
                .map(str::to_owned)
        });
    Serving {
        child,
        lines,
        url: url.expect("the address"),
    }
}

impl Serving {
    /// Ends it as a service manager does.
    fn end(mut self) {
        let id = self.child.id().to_string();
        let killed = Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .expect("runs");
        assert!(killed.success());
        let rest: Vec<_> = self.lines.map(|line| line.expect("a line")).collect();
        assert_eq!(rest.last().map(String::as_str), Some("Stopped."));
        assert!(
            self.child.wait().expect("ends").success(),
            "a graceful end is a good end"
        );
    }
}

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
