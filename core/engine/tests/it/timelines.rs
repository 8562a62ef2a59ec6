//! Servers that go back in time, lose answers, and decide later.

use gridwalk_domain::wire::{Outcome, Reason};
use gridwalk_domain::{EntityId, OpId};
use gridwalk_engine::{Advice, Engine, EngineError, Phase, SendState};
use serde_json::json;

use crate::server::{FakeServer, Fault};
use crate::support::{CHUNK, Phone};
use crate::talk::{elsewhere, progress, report, sync};

/// A phone on shift, one incident with a photo and a patrol on the server.
fn begun(phone: &Phone, server: &FakeServer) -> (Engine, EntityId) {
    let engine = phone.on_patrol(server);
    phone.walk_in_bunches(&engine, CHUNK + 20);
    let id = report(&engine, "甲", &[1]);
    sync(&engine, server).expect("syncs");
    (engine, id)
}

/// Nothing is unsent, each op stands once, and the phone shows what the server
/// has.
fn assert_whole(engine: &Engine, server: &FakeServer) {
    let unsent = engine.status().expect("reads").unsent;
    assert_eq!((unsent.ops, unsent.chunks, unsent.blobs), (0, 0, 0));
    server.with(|state| {
        let taken: usize = state.states().map(|entity| entity.ops.len()).sum();
        assert_eq!(taken, state.ops.len(), "each op stands once");
    });
    for incident in engine.incidents().expect("reads") {
        assert_eq!(incident.send, SendState::Sent);
        let shown = engine.record_of(incident.id).expect("there");
        assert_eq!(
            server.with(|state| state.state(incident.id).cloned()),
            Some(shown)
        );
    }
}

#[test]
fn after_a_restore_the_phone_sends_again_what_the_server_lost() {
    for told in [true, false] {
        let (phone, server) = (Phone::new(true), FakeServer::new());
        let (engine, first) = begun(&phone, &server);
        let backup = server.back_up();
        let second = report(&engine, "乙", &[2]);
        engine.comment(first, "看过了").expect("comments");
        phone.walk_in_bunches(&engine, CHUNK + 10);
        sync(&engine, &server).expect("syncs");
        let fixes = server.fixes();
        server.restore(backup, told);
        assert!(server.with(|state| state.state(second).is_none()));
        // The worker goes on in the meantime.
        let third = report(&engine, "丙", &[]);

        let report = sync(&engine, &server).expect("finds out and goes on");
        assert!(report.asked > 0);
        assert_whole(&engine, &server);
        assert_eq!(server.fixes(), fixes, "all of the route, once");
        assert_eq!(server.with(|state| state.blobs.len()), 2);
        assert_eq!(engine.incidents().expect("reads").len(), 3);
        assert!(engine.incident(third).is_ok());
        let comments = engine.incident(first).expect("there").comments;
        assert_eq!(comments.len(), 1);
        server.with(|state| {
            let last = state.hellos.last().expect("said");
            assert_eq!(
                last.boots.len(),
                1,
                "the new time line is told of the boots"
            );
        });
        let next = sync(&engine, &server).expect("syncs");
        assert_eq!((next.requests, next.asked), (1, 0), "it is over");
        server.with(|state| assert_eq!(state.hellos.last().expect("said").boots, []));
    }
}

#[test]
fn own_work_stays_on_the_screen_while_the_server_does_not_have_it() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let (engine, id) = begun(&phone, &server);
    let backup = server.back_up();
    engine.comment(id, "看过了").expect("comments");
    sync(&engine, &server).expect("syncs");
    server.restore(backup, true);
    // The new epoch is noted, and then the line breaks.
    server.fail("/v1/push", Fault::Unreachable);
    assert!(sync(&engine, &server).is_err());
    let shown = engine.incident(id).expect("there");
    assert_eq!(shown.comments.len(), 1);
    assert_eq!(
        shown.send,
        SendState::Waiting,
        "the server lost a part of it"
    );
    sync(&engine, &server).expect("syncs");
    assert_whole(&engine, &server);
}

#[test]
fn asking_for_what_is_doubted_goes_on_after_a_crash_at_any_page() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let (mut engine, id) = begun(&phone, &server);
    for n in 0..430 {
        engine.comment(id, &format!("第{n}句")).expect("comments");
    }
    let backup = server.back_up();
    sync(&engine, &server).expect("syncs");
    server.restore(backup, true);
    for page in 0..2 {
        server.with(|state| state.haves.clear());
        server.fail("/v1/have", Fault::AnswerLost);
        assert!(sync(&engine, &server).is_err(), "{page}");
        server.with(|state| assert_eq!(state.haves.len(), 1));
        // One page more gets through, and then the app is killed.
        let cancelled = progress(&engine, &server, |told| {
            (told.phase, told.done) == (Phase::Have, 200)
        });
        assert_eq!(cancelled.map(drop), Err(EngineError::Cancelled));
        drop(engine);
        engine = phone.open();
    }
    sync(&engine, &server).expect("syncs");
    assert_whole(&engine, &server);
}

fn comment(text: &str) -> gridwalk_domain::Intent {
    gridwalk_domain::Intent::Append {
        list: "comments".into(),
        value: json!({ "text": text }),
    }
}

