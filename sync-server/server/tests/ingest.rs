//! What becomes of ops: once each, whatever phones and networks do.
#![allow(clippy::expect_used, reason = "what fails here fails the test")]

mod common;

use common::phone::{reason, seq, state};
use common::{BASE, HOUR, world};
use gridwalk_domain::wire::{Outcome, ReceiptOf};
use gridwalk_domain::{
    Author, EntityId, Intent, OpBody, OpId, SealedOp, Sha256, StreamDigest, StreamKey, UserId,
};
use serde_json::json;
use std::collections::BTreeSet;

#[test]
fn an_op_sent_many_times_is_one_record() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let op = phone.incident("楼道堆物");
    let first = phone.push_one(&op);
    assert_eq!(seq(&first), 1);
    for _ in 0..5 {
        let again = phone.push_one(&op);
        assert_eq!(
            again,
            Outcome::Duplicate {
                first: Box::new(first.clone())
            }
        );
    }
    // In one batch, too.
    let second = phone.incident("井盖");
    let twice = phone.push(&[second.clone(), second]);
    assert_eq!(
        twice[1],
        Outcome::Duplicate {
            first: Box::new(twice[0].clone())
        }
    );

    let page = &phone.pull(None, &[(phone.records(), None)]).streams[&phone.records()];
    assert_eq!(page.entities.len(), 2);
    assert_eq!(page.end.expect("the end").count, 2);
    let pulled = phone.pull(None, &[]);
    assert_eq!(pulled.receipts.items.len(), 2, "a repeat is no news");
}

#[test]
fn the_same_id_with_another_body_is_kept_aside() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let op = phone.incident("first");
    let taken = phone.push_one(&op);
    let mut other = op.clone();
    other.nonce = "ffffffffffffffff".into();
    let held = phone.push_one(&other);
    assert_eq!(reason(&held), "quarantined same_id_other_hash");
    assert_eq!(
        phone.push_one(&other),
        Outcome::Duplicate {
            first: Box::new(held)
        }
    );
    assert_eq!(
        phone.push_one(&op),
        Outcome::Duplicate {
            first: Box::new(taken)
        }
    );
    // The lane goes on from the first one.
    let next = phone.set_title(op.entity, "second", op.id);
    assert_eq!(seq(&phone.push_one(&next)), 2);
}

#[test]
fn what_must_come_first_is_waited_for() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let create = phone.incident("v1");
    let second = phone.set_title(create.entity, "v2", create.id);
    let third = phone.set_title(create.entity, "v3", second.id);
    let mut needs = phone.incident("needs");
    needs.needs = vec![third.id];
    let missing = |ids: &[OpId]| Outcome::Deferred {
        missing: ids.to_vec(),
    };
    assert_eq!(phone.push_one(&third), missing(&[second.id]));
    assert_eq!(phone.push_one(&needs), missing(&[third.id]));
    assert!(
        phone.pull(None, &[]).receipts.items.is_empty(),
        "nothing was stored"
    );
    // A lane that does not depend on it is not delayed; within a batch the
    // order is the phone's.
    let outcomes = phone.push(&[create.clone(), second, third, needs]);
    assert_eq!(outcomes.iter().map(seq).collect::<Vec<_>>(), [1, 2, 3, 4]);
    let page = &phone.pull(None, &[(phone.records(), None)]).streams[&phone.records()];
    let entity = page
        .entities
        .iter()
        .find(|e| e.id == create.entity)
        .expect("there");
    assert_eq!(
        (state(entity).text("title"), entity.rev, entity.seq),
        (Some("v3"), 3, 3)
    );
}

#[test]
fn a_lost_answer_is_heard_again_with_the_receipts() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let op = phone.incident("一");
    let outcome = phone.push_one(&op); // … and suppose that it never arrived.
    let page = phone.pull(None, &[]).receipts;
    assert_eq!(page.items.len(), 1);
    match &page.items[0].of {
        ReceiptOf::Op(receipt) => {
            assert_eq!((receipt.op, &receipt.outcome), (Some(op.id), &outcome));
        }
        other => panic!("{other:?}"),
    }
    let next = phone.pull(page.cursor, &[]).receipts;
    assert!(next.items.is_empty() && next.cursor == page.cursor && !next.more);
}

