use super::*;
use crate::testing::P::{self, Colleague, Community, Neighbour, Stranger, Town, Worker};
use crate::testing::{BASE, DAY, T0, Tale};
use serde_json::json;

fn sent(worker: Option<P>) -> Tale {
    let mut tale = Tale::of("task");
    let mut fields =
        json!({"grid": BASE, "work": "inspect", "title": "检查灭火器", "due_ms": T0 + DAY});
    if let Some(worker) = worker {
        fields["worker"] = json!(worker.worker());
    }
    tale.make(Town, fields).expect("a task");
    tale
}

#[test]
fn a_task_is_seen_accepted_and_done_with_proof() {
    let tale = sent(Some(Worker)).goes(&[(Worker, SEEN, json!({})), (Worker, ACCEPTED, json!({}))]);
    let bare = tale
        .try_op(Worker, tale.transition(DONE, json!({})))
        .expect_err("no proof");
    assert_eq!(bare.code(), "step_needs");
    let tale = tale.goes(&[(Worker, DONE, json!({"note": "压力正常"}))]);
    let tale = tale.goes(&[(Town, ACCEPTED, json!({}))]);
    assert_eq!(tale.entity().status(), Some(ACCEPTED), "sent back for more");
}

#[test]
fn a_task_to_a_grid_is_for_whoever_takes_it() {
    let tale = sent(None);
    assert_eq!(tale.entity().home, StreamKey::Records(BASE));
    for person in [Worker, Colleague] {
        assert!(
            tale.try_op(person, tale.transition(ACCEPTED, json!({})))
                .is_ok(),
            "{person:?}"
        );
    }
    let no = tale
        .try_op(Neighbour, tale.transition(ACCEPTED, json!({})))
        .expect_err("not theirs");
    assert_eq!(no.code(), "not_for_you");
}

#[test]
fn a_task_to_a_worker_is_for_nobody_else_and_may_be_given_on() {
    let mut tale = sent(Some(Worker));
    assert_eq!(tale.entity().home, StreamKey::Inbox(Worker.worker()));
    assert!(super::super::audiences(tale.entity()).is_empty());
    let no = tale
        .try_op(Colleague, tale.transition(SEEN, json!({})))
        .expect_err("not theirs");
    assert_eq!(no.code(), "not_for_you");
    tale = tale.goes(&[(Worker, RETURNED, json!({}))]);
    let no = tale
        .set(Community, "worker", json!(Stranger.worker()))
        .expect_err("walks elsewhere");
    assert_eq!(no.code(), "unfit");
    tale.set(Community, "worker", json!(Colleague.worker()))
        .expect("given on");
    let tale = tale.goes(&[
        (Community, SENT, json!({})),
        (Colleague, ACCEPTED, json!({})),
    ]);
    let audiences: Vec<_> = super::super::audiences(tale.entity()).into_iter().collect();
    assert_eq!(audiences, [StreamKey::Inbox(Colleague.worker())]);
}

#[test]
fn only_who_walks_the_grid_is_sent_there() {
    let mut tale = Tale::of("task");
    let fields =
        json!({"grid": BASE, "work": "visit", "title": "走访", "worker": Stranger.worker()});
    assert_eq!(
        tale.make(Town, fields).expect_err("walks elsewhere").code(),
        "unfit"
    );
    let bad = json!({"grid": BASE, "work": "dance", "title": "走访"});
    assert_eq!(
        tale.make(Town, bad).expect_err("no work").code(),
        "bad_value"
    );
}

#[test]
fn a_task_is_overdue_while_it_is_not_done() {
    let tale = sent(Some(Worker));
    assert!(!is_overdue(tale.entity(), T0 + DAY));
    assert!(is_overdue(tale.entity(), T0 + DAY + 1));
    let done = tale.goes(&[
        (Worker, ACCEPTED, json!({})),
        (Worker, DONE, json!({"note": "好"})),
    ]);
    assert!(!is_overdue(done.entity(), T0 + DAY + 1));
}
