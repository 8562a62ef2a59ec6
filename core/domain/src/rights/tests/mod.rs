//! Who may do what, exhaustively: every row of the incident's table, in every
//! situation that its words tell apart, by everybody; and every kind of record
//! by everybody.

mod kinds;

use serde_json::{Value, json};

use super::*;
use crate::kind::incident::{
    self, ACCEPTED, CLOSED, DISPATCHED, ESCALATED, HANDLED_ON_SITE, IN_PROGRESS, REJECTED,
    REPORTED, RESOLVED, STATUSES, VERIFIED,
};
use crate::testing::P::{
    self, Administrator, City, Clock, Colleague, Community, Fire, Former, Neighbour,
    OtherCommunity, OtherTown, Squad, StandIn, Stranger, Town, Worker,
};
use crate::testing::{COMMUNITY, DAY, DISTRICT, FIRE, HOUR, No, SQUAD, T0, TOWN, Tale, photo};
use crate::{Effect, Refusal};

const GRIDWORKERS: [P; 3] = [Worker, Colleague, StandIn];
const ABOVE: [P; 3] = [Community, Town, P::District];
const TOWN_UP: [P; 2] = [Town, P::District];

fn and(one: &[P], other: &[P]) -> Vec<P> {
    [one, other].concat()
}

fn up(holder: crate::GridId) -> Value {
    json!({"holder": holder})
}

fn to(assignee: &Value) -> Value {
    json!({"assignee": assignee, "limit_ms": T0 + DAY})
}

fn done() -> Value {
    json!({"note": "已清除", "photos": [photo()]})
}

fn seen() -> Value {
    json!({"note": "已看过", "place": {"lat": 35.05, "lon": 118.34}})
}

fn escalated() -> Tale {
    Tale::reported().goes(&[(Worker, ESCALATED, up(COMMUNITY))])
}

fn at_town() -> Tale {
    escalated().goes(&[(Community, ESCALATED, up(TOWN))])
}

fn dispatched(assignee: &Value) -> Tale {
    at_town().goes(&[
        (Town, ACCEPTED, json!({})),
        (Town, DISPATCHED, to(assignee)),
    ])
}

fn resolved(by: P, assignee: &Value) -> Tale {
    dispatched(assignee).goes(&[(by, IN_PROGRESS, json!({})), (by, RESOLVED, done())])
}

fn worker_of(who: P) -> Value {
    json!({"worker": who.worker()})
}

/// Hygiene is closed by gridworkers themselves.
fn hygiene() -> Tale {
    let mut tale = Tale::of("incident");
    let fields = json!({"worker": Worker.worker(), "grid": crate::testing::BASE, "catalogue": 1,
        "category": "hygiene", "place": {"lat": 35.05, "lon": 118.34}});
    tale.make(Worker, fields).expect("a report");
    tale.goes(&[(Worker, HANDLED_ON_SITE, done())])
}

fn closed_above() -> Tale {
    let fire = json!({"department": FIRE});
    resolved(Fire, &fire).goes(&[(Worker, VERIFIED, seen()), (Town, CLOSED, json!({}))])
}

/// A situation, and for each step that is open in it by name and end, who may
/// take it; nobody else may.
struct Situation {
    what: &'static str,
    tale: Tale,
    may: Vec<(&'static str, &'static str, Vec<P>)>,
}

