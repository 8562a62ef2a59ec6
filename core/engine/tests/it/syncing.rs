//! Syncs against a server that loses answers, refuses, forgets and lies.

use gridwalk_domain::wire::{Outcome, Reason};
use gridwalk_domain::*;
use gridwalk_engine::{
    Advice, CancelToken, Engine, EngineError, Phase, Progress, RefusedWhat, Request, Response,
    SendState, SyncOptions, SyncProgress, Transport, TransportError,
};
use serde_json::json;
use std::sync::{Arc, Mutex};

use crate::server::{FakeServer, Fault};
use crate::support::Phone;
use crate::talk::{Nth, elsewhere, report, sync};

/// A day: a patrol of 700 fixes and two incidents, three photos of two contents.
fn day(phone: &Phone, server: &FakeServer) -> Engine {
    let engine = phone.on_patrol(server);
    phone.walk_in_bunches(&engine, 700);
    report(&engine, "楼道堆物", &[1, 2]);
    report(&engine, "消防通道堵塞", &[2]);
    engine.finish_patrol().expect("finishes");
    engine.end_shift().expect("ends");
    engine
}

/// All of the day is on the server, once, and the phone knows it.
fn assert_arrived(engine: &Engine, server: &FakeServer) {
    let status = engine.status().expect("reads");
    assert_eq!(
        (status.unsent.ops, status.unsent.chunks, status.unsent.blobs),
        (0, 0, 0)
    );
    assert_eq!(status.unsent.oldest_ms, None);
    assert_eq!(status.refused, []);
    assert_eq!(server.fixes(), 700);
    server.with(|state| {
        assert_eq!(state.entities.len(), 4, "shift, patrol, two incidents");
        assert_eq!(state.blobs.len(), 2);
        let taken: usize = state.states().map(|entity| entity.ops.len()).sum();
        assert_eq!(taken, state.ops.len(), "each op stands once");
        let photos: usize = state
            .states()
            .map(|entity| entity.list("photos").len())
            .sum();
        assert_eq!(photos, 3);
    });
    for incident in engine.incidents().expect("reads") {
        assert_eq!(incident.send, SendState::Sent);
        assert!(incident.photos.iter().all(|photo| photo.sent));
    }
    for patrol in engine.patrols().expect("reads") {
        assert_eq!((patrol.send, patrol.fixes), (SendState::Sent, 700));
    }
}

#[test]
fn a_day_arrives_whole_and_a_second_sync_is_small() {
    for keyed in [false, true] {
        let (phone, server) = (Phone::new(keyed), FakeServer::new());
        let engine = day(&phone, &server);
        let first = sync(&engine, &server).expect("syncs");
        assert_eq!(
            (first.ops_sent, first.chunks_sent, first.blobs_sent),
            (10, 2, 2)
        );
        assert_eq!(
            (
                first.refused,
                first.deferred,
                first.conflicts,
                first.snapshots
            ),
            (0, 0, 0, 0)
        );
        assert_eq!(first.entities_pulled, 4);
        assert!(
            first.bytes_up > 300_000 && first.bytes_down > 500,
            "{first:?}"
        );
        assert_arrived(&engine, &server);
        assert_eq!(engine.status().expect("reads").skew_ms, Some(5000));
        let second = sync(&engine, &server).expect("syncs");
        assert_eq!(
            (
                second.ops_sent,
                second.chunks_sent,
                second.blobs_sent,
                second.entities_pulled
            ),
            (0, 0, 0, 0)
        );
        assert_eq!(second.requests, 1, "hello alone");
        assert!(second.bytes_up < 1_024, "{second:?}");
        assert!(second.bytes_down < 1_024, "{second:?}");
        assert_arrived(&engine, &server);
    }
}

#[test]
fn whichever_answer_is_lost_everything_arrives_once() {
    // As many requests as the whole day needs; each one's answer, or the
    // request itself, is lost in turn, and each may be a server's bad day.
    let whole = {
        let (phone, server) = (Phone::new(false), FakeServer::new());
        let engine = day(&phone, &server);
        sync(&engine, &server).expect("syncs").requests
    };
    let faults = [
        Fault::AnswerLost,
        Fault::Unreachable,
        Fault::Status(500, vec![]),
        Fault::Status(404, vec![]),
    ];
    for (n, fault) in (0..whole).flat_map(|n| faults.iter().map(move |fault| (n, fault))) {
        let (phone, server) = (Phone::new(false), FakeServer::new());
        let engine = day(&phone, &server);
        let broken = Nth {
            server: &server,
            nth: Mutex::new(n),
            fault: fault.clone(),
        };
        match sync(&engine, &broken) {
            Err(EngineError::Unreachable { .. } | EngineError::ServerError { .. }) => {}
            // The upload was gone: it began anew. The server failed at one
            // request alone: the rest went on.
            Ok(_) if matches!(fault, Fault::Status(404 | 500, _)) => {}
            other => panic!("{n} {fault:?}: {other:?}"),
        }
        sync(&engine, &server).expect("syncs");
        assert_arrived(&engine, &server);
    }
}

