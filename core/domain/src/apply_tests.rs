//! What `apply` promises, as properties over random histories.

use super::*;
use crate::{Author, BootId, DeviceId, EntityId, GridId, Moment, OP_VERSION, TenantId, WorkerId};
use proptest::prelude::*;
use std::collections::BTreeSet;

const OP_CREATE: u8 = 1;

fn op_id(n: u8) -> OpId {
    OpId::from_bytes([n; 16])
}

fn op(n: u8, intent: Intent) -> OpBody {
    OpBody {
        v: OP_VERSION,
        id: op_id(n),
        tenant: TenantId::from_bytes([2; 16]),
        entity: EntityId::from_bytes([3; 16]),
        kind: "incident".into(),
        by: Author::Worker {
            worker: WorkerId::from_bytes([4; 16]),
            device: DeviceId::from_bytes([5; 16]),
        },
        prev: None,
        needs: vec![],
        at: Moment {
            wall_ms: i64::from(n),
            boot: BootId::from_bytes([6; 16]),
            mono_ms: 0,
        },
        nonce: "0000000000000000".into(),
        intent,
    }
}

fn create() -> OpBody {
    let home = StreamKey::Records(GridId::from_bytes([7; 16]));
    let fields = [
        ("title".to_owned(), json!("v1")),
        ("category".to_owned(), json!("hygiene")),
        ("catalogue".to_owned(), json!(1)),
        (
            "grid".to_owned(),
            json!("07070707-0707-0707-0707-070707070707"),
        ),
    ];
    op(
        OP_CREATE,
        Intent::Create {
            home,
            fields: fields.into(),
        },
    )
}

fn set(n: u8, base: u8) -> OpBody {
    let change = Change {
        value: json!(format!("v{n}")),
        base: Some(op_id(base)),
    };
    op(n, Intent::Set([("title".to_owned(), change)].into()))
}

fn taken(ops: &[OpBody]) -> Entity {
    let mut state = None;
    for op in ops {
        apply(&mut state, op, op.at.wall_ms).expect("taken");
    }
    state.expect("made")
}

fn texts(entity: &Entity) -> BTreeSet<String> {
    let field = &entity.fields["title"];
    std::iter::once(&field.current)
        .chain(&field.proposals)
        .map(|entry| entry.value.as_str().expect("a text").to_owned())
        .collect()
}

#[test]
fn ones_own_two_edits_never_conflict() {
    let entity = taken(&[create(), set(2, 1), set(3, 2)]);
    assert_eq!(entity.text("title"), Some("v3"));
    assert_eq!(entity.conflicts(), 0);
}

#[test]
fn a_stale_edit_is_kept_beside_and_resolved() {
    let mut entity = Some(taken(&[create(), set(2, 1), set(3, 1)]));
    assert_eq!(
        texts(entity.as_ref().expect("made")),
        ["v2", "v3"].map(String::from).into()
    );
    let resolve = op(
        4,
        Intent::Resolve {
            field: "title".into(),
            value: json!("v4"),
            base: Some(op_id(2)),
            replaces: vec![op_id(3)],
        },
    );
    assert_eq!(apply(&mut entity, &resolve, 4), Ok(Effect::Applied));
    let entity = entity.expect("made");
    assert_eq!((entity.text("title"), entity.conflicts()), (Some("v4"), 0));
}

#[test]
fn a_step_needs_state_and_base_and_a_refused_one_keeps_its_words() {
    let above = json!("08080808-0808-0808-0808-080808080808");
    let holder: serde_json::Map<_, _> = [("holder".to_owned(), above)].into_iter().collect();
    let step = |n, from: &str, to: &str, base| {
        let reason = Some(format!("because {n}"));
        let (from, to) = (from.into(), to.into());
        op(
            n,
            Intent::Transition {
                from,
                to,
                base: op_id(base),
                reason,
                with: holder.clone(),
            },
        )
    };
    let mut state = Some(taken(&[create(), step(2, "reported", "escalated", 1)]));
    let late = step(3, "reported", "handled_on_site", 1);
    assert_eq!(apply(&mut state, &late, 3), Ok(Effect::ConflictKept));
    let entity = state.as_ref().expect("made");
    assert_eq!(entity.status(), Some("escalated"));
    assert_eq!(entity.list(kind::COMMENTS)[0].value["text"], "because 3");

    let before = state.clone();
    let absurd = step(4, "escalated", "closed", 2);
    assert!(matches!(
        apply(&mut state, &absurd, 4),
        Err(Refusal::NoSuchStep { .. })
    ));
    assert_eq!(state, before);
}

#[test]
fn a_stale_delete_is_a_proposal_and_an_edit_revives() {
    let delete = |n, base| op(n, Intent::Delete { base: op_id(base) });
    let entity = taken(&[create(), set(2, 1), delete(3, 1)]);
    assert!(entity.deleted.is_none());
    assert_eq!(entity.delete_proposed.len(), 1);

    let entity = taken(&[create(), delete(2, 1)]);
    assert!(entity.deleted.is_some());
    let entity = taken(&[create(), delete(2, 1), set(3, 1)]);
    assert!(entity.deleted.is_none());
}

