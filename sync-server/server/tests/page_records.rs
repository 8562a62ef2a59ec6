//! What the page is told of records of every kind, and of an incident's life.
#![allow(clippy::expect_used, reason = "what fails here fails the test")]

mod common;

use common::phone::seq;
use common::{BASE, HOUR, MORNING, Phone, World, world};
use gridwalk_domain::{EntityId, Intent, OpBody, OpId, StreamKey};
use gridwalk_server::Act;
use gridwalk_store::Role;
use serde_json::{Value, json};

const DAY: &str = "2026-11-21";
const COMMUNITY: &str = "371302001001";

fn create(phone: &mut Phone, kind: &str, home: StreamKey, fields: Value) -> OpBody {
    let fields = serde_json::from_value(fields).expect("an object");
    let entity = EntityId::draw(&*phone.rng);
    let op = phone.body(kind, entity, Intent::Create { home, fields });
    assert!(seq(&phone.push_one(&op)) > 0, "{kind}");
    op
}

/// Acts as a user of the page.
fn act(world: &World, who: &str, n: u8, entity: EntityId, kind: Option<&str>, intent: Intent) {
    let user = world.stored(|tx| tx.user_by_name(who)).expect("a user").id;
    let op = OpId::from_bytes([n; 16]);
    let kind = kind.map(str::to_owned);
    let act = Act {
        op,
        entity,
        kind,
        intent,
    };
    world.service.act(user, &act).expect("acts");
}

fn made(home: StreamKey, fields: Value) -> Intent {
    let fields = serde_json::from_value(fields).expect("an object");
    Intent::Create { home, fields }
}

/// A step from where the record stands.
fn step(world: &World, entity: EntityId, to: &str, reason: Option<&str>, with: Value) -> Intent {
    let row = &world.stored(|tx| tx.entities(world.tenant, &[entity]))[0];
    let state: Value = serde_json::from_str(row.state.as_deref().expect("a state")).expect("JSON");
    let last = state["history"].as_array().and_then(|steps| steps.last());
    let last = last.expect("a step");
    Intent::Transition {
        from: last["to"].as_str().expect("a word").into(),
        to: to.into(),
        base: serde_json::from_value(last["op"].clone()).expect("an id"),
        reason: reason.map(str::to_owned),
        with: serde_json::from_value(with).expect("an object"),
    }
}

fn kinds(listed: &Value) -> Vec<&str> {
    let rows = listed["records"].as_array().expect("records").iter();
    rows.map(|row| row["kind"].as_str().expect("a word"))
        .collect()
}