#[test]
fn a_login_page_that_says_yes_to_everything_is_no_success() {
    for path in [
        "/v1/push",
        "/v1/tracks",
        "/v1/blobs",
        "/v1/blobs/",
        "/v1/pull",
    ] {
        let (phone, server) = (Phone::new(false), FakeServer::new());
        let engine = day(&phone, &server);
        server.fail(path, Fault::Status(200, vec![]));
        assert!(
            matches!(sync(&engine, &server), Err(EngineError::BadAnswer { .. })),
            "{path}"
        );
        sync(&engine, &server).expect("syncs");
        assert_arrived(&engine, &server);
    }
}

#[test]
fn cancelled_anywhere_it_starts_again_and_arrives_once() {
    struct CancelAt {
        left: Mutex<u64>,
        cancel: CancelToken,
    }
    impl SyncProgress for CancelAt {
        fn progress(&self, _: Progress) {
            let mut left = self.left.lock().expect("no panic");
            if *left == 0 {
                self.cancel.cancel();
            }
            *left = left.saturating_sub(1);
        }
    }
    let (phone, server) = (Phone::new(true), FakeServer::new());
    let engine = day(&phone, &server);
    let mut cancelled = 0;
    for n in 0.. {
        let cancel = CancelToken::new();
        let progress = CancelAt {
            left: Mutex::new(n),
            cancel: cancel.clone(),
        };
        match engine.sync(
            &server,
            SyncOptions {
                progress: Some(Arc::new(progress)),
                cancel,
                ..SyncOptions::default()
            },
        ) {
            Ok(_) => break,
            Err(error) => assert_eq!(error, EngineError::Cancelled),
        }
        cancelled += 1;
    }
    assert!(cancelled >= 3, "{cancelled}");
    sync(&engine, &server).expect("syncs");
    assert_arrived(&engine, &server);
}

#[test]
fn progress_tells_the_phases_in_order_and_bytes_that_grow() {
    #[derive(Default)]
    struct Kept(Mutex<Vec<Progress>>);
    impl SyncProgress for Kept {
        fn progress(&self, progress: Progress) {
            self.0.lock().expect("no panic").push(progress);
        }
    }
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = day(&phone, &server);
    let kept = Arc::new(Kept::default());
    let options = SyncOptions {
        progress: Some(kept.clone()),
        ..SyncOptions::default()
    };
    engine.sync(&server, options).expect("syncs");
    let told = kept.0.lock().expect("no panic").clone();
    assert!(
        told.is_sorted_by_key(|progress| (progress.phase, progress.bytes_up)),
        "{told:?}"
    );
    assert!(
        told.iter()
            .any(|progress| progress.phase == Phase::Blobs && progress.done > 0)
    );
}

#[test]
fn recording_goes_on_during_a_sync() {
    struct Recording<'a>(&'a FakeServer, &'a Phone, &'a Engine);
    impl Transport for Recording<'_> {
        fn send(&self, request: &Request) -> Result<Response, TransportError> {
            // Were the lock held across the call this would never return.
            self.1.walk(self.2, 1);
            self.0.send(request)
        }
    }
    let (phone, server) = (Phone::new(true), FakeServer::new());
    let engine = phone.on_patrol(&server);
    phone.walk(&engine, 100);
    let report = sync(&engine, &Recording(&server, &phone, &engine)).expect("syncs");
    assert_eq!(
        engine
            .status()
            .expect("reads")
            .patrol
            .expect("running")
            .fixes,
        100 + report.requests
    );
}

