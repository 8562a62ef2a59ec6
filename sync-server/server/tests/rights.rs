//! Who reads and does what on the page, as the domain says.
#![allow(clippy::expect_used, reason = "what fails here fails the test")]

mod common;

use common::phone::{reason, seq};
use common::{BASE, HOUR, MORNING, Phone, World, world};
use gridwalk_domain::wire::Outcome;
use gridwalk_domain::{DepartmentId, EntityId, Intent, OpBody, OpId, StreamKey, UserId};
use gridwalk_server::admin::Revoke;
use gridwalk_server::{Act, Error};
use gridwalk_store::Role;
use serde_json::{Map, Value, json};
use std::sync::atomic::{AtomicU8, Ordering};

const FIRE: DepartmentId = DepartmentId::from_bytes([5; 16]);
const COMMUNITY: &str = "371302001001";

fn user(world: &World, name: &str) -> UserId {
    let row = world.stored(|tx| tx.user_by_name(name));
    row.expect("a user").id
}

fn fresh() -> OpId {
    static NEXT: AtomicU8 = AtomicU8::new(1);
    OpId::from_bytes([NEXT.fetch_add(1, Ordering::Relaxed); 16])
}

/// Takes a step from where the record stands.
fn step(
    world: &World,
    who: &str,
    entity: EntityId,
    to: &str,
    with: Value,
) -> Result<Outcome, (u16, String)> {
    let row = world.stored(|tx| tx.entities(world.tenant, &[entity]));
    let state: Value =
        serde_json::from_str(row[0].state.as_deref().expect("a state")).expect("JSON");
    let last = state["history"]
        .as_array()
        .expect("steps")
        .last()
        .expect("a step");
    let with: Map<String, Value> = serde_json::from_value(with).expect("an object");
    let intent = Intent::Transition {
        from: last["to"].as_str().expect("a word").into(),
        to: to.into(),
        base: serde_json::from_value(last["op"].clone()).expect("an id"),
        reason: Some("按规定".into()),
        with,
    };
    let act = Act {
        op: fresh(),
        entity,
        kind: None,
        intent,
    };
    let outcome = world.service.act(user(world, who), &act);
    outcome.map_err(|error| match error {
        Error::Fault(fault) => (fault.status, fault.code.into_owned()),
        other => panic!("{other:?}"),
    })
}

fn reported(world: &World, phone: &mut Phone) -> EntityId {
    let made = phone.incident("楼道堆物");
    let up = Intent::Transition {
        from: "reported".into(),
        to: "escalated".into(),
        base: made.id,
        reason: Some("需要社区处理".into()),
        with: [("holder".to_owned(), json!(world.grid(COMMUNITY)))]
            .into_iter()
            .collect(),
    };
    let up = phone.body("incident", made.entity, up);
    for outcome in phone.push(&[made.clone(), up]) {
        assert!(seq(&outcome) > 0);
    }
    made.entity
}

#[test]
fn a_department_sees_what_was_dispatched_to_it_and_nothing_else() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let (theirs, other) = (reported(&world, &mut phone), reported(&world, &mut phone));
    world.login("社区", Role::Community, COMMUNITY);
    let fire = world.login("消防", Role::Department(FIRE), "371302001");
    let get = |path: &str| world.get(&fire, path).status;
    let day = "/api/day?date=2026-11-21";
    assert_eq!(world.look(&fire, day)["incidents"], json!([]));
    assert_eq!(get(&format!("/api/incidents/{theirs}")), 403);
    step(&world, "社区", theirs, "accepted", json!({})).expect("accepts");
    let order = json!({"assignee": {"department": FIRE}, "limit_ms": MORNING + HOUR});
    step(&world, "社区", theirs, "dispatched", order).expect("dispatches");
    let seen = world.look(&fire, day);
    assert_eq!(seen["incidents"][0]["id"], json!(theirs));
    assert_eq!(seen["incidents"].as_array().map(Vec::len), Some(1));
    assert_eq!(seen["patrols"], json!([]));
    assert_eq!(get(&format!("/api/incidents/{other}")), 403);
    assert_eq!(world.look(&fire, "/api/workers")["workers"], json!([]));
    assert_eq!(
        world.look(&fire, "/api/days")["days"],
        json!(["2026-11-21"])
    );
    assert_eq!(world.look(&fire, "/api/me")["role"], "department");
    // And does its part, no other.
    assert_eq!(
        step(&world, "消防", other, "accepted", json!({})).expect_err("no"),
        (403, "not_for_you".into())
    );
    step(&world, "消防", theirs, "in_progress", json!({})).expect("begins");
    let unproven = step(&world, "消防", theirs, "resolved", json!({}));
    assert_eq!(unproven.expect_err("no proof"), (422, "unfit".into()));
}