fn situations() -> Vec<Situation> {
    let situation = |what, tale, may| Situation { what, tale, may };
    let fire = json!({"department": FIRE});
    let squad = json!({"team": SQUAD});
    let month = |mut tale: Tale| {
        tale.now += 31 * DAY;
        tale
    };
    vec![
        situation(
            "reported",
            Tale::reported(),
            vec![
                ("handle", HANDLED_ON_SITE, GRIDWORKERS.to_vec()),
                ("escalate", ESCALATED, GRIDWORKERS.to_vec()),
                ("reject", REJECTED, ABOVE.to_vec()),
            ],
        ),
        situation(
            "handled, of a category that the supervisor closes",
            Tale::reported().goes(&[(Worker, HANDLED_ON_SITE, done())]),
            vec![("close", CLOSED, ABOVE.to_vec())],
        ),
        situation(
            "handled, of a category that gridworkers close",
            hygiene(),
            vec![("close", CLOSED, and(&GRIDWORKERS, &ABOVE))],
        ),
        situation(
            "sent up to the community",
            escalated(),
            vec![
                ("escalate", ESCALATED, and(&ABOVE, &[Clock])),
                ("accept", ACCEPTED, ABOVE.to_vec()),
                ("return", REPORTED, ABOVE.to_vec()),
                ("reject", REJECTED, ABOVE.to_vec()),
            ],
        ),
        situation(
            "sent up to the town",
            at_town(),
            vec![
                ("escalate", ESCALATED, and(&TOWN_UP, &[Clock])),
                ("accept", ACCEPTED, TOWN_UP.to_vec()),
                ("return", ESCALATED, TOWN_UP.to_vec()),
                ("reject", REJECTED, ABOVE.to_vec()),
            ],
        ),
        situation(
            "sent up to the top",
            at_town().goes(&[(Town, ESCALATED, up(DISTRICT))]),
            vec![
                // There is nothing above.
                ("escalate", ESCALATED, vec![]),
                ("accept", ACCEPTED, vec![P::District]),
                ("return", ESCALATED, vec![P::District]),
                ("reject", REJECTED, ABOVE.to_vec()),
            ],
        ),
        situation(
            "accepted by the community",
            escalated().goes(&[(Community, ACCEPTED, json!({}))]),
            vec![("dispatch", DISPATCHED, ABOVE.to_vec())],
        ),
        situation(
            "accepted by the town",
            at_town().goes(&[(Town, ACCEPTED, json!({}))]),
            vec![("dispatch", DISPATCHED, TOWN_UP.to_vec())],
        ),
        situation(
            "dispatched to a worker",
            dispatched(&worker_of(Neighbour)),
            vec![
                ("begin", IN_PROGRESS, vec![Neighbour]),
                ("return", ACCEPTED, vec![Neighbour]),
            ],
        ),
        situation(
            "dispatched to a department",
            dispatched(&fire),
            vec![
                ("begin", IN_PROGRESS, vec![Fire]),
                ("return", ACCEPTED, vec![Fire]),
            ],
        ),
        situation(
            "dispatched to a team",
            dispatched(&squad),
            vec![
                ("begin", IN_PROGRESS, vec![Squad]),
                ("return", ACCEPTED, vec![Squad]),
            ],
        ),
        situation(
            "in progress",
            dispatched(&fire).goes(&[(Fire, IN_PROGRESS, json!({}))]),
            vec![
                ("resolve", RESOLVED, vec![Fire]),
                ("return", ACCEPTED, vec![Fire]),
            ],
        ),
        situation(
            "resolved by a department",
            resolved(Fire, &fire),
            vec![
                ("verify", VERIFIED, GRIDWORKERS.to_vec()),
                ("return", IN_PROGRESS, GRIDWORKERS.to_vec()),
            ],
        ),
        situation(
            "resolved by a worker of elsewhere",
            resolved(Neighbour, &worker_of(Neighbour)),
            vec![
                ("verify", VERIFIED, GRIDWORKERS.to_vec()),
                ("return", IN_PROGRESS, GRIDWORKERS.to_vec()),
            ],
        ),
        situation(
            "resolved by a worker of the place",
            resolved(Worker, &worker_of(Worker)),
            vec![
                ("verify", VERIFIED, and(&[Colleague, StandIn], &ABOVE)),
                ("return", IN_PROGRESS, and(&[Colleague, StandIn], &ABOVE)),
            ],
        ),
        situation(
            "verified",
            resolved(Fire, &fire).goes(&[(Worker, VERIFIED, seen())]),
            vec![("close", CLOSED, TOWN_UP.to_vec())],
        ),
        situation(
            "closed, never sent up",
            hygiene().goes(&[(Worker, CLOSED, json!({}))]),
            vec![("reopen", REPORTED, and(&GRIDWORKERS, &ABOVE))],
        ),
        situation(
            "closed by the town",
            closed_above(),
            vec![("reopen", ACCEPTED, and(&GRIDWORKERS, &TOWN_UP))],
        ),
        situation(
            "closed by the town a month ago",
            month(closed_above()),
            vec![("reopen", ACCEPTED, TOWN_UP.to_vec())],
        ),
        situation(
            "rejected where it was reported",
            Tale::reported().goes(&[(Community, REJECTED, json!({}))]),
            vec![("reopen", REPORTED, and(&GRIDWORKERS, &ABOVE))],
        ),
        situation(
            "rejected by the town",
            at_town().goes(&[(Town, REJECTED, json!({}))]),
            vec![("reopen", ACCEPTED, and(&GRIDWORKERS, &TOWN_UP))],
        ),
    ]
}