#[test]
fn records_of_every_kind_are_listed_and_read() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let cookie = world.login("社区", Role::Community, COMMUNITY);
    let elsewhere = world.login("别的社区", Role::Community, "371302001002");
    let (worker, grid) = (phone.worker, phone.grid);
    let patrol = phone.patrol();
    let home = phone.records();
    let visit = json!({"worker": worker, "grid": grid, "patrol": patrol, "household": "三单元 501",
        "visited_ms": MORNING + HOUR, "found": "老人身体好", "person": {"name": "甲"},
        "place": {"lat": 35.052, "lon": 118.302}});
    let visit = create(&mut phone, "visit", home, visit).entity;
    let finding = json!({"worker": worker, "grid": grid, "patrol": patrol, "catalogue": 1,
        "category": "hygiene", "result": "normal"});
    create(&mut phone, "finding", home, finding);
    let (task, notice) = (
        EntityId::from_bytes([77; 16]),
        EntityId::from_bytes([78; 16]),
    );
    let fields = json!({"worker": worker, "grid": grid, "work": "visit", "title": "走访独居老人",
        "due_ms": MORNING + HOUR});
    act(
        &world,
        "社区",
        1,
        task,
        Some("task"),
        made(StreamKey::Inbox(worker), fields),
    );
    let fields = json!({"grid": grid, "title": "大风预警", "text": "检查广告牌"});
    act(
        &world,
        "社区",
        2,
        notice,
        Some("notice"),
        made(StreamKey::Notices(grid), fields),
    );
    let fields = json!({"worker": worker, "grid": grid, "notice": notice});
    create(
        &mut phone,
        "notice_reading",
        StreamKey::Inbox(worker),
        fields,
    );

    let day = format!("/api/records?date={DAY}");
    let listed = world.look(&cookie, &day);
    let mut all = kinds(&listed);
    all.sort_unstable();
    assert_eq!(all, ["finding", "notice", "task", "visit"]);
    assert_eq!(
        kinds(&world.look(&cookie, &format!("{day}&kind=visit"))),
        ["visit"]
    );
    assert_eq!(
        world.look(&cookie, "/api/records?date=2026-11-20")["records"],
        json!([])
    );
    assert_eq!(world.look(&elsewhere, &day)["records"], json!([]));
    assert_eq!(world.get(&cookie, &format!("{day}&kind=shoe")).status, 400);
    let row = |kind: &str| {
        let rows = listed["records"].as_array().expect("rows").iter();
        rows.into_iter()
            .find(|row| row["kind"] == kind)
            .expect("there")
            .clone()
    };
    assert_eq!(row("visit")["title"], "三单元 501");
    assert_eq!(row("visit")["at_ms"], json!(MORNING + HOUR), "its own time");
    assert_eq!(row("finding")["status"], "normal", "how it came out");
    assert_eq!(row("task")["worker"]["name"], "王");
    assert_eq!(row("task")["by"]["name"], "社区");
    assert_eq!(row("task")["overdue"], json!(false));

    let read = |kind: &str, id: EntityId| world.look(&cookie, &format!("/api/records/{kind}/{id}"));
    let seen = read("visit", visit);
    assert_eq!(seen["record"], row("visit"));
    assert_eq!(seen["fields"]["found"], "老人身体好");
    assert_eq!(
        seen["links"],
        json!({"patrol": {"kind": "patrol", "id": patrol}})
    );
    assert_eq!(seen["fields"].get("patrol"), None, "a link is told once");
    let seen = read("notice", notice);
    assert_eq!(seen["read_by"][0]["worker"]["name"], "王");
    assert_eq!(read("task", task)["history"][0]["to"], "sent");
    world.clock.turn(2 * HOUR);
    assert_eq!(read("task", task)["record"]["overdue"], json!(true));

    for (cookie, path, status) in [
        (&elsewhere, format!("/api/records/visit/{visit}"), 403),
        (&cookie, format!("/api/records/task/{visit}"), 404),
        (&cookie, format!("/api/records/patrol/{patrol}"), 404),
        (&cookie, "/api/records/visit/x".to_owned(), 404),
    ] {
        assert_eq!(world.get(cookie, &path).status, status, "{path}");
    }
}

#[test]
fn a_mediation_is_listed_where_it_is_asked_for_and_that_is_a_reading() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let fields = json!({"worker": phone.worker, "grid": phone.grid, "title": "邻里纠纷"});
    let home = StreamKey::Inbox(phone.worker);
    let mediation = create(&mut phone, "mediation", home, fields).entity;
    let party = Intent::Add {
        set: "parties".into(),
        value: json!({"name": "甲"}),
    };
    let party = phone.body("mediation", mediation, party);
    assert!(seq(&phone.push_one(&party)) > 0);
    let community = world.login("社区", Role::Community, COMMUNITY);
    let town = world.login("街道", Role::Town, "371302001");
    let readings = || {
        let admin = world.service.admin();
        admin
            .readings(Some(mediation), Some("371302"))
            .expect("lists")
            .len()
    };
    let all = format!("/api/records?date={DAY}");
    assert_eq!(world.look(&community, &all)["records"], json!([]));
    assert_eq!(readings(), 0, "a list of everything reads none");
    let own = format!("{all}&kind=mediation");
    assert_eq!(world.look(&town, &own)["records"], json!([]));
    let path = format!("/api/records/mediation/{mediation}");
    assert_eq!(world.get(&town, &path).status, 403);
    assert_eq!(readings(), 0, "a refusal is no reading");
    assert_eq!(
        world.look(&community, &own)["records"][0]["title"],
        "邻里纠纷"
    );
    assert_eq!(readings(), 1);
    let seen = world.look(&community, &path);
    assert_eq!(seen["sets"]["parties"][0]["value"]["name"], "甲");
    assert_eq!(seen["history"][0]["by"]["name"], "王");
    assert_eq!(readings(), 2);
}

