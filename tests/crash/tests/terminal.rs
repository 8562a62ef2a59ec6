//! A gridworker's day from the terminal: every verb, as somebody types it.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use gridwalk_crash::{Phone, png};
use std::fs;
use std::path::PathBuf;

const GRIDWALK: &str = env!("CARGO_BIN_EXE_gridwalk-to-kill");

struct Terminal {
    folder: tempfile::TempDir,
    phone: Phone,
}

impl Terminal {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let phone = Phone::on_patrol(folder.path(), true).expect("a phone");
        Self { folder, phone }
    }

    /// What it says, and whether it was done.
    fn run(&self, words: &[&str]) -> (bool, String) {
        let run = self.phone.command(GRIDWALK).args(words).output();
        let run = run.expect("runs");
        let said = [run.stdout, run.stderr].concat();
        (
            run.status.success(),
            String::from_utf8(said).expect("is text"),
        )
    }

    fn does(&self, words: &[&str]) -> String {
        let (done, said) = self.run(words);
        assert!(done, "{words:?}: {said}");
        assert!(!said.contains('{'), "{words:?}: {said}");
        said
    }

    /// One line that says why, in both languages.
    fn fails(&self, words: &[&str]) -> String {
        let (done, said) = self.run(words);
        assert!(!done, "{words:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains(" · "), "{said}");
        said
    }

    fn photo(&self, name: &str) -> String {
        let file: PathBuf = self.folder.path().join(name);
        fs::write(&file, png(&name.as_bytes().repeat(100))).expect("writes");
        file.display().to_string()
    }
}

/// The id that a line ends with.
fn id(said: &str) -> String {
    let word = said.split_whitespace().find_map(|word| {
        let word = word.trim_matches(|c: char| !c.is_ascii_hexdigit());
        (word.len() == 36).then(|| word.to_owned())
    });
    word.expect("an id")
}

#[test]
fn an_incident_goes_its_way_from_the_terminal() {
    let terminal = Terminal::new();
    let door = terminal.photo("door.png");
    let said = terminal.does(&[
        "incident",
        "new",
        "--category",
        "fire_safety",
        "--photo",
        &door,
        "--lat",
        "35.1",
        "--lon",
        "118.35",
    ]);
    let incident = id(&said);
    let shown = terminal.does(&["incident", "show", &incident]);
    assert!(shown.contains("类别：fire_safety"), "{shown}");
    let early = terminal.fails(&[
        "incident", "take", &incident, "escalate", "--reason", "要人",
    ]);
    assert!(early.contains("form.premises：这个问题必须回答"), "{early}");
    terminal.does(&[
        "incident",
        "classify",
        &incident,
        "--category",
        "fire_safety",
        "--sub",
        "gas_smell",
        "--answer",
        "premises=dwelling",
        "--answer",
        "evacuated=yes",
        "--answer",
        "done=told,notice",
        "--answer",
        &format!("signed={}", terminal.photo("signed.png")),
    ]);
    let shown = terminal.does(&["incident", "show", &incident]);
    assert!(
        shown.contains("evacuated") && shown.contains("时限"),
        "{shown}"
    );
    let signed = shown.lines().find(|line| line.contains("signed = "));
    let signed = signed.and_then(|line| line.split(' ').find(|word| word.len() == 64));
    let signed = signed.expect("the picture by its hash");
    let file = terminal.folder.path().join("back.png");
    let file = file.display().to_string();
    terminal.does(&["attachment", "fetch", signed, "--out", &file]);
    assert!(fs::read(&file).expect("there").starts_with(b"\x89PNG"));
    terminal.does(&["incident", "comment", &incident, "已通知燃气公司"]);
    terminal.does(&["incident", "attach", &incident, &terminal.photo("more.png")]);
    let steps = terminal.does(&["incident", "steps", &incident]);
    assert!(
        steps.contains("handle  → handled_on_site  --note  --photo"),
        "{steps}"
    );
    let after = terminal.photo("after.png");
    terminal.does(&[
        "incident",
        "take",
        &incident,
        "handle",
        "--note",
        "已关阀",
        "--photo",
        &after,
    ]);
    let shown = terminal.does(&["incident", "show", &incident]);
    for part in ["网格员", "说明：已关阀", "    照片：", "当前网格："] {
        assert!(shown.contains(part), "{part}: {shown}");
    }
    let close = terminal.fails(&["incident", "take", &incident, "close"]);
    assert!(close.contains("由主管结案"), "{close}");

    let again = terminal.does(&[
        "incident",
        "new",
        "--title",
        "楼道有味",
        "--lat",
        "35.1",
        "--lon",
        "118.35",
    ]);
    assert!(again.contains(&format!("可能重复：{incident}")), "{again}");
    let hints = terminal.does(&["incident", "duplicates", &id(&again)]);
    assert!(hints.contains(&incident), "{hints}");
    let up = [
        "incident",
        "take",
        &id(&again),
        "escalate",
        "--reason",
        "要人",
    ];
    assert!(terminal.fails(&up).contains("category"));
    terminal.does(&["incident", "classify", &id(&again), "--category", "other"]);
    let taken = terminal.does(&up);
    assert!(taken.contains("escalated"), "{taken}");
    let unknown = terminal.fails(&["incident", "new", "--category", "nonsense"]);
    assert!(unknown.contains("nonsense"), "{unknown}");
}