#[test]
fn administrators_read_and_take_no_step_and_other_grids_stay_others() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let incident = reported(&world, &mut phone);
    let admin = world.login("管理员", Role::Administrator, "371302");
    world.login("别的社区", Role::Community, "371302001002");
    world.login("街道", Role::Town, "371302001");
    assert_eq!(
        world
            .get(&admin, &format!("/api/incidents/{incident}"))
            .status,
        200
    );
    for who in ["管理员", "别的社区"] {
        let no = step(&world, who, incident, "accepted", json!({}));
        assert_eq!(
            no.expect_err("may not"),
            (403, "not_for_you".into()),
            "{who}"
        );
    }
    step(&world, "街道", incident, "accepted", json!({})).expect("a right holds for all below");
}

#[test]
fn a_limit_is_shown_and_that_it_has_passed() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let incident = reported(&world, &mut phone);
    let cookie = world.login("社区", Role::Community, COMMUNITY);
    let shown = || world.look(&cookie, &format!("/api/incidents/{incident}"))["incident"].clone();
    let before = shown();
    let due = before["due_ms"].as_i64().expect("a limit runs");
    assert!(due > world.clock.wall_ms() && before["overdue"] == json!(false));
    world.clock.turn(due - world.clock.wall_ms() + 1);
    // The clock of the page is that of the login: it lasts.
    let cookie = world.login("社区二", Role::Community, COMMUNITY);
    let after = world.look(&cookie, &format!("/api/incidents/{incident}"));
    assert_eq!(after["incident"]["overdue"], json!(true));
}

fn create(phone: &mut Phone, kind: &str, fields: Value) -> OpBody {
    let home = StreamKey::Inbox(phone.worker);
    let fields = serde_json::from_value(fields).expect("an object");
    let entity = EntityId::draw(&*phone.rng);
    phone.body(kind, entity, Intent::Create { home, fields })
}

