//! A gridworker's day from the terminal: every verb, as somebody types it.

use gridwalk_crash::terminal::{Terminal, id, joined};
use gridwalk_engine::NewIncident;
use std::fs;

const GRIDWALK: &str = env!("CARGO_BIN_EXE_gridwalk-to-kill");

#[test]
fn an_incident_goes_its_way_from_the_terminal() {
    let terminal = Terminal::on_patrol(GRIDWALK);
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
    let file = terminal.file("back.png");
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
fn a_report_is_changed_and_deleted_from_the_terminal() {
    let terminal = Terminal::on_patrol(GRIDWALK);
    let report = [
        "incident",
        "new",
        "--title",
        "楼道堆物",
        "--address",
        "3 号楼",
    ];
    let incident = id(&terminal.does(&report));
    let head = ["incident", "edit", &incident];
    let edit = |changes| joined(&head, changes);
    let show = || terminal.does(&["incident", "show", &incident]);
    terminal.does(&edit(&[
        "--title",
        "楼道堆物已清",
        "--description",
        "纸箱",
        "--lat",
        "35.1",
        "--lon",
        "118.35",
        "--address",
        "",
        "--tag",
        "+夜间",
        "--tag",
        "+楼道",
    ]));
    let shown = show();
    for text in [
        "楼道堆物已清",
        "描述：纸箱",
        "35.100000, 118.350000",
        "标签：夜间",
        "标签：楼道",
    ] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    assert!(!shown.contains("3 号楼"), "{shown}");
    terminal.does(&edit(&["--tag", "-夜间"]));
    let shown = show();
    assert!(
        !shown.contains("夜间") && shown.contains("标签：楼道"),
        "{shown}"
    );

    // What is wrong with one of them changes nothing.
    for (changes, why) in [
        (
            &["--title", "另一个", "--tag", "-夜间"][..],
            "没有标签 夜间",
        ),
        (&["--title", "另一个", "--tag", "夜间"], "+标签"),
        (&["--title", "另一个", "--tag", "+"], "tags 不合要求"),
        (&["--description", "", "--title", " "], "title 不合要求"),
        (&[], "没有说明要改什么"),
    ] {
        let said = terminal.fails(&edit(changes));
        assert!(said.contains(why), "{said}");
    }
    assert_eq!(show(), shown);

    terminal.does(&["incident", "delete", &incident]);
    for gone in [
        edit(&["--title", "还在"]),
        vec!["incident", "show", &incident],
    ] {
        assert!(terminal.fails(&gone).contains("没有这条记录"));
    }
    let sent = id(&terminal.does(&[
        "incident",
        "new",
        "--category",
        "other",
        "--address",
        "路口",
    ]));
    terminal.does(&["incident", "take", &sent, "escalate", "--reason", "要人"]);
    let kept = terminal.fails(&["incident", "delete", &sent]);
    assert!(
        kept.contains("delete：还缺规定的内容，或不合规定"),
        "{kept}"
    );
}

#[test]
fn the_catalogue_is_read_from_the_terminal() {
    let terminal = Terminal::on_patrol(GRIDWALK);
    terminal.says(
        &["catalogue"],
        &[
            "目录第 1 版 · catalogue version 1",
            "fire_safety  消防安全 · ",
            "  gas_smell  燃气泄漏异味 · Smell of gas",
            "程度：urgent 紧急 · severity: urgent Urgent",
        ],
    );
    terminal.says(
        &["catalogue", "gas_smell"],
        &[
            "通常程度：urgent 紧急",
            "时限（紧急）：reported 2 小时，",
            "handle 须附：说明，照片 · handle must carry: a note, a photo",
            "由主管结案",
            "premises  场所类型（单选，必答） · Kind of place (one of these, required)",
            "  dwelling  居民楼 · Dwelling",
            "by_when  约定整改日期（日期，2020-01-01 至 2100-12-31，done 为 told/notice 时）",
            "signed  当事人签字（签名，done 为 notice 时）",
            "evacuated  是否已疏散周边人员（单选，必答）",
        ],
    );
    let category = terminal.says(&["catalogue", "fire_safety"], &["premises"]);
    assert!(!category.contains("evacuated"), "{category}");
    terminal.says(
        &["--lang", "zh", "catalogue", "ebike_indoors"],
        &["ebikes  电动车数量（数字，1 至 500，单位 辆）\n"],
    );
    terminal.says(
        &["--lang", "en", "catalogue", "dirty_road"],
        &[
            "national code: 06012",
            "in_progress 4 working h",
            "text of at most 100 characters",
        ],
    );
    let unknown = terminal.fails(&["catalogue", "nonsense"]);
    assert!(unknown.contains("nonsense"), "{unknown}");
}

#[test]
fn incidents_are_listed_by_what_they_are_and_where() {
    let terminal = Terminal::on_patrol(GRIDWALK);
    terminal.says(&["incident", "list"], &["没有事件"]);
    let report = |title: &str, category: &str, lat: &str| {
        let new = ["incident", "new", "--title", title, "--category", category];
        let place = ["--lat", lat, "--lon", "118.35"];
        id(&terminal.does(&joined(&new, &place)))
    };
    let near = report("楼道堆物", "fire_safety", "35.1");
    let far = report("垃圾满溢", "hygiene", "35.2");
    let sent = report("路面塌陷", "other", "35.11");
    terminal.does(&["incident", "take", &sent, "escalate", "--reason", "要人"]);
    let all = [&near, &far, &sent];
    let listed = |asked: &[&str]| {
        let said = terminal.does(&joined(&["incident", "list"], asked));
        let lines = said
            .lines()
            .filter_map(|line| line.split_whitespace().next());
        let ids = lines.filter(|word| word.len() == 36).map(str::to_owned);
        ids.collect::<Vec<_>>()
    };
    let only = |asked: &[&str], wanted: &[&String]| {
        let mut found = listed(asked);
        let mut wanted: Vec<String> = wanted.iter().map(|id| (*id).clone()).collect();
        found.sort();
        wanted.sort();
        assert_eq!(found, wanted, "{asked:?}");
    };
    only(&[], &all);
    only(&["--state", "escalated"], &[&sent]);
    only(&["--category", "hygiene"], &[&far]);
    only(&["--text", "堆物"], &[&near]);
    only(&["--text", "堆物", "--category", "hygiene"], &[]);
    only(&["--day", "2001-01-01"], &[]);
    let engine = terminal.phone().open().expect("opens");
    let view = engine
        .incident(near.parse().expect("an id"))
        .expect("there");
    engine.close();
    // The district's clocks are eight hours ahead.
    let found = chrono::DateTime::from_timestamp_millis(view.found_ms + 8 * 3_600_000);
    let today = found.expect("a time").format("%Y-%m-%d").to_string();
    let of_today = listed(&["--day", &today]);
    assert!(of_today.contains(&near), "{of_today:?}");
    let nearest = listed(&["--near", "35.1,118.35,2000"]);
    assert_eq!(nearest, [near, sent]);
    for wrong in [["--day", "today"], ["--near", "here"]] {
        terminal.fails(&joined(&["incident", "list"], &wrong));
    }

    let engine = terminal.phone().open().expect("opens");
    for n in 0..48 {
        let new = NewIncident {
            title: format!("第{n}件"),
            ..NewIncident::default()
        };
        engine.report_incident(new).expect("saves");
    }
    engine.close();
    terminal.says(&["incident", "list"], &["第 1 至 50 条，共 51 条"]);
    assert_eq!(listed(&["--page", "2"]).len(), 1);
    terminal.says(
        &["incident", "list", "--page", "2"],
        &["第 51 至 51 条，共 51 条"],
    );
}

#[test]
fn drafts_are_kept_submitted_and_thrown_away_from_the_terminal() {
    let terminal = Terminal::on_patrol(GRIDWALK);
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
    let terminal = Terminal::on_patrol(GRIDWALK);
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
    let door = terminal.photo("door.png");
    let visit = id(&terminal.does(&[
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
        "--photo",
        &door,
        "--address",
        "3 号楼",
    ]));
    let shown = terminal.does(&["visit", "show", &visit]);
    for text in [
        "3 号楼 501",
        "见到：老人 0539-1234567",
        "目的：elder",
        "情况：平安",
        "地址：3 号楼",
        "照片：",
    ] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    terminal.fails(&["visit", "show", &incident]);
    terminal.does(&[
        "visit",
        "edit",
        &visit,
        "--found",
        "已就医",
        "--purpose",
        "",
        "--address",
        "3 号楼 2 单元",
    ]);
    let shown = terminal.says(
        &["visit", "show", &visit],
        &["情况：已就医", "2 单元", "见到：老人"],
    );
    assert!(!shown.contains("目的"), "{shown}");
    terminal.fails(&[
        "visit",
        "edit",
        &visit,
        "--found",
        "别的",
        "--household",
        "",
    ]);
    terminal.fails(&["visit", "edit", &incident, "--found", "别的"]);
    terminal.says(&["visit", "show", &visit], &["3 号楼 501", "情况：已就医"]);
    assert!(terminal.does(&["visit", "list"]).contains("3 号楼 501"));
    assert!(terminal.does(&["task", "list"]).contains("没有任务"));
    assert!(terminal.does(&["notice", "list"]).contains("没有通知"));
    terminal.fails(&["notice", "read", &incident]);
    terminal.fails(&["task", "take", &incident, "finish", "--note", "x"]);
    terminal.fails(&["task", "show", "not-an-id"]);
}

#[test]
fn a_dispute_is_mediated_from_the_terminal() {
    let terminal = Terminal::on_patrol(GRIDWALK);
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
        "--lat",
        "35.1",
        "--lon",
        "118.35",
    ]));
    terminal.does(&[
        "mediation",
        "party",
        &mediation,
        "儿媳",
        "--phone",
        "13800000000",
        "--note",
        "住 501",
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
        "--where",
        "居委会",
        "--from",
        "2026-11-27T10:00:00+08:00",
        "--to",
        "2026-11-27T11:30:00+08:00",
        "--remote",
    ]);
    let early = [
        "mediation",
        "session",
        &mediation,
        "早了",
        "--present",
        "婆婆",
        "--from",
        "2026-11-27T10:00:00Z",
        "--to",
        "2026-11-27T09:00:00Z",
    ];
    assert!(terminal.fails(&early).contains("to_ms"));
    let shown = terminal.does(&["mediation", "show", &mediation]);
    for text in [
        &*format!("事件：{dispute}"),
        "位置：35.100000, 118.350000",
        "当事人：儿媳 13800000000 住 501",
        "会谈：2026-11-27T02:00:00Z – 2026-11-27T03:30:00Z  居委会  视频",
        "在场：婆婆、儿媳",
        "内容：各退一步",
    ] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    terminal.does(&[
        "mediation",
        "edit",
        &mediation,
        "--title",
        "婆媳争吵",
        "--cause",
        "做饭",
        "--address",
        "3 号楼",
    ]);
    terminal.fails(&[
        "mediation",
        "edit",
        &mediation,
        "--title",
        "",
        "--cause",
        "别的",
    ]);
    let shown = terminal.does(&["mediation", "show", &mediation]);
    for text in ["婆媳争吵", "起因：做饭", "地址：3 号楼"] {
        assert!(shown.contains(text), "{text}: {shown}");
    }
    let colleague = "01010101-0101-0101-0101-010101010101";
    let reader = ["mediation", "reader", &mediation, "--worker", colleague];
    terminal.does(&reader);
    let user = ["mediation", "reader", &mediation, "--user", colleague];
    terminal.does(&user);
    let shown = terminal.does(&["mediation", "show", &mediation]);
    assert!(
        shown.contains(&format!("可阅读的网格员：{colleague}")),
        "{shown}"
    );
    terminal.does(&joined(&reader, &["--remove"]));
    assert!(
        terminal
            .fails(&joined(&reader, &["--remove"]))
            .contains("本来就不在")
    );
    let shown = terminal.does(&["mediation", "show", &mediation]);
    assert!(!shown.contains("可阅读的网格员"), "{shown}");
    assert!(
        shown.contains(&format!("可阅读的用户：{colleague}")),
        "{shown}"
    );
    let nobody = ["mediation", "reader", &mediation, "--worker", "某人"];
    assert!(terminal.fails(&nobody).contains("不是人员编号"));
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