#[test]
fn what_breaks_a_rule_changes_nothing() {
    let mut state = Some(taken(&[create()]));
    let before = state.clone();
    let mut foreign = set(2, 1);
    foreign.kind = "patrol".into();
    let mut unknown = set(2, 1);
    unknown.kind = "unheard_of".into();
    let long = Change {
        value: json!("长".repeat(10_000)),
        base: Some(op_id(1)),
    };
    let cases = [
        (create(), Ok(Effect::Repeated)),
        (foreign, Err("misplaced")),
        (unknown, Err("unknown_kind")),
        (set(2, 9), Err("unknown_base")),
        (
            op(2, Intent::Set([("title".to_owned(), long)].into())),
            Err("bad_value"),
        ),
        (
            op(
                2,
                Intent::Append {
                    list: "nowhere".into(),
                    value: json!({}),
                },
            ),
            Err("unknown_part"),
        ),
    ];
    for (op, expected) in cases {
        let outcome = apply(&mut state, &op, 2).map_err(|refusal| refusal.code());
        assert_eq!(outcome, expected);
        assert_eq!(state, before);
    }
    assert_eq!(apply(&mut None, &set(2, 1), 2), Err(Refusal::Missing));
}

#[test]
fn what_a_newer_version_wrote_is_kept() {
    let mut json = serde_json::to_value(taken(&[create()])).expect("json");
    json["from_the_future"] = json!({"deep": [1, 2]});
    let entity: Entity = serde_json::from_value(json.clone()).expect("reads");
    assert_eq!(serde_json::to_value(&entity).expect("json"), json);

    let later = Change {
        value: json!({"x": 1}),
        base: None,
    };
    let op = op(2, Intent::Set([("new_field".to_owned(), later)].into()));
    let mut state = Some(entity);
    assert_eq!(apply(&mut state, &op, 2), Ok(Effect::Applied));
    assert_eq!(
        state.expect("made").value("new_field"),
        Some(&json!({"x": 1}))
    );
}

/// Two to four authors who each make a chain of edits, having seen only the
/// creation and their own.
fn lanes() -> impl Strategy<Value = Vec<Vec<OpBody>>> {
    proptest::collection::vec(1_usize..4, 2..5).prop_map(|lengths| {
        let mut n = OP_CREATE;
        let lane = |length: usize| {
            let mut base = OP_CREATE;
            let ops = (0..length).map(|_| {
                n += 1;
                let op = set(n, base);
                base = n;
                op
            });
            ops.collect()
        };
        lengths.into_iter().map(lane).collect()
    })
}

/// An order that keeps each lane's own order.
fn interleaved(lanes: &[Vec<OpBody>], picks: &[prop::sample::Index]) -> Vec<OpBody> {
    let mut rest: Vec<_> = lanes.iter().map(|lane| lane.iter().cloned()).collect();
    let mut order = vec![create()];
    let mut picks = picks.iter().cycle();
    while !rest.is_empty() {
        let at = picks.next().map_or(0, |pick| pick.index(rest.len()));
        match rest[at].next() {
            Some(op) => order.push(op),
            None => drop(rest.remove(at)),
        }
    }
    order
}

proptest! {
    #[test]
    fn the_surviving_texts_do_not_depend_on_the_order(
        lanes in lanes(),
        first in proptest::collection::vec(any::<prop::sample::Index>(), 20),
        second in proptest::collection::vec(any::<prop::sample::Index>(), 20),
    ) {
        let one = taken(&interleaved(&lanes, &first));
        let other = taken(&interleaved(&lanes, &second));
        prop_assert_eq!(texts(&one), texts(&other));
        let last: BTreeSet<String> = lanes.iter()
            .filter_map(|lane| lane.last())
            .map(|op| format!("v{}", op.id.as_bytes()[0]))
            .collect();
        prop_assert_eq!(texts(&one), last, "each author's last word survives, and no other");
    }

    #[test]
    fn repetition_changes_nothing(
        lanes in lanes(),
        picks in proptest::collection::vec(any::<prop::sample::Index>(), 20),
        again in any::<prop::sample::Index>(),
    ) {
        let ops = interleaved(&lanes, &picks);
        let mut state = Some(taken(&ops));
        let before = state.clone();
        let repeated = &ops[again.index(ops.len())];
        prop_assert_eq!(apply(&mut state, repeated, 99), Ok(Effect::Repeated));
        prop_assert_eq!(state, before);
    }

    #[test]
    fn append_add_and_remove_commute(order in Just((2_u8..10).collect::<Vec<_>>()).prop_shuffle()) {
        let make = |n: u8| match n {
            2..=4 => op(n, Intent::Append { list: "comments".into(), value: json!({"text": "x"}) }),
            5..=7 => op(n, Intent::Add { set: "tags".into(), value: json!("t") }),
            _ => op(n, Intent::Remove { set: "tags".into(), ids: vec![op_id(n - 3)] }),
        };
        let build = |order: &[u8]| {
            let ops: Vec<_> = std::iter::once(create()).chain(order.iter().map(|n| make(*n))).collect();
            let entity = taken(&ops);
            (entity.lists.clone(), entity.sets.clone())
        };
        let straight: Vec<u8> = (2..10).collect();
        prop_assert_eq!(build(&order), build(&straight));
    }
}
