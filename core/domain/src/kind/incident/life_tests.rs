//! Who holds an incident, told as tales and as a property of any life.

use super::*;
use crate::Effect;
use crate::kind::incident::{HANDLED_ON_SITE, RESOLVED, VERIFIED, above};
use crate::testing::P::{self, Community, Fire, Town, Worker};
use crate::testing::{BASE, COMMUNITY, DAY, DISTRICT, FIRE, NEXT_BASE, T0, TOWN, Tale, photo};
use proptest::prelude::*;
use serde_json::json;

fn life(tale: &Tale) -> Life {
    Life::of(tale.entity()).expect("a life")
}

fn up(holder: GridId) -> Value {
    json!({"holder": holder})
}

fn to_fire() -> Value {
    json!({"assignee": {"department": FIRE}, "limit_ms": T0 + DAY})
}

#[test]
fn escalation_goes_up_and_return_comes_back_the_same_way() {
    let mut tale = Tale::reported();
    assert_eq!((life(&tale).holder, life(&tale).is_above()), (BASE, false));
    tale = tale.goes(&[
        (Worker, ESCALATED, up(COMMUNITY)),
        (Community, ESCALATED, up(TOWN)),
        (Town, ESCALATED, up(DISTRICT)),
    ]);
    assert_eq!(life(&tale).holder, DISTRICT);
    assert_eq!(above(&tale.district, tale.entity()), None, "the top");
    for (by, holder) in [(P::District, TOWN), (Town, COMMUNITY)] {
        tale = tale.goes(&[(by, ESCALATED, json!({"return": true}))]);
        assert_eq!(
            (life(&tale).status.as_str(), life(&tale).holder),
            (ESCALATED, holder)
        );
    }
    tale = tale.goes(&[(Community, REPORTED, json!({}))]);
    assert_eq!((life(&tale).holder, life(&tale).below), (BASE, vec![]));
    // And it may go up once more.
    tale = tale.goes(&[(Worker, ESCALATED, up(COMMUNITY))]);
    assert_eq!(life(&tale).holder, COMMUNITY);
}

#[test]
fn a_return_does_not_skip_a_level() {
    let tale = Tale::reported().goes(&[
        (Worker, ESCALATED, up(COMMUNITY)),
        (Community, ESCALATED, up(TOWN)),
    ]);
    let no = tale
        .try_op(Town, tale.transition(REPORTED, json!({})))
        .expect_err("skips");
    assert_eq!(no.code(), "no_such_step");
    let tale = Tale::reported().goes(&[(Worker, ESCALATED, up(COMMUNITY))]);
    let back = tale.transition(ESCALATED, json!({"return": true}));
    let no = tale
        .try_op(Community, back)
        .expect_err("it was reported before");
    assert_eq!(no.code(), "no_such_step");
}

#[test]
fn an_escalation_names_the_grid_above_and_no_other() {
    let tale = Tale::reported();
    for (holder, code) in [(TOWN, "unfit"), (NEXT_BASE, "unfit"), (BASE, "unfit")] {
        let no = tale
            .try_op(Worker, tale.transition(ESCALATED, up(holder)))
            .expect_err("not above");
        assert_eq!(no.code(), code);
    }
    // Even where nobody looks at the grids, nothing goes in a circle.
    let tale = Tale::reported().goes(&[(Worker, ESCALATED, up(COMMUNITY))]);
    for holder in [COMMUNITY, BASE] {
        let op = tale.op(Community, tale.transition(ESCALATED, up(holder)));
        let refused = crate::apply(&mut tale.state.clone(), &op, tale.now).expect_err("a circle");
        assert_eq!(refused.code(), "bad_value");
    }
}

#[test]
fn what_is_given_back_is_nobodys_and_may_be_given_again() {
    let fire = Assignee::Department(FIRE);
    let mut tale = Tale::reported().goes(&[
        (Worker, ESCALATED, up(COMMUNITY)),
        (Community, ACCEPTED, json!({})),
        (Community, DISPATCHED, to_fire()),
    ]);
    assert_eq!(
        (life(&tale).assignee, life(&tale).limit_ms),
        (Some(fire), Some(T0 + DAY))
    );
    tale = tale.goes(&[(Fire, ACCEPTED, json!({}))]);
    assert_eq!((life(&tale).assignee, life(&tale).limit_ms), (None, None));
    assert_eq!(life(&tale).holder, COMMUNITY);
    assert_eq!(Life::ever_dispatched(tale.entity()), [fire]);
}

