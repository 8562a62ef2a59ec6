//! A poison op, chunk or photo rests, with what needs it; nothing else waits.

use gridwalk_domain::EntityId;
use gridwalk_engine::{
    Advice, Engine, EngineError, Request, Response, SendState, SyncOptions, Transport,
    TransportError,
};

use crate::server::FakeServer;
use crate::support::{CHUNK, Phone};
use crate::talk::{report, sync};

pub(crate) fn send(engine: &Engine, id: EntityId) -> SendState {
    engine.incident(id).expect("shown").send
}

fn is_parked(state: &SendState) -> bool {
    matches!(
        state,
        SendState::Parked {
            advice: Advice::RetriedDaily,
            ..
        }
    )
}

#[test]
fn a_parked_op_holds_up_its_own_lane_and_no_other() {
    for status in [400, 413, 415, 500] {
        let (phone, server) = (Phone::new(false), FakeServer::new());
        let engine = phone.enrolled(&server);
        engine.start_shift(None).expect("begins");
        let ids: Vec<_> = (0..6)
            .map(|n| report(&engine, &format!("第{n}件"), &[]))
            .collect();
        for id in &ids {
            engine.comment(*id, "第一句").expect("comments");
            engine.comment(*id, "第二句").expect("comments");
        }
        server.with(|state| state.poison = Some(("第3件".into(), status)));
        let done = sync(&engine, &server).expect("goes on");
        assert_eq!((done.ops_sent, done.refused), (1 + 5 * 3, 1), "{status}");
        for (n, id) in ids.iter().enumerate() {
            let state = send(&engine, *id);
            assert_eq!(is_parked(&state), n == 3, "{state:?}");
            assert_eq!(state == SendState::Sent, n != 3, "{state:?}");
        }
        let unsent = engine.status().expect("reads").unsent;
        assert_eq!(unsent.ops, 3, "the lane behind it was not sent");
        assert_eq!(sync(&engine, &server).expect("syncs").requests, 1);
        // Daily, by the server's clock; what is worked on meanwhile waits too.
        engine.comment(ids[3], "第三句").expect("comments");
        engine.comment(ids[4], "第三句").expect("comments");
        assert_eq!(sync(&engine, &server).expect("syncs").ops_sent, 1);
        server.with(|state| state.poison = None);
        phone.clock.pass(25 * 3_600_000);
        assert_eq!(sync(&engine, &server).expect("syncs").ops_sent, 4);
        assert_eq!(send(&engine, ids[3]), SendState::Sent);
        assert_eq!(engine.status().expect("reads").refused, []);
    }
}

#[test]
fn what_needs_a_parked_op_waits_with_it_and_so_do_its_fixes() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    let shift = engine.start_shift(None).expect("begins");
    engine.start_patrol().expect("starts");
    phone.walk_in_bunches(&engine, CHUNK + 20);
    let other = report(&engine, "甲", &[]);
    engine.finish_patrol().expect("finishes");
    // The shift's first op is poison; the patrol needs it.
    server.with(|state| {
        state.poison = Some((format!("\"entity\":\"{shift}\""), 400));
    });
    let done = sync(&engine, &server).expect("goes on");
    assert_eq!((done.ops_sent, done.chunks_sent, done.deferred), (1, 0, 0));
    assert_eq!(send(&engine, other), SendState::Sent);
    server.with(|state| {
        assert!(!state.requests.iter().any(|(_, path)| path == "/v1/tracks"));
    });
    server.with(|state| state.poison = None);
    phone.clock.pass(25 * 3_600_000);
    let done = sync(&engine, &server).expect("syncs");
    assert_eq!((done.ops_sent, done.chunks_sent), (4, 2));
}

#[test]
fn another_version_of_server_or_app_may_take_what_was_parked() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let id = report(&engine, "甲", &[]);
    server.with(|state| state.poison = Some(("甲".into(), 400)));
    sync(&engine, &server).expect("syncs");
    assert!(is_parked(&send(&engine, id)));
    server.with(|state| state.version = "2".into());
    sync(&engine, &server).expect("syncs");
    assert!(is_parked(&send(&engine, id)), "tried, and parked again");
    let pushes = || {
        server.with(|state| {
            let pushes = state.requests.iter().filter(|(_, path)| path == "/v1/push");
            pushes.count()
        })
    };
    let before = pushes();
    sync(&engine, &server).expect("syncs");
    assert_eq!(pushes(), before);
    drop(engine);
    server.with(|state| state.poison = None);
    let config = gridwalk_engine::Config {
        app: "0.2".into(),
        ..phone.config()
    };
    let engine = Engine::open(config).expect("opens");
    sync(&engine, &server).expect("syncs");
    assert_eq!(send(&engine, id), SendState::Sent);
}

