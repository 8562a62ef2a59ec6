//! What people on the page do: durable in the database and in the journal.
#![allow(clippy::expect_used, reason = "what fails here fails the test")]

mod common;

use common::phone::{Line, reason};
use common::{BASE, Phone, World, settings, world};
use gridwalk_domain::wire::Outcome;
use gridwalk_domain::{Change, EntityId, Intent, OpBody, OpId, Sha256, UserId};
use gridwalk_server::blobs::Given;
use gridwalk_server::keep::Book;
use gridwalk_server::{Act, Error};
use gridwalk_store::Role;
use serde_json::json;

fn user(world: &World, name: &str, role: Role, grid: &str) -> UserId {
    let admin = world.service.admin();
    admin.add_user(name, role, grid).expect("a user").id
}

fn act(op: u8, entity: EntityId, intent: Intent) -> Act {
    Act {
        op: OpId::from_bytes([op; 16]),
        entity,
        kind: None,
        intent,
    }
}

fn title(value: &str, base: OpId) -> Intent {
    let base = Some(base);
    let change = Change {
        value: json!(value),
        base,
    };
    Intent::Set([("title".to_owned(), change)].into())
}

fn refused(result: Result<Outcome, Error>) -> (u16, String) {
    match result {
        Err(Error::Fault(fault)) => (fault.status, fault.code.into_owned()),
        other => panic!("{other:?}"),
    }
}

/// A phone with one record.
fn record(world: &World) -> (Phone, OpBody) {
    let mut phone = world.phone("王", BASE[0]);
    let create = phone.incident("v1");
    phone.push_one(&create);
    (phone, create)
}

#[test]
fn an_act_reaches_the_phone_and_a_repeat_is_the_same_act() {
    let world = world();
    let (mut phone, create) = record(&world);
    let town = user(&world, "街道", Role::Town, "371302001");
    let first = act(1, create.entity, title("v2", create.id));
    let outcome = world.service.act(town, &first).expect("acts");
    assert!(matches!(outcome, Outcome::Applied { seq: 2, .. }));
    assert_eq!(world.service.act(town, &first), Ok(outcome));
    let state = phone.state(create.entity);
    assert_eq!((state.text("title"), state.ops.len()), (Some("v2"), 2));
    // A phone that had not seen it conflicts, and nobody's words are lost.
    let stale = phone.set_title(create.entity, "v3", create.id);
    assert!(matches!(
        phone.push_one(&stale),
        Outcome::ConflictKept { .. }
    ));
    let settle = act(
        2,
        create.entity,
        Intent::Resolve {
            field: "title".into(),
            value: json!("v4"),
            base: Some(first.op),
            replaces: vec![stale.id],
        },
    );
    world.service.act(town, &settle).expect("acts");
    let state = phone.state(create.entity);
    assert_eq!((state.text("title"), state.conflicts()), (Some("v4"), 0));
    // To take a report away is for who made it.
    let delete = act(3, create.entity, Intent::Delete { base: settle.op });
    let theirs = refused(world.service.act(town, &delete));
    assert_eq!(theirs, (403, "not_for_you".into()));
}

#[test]
fn who_may_not_and_what_breaks_a_rule_stores_nothing() {
    let world = world();
    let (phone, create) = record(&world);
    let town = user(&world, "街道", Role::Town, "371302001");
    let elsewhere = user(&world, "别处", Role::Town, "371302002");
    let other = user(&world, "河东", Role::District, "371312");
    let edit = act(1, create.entity, title("v2", create.id));
    assert_eq!(refused(world.service.act(elsewhere, &edit)).0, 403);
    assert_eq!(
        refused(world.service.act(other, &edit)).0,
        404,
        "not even that it is there"
    );
    let nobody = UserId::from_bytes([9; 16]);
    assert_eq!(refused(world.service.act(nobody, &edit)).0, 403);
    let long = act(2, create.entity, title(&"长".repeat(5_000), create.id));
    assert_eq!(
        refused(world.service.act(town, &long)),
        (422, "bad_value".into())
    );
    let blind = act(3, create.entity, title("v2", OpId::from_bytes([8; 16])));
    assert_eq!(
        refused(world.service.act(town, &blind)),
        (422, "unknown_base".into())
    );
    let absent = act(4, EntityId::from_bytes([7; 16]), title("v2", create.id));
    assert_eq!(refused(world.service.act(town, &absent)).0, 404);
    assert!(world.keep().lines(Book::Journal).expect("reads").is_empty());
    assert!(
        world
            .stored(|tx| tx.held_ops(world.tenant, None))
            .is_empty()
    );
    assert_eq!(phone.state(create.entity).ops, [create.id]);
    // An id that was used for something else is not used again.
    world.service.act(town, &edit).expect("acts");
    let taken = act(1, create.entity, title("v9", create.id));
    assert_eq!(
        refused(world.service.act(town, &taken)),
        (409, "exists".into())
    );
}