#[test]
fn a_mediation_has_narrow_readers_and_every_reading_is_written_down() {
    let world = world();
    let (mut phone, mut named) = (world.phone("王", BASE[0]), world.phone("李", BASE[3]));
    let fields = json!({"worker": phone.worker, "grid": phone.grid, "title": "邻里纠纷"});
    let made = create(&mut phone, "mediation", fields);
    assert!(seq(&phone.push_one(&made)) > 0);
    let community = world.login("社区", Role::Community, COMMUNITY);
    let others = [
        world.login("街道", Role::Town, "371302001"),
        world.login("管理员", Role::Administrator, "371302"),
        world.login("别的社区", Role::Community, "371302001002"),
    ];
    let path = format!("/api/records/mediation/{}", made.entity);
    for cookie in &others {
        assert_eq!(world.get(cookie, &path).status, 403);
    }
    let readings = || {
        let admin = world.service.admin();
        let readings = admin
            .readings(Some(made.entity), Some("371302"))
            .expect("lists");
        readings.into_iter().map(|one| one.name).collect::<Vec<_>>()
    };
    assert!(readings().is_empty(), "a refusal is no reading");
    assert_eq!(world.look(&community, &path)["record"]["title"], "邻里纠纷");
    assert_eq!(readings(), ["社区"]);
    // It goes to phones, too: its maker's, and whom it names.
    assert!(named.read(StreamKey::Inbox(named.worker)).is_empty());
    let reader = Intent::Add {
        set: "readers".into(),
        value: json!({"worker": named.worker}),
    };
    let reader = phone.body("mediation", made.entity, reader);
    assert!(seq(&phone.push_one(&reader)) > 0);
    let theirs = named.read(StreamKey::Inbox(named.worker));
    assert!(theirs.contains_key(&made.entity));
    assert_eq!(readings(), ["社区", "李"]);
    // Whom it names may say something, and change nothing.
    let says = Intent::Append {
        list: "comments".into(),
        value: json!({"text": "我认识这家人"}),
    };
    let says = named.body("mediation", made.entity, says);
    assert!(seq(&named.push_one(&says)) > 0);
    let ends = Intent::Transition {
        from: "open".into(),
        to: "failed".into(),
        base: made.id,
        reason: Some("不成".into()),
        with: Map::new(),
    };
    let ends = named.body("mediation", made.entity, ends);
    assert_eq!(reason(&named.push_one(&ends)), "rejected not_for_you");
    // What counts for a check that nothing was lost names no record of it and tells
    // nothing that it says; its ops are counted like all.
    let listed = world.look(&others[1], "/api/holdings").to_string();
    for said in [made.entity.to_string().as_str(), "mediation", "邻里纠纷"] {
        assert!(!listed.contains(said), "{said}");
    }
    assert!(listed.contains(&made.id.to_string()));
    assert!(
        !world
            .look(&community, "/api/day?date=2026-11-21")
            .to_string()
            .contains("邻里纠纷")
    );
}

#[test]
fn whose_phone_fetches_a_picture_of_a_mediation_has_read_it() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let colleague = world.phone("李", BASE[0]);
    let fields = json!({"worker": phone.worker, "grid": phone.grid, "title": "邻里纠纷"});
    let made = create(&mut phone, "mediation", fields);
    phone.push_one(&made);
    let bytes = b"what was signed";
    let photo = phone.upload(bytes);
    let value = json!({"sha256": photo, "mime": "image/png", "bytes": bytes.len()});
    let list = "photos".to_owned();
    let shown = Intent::Append {
        list,
        value: value.clone(),
    };
    let shown = phone.body("mediation", made.entity, shown);
    assert!(seq(&phone.push_one(&shown)) > 0);
    let path = format!("/v1/blobs/{photo}");
    let readings = || {
        let admin = world.service.admin();
        let readings = admin.readings(Some(made.entity), Some("371302"));
        let readings = readings.expect("lists").into_iter();
        readings.map(|one| (one.who, one.name)).collect::<Vec<_>>()
    };
    assert_eq!(colleague.send("GET", &path, &[], b"").status, 404);
    assert!(readings().is_empty());
    let range = [("range", "bytes=0-3")];
    assert_eq!(phone.send("GET", &path, &range, b"").body, b"what");
    let theirs = [(format!("worker/{}", phone.worker), "王".to_owned())];
    assert_eq!(readings(), theirs);
    // Where another record shows the same, nothing of the mediation was read.
    let incident = phone.incident("楼道");
    let also = phone.append(incident.entity, "photos", value);
    phone.push(&[incident, also]);
    assert_eq!(phone.send("GET", &path, &[], b"").body, bytes);
    assert_eq!(readings(), theirs);
}