/// A server that fails whenever a request's body holds this.
pub(crate) struct Fails<'a>(
    pub(crate) &'a FakeServer,
    pub(crate) &'static str,
    pub(crate) u16,
);

impl Transport for Fails<'_> {
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        if request.path.starts_with(self.1) {
            return Ok(Response {
                status: self.2,
                headers: vec![],
                body: vec![],
            });
        }
        self.0.send(request)
    }
}

#[test]
fn a_server_that_cannot_take_anything_parks_nothing_and_what_it_has_comes_down() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let mine = report(&engine, "甲", &[]);
    sync(&engine, &server).expect("syncs");
    let comment = gridwalk_domain::Intent::Append {
        list: "comments".into(),
        value: serde_json::json!({"text": "已安排"}),
    };
    crate::talk::elsewhere(&server, mine, comment);
    for n in 0..9 {
        engine.comment(mine, &format!("{n}")).expect("comments");
    }
    for status in [500, 404, 501] {
        let outcome = sync(&engine, &Fails(&server, "/v1/push", status));
        assert!(
            matches!(outcome, Err(EngineError::ServerError { .. })),
            "{outcome:?}"
        );
        assert_eq!(engine.status().expect("reads").refused, []);
        let comments = engine.incident(mine).expect("there").comments;
        assert_eq!(comments.len(), 10, "downloads never wait for uploads");
    }
    assert_eq!(sync(&engine, &server).expect("syncs").ops_sent, 9);
}

#[test]
fn a_photo_that_the_server_fails_at_holds_up_no_other() {
    let (phone, server) = (Phone::new(true), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let (poison, good) = (report(&engine, "甲", &[1]), report(&engine, "乙", &[2]));
    for status in [500, 413] {
        let once = std::sync::atomic::AtomicBool::new(false);
        struct Once<'a>(&'a FakeServer, &'a std::sync::atomic::AtomicBool, u16);
        impl Transport for Once<'_> {
            fn send(&self, request: &Request) -> Result<Response, TransportError> {
                let first = request.path.starts_with("/v1/blobs")
                    && !self.1.swap(true, std::sync::atomic::Ordering::Relaxed);
                if first {
                    return Fails(self.0, "/v1/blobs", self.2).send(request);
                }
                self.0.send(request)
            }
        }
        sync(&engine, &Once(&server, &once, status)).expect("goes on");
    }
    assert_eq!(send(&engine, good), SendState::Sent);
    assert!(is_parked(&send(&engine, poison)));
    phone.clock.pass(25 * 3_600_000);
    sync(&engine, &server).expect("syncs");
    assert_eq!(send(&engine, poison), SendState::Sent);
}

#[test]
fn an_op_whose_forerunner_nobody_has_is_listed_and_does_not_go_with_every_sync() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let id = report(&engine, "甲", &[]);
    sync(&engine, &server).expect("syncs");
    engine.comment(id, "看过了").expect("comments");
    drop(engine);
    // Long ago it was let go of here; a server that was forced back further than
    // any checked backup has it no more either.
    let file = rusqlite::Connection::open(phone.path()).expect("opens");
    file.execute("DELETE FROM op WHERE state = 'taken'", [])
        .expect("writes");
    drop(file);
    server.with(|state| state.ops.clear());
    let engine = phone.open();
    let done = sync(&engine, &server).expect("syncs");
    assert_eq!(done.deferred, 1);
    assert!(matches!(
        send(&engine, id),
        SendState::Parked { code, .. } if code == "missing"
    ));
    assert_eq!(sync(&engine, &server).expect("syncs").deferred, 0);
}

#[test]
fn cancelled_before_it_began_nothing_is_asked() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.on_patrol(&server);
    let before = server.with(|state| state.requests.len());
    let options = SyncOptions::default();
    options.cancel.cancel();
    assert_eq!(engine.sync(&server, options), Err(EngineError::Cancelled));
    assert_eq!(server.with(|state| state.requests.len()), before);
}