#[test]
fn the_journal_brings_back_what_a_database_forgot() {
    let mut world = world();
    let (mut phone, create) = record(&world);
    let town = user(&world, "街道", Role::Town, "371302001");
    let old = world.copy();
    let made_later = phone.incident("made later");
    phone.push_one(&made_later);
    let acts = [
        act(1, create.entity, title("v2", create.id)),
        act(2, made_later.entity, title("edited", made_later.id)),
    ];
    for act in &acts {
        world.service.act(town, act).expect("acts");
    }
    world.go_back(&*old);
    for _ in 0..2 {
        world.restart(settings());
        phone.line = Line::InProcess(world.service.clone());
        *phone.seen.lock().expect("a lock") = None;
        assert_eq!(phone.state(create.entity).text("title"), Some("v2"));
        // What it lacks goes into quarantine, never away.
        let held = world.service.admin().quarantine(None).expect("lists").ops;
        assert_eq!(held.len(), 1);
        assert_eq!((held[0].id, held[0].code.as_str()), (acts[1].op, "missing"));
    }
    // The phone sends again what the server lost, and the act stands.
    phone.push_one(&made_later);
    assert_eq!(phone.state(made_later.entity).text("title"), Some("edited"));
    assert!(
        world
            .service
            .admin()
            .quarantine(None)
            .expect("lists")
            .ops
            .is_empty()
    );
    let state = phone.state(made_later.entity);
    let author = state.fields["title"].current.stamp.by;
    assert_eq!(author, gridwalk_domain::Author::User { user: town });
}

#[test]
fn an_act_whose_journal_failed_is_written_by_its_repeat() {
    let world = world();
    let (_, create) = record(&world);
    let town = user(&world, "街道", Role::Town, "371302001");
    let first = act(1, create.entity, title("v2", create.id));
    world.service.act(town, &first).expect("acts");
    // As if the line had not reached the disk.
    let mut nothing = |_| vec![];
    world
        .keep()
        .rewrite(Book::Journal, &mut nothing)
        .expect("rewrites");
    world.service.act(town, &first).expect("acts again");
    let lines = world.keep().lines(Book::Journal).expect("reads");
    assert_eq!(lines.len(), 1);
    assert!(lines[0].contains("v2"));
}

#[test]
fn the_server_acts_too_and_makes_records_of_its_own() {
    let mut world = world();
    let mut phone = world.phone("王", BASE[0]);
    let old = world.copy();
    let fields = json!({
        "grid": phone.grid, "work": "visit", "title": "到期回访",
    });
    let made = Act {
        op: OpId::from_bytes([1; 16]),
        entity: EntityId::from_bytes([2; 16]),
        kind: Some("task".into()),
        intent: Intent::Create {
            home: phone.records(),
            fields: serde_json::from_value(fields).expect("an object"),
        },
    };
    let part = gridwalk_domain::ServerPart::Clock;
    for _ in 0..2 {
        let outcome = world.service.act_by_itself(part, world.tenant, &made);
        assert!(
            matches!(outcome, Ok(Outcome::Applied { seq: 1, .. })),
            "{outcome:?}"
        );
    }
    world.go_back(&*old);
    world.restart(settings());
    phone.line = Line::InProcess(world.service.clone());
    let state = phone.state(made.entity);
    assert_eq!(
        state.created.by,
        gridwalk_domain::Author::Server { server: part }
    );
}

#[test]
fn an_op_that_names_a_user_is_never_taken_from_a_phone() {
    let world = world();
    let (mut phone, create) = record(&world);
    let town = user(&world, "街道", Role::Town, "371302001");
    let mut forged = phone.set_title(create.entity, "forged", create.id);
    forged.by = gridwalk_domain::Author::User { user: town };
    assert_eq!(
        reason(&phone.push_one(&forged)),
        "quarantined foreign_author"
    );
}

#[test]
fn a_photo_is_stored_with_the_act_that_shows_it_or_not_at_all() {
    let world = world();
    let (phone, create) = record(&world);
    let town = user(&world, "街道", Role::Town, "371302001");
    let elsewhere = user(&world, "别处", Role::Town, "371302002");
    let given = [Given::photo(drawn()).expect("a photo")];
    let value = given[0].reference().clone();
    let photo: Sha256 = serde_json::from_value(value["sha256"].clone()).expect("a hash");
    let list = "photos".to_owned();
    let shown = act(1, create.entity, Intent::Append { list, value });
    let blobs = &world.parts.blobs;
    let no = world.service.act_with(elsewhere, &shown, &given);
    assert_eq!(refused(no).0, 403);
    assert!(!blobs.has(photo).expect("asks"), "its bytes are gone too");
    let no = world.service.act(town, &shown);
    assert_eq!(refused(no), (422, "unfit".into()), "without the file");
    for _ in 0..2 {
        let done = world.service.act_with(town, &shown, &given);
        assert!(matches!(done, Ok(Outcome::Applied { seq: 2, .. })));
    }
    let path = format!("/v1/blobs/{photo}");
    let got = phone.send("GET", &path, &[], b"");
    assert_eq!((got.status, Sha256::of(&got.body)), (200, photo));
}

/// A small photo.
fn drawn() -> Vec<u8> {
    let mut photo = std::io::Cursor::new(Vec::new());
    let picture = image::RgbImage::new(8, 8);
    picture
        .write_to(&mut photo, image::ImageFormat::Jpeg)
        .expect("writes");
    photo.into_inner()
}