/// All that any step may have to carry.
fn everything(tale: &Tale, row: &StepRule) -> Value {
    let mut with = json!({
        "note": "已办", "photos": [photo()], "place": {"lat": 35.05, "lon": 118.34},
        "assignee": {"department": FIRE}, "limit_ms": tale.now + DAY,
    });
    match (row.name, row.from) {
        ("escalate", _) => with["holder"] = json!(incident::above(&tale.district, tale.entity())),
        ("return", ESCALATED) => with["return"] = json!(true),
        _ => {}
    }
    with
}

#[test]
fn every_step_by_everybody_in_every_situation() {
    let mut rows_seen = std::collections::BTreeSet::new();
    let mut tried = 0;
    for Situation { what, tale, may } in situations() {
        let status = tale.entity().status().expect("a status");
        for row in incident::KIND.steps.iter().filter(|row| row.from == status) {
            let expected = may
                .iter()
                .find(|(name, to, _)| (*name, *to) == (row.name, row.to));
            for person in P::ALL {
                let step = tale.transition(row.to, everything(&tale, row));
                let taken = tale.try_op(person, step).map(|(_, effect)| effect);
                let situation =
                    format!("{what}: {} → {} by {person:?}: {taken:?}", row.name, row.to);
                let allowed = expected.is_some_and(|(_, _, who)| who.contains(&person));
                if allowed {
                    assert_eq!(taken, Ok(Effect::Applied), "{situation}");
                    rows_seen.insert((row.name, row.from, row.to));
                } else {
                    assert!(taken.is_err(), "{situation}");
                }
                let someone = person.person();
                let rights = tale.rights(&someone);
                let offered = rights.steps(tale.entity());
                let offered = offered.contains(&row);
                let top = row.name == "escalate"
                    && incident::above(&tale.district, tale.entity()).is_none();
                assert!(offered == allowed || top, "{situation}: the button");
                tried += 1;
            }
        }
        for (name, to, _) in may {
            let rows = incident::KIND.steps.iter();
            let known = rows.filter(|row| (row.name, row.from, row.to) == (name, status, to));
            assert_eq!(known.count(), 1, "{what}: {name} → {to}");
        }
    }
    assert_eq!(
        rows_seen.len(),
        incident::KIND.steps.len(),
        "a row that nobody ever took"
    );
    assert!(tried > 500, "{tried}");
}

#[test]
fn what_is_not_in_the_table_is_refused_to_everybody() {
    let tales = situations();
    for from in STATUSES {
        let situation = tales
            .iter()
            .find(|s| s.tale.entity().status() == Some(from));
        let tale = &situation.expect(from).tale;
        for to in STATUSES.into_iter().chain(["unheard_of", ""]) {
            if incident::KIND
                .steps
                .iter()
                .any(|row| (row.from, row.to) == (from, to))
            {
                continue;
            }
            for person in P::ALL {
                let step = tale.transition(to, json!({"holder": TOWN, "note": "办"}));
                let no = tale.try_op(person, step).expect_err("is not in the table");
                assert!(
                    matches!(no, No::Refusal(Refusal::NoSuchStep { .. })),
                    "{from} → {to} by {person:?}: {no:?}"
                );
            }
        }
    }
}