#[test]
fn drafts_are_kept_submitted_and_thrown_away_from_the_terminal() {
    let terminal = Terminal::new();
    let picture = terminal.photo("a.png");
    let saved = terminal.does(&["draft", "save", "--title", "未写完", "--photo", &picture]);
    let draft = id(&saved);
    let listed = terminal.does(&["draft", "list"]);
    assert!(
        listed.contains("未写完") && listed.contains("1 张照片"),
        "{listed}"
    );
    terminal.does(&[
        "draft",
        "save",
        "--draft",
        &draft,
        "--title",
        "写完了",
        "--category",
        "hygiene",
        "--photo",
        &picture,
    ]);
    let made = terminal.does(&["draft", "submit", &draft]);
    assert_eq!(id(&made), draft);
    assert!(
        terminal
            .does(&["incident", "show", &draft])
            .contains("写完了")
    );
    assert!(terminal.does(&["draft", "list"]).contains("没有草稿"));
    let other = id(&terminal.does(&["draft", "save", "--title", "不要了"]));
    terminal.does(&["draft", "discard", &other]);
    terminal.fails(&["draft", "submit", &other]);
}

#[test]
fn findings_visits_tasks_and_notices_from_the_terminal() {
    let terminal = Terminal::new();
    terminal.does(&["finding", "new", "hygiene"]);
    let incident = id(&terminal.does(&["incident", "new", "--category", "other", "--title", "坑"]));
    terminal.does(&[
        "finding",
        "new",
        "other",
        "--incident",
        &incident,
        "--note",
        "路面",
    ]);
    let found = terminal.does(&["finding", "list"]);
    assert!(
        found.contains("正常") && found.contains(&format!("异常：{incident}")),
        "{found}"
    );
    terminal.does(&[
        "visit",
        "new",
        "3 号楼 501",
        "--person",
        "老人",
        "--phone",
        "0539-1234567",
        "--purpose",
        "elder",
        "--found",
        "平安",
    ]);
    assert!(terminal.does(&["visit", "list"]).contains("3 号楼 501"));
    assert!(terminal.does(&["task", "list"]).contains("没有任务"));
    assert!(terminal.does(&["notice", "list"]).contains("没有通知"));
    terminal.fails(&["notice", "read", &incident]);
    terminal.fails(&["task", "take", &incident, "finish", "--note", "x"]);
    terminal.fails(&["task", "show", "not-an-id"]);
}

#[test]
fn a_dispute_is_mediated_from_the_terminal() {
    let terminal = Terminal::new();
    let dispute = id(&terminal.does(&[
        "incident",
        "new",
        "--category",
        "family_dispute",
        "--title",
        "争吵",
        "--answer",
        "hurt=no",
    ]));
    let mediation = id(&terminal.does(&[
        "mediation",
        "new",
        "婆媳纠纷",
        "--incident",
        &dispute,
        "--party",
        "婆婆",
    ]));
    terminal.does(&[
        "mediation",
        "party",
        &mediation,
        "儿媳",
        "--phone",
        "13800000000",
    ]);
    terminal.does(&[
        "mediation",
        "session",
        &mediation,
        "各退一步",
        "--present",
        "婆婆",
        "--present",
        "儿媳",
        "--from",
        "2026-11-27T10:00:00+08:00",
    ]);
    let steps = terminal.does(&["mediation", "steps", &mediation]);
    assert!(
        steps.contains("agree") && steps.contains("--sign"),
        "{steps}"
    );
    let (first, second) = (terminal.photo("1.png"), terminal.photo("2.png"));
    terminal.does(&[
        "mediation",
        "take",
        &mediation,
        "agree",
        "--agreement",
        "轮流做饭",
        "--sign",
        &format!("婆婆={first}"),
        "--sign",
        &format!("儿媳={second}"),
    ]);
    terminal.does(&[
        "mediation",
        "again",
        &mediation,
        "2026-12-10",
        "--note",
        "看看",
    ]);
    terminal.fails(&["mediation", "again", &mediation, "1970-01-01"]);
    let shown = terminal.does(&["mediation", "show", &mediation]);
    assert!(shown.contains("轮流做饭（婆婆、儿媳）"), "{shown}");
    assert!(shown.contains("回访：2026-12-10 看看"), "{shown}");
    assert!(terminal.does(&["mediation", "list"]).contains("agreed"));
}