#[test]
fn work_that_is_sent_back_may_get_more_time() {
    let resolved = || {
        Tale::reported().goes(&[
            (Worker, ESCALATED, up(COMMUNITY)),
            (Community, ACCEPTED, json!({})),
            (Community, DISPATCHED, to_fire()),
            (Fire, IN_PROGRESS, json!({})),
            (Fire, RESOLVED, json!({"note": "已清", "photos": [photo()]})),
        ])
    };
    let same = resolved().goes(&[(Worker, IN_PROGRESS, json!({}))]);
    assert_eq!(life(&same).limit_ms, Some(T0 + DAY));
    let more = resolved().goes(&[(Worker, IN_PROGRESS, json!({"limit_ms": T0 + 2 * DAY}))]);
    assert_eq!(life(&more).limit_ms, Some(T0 + 2 * DAY));
    assert_eq!(life(&more).assignee, Some(Assignee::Department(FIRE)));
}

#[test]
fn what_had_come_up_is_reopened_there_and_else_at_the_bottom() {
    let seen = json!({"note": "已看", "place": {"lat": 35.05, "lon": 118.34}});
    let above = Tale::reported().goes(&[
        (Worker, ESCALATED, up(COMMUNITY)),
        (Community, ACCEPTED, json!({})),
        (Community, DISPATCHED, to_fire()),
        (Fire, IN_PROGRESS, json!({})),
        (Fire, RESOLVED, json!({"note": "已清", "photos": [photo()]})),
        (Worker, VERIFIED, seen),
        (Community, CLOSED, json!({})),
    ]);
    let wrong = above.try_op(Worker, above.transition(REPORTED, json!({})));
    assert_eq!(wrong.expect_err("it had come up").code(), "no_such_step");
    let again = above.goes(&[(Worker, ACCEPTED, json!({}))]);
    assert_eq!(
        (life(&again).holder, life(&again).assignee),
        (COMMUNITY, None)
    );

    // Sent up, given back, and then closed below: it starts below.
    let below = Tale::reported().goes(&[
        (Worker, ESCALATED, up(COMMUNITY)),
        (Community, REPORTED, json!({})),
        (
            Worker,
            HANDLED_ON_SITE,
            json!({"note": "已劝", "photos": [photo()]}),
        ),
        (Community, CLOSED, json!({})),
    ]);
    let wrong = below.try_op(Worker, below.transition(ACCEPTED, json!({})));
    assert_eq!(wrong.expect_err("it is below").code(), "no_such_step");
    let again = below.goes(&[(Worker, REPORTED, json!({}))]);
    assert_eq!(
        (life(&again).holder, life(&again).is_above()),
        (BASE, false)
    );
}

#[test]
fn a_rejection_says_why_and_a_duplicate_of_which() {
    let tale = Tale::reported();
    let code = |with: Value| {
        let step = tale.transition(REJECTED, with);
        tale.try_op(Community, step)
            .map(|_| ())
            .map_err(|no| no.code())
    };
    let other = crate::testing::id(77);
    assert_eq!(code(json!({})), Ok(()));
    assert_eq!(
        code(json!({"cause": "duplicate", "duplicate_of": other})),
        Ok(())
    );
    assert_eq!(code(json!({"cause": "duplicate"})), Err("bad_value"));
    assert_eq!(
        code(json!({"cause": "duplicate", "duplicate_of": tale.entity().id})),
        Err("bad_value")
    );
    assert_eq!(code(json!({"cause": "dull"})), Err("bad_value"));
    let mut mute = tale.transition(REJECTED, json!({}));
    if let crate::Intent::Transition { reason, .. } = &mut mute {
        *reason = Some("  ".into());
    }
    assert_eq!(
        tale.try_op(Community, mute).expect_err("no reason").code(),
        "step_needs"
    );
}

#[test]
fn a_limit_lies_ahead() {
    let tale = Tale::reported().goes(&[
        (Worker, ESCALATED, up(COMMUNITY)),
        (Community, ACCEPTED, json!({})),
    ]);
    let over = json!({"assignee": {"department": FIRE}, "limit_ms": T0 - 1});
    let no = tale
        .try_op(Community, tale.transition(DISPATCHED, over))
        .expect_err("over");
    assert_eq!(no.code(), "bad_value");
    let in_1970 = json!({"assignee": {"department": FIRE}, "limit_ms": 1});
    let no = tale
        .try_op(Community, tale.transition(DISPATCHED, in_1970))
        .expect_err("1970");
    assert_eq!(no.code(), "bad_value");
}

#[test]
fn workers_see_what_was_dispatched_to_them_in_their_inbox() {
    let neighbour = P::Neighbour.worker();
    let tale = Tale::reported();
    assert!(crate::kind::audiences(tale.entity()).is_empty());
    let tale = tale.goes(&[
        (Worker, ESCALATED, up(COMMUNITY)),
        (Community, ACCEPTED, json!({})),
        (
            Community,
            DISPATCHED,
            json!({"assignee": {"worker": neighbour}, "limit_ms": T0 + DAY}),
        ),
        (P::Neighbour, ACCEPTED, json!({})),
        (Community, DISPATCHED, to_fire()),
    ]);
    let audiences = crate::kind::audiences(tale.entity());
    assert_eq!(
        audiences.into_iter().collect::<Vec<_>>(),
        [StreamKey::Inbox(neighbour)]
    );
}