#[test]
fn a_rule_that_is_broken_is_said_and_the_lane_goes_on() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let create = phone.incident("v1");
    let bad = phone.set_title(create.entity, &"长".repeat(10_000), create.id);
    let good = phone.set_title(create.entity, "v2", create.id);
    let outcomes = phone.push(&[create, bad.clone(), good]);
    assert_eq!(reason(&outcomes[1]), "rejected bad_value");
    assert_eq!(seq(&outcomes[2]), 2);
    let first = Box::new(outcomes[1].clone());
    assert_eq!(phone.push_one(&bad), Outcome::Duplicate { first });
}

#[test]
fn after_a_refused_creation_the_lane_waits_in_quarantine() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let bad = phone.create("incident", json!({"title": "no grid", "category": "other"}));
    let next = phone.set_title(bad.entity, "v2", bad.id);
    let after = phone.set_title(bad.entity, "v3", next.id);
    let mut needs = phone.incident("needs it");
    needs.needs = vec![bad.id];
    let free = phone.incident("does not");
    let outcomes = phone.push(&[bad, next, after, needs, free]);
    let reasons: Vec<_> = outcomes[..4].iter().map(reason).collect();
    let waits = "quarantined depends_on_refused";
    assert_eq!(reasons, ["rejected bad_value", waits, waits, waits]);
    assert_eq!(seq(&outcomes[4]), 1, "no other lane is delayed");
}

#[test]
fn what_cannot_be_judged_is_kept() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let create = phone.incident("v1");
    phone.push_one(&create);
    let unknown_base = phone.set_title(create.entity, "v2", OpId::from_bytes([9; 16]));
    let unknown_kind = phone.create("hologram", json!({}));
    let missing = phone.set_title(EntityId::from_bytes([8; 16]), "v2", create.id);
    let reasons: Vec<_> = phone
        .push(&[unknown_base, unknown_kind, missing])
        .iter()
        .map(reason)
        .collect();
    assert_eq!(
        reasons,
        [
            "quarantined unknown_base",
            "quarantined unknown_kind",
            "quarantined missing"
        ]
    );
    // A newer app's intent and version: not even the shape is known.
    let mut future = phone.incident("future");
    future.v = 99;
    assert_eq!(
        reason(&phone.push_one(&future)),
        "quarantined unknown_version"
    );
    let fresh = phone.incident("another lane");
    phone.push_one(&fresh);
    let intent = Intent::Delete { base: fresh.id };
    let odd = phone.body("incident", fresh.entity, intent);
    let text = phone
        .seal(&odd)
        .body
        .replace("\"delete\"", "\"merge_with\"");
    let odd = SealedOp {
        sha256: Sha256::of(text.as_bytes()),
        body: text,
    };
    let outcome = &phone.push_sealed(vec![odd])[0];
    assert_eq!(reason(&outcome.outcome), "quarantined unknown_intent");
}

#[test]
fn what_cannot_be_read_is_said_for_itself_alone() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let good = phone.incident("good");
    let good = phone.seal(&good);
    let mut changed = good.clone();
    changed.body = changed.body.replace("good", "evil");
    let sealed = |body: String| SealedOp {
        sha256: Sha256::of(body.as_bytes()),
        body,
    };
    let huge = sealed(format!("{{\"v\":1,\"x\":\"{}\"}}", "x".repeat(70_000)));
    let outcomes = phone.push_sealed(vec![
        changed,
        sealed("{}".into()),
        sealed("\u{0}".into()),
        huge,
        good,
    ]);
    let reasons: Vec<_> = outcomes[..4].iter().map(|o| reason(&o.outcome)).collect();
    let unreadable = "rejected unreadable";
    assert_eq!(
        reasons,
        [
            "rejected hash_mismatch",
            unreadable,
            unreadable,
            "rejected too_large"
        ]
    );
    assert_eq!(outcomes[0].op, None);
    assert_eq!(seq(&outcomes[4].outcome), 1);
}

