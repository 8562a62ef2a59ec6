//! What is in quarantine comes out by itself when what it lacked arrives, or by
//! a person's word; and the phone that sent it is told.
#![allow(clippy::expect_used, reason = "what fails here fails the test")]

mod common;

use common::phone::{chunk, reason, seq, walk};
use common::{BASE, HOUR, MORNING, Phone, World, parts, settings, world, world_on};
use gridwalk_domain::wire::{OpOutcome, Outcome, PushRequest, ReceiptOf, TrackOutcome};
use gridwalk_domain::{EntityId, Intent, OpBody, OpId, SealedOp, Sha256, TenantId};
use gridwalk_server::Settings;
use gridwalk_server::admin::{AdminError, Assign};
use gridwalk_server::keep::Book;
use gridwalk_store::Wait;
use serde_json::json;

const DEPENDS: &str = "quarantined depends_on_refused";

fn taken(told: &[String]) -> bool {
    told.last()
        .is_some_and(|last| last.starts_with("Applied") || last.starts_with("Conflict"))
}

/// An assignment that began before anything was written.
fn assign(world: &World, worker: &str, grid: &str) {
    let assign = Assign {
        worker,
        grid,
        from_ms: Some(MORNING - HOUR),
        until_ms: None,
    };
    world.service.admin().assign(assign).expect("assigns");
}

#[test]
fn a_change_comes_out_when_what_it_builds_on_arrives() {
    let world = world();
    let mut one = world.phone("王", BASE[0]);
    let mut two = world.phone("李", BASE[0]);
    let create = one.incident("v1");
    one.push_one(&create);
    // Two saw what one has not sent yet.
    let seen = one.set_title(create.entity, "v2", create.id);
    let builds = two.set_title(create.entity, "v3", seen.id);
    let after = two.set_title(create.entity, "v4", builds.id);
    let outcomes = two.push(&[builds.clone(), after.clone()]);
    assert_eq!(
        outcomes.iter().map(reason).collect::<Vec<_>>(),
        ["quarantined unknown_base", DEPENDS]
    );
    assert_eq!(seq(&one.push_one(&seen)), 2, "its own number first");
    assert!(taken(&two.told(builds.id)) && taken(&two.told(after.id)));
    assert_eq!(
        two.told(builds.id).len(),
        2,
        "one receipt for each decision"
    );
    let state = one.state(create.entity);
    assert_eq!((state.text("title"), state.conflicts()), (Some("v4"), 0));
    // The same op again hears the latest outcome.
    let again = two.push_one(&builds);
    assert!(matches!(again, Outcome::Duplicate { first } if seq(&first) == 3));
    assert!(
        world
            .service
            .admin()
            .quarantine(None)
            .expect("lists")
            .ops
            .is_empty()
    );
}

#[test]
fn within_one_batch_the_last_word_counts() {
    let world = world();
    let mut one = world.phone("王", BASE[0]);
    let create = one.incident("v1");
    let mut late = one
        .clone()
        .append(create.entity, "comments", json!({"text": "b"}));
    late.prev = None;
    // It comes before what it changes is made.
    let outcomes = one.push(&[late.clone(), create]);
    assert_eq!(outcomes.iter().map(seq).collect::<Vec<_>>(), [2, 1]);
    assert_eq!(one.told(late.id).len(), 1, "nobody heard of the quarantine");
}