#[test]
fn what_the_server_refuses_is_kept_shown_and_holds_up_nothing_else() {
    let (phone, server) = (Phone::new(true), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let reason = |code: &str| Reason {
        code: code.into(),
        text: "not so".into(),
    };
    server.with(|state| {
        state.refuse.insert(
            "甲".into(),
            Outcome::Rejected {
                reason: reason("forbidden"),
            },
        );
        state.refuse.insert(
            "乙".into(),
            Outcome::Quarantined {
                reason: reason("scope_in_doubt"),
            },
        );
    });
    let (rejected, quarantined, good) = (
        report(&engine, "甲", &[]),
        report(&engine, "乙", &[]),
        report(&engine, "丙", &[]),
    );
    let report = sync(&engine, &server).expect("syncs");
    assert_eq!((report.ops_sent, report.refused), (2, 2));
    let send = |id| engine.incident(id).expect("still shown").send;
    assert!(matches!(
        send(rejected),
        SendState::Refused {
            advice: Advice::AskSupervisor,
            ..
        }
    ));
    assert!(matches!(
        send(quarantined),
        SendState::Refused {
            advice: Advice::WaitForReview,
            ..
        }
    ));
    assert_eq!(send(good), SendState::Sent);
    let status = engine.status().expect("reads");
    assert_eq!(status.unsent.ops, 0);
    let listed: Vec<_> = status
        .refused
        .iter()
        .map(|item| (item.record, item.what, item.code.as_str()))
        .collect();
    assert_eq!(
        listed,
        [
            (rejected, RefusedWhat::Op, "forbidden"),
            (quarantined, RefusedWhat::Op, "scope_in_doubt"),
        ]
    );
    // A person took it after all: the receipt says so, and it is sent.
    server.with(|state| state.refuse.clear());
}

#[test]
fn a_batch_refused_whole_is_cut_until_the_op_at_fault_is_alone() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let all: Vec<_> = (0..15)
        .map(|n| report(&engine, &format!("第{n}件"), &[]))
        .collect();
    let poisonous = all[7];
    server.with(|state| state.poison = Some(("第7件".into(), 422)));
    let report = sync(&engine, &server).expect("syncs");
    assert_eq!((report.ops_sent, report.refused), (15, 1));
    let send = engine.incident(poisonous).expect("shown").send;
    assert!(
        matches!(&send, SendState::Parked { advice: Advice::RetriedDaily, code, .. } if code == "cannot_read")
    );
    let requests = sync(&engine, &server).expect("syncs").requests;
    assert_eq!(requests, 1, "parked for a day");
    server.with(|state| state.poison = None);
    phone.clock.pass(25 * 3_600_000);
    assert_eq!(sync(&engine, &server).expect("syncs").ops_sent, 1);
    assert_eq!(
        engine.incident(poisonous).expect("shown").send,
        SendState::Sent
    );
}

#[test]
fn a_server_that_lost_an_op_gets_it_again() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    let shift = engine.start_shift(None).expect("begins");
    sync(&engine, &server).expect("syncs");
    server.with(|state| {
        state.ops.clear();
        state.entities.clear();
    });
    engine.start_patrol().expect("starts");
    let report = sync(&engine, &server).expect("syncs");
    assert_eq!(report.ops_sent, 2, "the shift again, then the patrol");
    server.with(|state| assert!(state.entities.contains_key(&shift)));
}

#[test]
fn a_busy_server_says_when_and_an_unknown_phone_is_told() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.on_patrol(&server);
    let unsent = engine.status().expect("reads").unsent;
    server.fail(
        "/v1/push",
        Fault::Status(503, vec![("Retry-After".into(), "90".into())]),
    );
    assert_eq!(
        sync(&engine, &server),
        Err(EngineError::RetryLater { after_ms: 90_000 })
    );
    phone.clock.pass(90_000);
    server.fail("/v1/hello", Fault::Status(401, vec![]));
    assert_eq!(sync(&engine, &server), Err(EngineError::SignedOut));
    server.fail("/v1/hello", Fault::Status(200, vec![]));
    assert!(matches!(
        sync(&engine, &server),
        Err(EngineError::BadAnswer { .. })
    ));
    assert_eq!(
        engine.status().expect("reads").unsent,
        unsent,
        "all is kept"
    );
}

