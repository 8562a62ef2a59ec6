//! The life of an incident, a task, a notice and a dispute, as people live it:
//! supervisors and a department by the program's verbs, a gridworker by their
//! phone, the clock, all on a folder that is being served.
#![cfg(unix)]
#![allow(clippy::expect_used, reason = "what fails here fails the test")]

mod common;

use common::phone::{Line, Phone, reason, seq};
use common::process::{Serving, refused, run, said, serve};
use common::socket::Socket;
use common::{BASE, HOUR, LANSHAN, TestClock, TestRng};
use gridwalk_domain::{Entity, EntityId, GridId, Intent, OpBody, Sha256, StreamKey, kind};
use gridwalk_server::admin::{self, Folders};
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};

const COMMUNITY: &str = "371302001001";
const TOWN: &str = "371302001";

/// A district that is served, with its people.
struct Place {
    folder: tempfile::TempDir,
    serving: Option<Serving>,
    phone: Phone,
    /// To whom incidents are dispatched.
    department: String,
}

impl Drop for Place {
    fn drop(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.kill();
        }
    }
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let data = folder.path().join("data");
        let csv = folder.path().join("lanshan.csv");
        std::fs::write(&csv, LANSHAN).expect("writes");
        said(&run(&data, &["import", &csv.display().to_string()]));
        let serving = serve(&data, "127.0.0.1:0");
        let mut department = String::new();
        for (name, role, grid) in [
            ("社区", "community", COMMUNITY),
            ("街道", "town", TOWN),
            ("区", "district", "371302"),
            ("管理员", "administrator", "371302"),
            ("城管", "department", TOWN),
        ] {
            let add = [
                "user", "add", "--name", name, "--role", role, "--grid", grid,
            ];
            let told = said(&run(&data, &add));
            let id = told
                .lines()
                .find_map(|line| line.strip_prefix("department/"));
            department = id.map_or(department, str::to_owned);
        }
        let enrol = ["enrol", "--json", "--grid", BASE[0], "王网格员"];
        let code: Value = serde_json::from_str(&said(&run(&data, &enrol))).expect("JSON");
        let line = Line::Socket(Socket::new(&serving.url));
        let mut phone = Phone::new(line, TestClock::new(1), GridId::from_bytes([0; 16]));
        let expires = code["expires_ms"].as_i64().expect("a time");
        phone
            .clock
            .turn(expires - 24 * HOUR - phone.clock.wall_ms());
        phone.enrol(code["code"].as_str().expect("a code"));
        phone.grid = phone.hello().scope.expect("a scope").grids[0].id;
        Self {
            folder,
            serving: Some(serving),
            phone,
            department,
        }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn now_ms(&self) -> i64 {
        self.phone.clock.wall_ms()
    }

    /// The record as the phone sees it, wherever it is listed.
    fn state(&self, id: EntityId) -> Entity {
        let inbox = StreamKey::Inbox(self.phone.worker);
        let streams = [self.phone.records(), inbox];
        let found = streams.into_iter().find_map(|stream| {
            let mut entities = self.phone.read(stream);
            entities.remove(&id)?.state
        });
        found.expect("the phone has it")
    }

    fn made(&mut self, kind: &str, fields: Value) -> EntityId {
        let fields = serde_json::from_value(fields).expect("an object");
        let home = kind::find(kind).expect("a kind").home_of(&fields);
        let home = home.expect("a home");
        let entity = EntityId::draw(&*self.phone.rng);
        let op = self
            .phone
            .body(kind, entity, Intent::Create { home, fields });
        assert!(seq(&self.phone.push_one(&op)) > 0);
        entity
    }

    /// A supervisor's order, by the program; the record's id.
    fn ordered(&self, who: &str, kind: &str, fields: &[&str]) -> EntityId {
        let mut arguments = vec!["act", "--as", who, "create", kind];
        arguments.extend(fields);
        let told = said(&run(&self.data(), &arguments));
        told.lines().next().expect("an id").parse().expect("an id")
    }

    /// Takes a step by its name, from the phone or by the program, and says what
    /// became of it: the status, or why not.
    fn step(&mut self, row: &Row, id: EntityId) -> String {
        let with: Map<String, Value> = serde_json::from_value(row.with.clone()).expect("an object");
        if row.who == "手机" {
            let op = self.by_phone(id, row, with);
            let outcome = self.phone.push_one(&op);
            let word = reason(&outcome);
            if let Some(code) = word.strip_prefix("rejected ") {
                return code.to_owned();
            }
            assert!(seq(&outcome) > 0);
        } else {
            let id = id.to_string();
            let mut arguments = vec!["act", "--as", row.who, "step", &id, row.name];
            if !row.reason.is_empty() {
                arguments.extend(["--reason", row.reason]);
            }
            let with: Vec<String> = with
                .iter()
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            for pair in &with {
                match pair.strip_prefix("photo=") {
                    Some(file) => arguments.extend(["--photo", file.trim_matches('"')]),
                    None => arguments.extend(["--with", pair]),
                }
            }
            let output = run(&self.data(), &arguments);
            if !output.status.success() {
                return refused(&output);
            }
        }
        self.state(id).status().expect("a status").to_owned()
    }

    fn by_phone(&mut self, id: EntityId, row: &Row, with: Map<String, Value>) -> OpBody {
        let state = self.state(id);
        let kind = kind::find(&state.kind).expect("a kind");
        let from = state.status().expect("a status");
        let step = kind.open_steps(&state).find(|step| step.name == row.name);
        let step = step.expect("a step");
        let reason = (!row.reason.is_empty()).then(|| row.reason.to_owned());
        let intent = Intent::Transition {
            from: from.to_owned(),
            to: step.to.to_owned(),
            base: state.history.last().expect("a step").stamp.op,
            reason,
            with,
        };
        self.phone.body(&state.kind, id, intent)
    }

    fn live(&mut self, id: EntityId, rows: &[Row]) {
        for row in rows {
            let came = self.step(row, id);
            let as_said = came == row.then || came.contains(row.then);
            assert!(
                as_said,
                "{} {}: {came}, not {}",
                row.who, row.name, row.then
            );
        }
    }
}