#[test]
fn each_refusal_says_why() {
    let fire = json!({"department": FIRE});
    let code = |tale: &Tale, by: P, to: &str, with: Value| {
        tale.try_op(by, tale.transition(to, with))
            .expect_err("refused")
            .code()
    };
    let reported = Tale::reported();
    assert_eq!(
        code(&reported, Stranger, ESCALATED, up(COMMUNITY)),
        "not_for_you"
    );
    assert_eq!(
        code(&reported, Former, ESCALATED, up(COMMUNITY)),
        "not_then"
    );
    assert_eq!(code(&reported, Worker, ESCALATED, up(TOWN)), "unfit");
    let handled = Tale::reported().goes(&[(Worker, HANDLED_ON_SITE, done())]);
    assert_eq!(code(&handled, Worker, CLOSED, json!({})), "not_self_closed");
    let own = resolved(Worker, &worker_of(Worker));
    assert_eq!(code(&own, Worker, VERIFIED, seen()), "own_work");
    let mut late = closed_above();
    late.now += 30 * DAY;
    assert_eq!(code(&late, Worker, ACCEPTED, json!({})), "too_late");
    let sentence = Denied::NotFor(incident::KIND.steps[0].who).to_string();
    assert_eq!(sentence, "this is for a gridworker of the grid");
    // A department that it was not dispatched to is nobody here.
    assert_eq!(
        code(&dispatched(&fire), City, IN_PROGRESS, json!({})),
        "not_for_you"
    );
    assert_eq!(
        code(&dispatched(&fire), Administrator, IN_PROGRESS, json!({})),
        "not_for_you"
    );
}

#[test]
fn an_op_is_judged_by_the_rights_of_its_time() {
    let mut tale = Tale::reported();
    let step = |tale: &Tale| tale.transition(HANDLED_ON_SITE, done());
    tale.now = T0 + DAY - HOUR;
    assert!(
        tale.try_op(StandIn, step(&tale)).is_ok(),
        "an hour before the end"
    );
    tale.now = T0 + DAY;
    let no = tale.try_op(StandIn, step(&tale)).expect_err("it has ended");
    assert_eq!(no.code(), "not_then");
    // Handed in a week later, made in time: what counts is when it was made.
    tale.now = T0 + HOUR;
    assert!(tale.try_op(StandIn, step(&tale)).is_ok());
}

#[test]
fn a_step_that_comes_too_late_needs_no_more_than_the_right_to_comment() {
    let reported = Tale::reported();
    let late = reported.transition(HANDLED_ON_SITE, done());
    let mut tale = Tale::reported().goes(&[(Worker, ESCALATED, up(COMMUNITY))]);
    assert_eq!(tale.take(Worker, late.clone()), Ok(Effect::ConflictKept));
    assert_eq!(tale.entity().status(), Some(ESCALATED));
    assert_eq!(tale.entity().list(kind::COMMENTS).len(), 1);
    let no = tale
        .try_op(Stranger, late)
        .expect_err("may not even comment");
    assert_eq!(no.code(), "not_for_you");
}

#[test]
fn nobody_speaks_in_anothers_name() {
    let tale = Tale::reported();
    let op = tale.op(Colleague, tale.transition(HANDLED_ON_SITE, done()));
    let worker = Worker.person();
    assert_eq!(
        tale.rights(&worker).may_make(tale.state.as_ref(), &op),
        Err(Denied::ForeignAuthor)
    );
    let mut fresh = Tale::of("incident");
    let fields = json!({"worker": Colleague.worker(), "grid": crate::testing::BASE, "catalogue": 1, "address": "东门"});
    assert_eq!(
        fresh.make(Worker, fields).expect_err("another's").code(),
        "foreign_author"
    );
}

#[test]
fn a_right_holds_below_by_parent_and_ends_where_a_circle_begins() {
    struct Circle;
    impl District for Circle {
        fn parent(&self, grid: crate::GridId) -> Option<crate::GridId> {
            Some(if grid == COMMUNITY { TOWN } else { COMMUNITY })
        }
        fn grids_of(&self, _: crate::WorkerId, _: i64) -> Vec<crate::GridId> {
            vec![]
        }
        fn catalogue(&self, _: u32) -> Option<&crate::Catalogue> {
            None
        }
    }
    let tale = Tale::reported();
    for person in [Community, Town, P::District] {
        assert_eq!(
            tale.rights(&person.person()).may_read(tale.entity()),
            Ok(()),
            "{person:?}"
        );
    }
    for person in [OtherCommunity, OtherTown] {
        assert!(
            tale.rights(&person.person())
                .may_read(tale.entity())
                .is_err(),
            "{person:?}"
        );
    }
    let person = P::District.person();
    let lost = Rights::new(&person, &Circle, T0);
    assert!(
        lost.may_read(tale.entity()).is_err(),
        "and it comes to an end"
    );
}