#[test]
fn a_record_that_is_made_frees_its_changes_and_its_chunks() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let outside = world.grid(BASE[3]);
    // A patrol in a grid that is not theirs yet.
    let mut away = phone.clone();
    away.grid = outside;
    let shift = away.create("shift", json!({"worker": phone.worker, "grid": outside}));
    let mut patrol = away.create(
        "patrol",
        json!({"worker": phone.worker, "grid": outside, "shift": shift.entity}),
    );
    patrol.needs = vec![shift.id];
    let mut mark = phone.body(
        "patrol",
        patrol.entity,
        Intent::Append {
            list: "comments".into(),
            value: json!({"text": "x"}),
        },
    );
    mark.prev = None;
    let outcomes = phone.push(&[mark.clone(), shift.clone(), patrol.clone()]);
    assert_eq!(
        outcomes.iter().map(reason).collect::<Vec<_>>(),
        ["quarantined missing", "quarantined out_of_scope", DEPENDS]
    );
    let chunks = [chunk(patrol.entity, 7, 0, &walk(MORNING, 30))];
    let outcomes = phone.tracks(&chunks);
    assert!(
        matches!(&outcomes[0], TrackOutcome::Quarantined { reason } if reason.code == "depends_on_refused")
    );

    assign(&world, "王", BASE[3]);
    for op in [&shift, &patrol, &mark] {
        assert!(taken(&phone.told(op.id)), "{:?}", phone.told(op.id));
    }
    let stored = phone.receipts().into_iter().any(|receipt| {
        matches!(receipt.of, ReceiptOf::Chunk(chunk) if chunk.outcome == TrackOutcome::Stored)
    });
    assert!(stored, "the chunk is told of");
    assert_eq!(phone.tracks(&chunks), [TrackOutcome::Duplicate]);
    let held = world.service.admin().quarantine(None).expect("lists");
    assert!(held.ops.is_empty() && held.chunks.is_empty());
}

#[test]
fn an_assignment_frees_what_was_written_in_its_time_and_no_more() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let mut away = phone.clone();
    away.grid = world.grid(BASE[3]);
    let early = away.incident("early");
    world.clock.turn(4 * HOUR);
    let late = away.incident("late");
    let out = "quarantined out_of_scope";
    for op in [&early, &late] {
        assert_eq!(reason(&phone.push_one(op)), out);
    }
    let assign = Assign {
        worker: "王",
        grid: BASE[3],
        from_ms: Some(MORNING + 2 * HOUR),
        until_ms: Some(MORNING + 9 * HOUR),
    };
    world.service.admin().assign(assign).expect("assigns");
    assert!(taken(&phone.told(late.id)));
    assert_eq!(phone.told(early.id), [out], "still aside, and no news");
    let own = phone.incident("own");
    assert_eq!(seq(&phone.push_one(&own)), 1);

    // A stand-in's time is over: what is written later is out of scope, and the
    // stream goes from the scope.
    let stream = away.records();
    assert!(
        phone
            .hello()
            .scope
            .expect("a scope")
            .streams
            .contains(&stream)
    );
    world.clock.turn(10 * HOUR);
    let after = away.incident("after");
    assert_eq!(reason(&phone.push_one(&after)), out);
    assert!(
        !phone
            .hello()
            .scope
            .expect("a scope")
            .streams
            .contains(&stream)
    );
}

#[test]
fn a_worker_who_was_reassigned_is_judged_by_the_time_of_writing() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    phone.hello();
    let written = phone.incident("before");
    world.clock.turn(HOUR);
    let admin = world.service.admin();
    admin.unassign("王", BASE[0], None).expect("unassigns");
    world.clock.turn(HOUR);
    let later = phone.incident("after");
    let outcomes = phone.push(&[written, later]);
    assert_eq!(seq(&outcomes[0]), 1);
    assert_eq!(reason(&outcomes[1]), "quarantined out_of_scope");
}

#[test]
fn an_old_app_is_judged_after_its_upgrade() {
    let clock = common::TestClock::new(200);
    let settings = Settings {
        min_v: 1,
        ..settings()
    };
    let mut world = world_on(parts(&clock), clock, settings.clone());
    let mut phone = world.phone("王", BASE[0]);
    world.restart(Settings {
        min_v: 2,
        ..settings
    });
    phone.line = common::phone::Line::InProcess(world.service.clone());
    let create = phone.incident("v1");
    let next = phone.set_title(create.entity, "v2", create.id);
    let old = "quarantined old_version";
    let outcomes = phone.push(&[create.clone(), next.clone()]);
    assert_eq!(outcomes.iter().map(reason).collect::<Vec<_>>(), [old, old]);
    let pull = phone.post(
        "pull",
        &json!({"v": 1, "streams": {}, "unsent": {"ops": 0, "chunks": 0, "blobs": 0}}),
    );
    assert_eq!((pull.status, pull.code().as_str()), (426, "version"));
    assert_eq!(phone.hello().min_v, 2, "an old app is told");
    assert_eq!(phone.have_ops(std::slice::from_ref(&create)).len(), 1);

    let mut greeting = phone.greeting();
    greeting.v = 2;
    let answer = phone.post("hello", &greeting);
    assert_eq!(answer.status, 200);
    let have = phone.have_ops(&[create, next]);
    assert!(
        have.iter()
            .all(|o| matches!(o, Some(Outcome::Applied { .. }))),
        "{have:?}"
    );
}