/// A step: who, what, why, with what, and what then: a status, or a word of the
/// refusal.
struct Row {
    who: &'static str,
    name: &'static str,
    reason: &'static str,
    with: Value,
    then: &'static str,
}

fn row(
    who: &'static str,
    name: &'static str,
    reason: &'static str,
    with: Value,
    then: &'static str,
) -> Row {
    Row {
        who,
        name,
        reason,
        with,
        then,
    }
}

/// What a camera wrote into a photo beside the picture.
const WRITTEN: &[u8] = b"35.0523 N 118.3021 E";

/// The file of a photo as a camera makes it.
fn photo(folder: &Path) -> String {
    let picture = image::RgbImage::from_fn(400, 300, |x, y| {
        image::Rgb([x, y, x + y].map(|light| u8::try_from(light % 256).unwrap_or(0)))
    });
    let mut photo = std::io::Cursor::new(Vec::new());
    picture
        .write_to(&mut photo, image::ImageFormat::Jpeg)
        .expect("writes");
    let photo = photo.into_inner();
    let length = u16::try_from(WRITTEN.len() + 2)
        .expect("short")
        .to_be_bytes();
    let comment = [&b"\xff\xfe"[..], &length, WRITTEN].concat();
    let whole = [&photo[..2], &comment, &photo[2..]].concat();
    let file = folder.join("photo.jpg");
    std::fs::write(&file, whole).expect("writes");
    file.display().to_string()
}