#[test]
fn nobody_writes_as_another_or_elsewhere() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let other = world.phone("李", BASE[3]);
    let reasons = |ops: &[OpBody]| phone.push(ops).iter().map(reason).collect::<Vec<_>>();
    let mut forged = phone.clone().incident("as another worker");
    forged.by = Author::Worker {
        worker: other.worker,
        device: phone.device,
    };
    let mut device = phone.clone().incident("as another phone");
    device.id = OpId::from_bytes([1; 16]);
    device.by = Author::Worker {
        worker: phone.worker,
        device: other.device,
    };
    let mut user = phone.clone().incident("as a user");
    user.id = OpId::from_bytes([2; 16]);
    user.by = Author::User {
        user: UserId::from_bytes([1; 16]),
    };
    let mut tenant = phone.clone().incident("of another district");
    tenant.id = OpId::from_bytes([3; 16]);
    tenant.tenant = world.other;
    let foreign = "quarantined foreign_author";
    assert_eq!(reasons(&[forged, device, user, tenant]), [foreign; 4]);

    let home = |home| Intent::Create {
        home,
        fields: Default::default(),
    };
    let mut elsewhere = Vec::new();
    for stream in [
        StreamKey::Records(other.grid),
        StreamKey::Notices(phone.grid),
        StreamKey::Inbox(other.worker),
        StreamKey::Receipts(phone.device),
    ] {
        let entity = EntityId::draw(&*phone.rng);
        elsewhere.push(phone.body("incident", entity, home(stream)));
    }
    let outcomes: Vec<_> = phone.push(&elsewhere).iter().map(reason).collect();
    assert_eq!(outcomes, ["quarantined out_of_scope"; 4]);
    let fields = json!({"worker": other.worker, "grid": phone.grid});
    let shift = phone.create("shift", fields);
    assert_eq!(
        reason(&phone.push_one(&shift)),
        foreign,
        "a record of another worker"
    );

    // What another worker made in their grid is out of reach.
    let mut theirs = other.clone();
    let record = theirs.incident("theirs");
    theirs.push_one(&record);
    let edit = phone.set_title(record.entity, "mine", record.id);
    assert_eq!(reason(&phone.push_one(&edit)), "quarantined out_of_scope");
    let page = &theirs.pull(None, &[(theirs.records(), None)]).streams[&theirs.records()];
    assert_eq!(page.entities.len(), 1);
    assert_eq!(state(&page.entities[0]).text("title"), Some("theirs"));
}

#[test]
fn two_people_edit_offline_and_no_word_is_lost() {
    let world = world();
    let mut one = world.phone("王", BASE[0]);
    let mut two = world.phone("李", BASE[0]);
    let create = one.incident("v1");
    one.push_one(&create);
    let a = one.set_title(create.entity, "from one", create.id);
    let b = two.set_title(create.entity, "from two", create.id);
    assert!(matches!(one.push_one(&a), Outcome::Applied { seq: 2, .. }));
    assert!(matches!(
        two.push_one(&b),
        Outcome::ConflictKept { seq: 3, .. }
    ));
    let states = [&one, &two].map(|phone| {
        let mut page = phone.pull(None, &[(phone.records(), None)]);
        page.streams
            .remove(&phone.records())
            .expect("the stream")
            .entities
    });
    assert_eq!(states[0], states[1], "both hold the same");
    let field = &state(&states[0][0]).fields["title"];
    assert_eq!(
        (&field.current.value, &field.proposals[0].value),
        (&json!("from one"), &json!("from two"))
    );
}

#[test]
fn eight_phones_at_once_acknowledged_is_stored() {
    let world = world();
    let phones: Vec<_> = (0..8)
        .map(|n| world.phone(&format!("网格员{n}"), BASE[0]))
        .collect();
    let acknowledged: BTreeSet<OpId> = std::thread::scope(|scope| {
        let threads: Vec<_> = phones
            .iter()
            .map(|phone| {
                let mut phone = phone.clone();
                scope.spawn(move || {
                    let mut acknowledged = Vec::new();
                    for round in 0..20 {
                        let ops: Vec<_> = (0..5)
                            .map(|n| phone.incident(&format!("{round} {n}")))
                            .collect();
                        for outcome in phone.push(&ops) {
                            assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
                        }
                        let again = phone.push(&ops);
                        assert!(again.iter().all(|o| matches!(o, Outcome::Duplicate { .. })));
                        acknowledged.extend(ops.iter().map(|op| op.id));
                    }
                    acknowledged
                })
            })
            .collect();
        threads
            .into_iter()
            .flat_map(|thread| thread.join().expect("runs"))
            .collect()
    });
    assert_eq!(acknowledged.len(), 800);
    let held = world
        .service
        .admin()
        .holdings(Some(world.tenant))
        .expect("holdings");
    assert_eq!(held.ops.into_iter().collect::<BTreeSet<_>>(), acknowledged);
    assert_eq!(held.incidents.len(), 800);

    // And a phone that pulls them page by page holds what the server counts.
    let (stream, mut cursor) = (phones[0].records(), None);
    let mut digest = StreamDigest::default();
    let mut seen = BTreeSet::new();
    let end = loop {
        let page = &phones[0].pull(None, &[(stream, cursor)]).streams[&stream];
        for entity in &page.entities {
            assert!(seen.insert(entity.id), "each once");
            digest.add(entity.id, entity.rev);
        }
        cursor = page.cursor;
        if let Some(end) = page.end {
            break end;
        }
    };
    assert_eq!((end.count, end.hash), (seen.len() as u64, digest));
    assert_eq!(seen.len(), 800);
}

