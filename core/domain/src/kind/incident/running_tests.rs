//! Limits against the calendar, and what the clock does.

use super::*;
use crate::kind::incident::{ACCEPTED, DISPATCHED, HANDLED_ON_SITE, REPORTED};
use crate::rights::Person;
use crate::testing::P::{Clock, Community, Fire, Worker};
use crate::testing::{COMMUNITY, DAY, DISTRICT, FIRE, HOUR, T0, TOWN, Tale, photo};
use crate::{Effect, Refusal, apply};

fn runs(tale: &Tale) -> Running {
    let catalogue = Some(&tale.district.catalogue);
    running(tale.entity(), catalogue, &tale.district.calendar).expect("it runs")
}

fn escalated() -> Tale {
    Tale::reported().goes(&[(Worker, ESCALATED, json!({"holder": COMMUNITY}))])
}

fn climbs(tale: &Tale, now_ms: i64) -> Option<Intent> {
    clock_step(
        tale.entity(),
        &tale.district,
        &tale.district.calendar,
        now_ms,
    )
}

#[test]
fn each_status_has_the_limit_of_its_category() {
    // Fire safety: 4 working hours from Monday 09:00:01, over noon.
    let reported = runs(&Tale::reported());
    assert_eq!(
        (reported.status.as_str(), reported.since_ms),
        (REPORTED, T0 + 1000)
    );
    assert_eq!(reported.due_ms, Some(T0 + 1000 + 5 * HOUR + HOUR / 2));
    let due = reported.due_ms.expect("a limit");
    assert!(!reported.is_overdue(due) && reported.is_overdue(due + 1));
    let handled = Tale::reported().goes(&[(
        Worker,
        HANDLED_ON_SITE,
        json!({"note": "好", "photos": [photo()]}),
    )]);
    assert_eq!(runs(&handled).due_ms, Some(T0 + 2000 + 2 * DAY));
}

#[test]
fn a_grave_one_has_less_time() {
    let mut tale = escalated();
    let before = runs(&tale).due_ms;
    tale.set(Community, "severity", json!("urgent"))
        .expect("set");
    let urgent = runs(&tale);
    assert_eq!(urgent.due_ms, Some(urgent.since_ms + HOUR), "by the clock");
    assert!(urgent.due_ms < before);
}

#[test]
fn the_dispatch_says_when_the_work_must_be_done() {
    let dispatched = |limit_ms: i64| {
        escalated().goes(&[
            (Community, ACCEPTED, json!({})),
            (
                Community,
                DISPATCHED,
                json!({"assignee": {"department": FIRE}, "limit_ms": limit_ms}),
            ),
        ])
    };
    let far = dispatched(T0 + 30 * DAY);
    assert_eq!(
        runs(&far).due_ms,
        Some(T0 + 4000 + 5 * HOUR + HOUR / 2),
        "to begin: the catalogue's"
    );
    let near = dispatched(T0 + HOUR);
    assert_eq!(
        runs(&near).due_ms,
        Some(T0 + HOUR),
        "the work cannot begin after its end"
    );
    let begun = far.goes(&[(Fire, super::super::IN_PROGRESS, json!({}))]);
    assert_eq!(runs(&begun).due_ms, Some(T0 + 30 * DAY));
}

#[test]
fn what_is_over_or_gone_runs_no_more() {
    let over = Tale::reported().goes(&[(Community, REJECTED, json!({}))]);
    assert_eq!(
        running(
            over.entity(),
            Some(&over.district.catalogue),
            &over.district.calendar
        ),
        None
    );
    let mut gone = Tale::reported().entity().clone();
    gone.deleted = Some(gone.created.clone());
    assert_eq!(
        running(
            &gone,
            Some(&over.district.catalogue),
            &over.district.calendar
        ),
        None
    );
    let calendar = &over.district.calendar;
    let unknown = running(escalated().entity(), None, calendar).expect("it runs");
    assert_eq!(
        (unknown.limit, unknown.due_ms),
        (None, None),
        "without its catalogue nobody knows"
    );
}

#[test]
fn the_clock_sends_up_what_nobody_accepts_until_the_top() {
    let mut tale = escalated();
    for holder in [TOWN, DISTRICT] {
        let due = runs(&tale).due_ms.expect("a limit");
        assert_eq!(climbs(&tale, due), None, "not a millisecond early");
        tale.now = due;
        let step = climbs(&tale, due + 1).expect("now");
        assert_eq!(tale.take(Clock, step), Ok(Effect::Applied));
        let life = Life::of(tale.entity()).expect("a life");
        assert_eq!((life.status.as_str(), life.holder), (ESCALATED, holder));
        let said = tale
            .entity()
            .history
            .last()
            .and_then(|step| step.reason.clone());
        assert!(said.is_some_and(|said| said.contains("超过")));
    }
    assert!(runs(&tale).is_overdue(T0 + 365 * DAY));
    assert_eq!(
        climbs(&tale, T0 + 365 * DAY),
        None,
        "there is nothing above; it is overdue"
    );
}

#[test]
fn the_clock_touches_nothing_else() {
    let later = T0 + 365 * DAY;
    assert_eq!(
        climbs(&Tale::reported(), later),
        None,
        "only what was sent up goes further up"
    );
    let accepted = escalated().goes(&[(Community, ACCEPTED, json!({}))]);
    assert_eq!(climbs(&accepted, later), None);
    // A family's quarrel does not travel up by itself.
    let mut family = Tale::of("incident");
    let fields = json!({"worker": Worker.worker(), "grid": crate::testing::BASE, "catalogue": 1,
        "category": "family_dispute", "form.hurt": "no", "address": "三单元"});
    family.make(Worker, fields).expect("a report");
    family = family.goes(&[(Worker, ESCALATED, json!({"holder": COMMUNITY}))]);
    assert!(runs(&family).is_overdue(later));
    assert_eq!(climbs(&family, later), None);
    family
        .set(Community, "subcategory", json!("violence"))
        .expect("set");
    assert!(climbs(&family, later).is_some(), "but violence does");
}

#[test]
fn the_clocks_step_loses_against_a_person_who_was_quicker() {
    let mut tale = escalated();
    let due = runs(&tale).due_ms.expect("a limit");
    let step = climbs(&tale, due + 1).expect("now");
    tale.now = due;
    tale = tale.goes(&[(Community, ACCEPTED, json!({}))]);
    let op = tale.op(Clock, step);
    let clock = Person::clock();
    let no = tale.rights(&clock).may_make(tale.state.as_ref(), &op);
    assert!(no.is_err(), "the clock has nothing to say about it");
    let mut state = tale.state.clone();
    assert_eq!(
        apply(&mut state, &op, due + 2),
        Ok::<_, Refusal>(Effect::ConflictKept)
    );
    assert_eq!(state.expect("there").status(), Some(ACCEPTED));
}