#[test]
fn what_is_held_of_a_mediation_is_shown_to_its_readers_alone() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    for (name, role, grid) in [
        ("社区", Role::Community, COMMUNITY),
        ("街道", Role::Town, "371302001"),
        ("管理员", Role::Administrator, "371302"),
    ] {
        world.login(name, role, grid);
    }
    // Of a stolen phone: one that would be made, and what follows.
    let stolen = phone.device.to_string();
    let revoked = world.service.admin().revoke(Revoke::Device(&stolen), true);
    assert_eq!(revoked.expect("revokes").len(), 1);
    let fields = json!({"worker": phone.worker, "grid": phone.grid, "title": "邻里纠纷"});
    let made = create(&mut phone, "mediation", fields);
    let says = Intent::Append {
        list: "comments".into(),
        value: json!({"text": "各让一步"}),
    };
    let says = phone.body("mediation", made.entity, says);
    let other = phone.incident("楼道堆物");
    for outcome in phone.push(&[made.clone(), says, other]) {
        assert!(reason(&outcome).starts_with("quarantined"), "{outcome:?}");
    }
    let admin = world.service.admin();
    let readings = || {
        let readings = admin.readings(Some(made.entity), Some("371302"));
        let readings = readings.expect("lists").into_iter();
        readings.map(|one| one.name).collect::<Vec<_>>()
    };
    let told = |held: gridwalk_server::admin::Held| {
        let redacted: Vec<bool> = held.ops.iter().map(|op| op.redacted).collect();
        let text = serde_json::to_string(&held).expect("writes");
        (redacted, text)
    };
    for held in [
        admin.quarantine(None),
        admin.quarantine_as("街道"),
        admin.quarantine_as("管理员"),
    ] {
        let (redacted, text) = told(held.expect("lists"));
        assert_eq!(redacted, [true, true, false]);
        assert!(text.contains("楼道堆物") && text.contains(&made.entity.to_string()));
        assert!(!text.contains("邻里纠纷") && !text.contains("各让一步"));
    }
    assert!(readings().is_empty());
    let (redacted, text) = told(admin.quarantine_as("社区").expect("lists"));
    assert_eq!(redacted, [false; 3]);
    assert!(text.contains("邻里纠纷") && text.contains("各让一步"));
    assert_eq!(readings(), ["社区"]);
    assert!(admin.quarantine_as("谁").is_err());
}

#[test]
fn a_task_is_seen_by_those_above_and_done_by_whom_it_names() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let cookie = world.login("街道", Role::Town, "371302001");
    let elsewhere = world.login("别处", Role::Town, "371302002");
    let fields = json!({"worker": phone.worker, "grid": phone.grid, "work": "visit",
        "title": "走访独居老人", "due_ms": MORNING + HOUR});
    let task = EntityId::from_bytes([77; 16]);
    let act = Act {
        op: fresh(),
        entity: task,
        kind: Some("task".into()),
        intent: Intent::Create {
            home: StreamKey::Inbox(phone.worker),
            fields: serde_json::from_value(fields).expect("an object"),
        },
    };
    world
        .service
        .act(user(&world, "街道"), &act)
        .expect("sends it down");
    let list = world.look(&cookie, "/api/tasks?status=sent");
    assert_eq!(list["tasks"][0]["title"], "走访独居老人");
    assert_eq!(list["tasks"][0]["worker"]["name"], "王");
    assert_eq!(list["tasks"][0]["overdue"], json!(false));
    assert_eq!(
        world.look(&cookie, "/api/tasks?status=done")["tasks"],
        json!([])
    );
    assert_eq!(world.look(&elsewhere, "/api/tasks")["tasks"], json!([]));
    let inbox = phone.read(StreamKey::Inbox(phone.worker));
    assert!(inbox.contains_key(&task));
    let no = step(&world, "街道", task, "accepted", json!({}));
    assert_eq!(
        no.expect_err("not theirs to do"),
        (403, "not_for_you".into())
    );
    let accept = Intent::Transition {
        from: "sent".into(),
        to: "accepted".into(),
        base: act.op,
        reason: None,
        with: Map::new(),
    };
    let accept = phone.body("task", task, accept);
    assert!(seq(&phone.push_one(&accept)) > 0);
    world.clock.turn(2 * HOUR);
    let list = world.look(&cookie, "/api/tasks");
    assert_eq!(list["tasks"][0]["overdue"], json!(true));
}