#[test]
fn a_clock_that_is_years_off_is_put_right() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    phone.wrong_ms = -20 * 365 * 24 * HOUR;
    let made_ms = world.clock.wall_ms();
    let op = phone.incident("offline");
    world.clock.turn(3 * HOUR);
    phone.hello();
    phone.push_one(&op);
    let page = &phone.pull(None, &[(phone.records(), None)]).streams[&phone.records()];
    let state = state(&page.entities[0]);
    assert_eq!(state.created.at_ms, made_ms);
    assert_eq!(
        state.created_clock, op.at,
        "the phone's own clocks are kept as evidence"
    );
}

#[test]
fn limits_are_said() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let one = phone.clone().seal(&phone.incident("x"));
    let many = vec![one; 201];
    let answer = phone.post("push", &json!({"v": 1, "ops": many}));
    assert_eq!((answer.status, answer.code().as_str()), (413, "too_large"));
    let newer = json!({"v": 2, "ops": [], "of_a_newer_version": true});
    assert_eq!(phone.post("push", &newer).status, 200, "versions only add");
    let answer = phone.post("push", &json!("nonsense"));
    assert_eq!(
        (answer.status, answer.code().as_str()),
        (400, "bad_request")
    );
    let mut stranger = phone.clone();
    stranger.token = "0".repeat(64);
    let answer = stranger.post("push", &json!({"v": 1, "ops": []}));
    assert_eq!((answer.status, answer.code().as_str()), (401, "signed_out"));
}

#[test]
fn two_identical_photos_are_one_blob_with_two_references() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let bytes = [0xff, 0xd8, 0xff, 0xe0, 7];
    let hash = Sha256::of(&bytes);
    let photo = json!({"sha256": hash, "mime": "image/jpeg", "bytes": bytes.len()});
    let mut made = Vec::new();
    for title in ["one", "two"] {
        let create = phone.incident(title);
        let append = phone.append(create.entity, "photos", photo.clone());
        for outcome in phone.push(&[create.clone(), append]) {
            assert!(seq(&outcome) > 0);
        }
        phone.upload(&bytes);
        made.push(create.entity);
    }
    let (blobs, holders) = world.stored(|tx| {
        let blobs = tx.blob_hashes(world.tenant)?;
        Ok((blobs, tx.holders(world.tenant, hash)?))
    });
    assert_eq!(blobs, [hash]);
    let mut holding: Vec<_> = holders.into_iter().map(|row| row.entity).collect();
    holding.sort_unstable();
    made.sort_unstable();
    assert_eq!(holding, made);
}

#[test]
fn a_record_of_a_grid_that_is_gone_is_taken_as_it_was_meant() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let op = phone.incident("old");
    world.clock.turn(HOUR);
    let admin = world.service.admin();
    admin.merge_grids(&[BASE[0]], BASE[1]).expect("merges");
    assert_eq!(seq(&phone.push_one(&op)), 1);
    let merged = StreamKey::Records(world.grid(BASE[1]));
    let state = state(&phone.read(merged)[&op.entity]).clone();
    assert_eq!(state.text("title"), Some("old"));
    assert_eq!(
        state.home,
        phone.records(),
        "it keeps the grid it was made in"
    );
}

#[test]
fn a_batch_over_the_limit_is_said_whole_and_goes_in_halves() {
    let world = world();
    let mut phone = world.phone("王", BASE[0]);
    let ops: Vec<_> = (0..201).map(|n| phone.incident(&n.to_string())).collect();
    let sealed: Vec<_> = ops.iter().map(|op| phone.seal(op)).collect();
    let answer = phone.post("push", &json!({"v": 1, "ops": sealed}));
    assert_eq!((answer.status, answer.code().as_str()), (413, "too_large"));
    for half in ops.chunks(101) {
        assert_eq!(phone.push(half).len(), half.len());
    }
    assert_eq!(phone.read(phone.records()).len(), 201);
}
