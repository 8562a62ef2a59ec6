//! Whatever the order in which ops arrive, in batches of whatever size, the
//! server ends with the same texts and the same held ops.
#![allow(clippy::expect_used, reason = "what fails here fails the test")]

mod common;

use common::phone::reason;
use common::{BASE, Phone, World, world};
use gridwalk_domain::wire::Outcome;
use gridwalk_domain::{Change, EntityId, Intent, OpBody, OpId};
use gridwalk_store::Store;
use proptest::prelude::*;
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};

const PHONES: usize = 3;
const RECORDS: usize = 3;

/// What somebody does next.
#[derive(Clone, Debug)]
enum Deed {
    /// A new title over what they saw: one of the ops that wrote it before.
    Title(prop::sample::Index),
    /// A title that breaks a rule.
    TooLong(prop::sample::Index),
    /// A title over a change that nobody has.
    OverNothing,
    Comment,
    /// A step, after one of those that were taken before.
    Step(prop::sample::Index),
}

#[derive(Clone, Debug)]
struct Line {
    phone: usize,
    record: usize,
    deed: Deed,
    /// Whether it needs some op of another record, and which.
    needs: Option<prop::sample::Index>,
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        4 => any::<prop::sample::Index>().prop_map(Deed::Title),
        1 => any::<prop::sample::Index>().prop_map(Deed::TooLong),
        1 => Just(Deed::OverNothing),
        2 => Just(Deed::Comment),
        2 => any::<prop::sample::Index>().prop_map(Deed::Step),
    ]
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let line = (
        0..PHONES,
        0..RECORDS,
        deed(),
        proptest::option::weighted(0.2, any::<prop::sample::Index>()),
    );
    let line = line.prop_map(|(phone, record, deed, needs)| Line {
        phone,
        record,
        deed,
        needs,
    });
    proptest::collection::vec(line, 0..14)
}

/// The ops of a story in the order in which they were made: who sends each.
struct Story {
    ops: Vec<(usize, OpBody)>,
    records: Vec<EntityId>,
}

/// Each record is made by one of the phones; the last one where it may not be.
fn story(phones: &mut [Phone], lines: &[Line], world: &World) -> Story {
    let mut ops: Vec<(usize, OpBody)> = Vec::new();
    let (mut records, mut titles, mut steps) = (vec![], vec![], vec![]);
    for n in 0..RECORDS {
        let mut op = phones[n % PHONES].incident(&format!("record {n}"));
        if n == RECORDS - 1
            && let Intent::Create { home, .. } = &mut op.intent
        {
            *home = gridwalk_domain::StreamKey::Records(world.grid(BASE[3]));
        }
        records.push(op.entity);
        titles.push(vec![op.id]);
        steps.push(vec![op.id]);
        ops.push((n % PHONES, op));
    }
    for (n, line) in lines.iter().enumerate() {
        let (phone, entity) = (&mut phones[line.phone], records[line.record]);
        let title = |base: OpId, value: String| {
            let base = Some(base);
            let change = Change {
                value: json!(value),
                base,
            };
            Intent::Set([("title".to_owned(), change)].into())
        };
        let written: &mut Vec<OpId> = &mut titles[line.record];
        let taken: &mut Vec<OpId> = &mut steps[line.record];
        let intent = match &line.deed {
            Deed::Title(seen) => title(*seen.get(written), format!("title {n}")),
            Deed::TooLong(seen) => title(*seen.get(written), "长".repeat(2_000)),
            Deed::OverNothing => title(OpId::from_bytes([9; 16]), format!("title {n}")),
            Deed::Comment => Intent::Append {
                list: "comments".into(),
                value: json!({ "text": format!("comment {n}") }),
            },
            Deed::Step(seen) => Intent::Transition {
                from: "reported".into(),
                to: "escalated".into(),
                base: *seen.get(taken),
                reason: Some(format!("reason {n}")),
                with: Default::default(),
            },
        };
        let mut op = phone.body("incident", entity, intent);
        if let Some(needs) = &line.needs {
            op.needs = vec![needs.get(&ops).1.id];
        }
        match line.deed {
            Deed::Title(_) | Deed::TooLong(_) | Deed::OverNothing => written.push(op.id),
            Deed::Step(_) => taken.push(op.id),
            Deed::Comment => {}
        }
        ops.push((line.phone, op));
    }
    Story { ops, records }
}