#[test]
fn an_incident_says_who_holds_it_who_works_on_it_and_what_its_form_says() {
    let world = world();
    let (mut phone, mut other) = (world.phone("王", BASE[0]), world.phone("李", BASE[0]));
    let cookie = world.login("社区", Role::Community, COMMUNITY);
    let incident = phone.incident("楼道堆物");
    assert!(seq(&phone.push_one(&incident)) > 0);
    let twin = other.incident("楼道有杂物");
    assert!(seq(&other.push_one(&twin)) > 0);
    let id = incident.entity;
    let shown = || world.look(&cookie, &format!("/api/incidents/{id}"));
    let before = shown();
    assert_eq!(before["holder"]["code"], BASE[0]);
    assert_eq!(before["assignee"], Value::Null);
    assert_eq!(before["class"]["category"]["zh"], "消防安全");
    let answers = before["answers"].as_array().expect("answers");
    assert_eq!(answers.len(), 1);
    assert_eq!(answers[0]["value"], "dwelling");
    assert!(answers[0]["question"]["zh"].is_string());
    assert!(
        answers[0]["choices"][0]["zh"].is_string(),
        "the choice's words"
    );
    let near = before["duplicates"].as_array().expect("duplicates");
    assert_eq!(near.len(), 1, "not itself");
    assert_eq!(near[0]["incident"]["id"], json!(twin.entity));
    assert_eq!(near[0]["apart_m"], json!(0.0));

    let holder = json!({"holder": world.grid(COMMUNITY)});
    let up = step(&world, id, "escalated", Some("够不着"), holder);
    let up = phone.body("incident", id, up);
    assert!(seq(&phone.push_one(&up)) > 0);
    act(
        &world,
        "社区",
        1,
        id,
        None,
        step(&world, id, "accepted", None, json!({})),
    );
    let order = json!({"assignee": {"worker": other.worker}, "limit_ms": MORNING + HOUR});
    act(
        &world,
        "社区",
        2,
        id,
        None,
        step(&world, id, "dispatched", None, order),
    );
    let after = shown();
    assert_eq!(after["holder"]["code"], COMMUNITY);
    assert_eq!(after["assignee"], json!({"sort": "worker", "name": "李"}));
    let steps = after["history"].as_array().expect("steps");
    assert_eq!(steps.len(), 4);
    assert_eq!(steps[1]["reason"], "够不着");
    assert_eq!(steps[1]["holder"]["code"], COMMUNITY);
    assert_eq!(steps[3]["assignee"]["name"], "李");
    assert_eq!(steps[3]["with"], json!({"limit_ms": MORNING + HOUR}));

    // Who sees a community does not see that the town holds one, or what is near elsewhere.
    let town = json!({"holder": world.grid("371302001")});
    let higher = phone.incident("别的");
    assert!(seq(&phone.push_one(&higher)) > 0);
    let up = step(
        &world,
        higher.entity,
        "escalated",
        Some("够不着"),
        json!({"holder": world.grid(COMMUNITY)}),
    );
    let up = phone.body("incident", higher.entity, up);
    assert!(seq(&phone.push_one(&up)) > 0);
    let on = step(&world, higher.entity, "escalated", Some("再上"), town);
    act(&world, "社区", 3, higher.entity, None, on);
    let path = format!("/api/incidents/{}", higher.entity);
    let seen = world.look(&cookie, &path);
    assert_eq!(seen["holder"], Value::Null);
    assert_eq!(seen["history"][2]["holder"], Value::Null);
    let town = world.login("街道", Role::Town, "371302001");
    assert_eq!(world.look(&town, &path)["holder"]["code"], "371302001");
}
