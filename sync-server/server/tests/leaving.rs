//! Phones that are replaced, left behind, revoked, stolen; and phones that ask
//! too often.
#![allow(clippy::expect_used, reason = "what fails here fails the test")]

mod common;

use common::phone::{Line, chunk, reason, seq, walk};
use common::{BASE, HOUR, MORNING, Phone, World, parts, settings, world, world_on};
use gridwalk_domain::wire::{Standing, TrackOutcome};
use gridwalk_server::admin::{AdminError, EnrolFor, Revoke};
use gridwalk_server::keep::Book;
use gridwalk_server::{Pace, Settings};
use gridwalk_store::DeviceStanding;
use serde_json::json;

/// Another phone of a worker who is known, or the same one again.
fn enrolled(world: &World, worker: &str, mut phone: Phone) -> Phone {
    let whom = EnrolFor { worker, grid: None };
    let code = world.service.admin().enrol(whom).expect("a code");
    phone.enrol(&code.code);
    phone
}

fn new_phone(world: &World, grid: &str) -> Phone {
    let line = Line::InProcess(world.service.clone());
    Phone::new(line, world.clock.clone(), world.grid(grid))
}

fn standing(world: &World, phone: &Phone) -> DeviceStanding {
    let row = world.stored(|tx| tx.device(phone.device));
    row.expect("it is known").standing
}

/// It hears of its receipts and of nothing else, and may send.
fn sends_and_hears_receipts_alone(phone: &mut Phone) {
    let op = phone.incident("left behind");
    assert!(seq(&phone.push_one(&op)) > 0);
    let asked = [(phone.records(), None)];
    let answer = phone.pull(None, &asked);
    assert!(answer.streams.is_empty());
    assert!(!answer.receipts.items.is_empty());
    let scope = phone.hello().scope.expect("a scope");
    assert!(scope.grids.is_empty() && scope.streams.is_empty());
    phone.upload(&[0xff, 0xd8, 0xff, 0xe0, 9]);
}

#[test]
fn a_new_phone_finds_the_open_records_and_the_old_one_may_only_send() {
    let world = world();
    let mut old = world.phone("王", BASE[0]);
    let open = old.incident("open");
    old.push_one(&open);
    let new = enrolled(&world, "王", new_phone(&world, BASE[0]));
    assert_eq!(new.hello().standing, Standing::Active);
    assert!(new.read(new.records()).contains_key(&open.entity));
    assert_eq!(old.hello().standing, Standing::SendOnly);
    sends_and_hears_receipts_alone(&mut old);
    assert!(new.read(new.records()).len() == 2, "what it sent is there");
    // Enrolled again with its old identity, it has all its rights, and new tokens.
    let before = old.token.clone();
    let mut again = old.clone();
    again.token = "a".repeat(64);
    again.send_token = "b".repeat(64);
    let again = enrolled(&world, "王", again);
    assert_eq!(again.device, old.device);
    assert_eq!(again.hello().standing, Standing::Active);
    assert_eq!(new.hello().standing, Standing::SendOnly);
    old.token = before;
    let refused = old.post("push", &json!({"v": 1, "ops": []}));
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (401, "signed_out")
    );
}

#[test]
fn logged_out_with_something_unsent_it_still_goes_with_the_other_token() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let before = phone.incident("before");
    phone.push_one(&before);
    let mut leaving = phone.leaving();
    let unsent = leaving.incident("unsent");
    assert_eq!(standing(&world, &phone), DeviceStanding::Active);
    assert_eq!(seq(&leaving.push_one(&unsent)), 2, "even before its hello");
    assert_eq!(standing(&world, &phone), DeviceStanding::Active);
    assert_eq!(leaving.hello().standing, Standing::SendOnly);
    assert_eq!(standing(&world, &phone), DeviceStanding::SendOnly);
    sends_and_hears_receipts_alone(&mut leaving);
    assert_eq!(leaving.receipts().len(), 4, "what it sent before, too");
}

#[test]
fn a_revoked_phone_may_only_send_and_a_code_gives_it_back() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let admin = world.service.admin();
    let id = phone.device.to_string();
    world.clock.turn(HOUR);
    let revoked = admin.revoke(Revoke::Device(&id), false).expect("revokes");
    assert_eq!(revoked, [phone.device]);
    assert_eq!(phone.hello().standing, Standing::SendOnly);
    sends_and_hears_receipts_alone(&mut phone);
    let unknown = admin.revoke(Revoke::Device("nobody"), false);
    assert!(matches!(unknown, Err(AdminError::UnknownDevice(_))));
    let devices = admin.devices(Some("王")).expect("lists");
    assert_eq!(
        (devices.len(), devices[0].standing),
        (1, DeviceStanding::SendOnly)
    );
    world.clock.turn(HOUR);
    phone.token = "a".repeat(64);
    phone.send_token = "b".repeat(64);
    let phone = enrolled(&world, "王", phone);
    assert_eq!(phone.hello().standing, Standing::Active);
}