#[test]
fn an_incident_from_the_street_to_the_district_and_back_until_it_is_closed() {
    let mut place = Place::new();
    let spot = json!({"lat": 35.052, "lon": 118.302, "accuracy_m": 8.0});
    let fields = json!({"grid": place.phone.grid, "worker": place.phone.worker, "catalogue": 1,
        "category": "other", "title": "井盖缺失", "place": spot});
    let incident = place.made("incident", fields);
    let above = place.phone.hello().scope.expect("a scope").grids[0].parent;
    let limit = place.now_ms() + 24 * HOUR;
    let department = json!({"assignee": {"department": place.department}, "limit_ms": limit});
    let none = || json!({});
    let done = json!({"note": "已安装新井盖", "photo": photo(place.folder.path())});
    let elsewhere = json!([{"sha256": Sha256::of(b"nowhere"), "mime": "image/jpeg", "bytes": 1}]);
    let nowhere = json!({"note": "已安装新井盖", "photos": elsewhere});
    let film = json!({"note": "已安装新井盖", "photo": place.folder.path().join("lanshan.csv")});
    place.live(
        incident,
        &[
            row(
                "手机",
                "escalate",
                "本网格无法处理",
                json!({"holder": above}),
                "escalated",
            ),
            row("手机", "accept", "", none(), "not_for_you"),
            row("社区", "escalate", "需要街道协调", none(), "escalated"),
            row(
                "社区",
                "accept",
                "",
                none(),
                "supervisor of the grid that holds it",
            ),
            row("街道", "escalate", "需要区里协调", none(), "escalated"),
            row("区", "escalate", "再往上", none(), "needs holder"),
            row(
                "区",
                "return",
                "街道可以处理",
                json!({"return": true}),
                "escalated",
            ),
            row(
                "管理员",
                "accept",
                "",
                none(),
                "supervisor of the grid that holds it",
            ),
            row("街道", "accept", "", none(), "accepted"),
            row("街道", "dispatch", "", none(), "needs"),
            row("街道", "dispatch", "", department.clone(), "dispatched"),
            row("城管", "return", "不归我们管", none(), "accepted"),
            row("街道", "dispatch", "", department, "dispatched"),
            row("城管", "begin", "", none(), "in_progress"),
            row("城管", "resolve", "", none(), "asks for"),
            row("城管", "resolve", "", nowhere, "is not here"),
            row(
                "城管",
                "resolve",
                "",
                film,
                "its bytes are of no type that is taken",
            ),
            row("城管", "resolve", "", done.clone(), "resolved"),
            row(
                "街道",
                "verify",
                "",
                json!({"place": spot, "note": "看过"}),
                "who did not do the work",
            ),
            row("手机", "return", "井盖松动", none(), "in_progress"),
            row("城管", "resolve", "", done, "resolved"),
            row(
                "手机",
                "verify",
                "",
                json!({"place": {"lat": 35.2, "lon": 118.302}, "note": "远"}),
                "unfit",
            ),
            row(
                "手机",
                "verify",
                "",
                json!({"place": spot, "note": "已装好"}),
                "verified",
            ),
            row(
                "社区",
                "close",
                "",
                none(),
                "supervisor of the grid that holds it",
            ),
            row("街道", "close", "", none(), "closed"),
            row("手机", "reopen", "又丢了", none(), "accepted"),
        ],
    );
    let state = place.state(incident);
    let by = |who: &str| {
        let steps = state.history.iter();
        let authors = steps.map(|step| serde_json::to_value(step.stamp.by).expect("JSON"));
        authors.filter(|author| author.get(who).is_some()).count()
    };
    assert_eq!((by("worker"), by("user")), (5, 11));
    // The photo that proves it, and its thumbnail, are there for whoever sees the
    // incident, without what the camera wrote into it.
    let resolved = state.history.iter().filter(|step| step.to == "resolved");
    let proofs: Vec<&Value> = resolved.map(|step| &step.with["photos"][0]).collect();
    assert_eq!(proofs.len(), 2);
    assert_eq!(proofs[0], proofs[1], "the same photo is one attachment");
    for reference in [proofs[0], &proofs[0]["thumb"]] {
        let path = format!(
            "/v1/blobs/{}",
            reference["sha256"].as_str().expect("a hash")
        );
        let got = place.phone.send("GET", &path, &[], b"");
        assert_eq!(
            (got.status, got.header("content-type")),
            (200, Some("image/jpeg"))
        );
        assert_eq!(json!(got.body.len()), reference["bytes"]);
        assert_eq!(json!(Sha256::of(&got.body)), reference["sha256"]);
        assert!(
            !got.body
                .windows(WRITTEN.len())
                .any(|window| window == WRITTEN)
        );
    }
}

#[test]
fn a_task_is_sent_down_returned_sent_again_and_withdrawn_and_another_one_done() {
    let mut place = Place::new();
    let (grid, worker) = (format!("grid=grid:{}", BASE[0]), "worker=worker:王网格员");
    let due = format!("due_ms={}", place.now_ms() + HOUR);
    let task = place.ordered(
        "街道",
        "task",
        &[&grid, worker, "work=visit", "title=走访独居老人", &due],
    );
    let none = || json!({});
    place.live(
        task,
        &[
            row("手机", "see", "", none(), "seen"),
            row("街道", "accept", "", none(), "whom it was sent to"),
            row("手机", "return", "老人住院了", none(), "returned"),
            row("社区", "send", "", none(), "sent"),
            row("手机", "accept", "", none(), "accepted"),
            row("街道", "withdraw", "不用去了", none(), "withdrawn"),
        ],
    );
    let others = run(
        &place.data(),
        &[
            "act",
            "--as",
            "管理员",
            "create",
            "task",
            &grid,
            "work=visit",
            "title=x",
        ],
    );
    assert!(refused(&others).contains("a supervisor above the grid"));
    let any = place.ordered(
        "社区",
        "task",
        &[&grid, "work=inspect", "title=检查消防通道"],
    );
    let proof = json!({"sha256": Sha256::of(b"photo"), "mime": "image/jpeg", "bytes": 4321});
    place.live(
        any,
        &[
            row("手机", "accept", "", none(), "accepted"),
            row("手机", "finish", "", none(), "step_needs"),
            row("手机", "finish", "", json!({"note": "已查，畅通"}), "done"),
            row("社区", "reopen", "再看一次", none(), "accepted"),
            row("手机", "finish", "", json!({"photos": [proof]}), "done"),
        ],
    );
    let set = [
        "act",
        "--as",
        "街道",
        "set",
        &any.to_string(),
        "title=检查消防通道（二）",
    ];
    said(&run(&place.data(), &set));
    assert_eq!(place.state(any).text("title"), Some("检查消防通道（二）"));
}