/// Sends ops in an order, in batches of a size, until nothing is deferred any more
/// that could come.
fn deliver(phones: &[Phone], order: &[&(usize, OpBody)], batch: usize) {
    let mut waiting: Vec<&(usize, OpBody)> = order.to_vec();
    loop {
        let mut deferred = Vec::new();
        for run in waiting.chunk_by(|a, b| a.0 == b.0) {
            for ops in run.chunks(batch) {
                let bodies: Vec<OpBody> = ops.iter().map(|(_, op)| op.clone()).collect();
                let outcomes = phones[run[0].0].push(&bodies);
                let asks = ops.iter().zip(outcomes);
                let again = asks.filter(|(_, o)| matches!(o, Outcome::Deferred { .. }));
                deferred.extend(again.map(|(op, _)| *op));
            }
        }
        if deferred.len() == waiting.len() || deferred.is_empty() {
            assert!(deferred.is_empty(), "all that is needed was sent");
            return;
        }
        waiting = deferred;
    }
}

/// The texts of each record, and what is held and why.
type Ended = (BTreeMap<usize, BTreeSet<String>>, BTreeSet<(OpId, String)>);

fn ended(world: &World, story: &Story) -> Ended {
    let mut texts = BTreeMap::new();
    for (n, id) in story.records.iter().enumerate() {
        let row = world.stored(|tx| tx.entities(world.tenant, &[*id]));
        let Some(state) = row.first().and_then(|row| row.state.as_ref()) else {
            continue;
        };
        let entity: gridwalk_domain::Entity = serde_json::from_str(state).expect("reads");
        let title = &entity.fields["title"];
        let titles = std::iter::once(&title.current).chain(&title.proposals);
        let titles = titles.filter_map(|entry| entry.value.as_str());
        let comments = entity.list("comments").iter();
        let comments = comments.filter_map(|entry| entry.value["text"].as_str());
        let reasons = entity
            .history
            .iter()
            .filter_map(|step| step.reason.as_deref());
        let all = titles.chain(comments).chain(reasons).map(str::to_owned);
        texts.insert(n, all.collect());
    }
    let held = world.stored(|tx| tx.held_ops(world.tenant, None));
    let held = held.into_iter();
    let held = held.map(|row| (row.summary.id, reason(&row.summary.outcome)));
    (texts, held.collect())
}

fn check(lines: &[Line], shuffled: &[prop::sample::Index], batch: usize) {
    let world = world();
    let mut phones: Vec<Phone> = (0..PHONES)
        .map(|n| world.phone(&format!("网格员{n}"), BASE[0]))
        .collect();
    for phone in &phones {
        phone.hello();
    }
    let empty: std::sync::Arc<dyn Store> = world.copy();
    let story = story(&mut phones, lines, &world);
    let straight: Vec<_> = story.ops.iter().collect();
    deliver(&phones, &straight, 200);
    let expected = ended(&world, &story);
    world.go_back(&*empty);
    for phone in &phones {
        *phone.seen.lock().expect("a lock") = None;
    }
    let mut order = Vec::new();
    let mut left = straight;
    for index in shuffled {
        if !left.is_empty() {
            order.push(left.remove(index.index(left.len())));
        }
    }
    order.extend(left);
    deliver(&phones, &order, batch);
    assert_eq!(ended(&world, &story), expected);
    let (texts, held) = expected;
    let said = texts.values().map(BTreeSet::len).sum::<usize>();
    let counted = said + held.len();
    assert!(counted > 0, "something was said or is held");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, ..ProptestConfig::default() })]
    #[test]
    fn any_order_ends_in_the_same_texts_and_the_same_held_set(
        lines in lines(),
        shuffled in proptest::collection::vec(any::<prop::sample::Index>(), 17),
        batch in 1_usize..6,
    ) {
        check(&lines, &shuffled, batch);
    }
}