#[test]
fn an_upgraded_server_judges_what_it_could_not() {
    let clock = common::TestClock::new(200);
    let old = Settings {
        version: "0.1.0".into(),
        ..settings()
    };
    let mut world = world_on(parts(&clock), clock, old);
    let mut phone = world.phone("王", BASE[0]);
    // An op that this version knows, as one stored it that did not.
    let create = phone.incident("v1");
    let sealed = phone.seal(&create);
    let next = phone.set_title(create.entity, "v2", create.id);
    hold_as_unknown(&world, &phone, &create, &sealed);
    assert_eq!(reason(&phone.push_one(&next)), DEPENDS);
    world.restart(Settings {
        version: "0.1.0".into(),
        ..settings()
    });
    phone.line = common::phone::Line::InProcess(world.service.clone());
    assert_eq!(
        phone.told(next.id),
        [DEPENDS],
        "the same version knows no more"
    );
    world.restart(Settings {
        version: "0.2.0".into(),
        ..settings()
    });
    phone.line = common::phone::Line::InProcess(world.service.clone());
    assert!(taken(&phone.told(create.id)) && taken(&phone.told(next.id)));
    assert_eq!(phone.state(create.entity).text("title"), Some("v2"));
}

fn hold_as_unknown(world: &World, phone: &Phone, op: &OpBody, sealed: &SealedOp) {
    let reason = gridwalk_domain::wire::Reason {
        code: "unknown_intent".into(),
        text: "…".into(),
    };
    let row = gridwalk_store::OpRow {
        summary: gridwalk_store::OpSummary {
            id: op.id,
            sha256: sealed.sha256,
            entity: op.entity,
            creates: false,
            outcome: Outcome::Quarantined { reason },
            wait: Some(Wait::Upgrade),
            reissued: None,
        },
        device: Some(phone.device),
        received_ms: MORNING,
        body: sealed.body.clone(),
    };
    gridwalk_store::write::<_, gridwalk_store::StoreError>(&*world.parts.store, |tx| {
        tx.add_ops(world.tenant, std::slice::from_ref(&row))
    })
    .expect("writes");
}

#[test]
fn a_person_takes_in_what_is_out_of_scope_and_the_rest_follows() {
    let world = world();
    let phone = world.phone("王", BASE[0]);
    let mut away = phone.clone();
    away.grid = world.grid(BASE[3]);
    let create = away.incident("elsewhere");
    let next = away.append(create.entity, "comments", json!({"text": "b"}));
    let outcomes = phone.push(&[create.clone(), next.clone()]);
    assert_eq!(reason(&outcomes[0]), "quarantined out_of_scope");
    let admin = world.service.admin();
    let held = admin.quarantine(Some(world.tenant)).expect("lists");
    assert_eq!(held.ops.len(), 2);
    assert_eq!(
        (held.ops[0].id, held.ops[0].code.as_str()),
        (create.id, "out_of_scope")
    );
    let body = held.ops[0].body.as_deref().expect("all may read it");
    assert!(body.contains("elsewhere") && held.ops[0].waits);
    admin.accept(held.ops[0].hash).expect("accepts");
    assert!(taken(&phone.told(create.id)));
    // What came after it waits for the assignment, as it would have alone.
    assert_eq!(phone.told(next.id), [DEPENDS, "quarantined out_of_scope"]);
    admin.accept(held.ops[1].hash).expect("accepts");
    assert!(taken(&phone.told(next.id)));
    let twice = admin.accept(held.ops[1].hash);
    assert!(matches!(twice, Err(AdminError::NotHeld(_))), "{twice:?}");
    let audit = world.stored(|tx| tx.audit(world.tenant, 2));
    assert!(audit.iter().all(|line| line.what == "quarantine accept"));
    assert!(
        admin
            .quarantine(Some(world.other))
            .expect("lists")
            .ops
            .is_empty()
    );
}