#[test]
fn a_notice_is_read_by_those_below_and_taken_back() {
    let mut place = Place::new();
    let grid = format!("grid=grid:{TOWN}");
    let notice = place.ordered(
        "街道",
        "notice",
        &[&grid, "title=防汛通知", "text=今晚有暴雨"],
    );
    let streams = place.phone.hello().scope.expect("a scope").streams;
    let shown = |place: &Place| {
        let notices = streams
            .iter()
            .filter(|stream| matches!(stream, StreamKey::Notices(_)));
        let mut all = notices.flat_map(|stream| place.phone.read(*stream));
        all.find_map(|(id, entity)| (id == notice).then_some(entity.state?))
    };
    assert_eq!(
        shown(&place).expect("shown").text("text"),
        Some("今晚有暴雨")
    );
    let fields = json!({"worker": place.phone.worker, "grid": place.phone.grid, "notice": notice});
    let reading = place.made("notice_reading", fields);
    assert_eq!(
        place.state(reading).text("notice"),
        Some(notice.to_string().as_str())
    );
    let id = notice.to_string();
    let withdraw = ["act", "--as", "街道", "step", &id, "withdraw"];
    assert!(refused(&run(&place.data(), &withdraw)).contains("needs"));
    said(&run(
        &place.data(),
        &[withdraw.as_slice(), &["--reason", "雨停了"]].concat(),
    ));
    assert_eq!(shown(&place).expect("shown").status(), Some("withdrawn"));
}

#[test]
fn a_dispute_is_mediated_looked_at_again_and_its_readers_are_known() {
    let mut place = Place::new();
    let (grid, worker) = (place.phone.grid, place.phone.worker);
    let fields = json!({"grid": grid, "worker": worker, "catalogue": 1, "category": "family_dispute",
        "form.hurt": "no", "title": "婆媳争吵", "address": "3 号楼"});
    let incident = place.made("incident", fields);
    let fields =
        json!({"grid": grid, "worker": worker, "incident": incident, "title": "婆媳争吵调解"});
    let mediation = place.made("mediation", fields);
    let at = place.now_ms();
    let says = [
        Intent::Add {
            set: "parties".into(),
            value: json!({"name": "甲方", "phone": "13800000000"}),
        },
        Intent::Append {
            list: "sessions".into(),
            value: json!({"from_ms": at, "where": "社区调解室", "present": [{"name": "甲方"}], "said": "各让一步"}),
        },
        Intent::Append {
            list: "look_again".into(),
            value: json!({"date": "2099-01-05"}),
        },
    ];
    for intent in says {
        let op = place.phone.body("mediation", mediation, intent);
        assert!(seq(&place.phone.push_one(&op)) > 0);
    }
    let signed =
        json!([{"sha256": Sha256::of(b"ink"), "mime": "image/png", "bytes": 900, "name": "甲方"}]);
    let agreed = json!({"agreement": "轮流带孩子", "signatures": signed});
    place.live(
        mediation,
        &[
            row("手机", "agree", "", json!({}), "step_needs"),
            row("街道", "fail", "不关我事", json!({}), "whose record it is"),
            row("手机", "agree", "", agreed, "agreed"),
        ],
    );
    // Another process' clock, on the same folder.
    let folders = Folders::new(place.data());
    let clock = TestClock::new(9);
    clock.turn(at - clock.wall_ms());
    let service = admin::open(
        &folders,
        clock,
        TestRng::new(3),
        gridwalk_server::Settings::default(),
    );
    let service = service.expect("opens");
    let made = service.strike().expect("strikes") + service.strike().expect("strikes");
    assert!(made <= 1, "once, by whichever process");
    let inbox = place.phone.read(StreamKey::Inbox(worker)).into_values();
    let tasks = inbox
        .filter_map(|entity| entity.state)
        .filter(|state| state.kind == "task");
    let about: Vec<_> = tasks
        .map(|task| task.text("about").map(str::to_owned))
        .collect();
    assert_eq!(about, [Some(mediation.to_string())]);
    place.live(
        mediation,
        &[row(
            "社区",
            "close",
            "",
            json!({"note": "已回访，和好"}),
            "closed",
        )],
    );
    let record = mediation.to_string();
    let told = said(&run(&place.data(), &["readings", "--record", &record]));
    let told: Value = serde_json::from_str(&told).expect("JSON");
    assert_eq!(told[0]["who"], json!(format!("worker/{worker}")));
    assert_eq!(told[0]["name"], "王网格员");
    let held = said(&run(&place.data(), &["holdings"]));
    assert!(!held.contains(&record), "left out of exports");
}