#[test]
fn what_a_newer_version_wrote_is_not_guessed_at() {
    let mut future = Tale::reported().entity().clone();
    let mut step = future.history[0].clone();
    step.from = Some(REPORTED.into());
    step.to = ESCALATED.into();
    future.history.push(step);
    assert_eq!(Life::of(&future), None, "sent up to nobody");
}

/// Any step that the table has, by whoever may take it.
fn wander(tale: Tale, picks: &[usize]) -> Tale {
    picks.iter().fold(tale, |mut tale, pick| {
        let steps: Vec<(P, &StepRule)> = P::ALL
            .into_iter()
            .flat_map(|person| {
                let someone = person.person();
                let rows = tale.rights(&someone).steps(tale.entity());
                rows.into_iter().map(move |row| (person, row))
            })
            .collect();
        if steps.is_empty() {
            return tale;
        }
        let (person, row) = steps[pick % steps.len()];
        let mut with = json!({
            "note": "办", "photos": [photo()], "place": {"lat": 35.05, "lon": 118.34},
            "assignee": {"department": FIRE}, "limit_ms": tale.now + DAY,
        });
        match (row.name, row.from) {
            ("escalate", _) => match above(&tale.district, tale.entity()) {
                Some(holder) => with["holder"] = json!(holder),
                None => return tale,
            },
            ("return", ESCALATED) => with["return"] = json!(true),
            _ => {}
        }
        let taken = tale.step(person, row.to, with);
        assert!(taken.is_ok(), "{person:?} {row:?}: {taken:?}");
        tale
    })
}

proptest! {
    #[test]
    fn any_life_keeps_its_rules(picks in proptest::collection::vec(0_usize..1000, 0..40)) {
        let tale = wander(Tale::reported(), &picks);
        let entity = tale.entity();
        let life = life(&tale);
        prop_assert_eq!(Some(life.status.as_str()), entity.status());
        // The way down is the chain of parents, down to the base grid.
        let mut chain = vec![life.holder];
        chain.extend(life.below.iter().rev().map(|rung| rung.holder));
        prop_assert_eq!(chain.last(), Some(&BASE));
        for pair in chain.windows(2) {
            prop_assert_eq!(crate::rights::District::parent(&tale.district, pair[1]), Some(pair[0]));
        }
        let working = [DISPATCHED, IN_PROGRESS, RESOLVED, VERIFIED];
        if working.contains(&life.status.as_str()) {
            prop_assert!(life.assignee.is_some() && life.is_above());
        }
        if [REPORTED, HANDLED_ON_SITE].contains(&life.status.as_str()) {
            prop_assert!(!life.is_above());
        }
        // Whoever reads it elsewhere comes to the same.
        let text = serde_json::to_string(entity).expect("writes");
        let again: Entity = serde_json::from_str(&text).expect("reads");
        prop_assert_eq!(Life::of(&again), Some(life));
    }

    /// Two phones that went their own ways from one state, in any order: the
    /// server takes all of it, whoever comes second keeps their words, and
    /// nothing counts twice.
    #[test]
    fn whoever_comes_second_keeps_their_words(
        mine in proptest::collection::vec(0_usize..1000, 1..8),
        theirs in proptest::collection::vec(0_usize..1000, 1..8),
        first in proptest::collection::vec(any::<bool>(), 16),
    ) {
        let lane = |ops: u8, picks: &[usize]| {
            let mut tale = Tale::reported();
            tale.ops = ops;
            tale.log.clear();
            wander(tale, picks).log
        };
        let mut lanes = [lane(50, &mine).into_iter(), lane(150, &theirs).into_iter()];
        let mut state = Tale::reported().state;
        let mut taken = vec![];
        for turn in first.iter().chain([&true; 8]).chain([&false; 8]) {
            if let Some(op) = lanes[usize::from(*turn)].next() {
                let effect = crate::apply(&mut state, &op, op.at.wall_ms);
                prop_assert!(matches!(effect, Ok(Effect::Applied | Effect::ConflictKept)), "{:?}", effect);
                taken.push(op);
            }
        }
        let text = serde_json::to_string(&state).expect("json");
        for op in &taken {
            let crate::Intent::Transition { reason: Some(reason), .. } = &op.intent else { continue };
            prop_assert!(text.contains(&format!("{reason:?}")), "{} is lost", reason);
        }
        let entity = state.clone().expect("there");
        prop_assert!(Life::of(&entity).is_some());
        for op in &taken {
            prop_assert_eq!(crate::apply(&mut state, op, 0), Ok(Effect::Repeated));
        }
        prop_assert_eq!(state.as_ref(), Some(&entity));
    }
}