#[test]
fn a_person_refuses_and_the_lane_goes_on() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let create = phone.incident("v1");
    phone.push_one(&create);
    let strange = phone.set_title(create.entity, "v2", OpId::from_bytes([9; 16]));
    let next = phone.set_title(create.entity, "v3", create.id);
    let outcomes = phone.push(&[strange.clone(), next.clone()]);
    assert_eq!(
        outcomes.iter().map(reason).collect::<Vec<_>>(),
        ["quarantined unknown_base", DEPENDS]
    );
    let hash = phone.seal(&strange).sha256;
    world.service.admin().refuse(hash).expect("refuses");
    assert_eq!(
        phone.told(strange.id).last().expect("told"),
        "rejected refused"
    );
    assert!(taken(&phone.told(next.id)));
    let state = phone.state(create.entity);
    assert_eq!((state.text("title"), state.conflicts()), (Some("v3"), 0));
    let kept = world.stored(|tx| tx.op_rows(world.tenant, strange.id));
    assert!(kept[0].body.contains("v2"), "it is kept all the same");
}

#[test]
fn what_builds_on_nothing_known_is_kept_beside_when_a_person_takes_it() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let create = phone.incident("v1");
    phone.push_one(&create);
    let strange = phone.set_title(create.entity, "v2", OpId::from_bytes([9; 16]));
    phone.push_one(&strange);
    world
        .service
        .admin()
        .accept(phone.seal(&strange).sha256)
        .expect("accepts");
    let field = &phone.state(create.entity).fields["title"];
    assert_eq!(field.current.value, "v1");
    assert_eq!(field.proposals[0].value, "v2", "no word is lost");
    assert!(
        phone
            .told(strange.id)
            .last()
            .expect("told")
            .starts_with("ConflictKept")
    );
}

#[test]
fn edited_after_an_interrupted_send_the_same_id_with_another_body_gets_a_place_of_its_own() {
    let mut world = world();
    let mut phone = world.phone("王", BASE[0]);
    let create = phone.incident("v1");
    phone.push_one(&create);
    let first = phone.set_title(create.entity, "as sent", create.id);
    let mut second = first.clone();
    second.intent = phone
        .set_title(create.entity, "as edited", create.id)
        .intent;
    phone.push_one(&first);
    assert_eq!(
        reason(&phone.push_one(&second)),
        "quarantined same_id_other_hash"
    );
    let hash = phone.seal(&second).sha256;
    let empty = world.copy();
    world.service.admin().accept(hash).expect("accepts");
    let outcome = phone.push_one(&second);
    assert!(
        matches!(&outcome, Outcome::Duplicate { first } if matches!(**first, Outcome::ConflictKept { .. })),
        "{outcome:?}"
    );
    let check = |world: &World, phone: &Phone| {
        let field = &phone.state(create.entity).fields["title"];
        assert_eq!(field.current.value, "as sent");
        let kept: Vec<_> = field.proposals.iter().map(|p| &p.value).collect();
        assert_eq!(kept, ["as edited"]);
        let rows = world.stored(|tx| tx.op_rows(world.tenant, second.id));
        assert_eq!(rows.len(), 2);
        assert!(rows.iter().any(|row| row.summary.reissued.is_some()));
    };
    check(&world, &phone);
    assert_eq!(world.keep().lines(Book::Journal).expect("reads").len(), 1);

    // The decision is in the journal: a database that forgot it hears of it again,
    // once.
    world.go_back(&*empty);
    for _ in 0..2 {
        world.restart(settings());
        phone.line = common::phone::Line::InProcess(world.service.clone());
        *phone.seen.lock().expect("a lock") = None;
        check(&world, &phone);
    }
    assert!(
        phone
            .told(second.id)
            .last()
            .expect("told")
            .starts_with("ConflictKept")
    );
    assert!(matches!(phone.push_one(&first), Outcome::Duplicate { .. }));
    assert!(matches!(phone.push_one(&second), Outcome::Duplicate { .. }));
}

