//! A bad line in virtual time: 20 kbit/s, one packet in ten lost, cut every
//! sixty seconds. A week's backlog drains over it, and nothing goes back.

use gridwalk_engine::{
    Engine, EngineError, Method, Network, NextSync, Progress, Request, Response, SendState,
    SyncOptions, SyncProgress, Transport, TransportError,
};
use std::sync::{Arc, Mutex};

use crate::server::FakeServer;
use crate::support::{Phone, TestClock};
use crate::talk::report;
use gridwalk_domain::Clock as _;

const BITS_PER_SECOND: i64 = 20_000;
const PACKET: usize = 1_400;
/// What a lost packet costs until it is sent again.
const RESEND_MS: i64 = 1_000;
const ROUND_TRIP_MS: i64 = 400;
const CUT_EVERY_MS: i64 = 60_000;
/// The transport gives a request up after this long.
const TIME_LIMIT_MS: i64 = 60_000;

/// Carries requests in virtual time.
struct SlowLine<'a> {
    server: &'a FakeServer,
    clock: Arc<TestClock>,
    random: Mutex<u64>,
    start_ms: i64,
}

impl SlowLine<'_> {
    fn lost(&self) -> bool {
        // SplitMix64 (Steele, Lea, Flood 2014); the seed is fixed.
        let mut state = self.random.lock().expect("no panic");
        *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = *state;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)).is_multiple_of(10)
    }

    fn now(&self) -> i64 {
        self.clock.now().mono_ms - self.start_ms
    }

    /// Lets so many bytes pass; how many did before the line was cut.
    fn carry(&self, bytes: usize) -> Result<(), usize> {
        let cut_at = (self.now() / CUT_EVERY_MS + 1) * CUT_EVERY_MS;
        let mut carried = 0;
        while carried < bytes {
            let packet = PACKET.min(bytes - carried);
            let bits = i64::try_from(packet * 8).expect("small");
            self.clock.pass(bits * 1000 / BITS_PER_SECOND);
            if self.now() >= cut_at {
                return Err(carried);
            }
            match self.lost() {
                true => self.clock.pass(RESEND_MS),
                false => carried += packet,
            }
        }
        Ok(())
    }
}

impl Transport for SlowLine<'_> {
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        let cut = || TransportError::Interrupted {
            message: "cut".into(),
        };
        let begun = self.now();
        self.clock.pass(ROUND_TRIP_MS);
        let head = 300;
        if let Err(carried) = self.carry(head + request.body.len()) {
            // What arrived of an attachment's piece is kept there.
            if request.method == Method::Patch && carried > head {
                let mut part = request.clone();
                part.body.truncate(carried - head);
                let _ = self.server.send(&part);
            }
            return Err(cut());
        }
        let response = self.server.send(request)?;
        self.carry(200 + response.body.len()).map_err(|_| cut())?;
        if self.now() - begun > TIME_LIMIT_MS {
            return Err(TransportError::TimedOut);
        }
        Ok(response)
    }
}

#[derive(Default)]
struct Watched(Mutex<Option<Progress>>);

impl SyncProgress for Watched {
    fn progress(&self, now: Progress) {
        let mut before = self.0.lock().expect("no panic");
        if let Some(before) = *before {
            assert!(now.phase >= before.phase, "{before:?} {now:?}");
            assert!(now.bytes_up >= before.bytes_up && now.bytes_down >= before.bytes_down);
            if now.phase == before.phase {
                assert!(now.done >= before.done && now.bytes_done >= before.bytes_done);
                assert!(now.total >= before.total && now.bytes_total >= before.bytes_total);
            }
        }
        assert!(now.total == 0 || now.done <= now.total, "{now:?}");
        assert!(
            now.bytes_total == 0 || now.bytes_done <= now.bytes_total,
            "{now:?}"
        );
        *before = Some(now);
    }
}

/// Seven days of 24,300 fixes, 25 ops each and a photo on two of them.
fn week(phone: &Phone, server: &FakeServer) -> Engine {
    let engine = phone.enrolled(server);
    for day in 0..7_u8 {
        engine.start_shift(None).expect("begins");
        engine.start_patrol().expect("starts");
        phone.walk_in_bunches(&engine, 24_300);
        for n in 0..10 {
            let photos: &[u8] = if day < 2 && n == 0 { &[day] } else { &[] };
            let id = report(&engine, &format!("第{day}天第{n}件：楼道堆放杂物"), photos);
            engine.comment(id, "已劝离").expect("comments");
        }
        engine.finish_patrol().expect("finishes");
        engine.end_shift().expect("ends");
        phone.clock.pass(16 * 3_600_000);
    }
    engine
}

#[test]
fn a_weeks_backlog_drains_over_a_bad_line_and_progress_never_goes_back() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = week(&phone, &server);
    let line = SlowLine {
        server: &server,
        clock: phone.clock.clone(),
        random: Mutex::new(7),
        start_ms: phone.clock.now().mono_ms,
    };
    let count = || {
        let unsent = engine.status().expect("reads").unsent;
        (unsent.ops, unsent.chunks, unsent.blobs)
    };
    let mut left = count();
    assert!(left.0 > 170 && left.1 > 280 && left.2 == 2, "{left:?}");
    let (mut runs, mut broken) = (0, 0);
    loop {
        match engine.next_sync(Network::Unmetered).expect("answers") {
            NextSync::Now => {}
            NextSync::In { ms } => {
                if left == (0, 0, 0) {
                    break;
                }
                phone.clock.pass(ms);
                continue;
            }
            other => panic!("{other:?}"),
        }
        let options = SyncOptions {
            progress: Some(Arc::new(Watched::default())),
            ..SyncOptions::default()
        };
        match engine.sync(&line, options) {
            Ok(_) => {}
            Err(EngineError::Unreachable { .. } | EngineError::TimedOut) => broken += 1,
            Err(other) => panic!("{other}"),
        }
        runs += 1;
        let now = count();
        assert!(
            now.0 <= left.0 && now.1 <= left.1 && now.2 <= left.2,
            "{left:?} {now:?}"
        );
        left = now;
        assert!(runs < 200, "it gets on: {left:?}");
    }
    let seconds = line.now() / 1000;
    println!("a week over a bad line: {runs} syncs, {broken} of them broken, {seconds} s");
    assert!(broken > 0, "the line was cut");
    assert_eq!(server.fixes(), 7 * 24_300);
    for incident in engine.incidents().expect("reads") {
        assert_eq!(incident.send, SendState::Sent);
    }
    server.with(|state| {
        let taken: usize = state.states().map(|entity| entity.ops.len()).sum();
        assert_eq!(taken, state.ops.len(), "each op stands once");
    });
    assert!(seconds < 3_600, "{seconds}");
}