#[test]
fn a_revision_of_another_time_line_is_replaced_and_never_compared() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let (engine, id) = begun(&phone, &server);
    let backup = server.back_up();
    for n in 0..5 {
        elsewhere(&server, id, comment(&format!("旧{n}")));
    }
    sync(&engine, &server).expect("syncs");
    assert_eq!(engine.incident(id).expect("there").comments.len(), 5);
    server.restore(backup, true);
    elsewhere(&server, id, comment("新"));
    sync(&engine, &server).expect("syncs");
    let comments = engine.incident(id).expect("there").comments;
    let texts: Vec<_> = comments.iter().map(|said| said.text.as_str()).collect();
    assert_eq!(
        texts,
        ["新"],
        "what only the dead time line knew of others is gone"
    );
}

#[test]
fn a_time_line_that_comes_again_is_another_one() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let (engine, id) = begun(&phone, &server);
    let backups = [server.back_up(), server.back_up()];
    for n in 0..5 {
        elsewhere(&server, id, comment(&format!("旧{n}")));
    }
    sync(&engine, &server).expect("syncs");
    // It goes back and is of a new time line, which the phone hears of and no more;
    // and goes back again, to what is of the first one.
    let [first, second] = backups;
    server.restore(first, true);
    server.fail("/v1/have", Fault::Unreachable);
    sync(&engine, &server).expect_err("breaks");
    server.restore(second, false);
    elsewhere(&server, id, comment("新"));
    sync(&engine, &server).expect("syncs");
    let comments = engine.incident(id).expect("there").comments;
    let texts: Vec<_> = comments.iter().map(|said| said.text.as_str()).collect();
    assert_eq!(texts, ["新"]);
}

#[test]
fn a_server_that_goes_back_in_mid_sync_is_noticed_and_followed() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let (engine, id) = begun(&phone, &server);
    let backup = server.back_up();
    engine.comment(id, "看过了").expect("comments");
    sync(&engine, &server).expect("syncs");
    engine.comment(id, "又看过了").expect("comments");
    // Hello is answered by the old server, the push by the restored one.
    let restored = std::sync::Mutex::new(Some(backup));
    let line = crate::talk::Before("/v1/push", &server, || {
        if let Some(backup) = restored.lock().expect("no panic").take() {
            server.restore(backup, false);
        }
    });
    sync(&engine, &line).expect("syncs");
    assert_whole(&engine, &server);
    assert_eq!(engine.incident(id).expect("there").comments.len(), 2);
}

#[test]
fn a_receipt_that_the_server_does_not_know_makes_the_phone_doubt_within_a_time_line_too() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let (engine, id) = begun(&phone, &server);
    let backup = server.back_up();
    engine.comment(id, "看过了").expect("comments");
    sync(&engine, &server).expect("syncs");
    // It went back, and minted an epoch for this phone today already.
    server.restore(backup, false);
    server.with(|state| state.minted = true);
    engine.comment(id, "又看过了").expect("comments");
    let done = sync(&engine, &server).expect("goes on");
    assert!(done.asked > 0);
    assert_whole(&engine, &server);
    assert_eq!(engine.incident(id).expect("there").comments.len(), 2);
    assert_eq!(sync(&engine, &server).expect("syncs").requests, 1);
}

#[test]
fn a_server_that_is_of_a_new_time_line_each_time_is_not_asked_for_ever() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let (engine, _) = begun(&phone, &server);
    let line = crate::talk::Before("/v1/hello", &server, || {
        server.restore(server.back_up(), true);
    });
    assert!(matches!(
        sync(&engine, &line),
        Err(EngineError::BadAnswer { .. })
    ));
    sync(&engine, &server).expect("syncs");
    assert_whole(&engine, &server);
}

fn op_of(server: &FakeServer, title: &str) -> OpId {
    server.with(|state| {
        let found = state
            .ops
            .iter()
            .find(|(_, (op, _))| op.body.contains(title));
        *found.expect("there").0
    })
}

#[test]
fn what_was_in_quarantine_and_is_accepted_comes_back_and_what_is_refused_is_listed() {
    let (phone, server) = (Phone::new(true), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let quarantined = |code: &str| Outcome::Quarantined {
        reason: Reason {
            code: code.into(),
            text: "in doubt".into(),
        },
    };
    server.with(|state| {
        state
            .refuse
            .insert("甲".into(), quarantined("out_of_scope"));
        state
            .refuse
            .insert("乙".into(), quarantined("out_of_scope"));
    });
    let (accepted, refused) = (report(&engine, "甲", &[]), report(&engine, "乙", &[]));
    assert_eq!(sync(&engine, &server).expect("syncs").refused, 2);
    let send = |id| engine.incident(id).expect("shown").send;
    assert!(matches!(
        send(accepted),
        SendState::Refused {
            advice: Advice::WaitForReview,
            ..
        }
    ));

    server.decide(op_of(&server, "甲"), true);
    server.decide(op_of(&server, "乙"), false);
    sync(&engine, &server).expect("syncs");
    assert_eq!(send(accepted), SendState::Sent);
    assert!(matches!(
        send(refused),
        SendState::Refused { advice: Advice::AskSupervisor, code, .. } if code == "refused"
    ));
    let listed = engine.status().expect("reads").refused;
    assert_eq!(listed.len(), 1);
    assert_eq!(listed[0].record, refused);
}

#[test]
fn a_word_that_is_not_known_changes_nothing() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    server.with(|state| {
        state.refuse.insert("甲".into(), Outcome::Unknown);
    });
    let id = report(&engine, "甲", &[]);
    let sent = sync(&engine, &server).expect("syncs");
    assert_eq!((sent.ops_sent, sent.refused), (1, 0), "the shift alone");
    assert_eq!(engine.incident(id).expect("shown").send, SendState::Waiting);
    assert_eq!(engine.status().expect("reads").unsent.ops, 1);
}
