//! What a time brings about, each thing once.
#![allow(clippy::expect_used, reason = "what fails here fails the test")]

mod common;

use common::phone::seq;
use common::{BASE, HOUR, MINUTE, Phone, World, settings, world};
use gridwalk_domain::{Calendar, EntityId, Intent, OpBody, StreamKey};
use gridwalk_server::admin::Source;
use gridwalk_store::Role;
use serde_json::{Value, json};

/// The world's morning is a Saturday, and none is worked: limits in the clock's
/// hours run on.
const DAY: i64 = 24 * HOUR;

fn escalated(world: &World, phone: &mut Phone, severity: &str, category: &str) -> EntityId {
    let mut made = phone.incident("高空坠物");
    if let Intent::Create { fields, .. } = &mut made.intent {
        fields.remove("form.premises");
        fields.insert("category".into(), json!(category));
        fields.insert("severity".into(), json!(severity));
        if category == "family_dispute" {
            fields.insert("form.hurt".into(), json!("no"));
        }
    }
    let above = world.grid("371302001001");
    let intent = Intent::Transition {
        from: "reported".into(),
        to: "escalated".into(),
        base: made.id,
        reason: Some("需要社区处理".into()),
        with: [("holder".to_owned(), json!(above))].into_iter().collect(),
    };
    let up = phone.body("incident", made.entity, intent);
    for outcome in phone.push(&[made.clone(), up]) {
        assert!(seq(&outcome) > 0);
    }
    made.entity
}

fn holders(phone: &Phone, incident: EntityId) -> Vec<Value> {
    let state = phone.state(incident);
    let steps = state.history.iter();
    steps
        .filter_map(|step| step.with.get("holder").cloned())
        .collect()
}

#[test]
fn what_nobody_accepts_goes_up_to_the_top_each_step_once() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    // An hour by the clock, for each level.
    let urgent = escalated(&world, &mut phone, "urgent", "other");
    // Working hours: it is Saturday.
    let normal = escalated(&world, &mut phone, "normal", "other");
    // Its category does not climb.
    let dispute = escalated(&world, &mut phone, "urgent", "family_dispute");
    let [community, town, district] =
        ["371302001001", "371302001", "371302"].map(|code| json!(world.grid(code)));
    let strike = || world.service.strike().expect("strikes");
    assert_eq!(strike(), 0);
    world.clock.turn(HOUR);
    assert_eq!(strike(), 0, "due is not overdue");
    world.clock.turn(MINUTE);
    assert_eq!((strike(), strike()), (1, 0));
    assert_eq!(holders(&phone, urgent), [community.clone(), town.clone()]);
    let state = phone.state(urgent);
    let last = state.history.last().expect("a step");
    assert_eq!(
        serde_json::to_value(last.stamp.by).expect("JSON"),
        json!({"server": "clock"})
    );
    assert!(last.reason.is_some());
    for _ in 0..3 {
        world.clock.turn(DAY / 2);
        strike();
    }
    assert_eq!(holders(&phone, urgent), [community.clone(), town, district]);
    for stays in [normal, dispute] {
        assert_eq!(
            holders(&phone, stays).as_slice(),
            std::slice::from_ref(&community)
        );
    }
    let waiting = world.stored(|tx| tx.due(world.tenant, i64::MAX, 9));
    let waiting: Vec<EntityId> = waiting.iter().map(|row| row.id).collect();
    assert_eq!(
        waiting,
        [normal],
        "what stands at the top is not looked at again"
    );
}

#[test]
fn two_clocks_and_a_restored_database_make_the_same_step() {
    let mut world = world();
    let mut phone = world.phone("王", BASE[0]);
    let urgent = escalated(&world, &mut phone, "urgent", "other");
    world.clock.turn(HOUR + MINUTE);
    let old = world.copy();
    assert_eq!(world.service.strike(), Ok(1));
    let ops = phone.state(urgent).ops;
    // The database forgets it; the journal does not; and a clock that looks first
    // would have made the same.
    world.go_back(&*old);
    let second = gridwalk_server::Service::open(world.parts.clone(), settings()).expect("opens");
    assert_eq!(second.strike(), Ok(0));
    world.restart(settings());
    phone.line = common::phone::Line::InProcess(world.service.clone());
    *phone.seen.lock().expect("a lock") = None;
    assert_eq!(phone.state(urgent).ops, ops);
}