#[test]
fn chunks_are_decided_on_too() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let patrol = phone.patrol();
    let fixes = walk(MORNING, 60);
    phone.tracks(&[chunk(patrol, 7, 0, &fixes)]);
    let mut moved = fixes.clone();
    moved[30].fix.position.lat += 0.001;
    let other = chunk(patrol, 7, 0, &moved);
    let mut third = fixes.clone();
    third[30].fix.position.lat -= 0.001;
    let third = chunk(patrol, 7, 0, &third);
    phone.tracks(&[other.clone(), third.clone()]);
    let admin = world.service.admin();
    let held = admin.quarantine(None).expect("lists").chunks;
    assert_eq!(held.len(), 2);
    let rows = world.stored(|tx| tx.held_chunks(world.tenant, None));
    let body = |hash: Sha256| {
        let at = held.iter().position(|chunk| chunk.hash == hash);
        // Both lists are in the order of names and hashes.
        &rows[at.expect("listed")].body
    };
    for chunk in &held {
        if *body(chunk.hash) == third.body {
            continue;
        }
        admin.accept(chunk.hash).expect("accepts");
    }
    let left = admin.quarantine(None).expect("lists").chunks;
    admin.refuse(left[0].hash).expect("refuses");
    let patrols = admin.holdings(None).expect("holdings").patrols;
    assert_eq!((patrols[0].fixes_stored, patrols[0].runs.len()), (120, 2));
    let told: Vec<_> = phone
        .receipts()
        .into_iter()
        .filter_map(|receipt| match receipt.of {
            ReceiptOf::Chunk(chunk) => Some(chunk.outcome),
            _ => None,
        })
        .collect();
    assert_eq!(told[3], TrackOutcome::Stored);
    assert!(matches!(&told[4], TrackOutcome::Rejected { reason } if reason.code == "refused"));
    let again = phone.tracks(&[third]);
    assert!(matches!(&again[0], TrackOutcome::Rejected { reason } if reason.code == "refused"));

    let mut damaged = chunk(patrol, 8, 0, &fixes);
    damaged.body[5] ^= 0xff;
    phone.tracks(std::slice::from_ref(&damaged));
    let held = admin.quarantine(None).expect("lists").chunks;
    let still = admin.accept(held[0].hash);
    assert!(matches!(still, Err(AdminError::Still(_))), "{still:?}");
}

#[test]
fn what_a_person_cannot_take_changes_nothing() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let unknown = phone.create("hologram", json!({}));
    let missing = phone.set_title(EntityId::from_bytes([8; 16]), "v2", unknown.id);
    phone.push(&[unknown.clone(), missing.clone()]);
    let admin = world.service.admin();
    for op in [&unknown, &missing] {
        let still = admin.accept(phone.seal(op).sha256);
        assert!(matches!(still, Err(AdminError::Still(_))), "{still:?}");
    }
    assert_eq!(admin.quarantine(None).expect("lists").ops.len(), 2);
    let none = admin.accept(Sha256::of(b"x"));
    assert!(matches!(none, Err(AdminError::NotHeld(_))));
}

#[test]
fn a_foreign_author_waits_for_a_person_and_stands_as_its_author_when_taken() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let other = world.phone("李", BASE[0]);
    let mut forged = phone.incident("of another");
    forged.by = gridwalk_domain::Author::Worker {
        worker: other.worker,
        device: other.device,
    };
    assert_eq!(
        reason(&phone.push_one(&forged)),
        "quarantined foreign_author"
    );
    world
        .service
        .admin()
        .accept(phone.seal(&forged).sha256)
        .expect("accepts");
    assert_eq!(phone.state(forged.entity).created.by, forged.by);
    let mut strange = phone.incident("of another district");
    strange.tenant = TenantId::from_bytes([9; 16]);
    assert_eq!(
        reason(&phone.push_one(&strange)),
        "quarantined foreign_author"
    );
}

#[test]
fn a_poison_op_holds_up_no_other_lane() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let poison = SealedOp {
        sha256: Sha256::of(b"not JSON"),
        body: "not JSON".into(),
    };
    let good = phone.incident("good");
    let request = PushRequest {
        v: 1,
        ops: vec![poison, phone.seal(&good)],
    };
    let outcomes: Vec<OpOutcome> = phone.push_sealed(request.ops);
    assert_eq!(outcomes[0].op, None);
    assert_eq!(reason(&outcomes[0].outcome), "rejected unreadable");
    assert_eq!(seq(&outcomes[1].outcome), 1);
}
