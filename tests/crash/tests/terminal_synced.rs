//! The terminal and a real server: what is sent down and comes back, what
//! colleagues see of each other, and what stays when somebody leaves.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use gridwalk_crash::office::{BASE, Office, SUPERVISOR};
use gridwalk_crash::terminal::{Terminal, id, joined};
use gridwalk_domain::{EntityId, Sha256, WorkerId};
use gridwalk_server::admin::{Crs, Source};
use serde_json::{Value, json};
use std::fs;

const GRIDWALK: &str = env!("CARGO_BIN_EXE_gridwalk-to-kill");
const DAY_MS: i64 = 24 * 3_600_000;

/// A server, and phones that it enrolled.
struct Town {
    office: Office,
    _folder: tempfile::TempDir,
}

impl Town {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self {
            office: Office::open(folder.path()),
            _folder: folder,
        }
    }

    /// A worker's phone, on shift, by the verbs that enrol it.
    fn phone(&self, name: &str) -> (WorkerId, Terminal) {
        let (worker, invitation) = self.office.invites(name, self.office.server.addr());
        let phone = Terminal::blank(GRIDWALK);
        phone.says(&["enrol", &invitation], &[&format!("已注册：{name}")]);
        phone.says(&["shift", "start"], &[BASE]);
        (worker, phone)
    }

    fn task(&self, worker: WorkerId, title: &str, more: &Value) -> String {
        let mut fields = json!({
            "worker": worker, "grid": self.office.grid, "work": "inspect", "title": title,
        });
        let all = fields.as_object_mut().expect("an object");
        all.extend(more.as_object().expect("an object").clone());
        self.office.sends("task", &fields).to_string()
    }

    fn status(&self, record: &str) -> Option<String> {
        let record: EntityId = record.parse().expect("an id");
        self.office.state(record).status().map(str::to_owned)
    }
}

/// The line of a list that is about a record.
fn line(said: &str, record: &str) -> String {
    let found = said.lines().find(|line| line.starts_with(record));
    found.expect("listed").to_owned()
}

fn sync(phone: &Terminal) -> String {
    phone.says(&["sync"], &["同步完成"])
}

fn now_ms() -> i64 {
    use gridwalk_domain::Clock as _;
    gridwalk_system::SystemClock::new().now().wall_ms
}