#[test]
fn an_upload_goes_on_where_it_broke_and_begins_anew_where_it_must() {
    let (phone, server) = (Phone::new(true), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    report(&engine, "甲", &[1]);
    server.fail("/v1/blobs/0", Fault::AnswerLost);
    assert!(sync(&engine, &server).is_err());
    sync(&engine, &server).expect("syncs");
    server.with(|state| {
        let whole: usize = state.blobs.values().map(Vec::len).sum();
        assert_eq!(state.patched, whole, "no byte twice");
    });

    report(&engine, "乙", &[2]);
    server.fail("/v1/blobs/1", Fault::Status(460, vec![]));
    sync(&engine, &server).expect("syncs");
    server.with(|state| assert_eq!(state.blobs.len(), 2));
    let status = engine.status().expect("reads");
    assert_eq!((status.unsent.blobs, status.refused.len()), (0, 0));
}

#[test]
fn a_pull_that_breaks_between_two_pages_hides_no_own_record() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    sync(&engine, &server).expect("syncs");
    let mine = report(&engine, "甲", &[]);
    server.fail("/v1/pull", Fault::Unreachable);
    sync(&engine, &server).expect_err("sends and does not pull");
    let fields = [
        ("grid", json!(server.grid.id)),
        ("title", json!("别人的")),
        ("category", json!("other")),
        ("catalogue", json!(1)),
    ];
    let home = server.stream();
    let fields = fields.map(|(name, value)| (name.to_owned(), value)).into();
    let other = EntityId::from_bytes([0x77; 16]);
    elsewhere(&server, other, Intent::Create { home, fields });
    let comment = Intent::Append {
        list: "comments".into(),
        value: json!({"text": "已安排"}),
    };
    // Now the own record was changed last, and comes last.
    elsewhere(&server, mine, comment);
    server.with(|state| state.page = 1);
    let broken = Nth {
        server: &server,
        nth: Mutex::new(2),
        fault: Fault::Unreachable,
    };
    sync(&engine, &broken).expect_err("breaks between two pages");
    engine.incident(other).expect("is pulled");
    assert_eq!(engine.incident(mine).expect("is still there").title, "甲");
    sync(&engine, &server).expect("syncs");
    assert_eq!(engine.incident(mine).expect("there").comments.len(), 1);
}

#[test]
fn what_others_did_comes_down_page_by_page() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let mine = report(&engine, "甲", &[]);
    sync(&engine, &server).expect("syncs");
    let comment = Intent::Append {
        list: "comments".into(),
        value: json!({"text": "已安排"}),
    };
    elsewhere(&server, mine, comment);
    for n in 0..7_u8 {
        let fields = [
            ("grid", json!(server.grid.id)),
            ("title", json!(format!("别人的{n}"))),
            ("category", json!("other")),
            ("catalogue", json!(1)),
        ];
        let fields = fields.map(|(name, value)| (name.to_owned(), value)).into();
        let home = server.stream();
        elsewhere(
            &server,
            EntityId::from_bytes([n + 100; 16]),
            Intent::Create { home, fields },
        );
    }
    server.with(|state| state.page = 3);
    let report = sync(&engine, &server).expect("syncs");
    assert_eq!((report.entities_pulled, report.snapshots), (8, 0));
    let incidents = engine.incidents().expect("reads");
    assert_eq!(incidents.len(), 8);
    assert_eq!(incidents.iter().filter(|incident| incident.mine).count(), 1);
    assert_eq!(
        engine.incident(mine).expect("there").comments[0].text,
        "已安排"
    );
}

#[test]
fn a_stream_that_begins_anew_drops_what_does_not_come_again() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let ids: Vec<_> = (0..6)
        .map(|n| report(&engine, &format!("第{n}件"), &[]))
        .collect();
    sync(&engine, &server).expect("syncs");
    server.with(|state| {
        state.entities.remove(&ids[2]);
        state.forget_tags();
        state.page = 2;
    });
    let waiting = report(&engine, "新的", &[]);
    // Broken off in the middle of the new beginning, it goes on and ends.
    let broken = Nth {
        server: &server,
        nth: Mutex::new(3),
        fault: Fault::Unreachable,
    };
    assert!(sync(&engine, &broken).is_err());
    assert!(
        engine.incident(ids[2]).is_ok(),
        "until the last page nothing goes"
    );
    sync(&engine, &server).expect("syncs");
    assert_eq!(
        engine.incident(ids[2]).map(|view| view.title),
        Err(EngineError::NotFound)
    );
    assert_eq!(engine.incidents().expect("reads").len(), 6);
    assert_eq!(
        engine.incident(waiting).expect("there").send,
        SendState::Sent
    );
}

#[test]
fn a_difference_is_read_again_once_a_day_and_reported() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    server.with(|state| state.lie_about_count = true);
    assert_eq!(sync(&engine, &server).expect("syncs").snapshots, 1);
    assert_eq!(
        sync(&engine, &server).expect("syncs").snapshots,
        0,
        "once a day"
    );
    phone.clock.pass(25 * 3_600_000);
    server.with(|state| state.lie_about_count = false);
    assert_eq!(sync(&engine, &server).expect("syncs").snapshots, 0);
}

#[test]
fn an_old_app_may_send_and_is_told() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    server.with(|state| state.min_v = 2);
    let engine = phone.on_patrol(&server);
    let report = sync(&engine, &server).expect("syncs");
    assert!(report.upgrade_needed && report.ops_sent == 2 && report.entities_pulled == 0);
    assert!(engine.status().expect("reads").upgrade_needed);
}