#[test]
fn a_stolen_phone_sends_into_quarantine_and_is_told_to_destroy_its_key() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let patrol = phone.patrol();
    let open = phone.incident("open");
    phone.push_one(&open);
    let admin = world.service.admin();
    assert_eq!(
        admin
            .revoke(Revoke::Worker("王"), true)
            .expect("revokes")
            .len(),
        1
    );
    assert_eq!(phone.hello().standing, Standing::Wipe);

    let edit = phone.set_title(open.entity, "v2", open.id);
    let lost = phone.incident("never sent");
    let alone = phone.set_title(lost.entity, "v2", lost.id);
    let revoked = "quarantined revoked";
    let outcomes = phone.push(&[edit.clone(), alone]);
    assert_eq!(
        outcomes.iter().map(reason).collect::<Vec<_>>(),
        [revoked, revoked],
        "also what lacks something: it is sent once"
    );
    let unknown = chunk(lost.entity, 7, 0, &walk(MORNING, 10));
    let known = chunk(patrol, 7, 0, &walk(MORNING, 10));
    for outcome in phone.tracks(&[known.clone(), unknown]) {
        assert!(
            matches!(&outcome, TrackOutcome::Quarantined { reason } if reason.code == "revoked")
        );
    }
    let scope = phone.hello().scope.expect("a scope");
    assert!(scope.streams.is_empty() && scope.grids.is_empty());
    // What it had sent before stands; what it sends now waits for a person.
    admin.accept(phone.seal(&edit).sha256).expect("accepts");
    let held = admin.quarantine(None).expect("lists").chunks;
    assert_eq!(held.len(), 2, "the same content under two names");
    let chunk = held.iter().find(|chunk| chunk.chunk == known.name);
    admin
        .accept(chunk.expect("is listed").hash)
        .expect("accepts");
    let state = world.stored(|tx| tx.entities(world.tenant, &[open.entity]));
    assert!(state[0].state.as_ref().expect("a state").contains("v2"));

    // Its identity is never given back.
    let whom = EnrolFor {
        worker: "王",
        grid: None,
    };
    let code = admin.enrol(whom).expect("a code").code;
    let mut again = phone.clone();
    again.token = "a".repeat(64);
    let answer = again.post("enrol", &again.enrolment(&code));
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (409, "device_known")
    );
}

#[test]
fn a_database_that_goes_back_does_not_give_rights_back() {
    let mut world = world();
    let phone = world.phone("王", BASE[0]);
    let other = world.phone("李", BASE[0]);
    let old = world.copy();
    world.clock.turn(HOUR);
    let admin = world.service.admin();
    admin.revoke(Revoke::Worker("王"), true).expect("revokes");
    admin.revoke(Revoke::Worker("李"), false).expect("revokes");
    let orders = world.keep().lines(Book::Ledger).expect("reads");
    let revoked = orders.iter().filter(|line| line.contains("revoke"));
    assert_eq!(revoked.count(), 2);
    world.go_back(&*old);
    world.restart(settings());
    assert_eq!(standing(&world, &phone), DeviceStanding::Stolen);
    assert_eq!(standing(&world, &other), DeviceStanding::SendOnly);
    // Enrolled again since, it is not taken away again by a restart.
    world.clock.turn(HOUR);
    let mut other = other;
    other.line = Line::InProcess(world.service.clone());
    other.token = "a".repeat(64);
    other.send_token = "b".repeat(64);
    let other = enrolled(&world, "李", other);
    world.restart(settings());
    assert_eq!(standing(&world, &other), DeviceStanding::Active);
    assert_eq!(standing(&world, &phone), DeviceStanding::Stolen);
}

#[test]
fn one_phone_cannot_drown_the_others() {
    let clock = common::TestClock::new(200);
    let settings = Settings {
        pace: Some(Pace {
            burst: 20,
            every_ms: 1_000,
        }),
        ..settings()
    };
    let world = world_on(parts(&clock), clock, settings);
    let mut phone = world.phone("王", BASE[0]);
    let other = world.phone("李", BASE[0]);
    let op = phone.incident("一");
    let ask = |phone: &Phone| phone.post("push", &json!({"v": 1, "ops": [phone.seal(&op)]}));
    for _ in 0..20 {
        assert_eq!(ask(&phone).status, 200);
    }
    let refused = ask(&phone);
    assert_eq!(
        (refused.status, refused.code().as_str()),
        (429, "too_many_requests")
    );
    let wait: i64 = refused
        .header("retry-after")
        .expect("a time")
        .parse()
        .expect("seconds");
    assert_eq!(
        other.hello().standing,
        Standing::Active,
        "each has its own pace"
    );
    world.clock.turn(wait * 1000);
    assert_eq!(ask(&phone).status, 200);
    assert_eq!(ask(&phone).status, 429, "one at a time");
}