#[test]
fn who_accepts_in_time_keeps_it() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let urgent = escalated(&world, &mut phone, "urgent", "other");
    let admin = world.service.admin();
    let user = admin
        .add_user("社区", Role::Community, "371302001001")
        .expect("a user");
    let base = phone.state(urgent).history.last().expect("a step").stamp.op;
    let accept = gridwalk_server::Act {
        op: gridwalk_domain::OpId::from_bytes([7; 16]),
        entity: urgent,
        kind: None,
        intent: Intent::Transition {
            from: "escalated".into(),
            to: "accepted".into(),
            base,
            reason: None,
            with: Default::default(),
        },
    };
    world.service.act(user.id, &accept).expect("accepts");
    world.clock.turn(30 * DAY);
    assert_eq!(world.service.strike(), Ok(0));
    assert!(
        world
            .stored(|tx| tx.due(world.tenant, i64::MAX, 9))
            .is_empty()
    );
}

#[test]
fn another_calendar_counts_for_limits_that_run() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let normal = escalated(&world, &mut phone, "normal", "other");
    world.clock.turn(5 * HOUR);
    assert_eq!(world.service.strike(), Ok(0), "nobody works on a Saturday");
    let mut calendar = serde_json::to_value(Calendar::shipped()).expect("JSON");
    calendar["version"] = json!(99);
    calendar["week"]["sat"] = calendar["week"]["fri"].clone();
    let text = calendar.to_string();
    let source = Source {
        name: "calendar.json",
        bytes: text.as_bytes(),
    };
    let admin = world.service.admin();
    admin
        .import_calendar(source, Some("371302"))
        .expect("imports");
    // From 8:30, four working hours: until 14:00 with the noon.
    assert_eq!(world.service.strike(), Ok(0));
    world.clock.turn(HOUR + MINUTE);
    assert_eq!(world.service.strike(), Ok(1));
    assert_eq!(holders(&phone, normal).len(), 2);
}

fn mediation(phone: &mut Phone) -> OpBody {
    let fields = json!({"worker": phone.worker, "grid": phone.grid, "title": "邻里纠纷",
        "address": "3 号楼 2 单元"});
    let home = StreamKey::Inbox(phone.worker);
    let fields = serde_json::from_value(fields).expect("an object");
    let entity = EntityId::from_bytes(*gridwalk_domain::OpId::draw(0, &*phone.rng).as_bytes());
    phone.body("mediation", entity, Intent::Create { home, fields })
}

#[test]
fn a_date_to_look_again_becomes_one_task_that_says_nothing_of_why() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let made = mediation(&mut phone);
    let date = |phone: &mut Phone, date: &str| {
        let list = "look_again".to_owned();
        let value = json!({"date": date, "note": "看看是否又吵"});
        phone.body("mediation", made.entity, Intent::Append { list, value })
    };
    let (first, second) = (
        date(&mut phone, "2026-12-05"),
        date(&mut phone, "2026-12-20"),
    );
    phone.push(&[made.clone(), first.clone()]);
    assert_eq!(world.service.strike(), Ok(1));
    phone.push(&[second]);
    assert_eq!(
        (world.service.strike(), world.service.strike()),
        (Ok(1), Ok(0))
    );
    let inbox = phone.read(StreamKey::Inbox(phone.worker));
    let tasks: Vec<_> = inbox
        .values()
        .filter_map(|entity| entity.state.as_ref())
        .filter(|state| state.kind == "task")
        .collect();
    assert_eq!(tasks.len(), 2);
    let task = tasks
        .iter()
        .find(|task| task.id.as_bytes() == first.id.as_bytes())
        .expect("named by the op");
    assert_eq!(task.text("address"), Some("3 号楼 2 单元"));
    assert!(
        !serde_json::to_string(task)
            .expect("JSON")
            .contains("邻里纠纷")
    );
    assert!(!serde_json::to_string(task).expect("JSON").contains("又吵"));
}