#[test]
fn a_task_is_seen_accepted_and_finished_with_proof() {
    let town = Town::new();
    let (worker, phone) = town.phone("01 号网格员");
    phone.says(&["task", "list"], &["没有任务"]);
    let more = json!({
        "description": "看压力表", "address": "3 号楼", "due_ms": now_ms() + DAY_MS,
        "place": { "lat": 35.1, "lon": 118.35 },
    });
    let task = town.task(worker, "查看灭火器", &more);
    let late = town.task(worker, "昨天的事", &json!({ "due_ms": now_ms() - DAY_MS }));
    sync(&phone);
    let listed = phone.does(&["task", "list"]);
    let shown = line(&listed, &task);
    for text in ["sent", "inspect", "查看灭火器", "期限"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert!(line(&listed, &late).contains("已超期"), "{listed}");
    phone.says(
        &["task", "show", &task],
        &["查看灭火器", "描述：看压力表", "地址：3 号楼", "位置：35.1"],
    );
    phone.says(
        &["task", "steps", &task],
        &[
            "see  → seen",
            "accept  → accepted",
            "return  → returned  --reason",
        ],
    );

    let take = ["task", "take", &task];
    phone.says(&joined(&take, &["see"]), &["已办理 see，现为 seen"]);
    // Off duty too: what was sent to the worker may be answered at any time.
    phone.does(&["shift", "end"]);
    phone.says(&joined(&take, &["accept"]), &["现为 accepted"]);
    phone.says(
        &["task", "steps", &task],
        &["finish  → done  --photo | --note", "return"],
    );
    let bare = phone.fails(&joined(&take, &["finish"]));
    assert!(bare.contains("photos") && bare.contains("note"), "{bare}");
    let proof = phone.photo("gauge.png");
    let finish = ["finish", "--note", "压力正常", "--photo", &proof];
    phone.says(&joined(&take, &finish), &["现为 done"]);
    phone.fails(&["task", "take", &late, "return"]);
    phone.does(&["task", "take", &late, "return", "--reason", "不在班"]);
    sync(&phone);
    let listed = phone.does(&["task", "list"]);
    assert!(line(&listed, &task).contains("done") && line(&listed, &late).contains("returned"));

    assert_eq!(town.status(&task).as_deref(), Some("done"));
    assert_eq!(town.status(&late).as_deref(), Some("returned"));
    let state = town.office.state(task.parse().expect("an id"));
    let last = state.history.last().expect("a step");
    assert_eq!(last.with["note"], "压力正常");
    let sha256: Sha256 =
        serde_json::from_value(last.with["photos"][0]["sha256"].clone()).expect("a hash");
    let holdings = town.office.server.service().admin().holdings(None);
    assert!(holdings.expect("holdings").attachments.contains(&sha256));
}

#[test]
fn a_notice_is_read_and_its_sender_learns_of_it() {
    let town = Town::new();
    let (worker, phone) = town.phone("01 号网格员");
    let notice = json!({ "grid": town.office.grid, "title": "大风预警", "text": "今晚有大风", "until_ms": now_ms() + DAY_MS });
    let notice = town.office.sends("notice", &notice).to_string();
    sync(&phone);
    let listed = phone.does(&["notice", "list"]);
    let unread = line(&listed, &notice);
    assert!(
        unread.contains("未读") && unread.contains("大风预警"),
        "{unread}"
    );
    phone.says(
        &["notice", "read", &notice],
        &["大风预警", "今晚有大风", "有效至"],
    );
    phone.does(&["notice", "read", &notice]);
    assert!(line(&phone.does(&["notice", "list"]), &notice).contains("已读"));
    sync(&phone);
    let readings = town.office.all("notice_reading");
    let [reading] = &readings[..] else {
        panic!("{readings:?}");
    };
    assert_eq!(reading.text("notice"), Some(notice.as_str()));
    assert_eq!(reading.text("worker"), Some(worker.to_string().as_str()));
}

#[test]
fn a_photo_of_a_colleague_is_fetched() {
    let town = Town::new();
    let (_, one) = town.phone("01 号网格员");
    let (_, other) = town.phone("02 号网格员");
    let photo = one.photo("stairs.png");
    let incident = id(&one.does(&["incident", "new", "--title", "楼道堆物", "--photo", &photo]));
    one.says(&["sync", "--budget", "1"], &["流量额度已用完"]);
    one.says(&["sync", "--metered"], &["同步完成"]);
    one.says(&["status"], &["待上传：0 项更改、0 段轨迹、1 个附件"]);
    sync(&one);
    one.says(&["status"], &["0 个附件"]);
    sync(&other);
    let shown = other.says(&["incident", "show", &incident], &["照片：", "楼道堆物"]);
    let sha256 = shown.split_whitespace().find_map(|word| {
        let hash = word.trim_start_matches("照片：");
        (hash.len() == 64).then_some(hash)
    });
    let sha256 = sha256.expect("a hash");
    let file = other.file("fetched.png");
    let path = file.display().to_string();
    other.says(&["attachment", "fetch", sha256, "--out", &path], &[&path]);
    let bytes = fs::read(&file).expect("written");
    assert_eq!(Sha256::of(&bytes).to_string(), sha256);
    // Again without the server: it is here.
    town.office.server.stop();
    let here = other.does(&["attachment", "fetch", sha256]);
    assert!(here.contains(&format!("{} 字节", bytes.len())), "{here}");
    other.fails(&["attachment", "fetch", &"ab".repeat(32)]);
    assert!(
        other
            .fails(&["attachment", "fetch", "photo.png"])
            .contains("SHA-256")
    );
    assert!(other.fails(&["sync"]).contains("连不上服务器"));
}

#[test]
fn what_two_wrote_is_listed_and_settled() {
    let town = Town::new();
    let (_, one) = town.phone("01 号网格员");
    let (_, other) = town.phone("02 号网格员");
    let report = ["incident", "new", "--title", "坑", "--description", "路口"];
    let incident = id(&one.does(&report));
    sync(&one);
    sync(&other);
    one.says(&["conflicts"], &["没有冲突"]);
    for (phone, title, description) in [(&one, "大坑", "东侧"), (&other, "深坑", "西侧")] {
        let edit = ["--title", title, "--description", description];
        phone.does(&joined(&["incident", "edit", &incident], &edit));
        sync(phone);
    }
    other.says(&["status"], &["2 处有冲突"]);
    let listed = other.says(
        &["conflicts"],
        &[&incident, "title", "现为 ", "大坑", "另有 ", "深坑", "西侧"],
    );
    let proposed = listed.lines().find(|line| line.contains("深坑"));
    let proposed = id(proposed.expect("listed"));
    let resolve = ["resolve", &incident, "title"];
    assert!(
        other
            .fails(&joined(&resolve, &["--keep", "x"]))
            .contains("不是编号")
    );
    other.fails(&["resolve", &incident, "address", "--text", "没有冲突的"]);
    other.says(&joined(&resolve, &["--keep", &proposed]), &["已解决"]);
    other.does(&["resolve", &incident, "description", "--text", "东侧和西侧"]);
    other.says(&["conflicts"], &["没有冲突"]);
    sync(&other);
    sync(&one);
    one.says(
        &["incident", "show", &incident],
        &["深坑", "描述：东侧和西侧"],
    );
    one.says(&["conflicts"], &["没有冲突"]);
}

#[test]
fn what_somebody_leaves_is_seen_by_nobody_and_sent() {
    let town = Town::new();
    let (_, phone) = town.phone("01 号网格员");
    phone.says(&["vault"], &["没有看不见的内容"]);
    let photo = phone.photo("a.png");
    let incident = id(&phone.does(&["incident", "new", "--title", "坑", "--photo", &photo]));
    let asks = phone.fails(&["logout"]);
    assert!(asks.contains("--yes"), "{asks}");
    phone.says(&["incident", "list"], &[&incident]);
    phone.says(&["logout", "--yes"], &["已退出登录"]);
    assert!(!phone.does(&["incident", "list"]).contains(&incident));
    phone.says(&["status"], &["尚未注册", "别人留下的待上传内容"]);
    phone.says(&["vault"], &["退出登录者留下的"]);
    let folder = phone.file("rescued").display().to_string();
    phone.says(&["vault", "export", &folder], &["未加密", &folder]);
    assert!(phone.file("rescued").read_dir().expect("written").count() > 0);
    phone.fails(&["vault", "export", &folder]);

    sync(&phone);
    assert_eq!(town.status(&incident).as_deref(), Some("reported"));
    let holdings = town.office.server.service().admin().holdings(None);
    assert_eq!(holdings.expect("holdings").attachments.len(), 1);
    assert!(!phone.does(&["status"]).contains("别人留下的"));
    // Somebody else may begin here.
    let (_, invitation) = town
        .office
        .invites("02 号网格员", town.office.server.addr());
    phone.does(&["enrol", &invitation]);
    phone.says(&["status"], &["网格员：02 号网格员"]);
}

#[test]
fn whom_a_mediation_names_reads_it_and_writes_nothing_into_its_fields() {
    let town = Town::new();
    let (_, one) = town.phone("01 号网格员");
    let (reader, other) = town.phone("02 号网格员");
    let mediation = id(&one.does(&["mediation", "new", "婆媳纠纷", "--party", "婆婆"]));
    sync(&one);
    sync(&other);
    other.says(&["mediation", "list"], &["没有调解"]);
    other.fails(&["mediation", "show", &mediation]);
    let reader = reader.to_string();
    one.does(&["mediation", "reader", &mediation, "--worker", &reader]);
    sync(&one);
    sync(&other);
    other.says(
        &["mediation", "show", &mediation],
        &["婆媳纠纷", "当事人：婆婆", &reader],
    );
    let edit = other.fails(&["mediation", "edit", &mediation, "--title", "别的"]);
    assert!(edit.contains("不归这位网格员"), "{edit}");
    let more = other.fails(&[
        "mediation",
        "reader",
        &mediation,
        "--worker",
        &reader,
        "--remove",
    ]);
    assert!(more.contains("不归这位网格员"), "{more}");
    other.does(&[
        "mediation",
        "session",
        &mediation,
        "劝和",
        "--present",
        "婆婆",
    ]);
    sync(&other);
    sync(&one);
    one.says(&["mediation", "show", &mediation], &["内容：劝和"]);
}

#[test]
fn sites_are_checked_and_a_patrol_is_walked_and_exported() {
    let town = Town::new();
    let (_, phone) = town.phone("01 号网格员");
    phone.says(&["site", "list"], &["没有必到点"]);
    let csv = format!(
        "grid,name,lat,lon,radius_m,every,times,sort\n\
         {BASE},消防栓,35.1,118.35,30,day,1,hydrant\n{BASE},锅炉房,35.2,118.35,30,day,1,boiler\n"
    );
    let source = Source {
        name: "sites.csv",
        bytes: csv.as_bytes(),
    };
    let admin = town.office.server.service().admin();
    let imported = admin.import_sites(source, Crs::Wgs84, SUPERVISOR);
    assert_eq!(imported.expect("imports").added, 2);
    sync(&phone);
    phone.says(&["site", "list"], &["应到 2 次，已到 0 次"]);

    phone.fails(&["patrol", "finish"]);
    let patrol = id(&phone.does(&["patrol", "start"]));
    let track = phone.file("walk.csv");
    let begun = now_ms();
    let mut walk = "t_ms,lat,lon,accuracy_m\n".to_owned();
    for second in 0..30 {
        let lat = 35.0999 + f64::from(second) * 1e-5;
        walk += &format!("{},{lat:.6},118.35,5\n", begun + i64::from(second) * 1000);
    }
    fs::write(&track, walk).expect("writes");
    let track = track.display().to_string();
    phone.says(
        &["patrol", "record", &track],
        &["acked 30", "已记录 30 个定位点"],
    );
    phone.does(&["patrol", "pause"]);
    phone.fails(&["patrol", "pause"]);
    phone.does(&["patrol", "resume"]);
    let listed = phone.does(&["site", "list"]);
    let boiler = listed.lines().find(|line| line.contains("锅炉房"));
    let boiler = id(boiler.expect("listed"));
    phone.does(&[
        "site", "check-in", &boiler, "--missed", "locked", "--note", "锁着",
    ]);
    phone.fails(&["site", "check-in", &boiler, "--missed", "Locked Door"]);
    phone.says(&["patrol", "finish"], &[&patrol, "30 个定位点"]);
    phone.says(&["site", "list"], &["已到 1 次", "未到：locked"]);
    let listed = phone.does(&["patrol", "list"]);
    assert!(line(&listed, &patrol).contains("finished"), "{listed}");
    let gpx = phone.file("walk.gpx");
    let path = gpx.display().to_string();
    phone.does(&["export", "last", "--format", "gpx", "--out", &path]);
    let points = fs::read_to_string(&gpx)
        .expect("written")
        .matches("<trkpt")
        .count();
    assert_eq!(points, 30);
    sync(&phone);
    let (done, said) = phone.run(&["status", "--json"]);
    let status: Value = serde_json::from_str(&said).expect("JSON");
    assert!(done && status["unsent"]["ops"] == 0, "{said}");
    let holdings = town.office.server.service().admin().holdings(None);
    assert_eq!(holdings.expect("holdings").patrols[0].fixes_stored, 30);
    phone.says(&["shift", "end"], &["已下班"]);
}
