//! Logging out, losing a grid, being replaced, being stolen: nothing that was
//! not sent is lost, and the next user sees nothing of it.

use gridwalk_domain::wire::Standing;
use gridwalk_engine::{
    Change, Engine, EngineError, Invitation, Leaving, LogOut, NewMediation, Observer, SendState,
    VaultWhy,
};
use std::fs;
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::server::{FakeServer, Fault, grid};
use crate::support::{CHUNK, Phone};
use crate::talk::{report, sync};

pub(crate) fn next_user(engine: &Engine, server: &FakeServer) {
    server.hire(0x66, "NEXT");
    let invitation = Invitation::parse("NEXT", Some("https://test")).expect("reads");
    engine.enrol(server, &invitation).expect("enrols");
}

/// A day that is half sent: a report with a photo, a comment, a patrol.
fn half_sent(phone: &Phone, server: &FakeServer) -> Engine {
    let engine = phone.on_patrol(server);
    let first = report(&engine, "甲-SECRET", &[1]);
    sync(&engine, server).expect("syncs");
    phone.walk_in_bunches(&engine, CHUNK + 30);
    engine.comment(first, "说-SECRET").expect("comments");
    report(&engine, "乙-SECRET", &[2]);
    engine
}

fn sees_nothing(engine: &Engine) {
    let status = engine.status().expect("reads");
    assert_eq!(
        (status.identity, status.shift, status.patrol),
        (None, None, None)
    );
    assert_eq!(status.grids, []);
    assert_eq!(
        (status.unsent.ops, status.unsent.chunks, status.unsent.blobs),
        (0, 0, 0)
    );
    assert_eq!(status.refused, []);
    assert_eq!(engine.incidents(), Ok(vec![]));
    assert_eq!(engine.patrols(), Ok(vec![]));
}

fn assert_all_arrived(server: &FakeServer) {
    assert_eq!(server.fixes(), CHUNK + 30);
    server.with(|state| {
        assert_eq!(state.blobs.len(), 2);
        let titles: Vec<_> = state
            .states()
            .filter_map(|state| state.text("title"))
            .collect();
        assert_eq!(titles.len(), 2, "{titles:?}");
        let commented = state
            .states()
            .filter(|state| !state.list("comments").is_empty());
        assert_eq!(commented.count(), 1);
        let patrol = state.states().find(|state| state.kind == "patrol");
        assert_eq!(patrol.expect("there").status(), Some("finished"));
    });
}

#[test]
fn a_log_out_warns_first_and_what_was_unsent_is_sent_after_it() {
    for keyed in [true, false] {
        let (phone, server) = (Phone::new(keyed), FakeServer::new());
        let engine = half_sent(&phone, &server);
        let LogOut::Asks(departure) = engine.log_out(false).expect("asks") else {
            panic!("something would be left behind")
        };
        assert!(departure.on_patrol && departure.on_shift);
        assert_eq!((departure.unsent.ops, departure.unsent.blobs), (3, 1));
        assert_eq!(departure.unsent.chunks, 1);
        assert_eq!(departure.unsealed_fixes, 30);
        assert_eq!(
            engine.incidents().expect("reads").len(),
            2,
            "nothing was changed"
        );

        assert_eq!(engine.log_out(true), Ok(LogOut::Done));
        sees_nothing(&engine);
        assert_eq!(engine.log_out(true), Err(EngineError::NotEnrolled));
        let vault = engine.vault().expect("reads");
        assert_eq!((vault.len(), vault[0].why), (1, VaultWhy::LoggedOut));
        // What was unsent, the end of patrol and shift, the rest of the route.
        let unsent = vault[0].unsent;
        assert_eq!((unsent.ops, unsent.chunks, unsent.blobs), (6, 2, 1));
        assert_eq!(engine.status().expect("reads").left_unsent, 9);
        // Nobody logs in; the phone lies in a drawer and syncs.
        let done = sync(&engine, &server).expect("syncs");
        assert_eq!(
            (done.ops_sent, done.chunks_sent, done.blobs_sent),
            (6, 2, 1)
        );
        assert_all_arrived(&server);
        assert_eq!(engine.status().expect("reads").left_unsent, 0);
        // It stays until a backup has it; then nothing is left of the account.
        assert_eq!(engine.vault().expect("reads")[0].unsent.ops, 0);
        server.verify_backup();
        let idle = sync(&engine, &server).expect("syncs");
        assert_eq!(idle.requests, 0, "asked a moment ago");
        phone.clock.pass(3_600_000);
        sync(&engine, &server).expect("syncs");
        assert_eq!(engine.vault(), Ok(vec![]));
        assert_eq!(sync(&engine, &server), Err(EngineError::NotEnrolled));
    }
}

#[test]
fn the_next_user_sees_nothing_and_sends_it_all_along() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = half_sent(&phone, &server);
    engine.log_out(true).expect("logs out");
    next_user(&engine, &server);
    let status = engine.status().expect("reads");
    assert_eq!(
        status.unsent.ops + status.unsent.chunks + status.unsent.blobs,
        0
    );
    assert_eq!(engine.incidents(), Ok(vec![]));
    engine.start_shift(None).expect("begins");
    let own = report(&engine, "丙", &[]);
    drop(engine);
    let engine = phone.open();
    let incidents = engine.incidents().expect("reads");
    assert_eq!(
        incidents.iter().map(|view| view.id).collect::<Vec<_>>(),
        [own]
    );
    sync(&engine, &server).expect("syncs both");
    server.with(|state| {
        let by = |worker| {
            let mine = state.states().filter(|state| match state.created.by {
                gridwalk_domain::Author::Worker { worker: who, .. } => who == worker,
                _ => false,
            });
            mine.count()
        };
        assert_eq!(by(server.worker.id), 4, "shift, patrol, two incidents");
        assert_eq!(by(gridwalk_domain::WorkerId::from_bytes([0x66; 16])), 2);
    });
    // They read the same grid: what the other one sent comes down to them as
    // to anybody, and none of it is theirs.
    sync(&engine, &server).expect("syncs");
    let incidents = engine.incidents().expect("reads");
    assert_eq!(incidents.len(), 3);
    assert_eq!(incidents.iter().filter(|incident| incident.mine).count(), 1);
    assert!(
        incidents
            .iter()
            .all(|incident| incident.send == SendState::Sent)
    );
    assert!(
        incidents
            .iter()
            .flat_map(|i| &i.photos)
            .all(|photo| !photo.here)
    );
}

#[test]
fn what_was_pulled_is_gone_from_the_disk_after_a_log_out() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    let id = report(&engine, "甲", &[]);
    sync(&engine, &server).expect("syncs");
    let comment = gridwalk_domain::Intent::Append {
        list: "comments".into(),
        value: serde_json::json!({"text": "PULLED-SECRET"}),
    };
    crate::talk::elsewhere(&server, id, comment);
    sync(&engine, &server).expect("syncs");
    engine.end_shift().expect("ends");
    let token = server.with(|state| state.devices[&server_device(state)].tokens().0.to_owned());
    let files = |text: &str| {
        let folder = fs::read_dir(phone.folder()).expect("lists");
        folder
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.is_file())
            .any(|path| {
                let bytes = fs::read(path).expect("reads");
                bytes
                    .windows(text.len())
                    .any(|part| part == text.as_bytes())
            })
    };
    assert!(files("PULLED-SECRET") && files(&token));
    engine.log_out(true).expect("logs out");
    assert!(!files("PULLED-SECRET"), "offline, at once");
    assert!(!files(&token));
}

fn server_device(state: &crate::server::State) -> gridwalk_domain::DeviceId {
    *state.devices.keys().next().expect("enrolled")
}

#[test]
fn a_log_out_with_nothing_unsent_is_done_at_once() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    assert_eq!(engine.log_out(false), Ok(LogOut::Done));
    assert_eq!(engine.vault(), Ok(vec![]), "nothing is left behind");
    sees_nothing(&engine);
}

#[test]
fn what_is_exported_of_others_has_no_mediation() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.enrolled(&server);
    engine.start_shift(None).expect("begins");
    report(&engine, "楼道堆物", &[1]);
    let mediation = NewMediation {
        title: "邻里纠纷".into(),
        cause: Some("不足为外人道".into()),
        ..NewMediation::default()
    };
    engine.open_mediation(&mediation).expect("opens");
    let texts = |name: &str| {
        let folder = phone.folder().join(name);
        engine.export_unsent(&folder).expect("exports");
        let accounts = fs::read_dir(&folder).expect("a folder");
        let ops = accounts.map(|account| account.expect("a folder").path().join("ops.jsonl"));
        ops.map(|file| fs::read_to_string(file).expect("ops"))
            .collect::<String>()
    };
    assert!(texts("own").contains("不足为外人道"), "their own to carry");
    engine.end_shift().expect("ends");
    assert_eq!(engine.log_out(true), Ok(LogOut::Done));
    let left = texts("left");
    assert!(left.contains("楼道堆物") && !left.contains("不足为外人道"));
    sync(&engine, &server).expect("it is still sent");
    server.with(|state| assert!(state.states().any(|state| state.kind == "mediation")));
}

#[test]
fn a_grid_that_is_lost_leaves_the_screen_and_own_work_on_it_is_still_sent() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let second = grid(0x12);
    server.with(|state| {
        let grids = state.assigned.get_mut(&server.worker.id).expect("hired");
        grids.push(second.clone());
    });
    let engine = phone.enrolled(&server);
    engine.start_shift(Some(second.id)).expect("begins");
    let sent = report(&engine, "甲", &[1]);
    sync(&engine, &server).expect("syncs");
    engine.comment(sent, "还没发").expect("comments");
    let unsent = report(&engine, "乙", &[2]);
    engine.end_shift().expect("ends");
    // The stand-in's time is over, and the line breaks right after hello.
    server.with(|state| {
        state
            .assigned
            .get_mut(&server.worker.id)
            .expect("hired")
            .truncate(1);
    });
    server.fail("/v1/push", Fault::Unreachable);
    assert!(sync(&engine, &server).is_err());
    assert_eq!(engine.incidents(), Ok(vec![]));
    assert_eq!(
        engine.incident(unsent).map(drop),
        Err(EngineError::NotFound)
    );
    assert_eq!(engine.record_of(sent).map(drop), Err(EngineError::NotFound));
    let vault = engine.vault().expect("reads");
    assert_eq!((vault.len(), vault[0].why), (1, VaultWhy::ScopeLost));
    assert_eq!((vault[0].unsent.ops, vault[0].unsent.blobs), (4, 1));
    let folder = phone.folder().join("rescue");
    let written = engine.export_unsent(&folder).expect("exports");
    assert_eq!((written.ops, written.blobs), (4, 1));

    assert_eq!(sync(&engine, &server).expect("syncs").ops_sent, 4);
    server.with(|state| assert_eq!(state.states().count(), 3));
    assert_eq!(
        engine.incidents(),
        Ok(vec![]),
        "sent, and still on no screen"
    );
    // The grid comes back, and with it what they did there.
    server.with(|state| {
        let grids = state.assigned.get_mut(&server.worker.id).expect("hired");
        grids.push(second.clone());
    });
    sync(&engine, &server).expect("syncs");
    assert_eq!(engine.incidents().expect("reads").len(), 2);
    assert_eq!(engine.vault(), Ok(vec![]));
}

#[test]
fn a_shift_and_a_patrol_in_a_lost_grid_can_still_be_ended() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = phone.on_patrol(&server);
    phone.walk(&engine, 70);
    sync(&engine, &server).expect("syncs");
    server.with(|state| state.assigned.insert(server.worker.id, vec![grid(0x12)]));
    sync(&engine, &server).expect("syncs");
    assert_eq!(engine.patrols(), Ok(vec![]));
    phone.walk(&engine, 10);
    let status = engine.status().expect("reads");
    assert!(status.shift.is_some() && status.patrol.is_some());
    assert_eq!(engine.finish_patrol().expect("finishes").fixes, 80);
    engine.end_shift().expect("ends");
    sync(&engine, &server).expect("syncs");
    assert_eq!(server.fixes(), 80);
}

#[test]
fn whose_phone_may_only_send_is_logged_out_by_the_server_and_told() {
    let (phone, server) = (Phone::new(true), FakeServer::new());
    let engine = half_sent(&phone, &server);
    let device = server.device();
    server.with(|state| {
        state.devices.get_mut(&device).expect("known").standing = Standing::SendOnly;
    });
    struct Post(Mutex<Sender<Change>>);
    impl Observer for Post {
        fn changed(&self, change: Change) {
            let _ = self.0.lock().expect("no panic").send(change);
        }
    }
    let (post, inbox) = channel();
    let subscription = engine
        .observe(Arc::new(Post(Mutex::new(post))))
        .expect("subscribes");
    let done = sync(&engine, &server).expect("syncs");
    assert_eq!(done.left, Some(Leaving::Replaced));
    sees_nothing(&engine);
    assert_all_arrived(&server);
    assert_eq!(engine.vault().expect("reads")[0].why, VaultWhy::Replaced);
    // A subscriber is told everything anew.
    loop {
        let change = inbox.recv_timeout(Duration::from_secs(20)).expect("told");
        if let Change::Snapshot {
            status, incidents, ..
        } = change
            && status.identity.is_none()
        {
            assert_eq!(incidents, []);
            break;
        }
    }
    subscription.close();
    next_user(&engine, &server);
    engine
        .start_shift(None)
        .expect("the phone is somebody else's now");
}

#[test]
fn a_stolen_phone_sends_what_it_can_and_then_nothing_is_left_of_it() {
    for cut in [
        None,
        Some("/v1/push"),
        Some("/v1/blobs"),
        Some("/v1/tracks"),
    ] {
        let (phone, server) = (Phone::new(cut.is_none()), FakeServer::new());
        let engine = half_sent(&phone, &server);
        engine.close();
        // A file that was damaged once, and one that is not the engine's.
        fs::write(phone.beside(".damaged-1"), b"SECRET").expect("writes");
        fs::write(phone.folder().join("other.db"), b"harmless").expect("writes");
        let engine = phone.open();
        let device = server.device();
        server.with(|state| {
            state.devices.get_mut(&device).expect("known").standing = Standing::Wipe;
        });
        if let Some(path) = cut {
            server.fail(path, Fault::Unreachable);
        }
        assert_eq!(sync(&engine, &server), Err(EngineError::Wiped));
        if cut.is_none() {
            // The patrol runs on: what was sealed is there.
            assert!(server.fixes() >= CHUNK);
            server.with(|state| assert_eq!(state.blobs.len(), 2));
        }
        assert_eq!(engine.status().map(drop), Err(EngineError::Wiped));
        drop(engine);
        let left: Vec<_> = fs::read_dir(phone.folder())
            .expect("lists")
            .map(|entry| entry.expect("an entry").path())
            .filter(|path| path.is_file())
            .collect();
        assert_eq!(left, [phone.folder().join("other.db")]);
        let blobs = fs::read_dir(phone.beside("-blobs")).map_or(0, Iterator::count);
        assert_eq!(blobs, 0);
        assert_eq!(phone.open().identity(), Ok(None), "a new beginning");
    }
}

#[test]
fn of_a_phone_that_was_replaced_and_then_stolen_all_is_sent_and_nothing_left() {
    for cut in [None, Some("/v1/blobs")] {
        let (phone, server) = (Phone::new(false), FakeServer::new());
        let engine = half_sent(&phone, &server);
        let device = server.device();
        let stands = |standing| {
            server.with(|state| {
                state.devices.get_mut(&device).expect("known").standing = standing;
            });
        };
        stands(Standing::SendOnly);
        server.fail("/v1/push", Fault::Unreachable);
        // It breaks over this; what was left is in the vault.
        let _ = sync(&engine, &server);
        assert_eq!(engine.vault().expect("reads").len(), 1);
        stands(Standing::Wipe);
        if let Some(path) = cut {
            server.fail(path, Fault::Unreachable);
        }
        let done = sync(&engine, &server).map(drop);
        assert_eq!(done.is_ok(), cut.is_none(), "{done:?}");
        if cut.is_none() {
            assert_all_arrived(&server);
        }
        assert_eq!(engine.vault(), Ok(vec![]));
    }
}

#[test]
fn a_thief_who_kills_the_app_or_takes_the_network_saves_nothing() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = half_sent(&phone, &server);
    drop(engine);
    // Hello said wipe, and the app was killed before anything else.
    fs::write(phone.beside("-wiped"), b"wiped").expect("writes");
    assert_eq!(Engine::open(phone.config()).err(), Some(EngineError::Wiped));
    assert!(!phone.path().exists() && !phone.beside("-wiped").exists());
    assert_eq!(phone.open().identity(), Ok(None));
}

#[test]
fn whoever_left_is_sent_through_whatever_goes_wrong_for_the_next_user() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = half_sent(&phone, &server);
    engine.log_out(true).expect("logs out");
    next_user(&engine, &server);
    // The next user's hello is answered 401; the others' are not.
    server.fail("/v1/hello", Fault::Status(401, vec![]));
    assert_eq!(sync(&engine, &server), Err(EngineError::SignedOut));
    assert_all_arrived(&server);
}

/// What a disk that is full at the opening leaves behind: the system's start is
/// not noted, and nobody who left saves anything that would note it. Here the
/// app stays open and the clock begins anew beneath it.
#[test]
fn time_passes_for_whoever_left_where_the_start_of_the_system_was_not_noted() {
    let (phone, server) = (Phone::new(false), FakeServer::new());
    let engine = half_sent(&phone, &server);
    engine.log_out(true).expect("logs out");
    sync(&engine, &server).expect("sends what was left");
    assert_all_arrived(&server);
    server.verify_backup();
    phone.clock.reboot(0);
    let idle = sync(&engine, &server).expect("syncs");
    assert_eq!(idle.requests, 0, "asked a moment ago");
    phone.clock.pass(3_600_000);
    let asked = sync(&engine, &server).expect("syncs");
    assert!(asked.requests > 0, "an hour has passed since");
    assert_eq!(engine.vault(), Ok(vec![]));
}

#[cfg(feature = "http")]
#[test]
fn a_server_that_cannot_be_reached_keeps_nothing_from_another_one() {
    use std::io::{Read as _, Write as _};
    use std::net::{TcpListener, TcpStream};
    let listen = || TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = |listener: &TcpListener| {
        let address = listener.local_addr().expect("an address");
        format!("http://{address}")
    };
    let (phone, fake) = (Phone::new(false), FakeServer::new());
    let engine = phone.open();
    let enrol = |code: &str, server: &TcpListener| {
        let invitation = Invitation::parse(code, Some(&url(server))).expect("reads");
        engine.enrol(&fake, &invitation).expect("enrols");
    };
    let (there, gone) = (listen(), listen());
    enrol("CODE", &there);
    engine.start_shift(None).expect("begins");
    engine.log_out(true).expect("logs out");
    fake.hire(0x66, "NEXT");
    enrol("NEXT", &gone);
    drop(gone);

    let address = there.local_addr().expect("an address");
    let thread = std::thread::spawn(move || {
        let (mut socket, _) = there.accept().expect("a client");
        let mut head = vec![0; 4096];
        let read = socket.read(&mut head).expect("reads");
        let _ = socket.write_all(b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n");
        String::from_utf8_lossy(&head[..read]).into_owned()
    });
    let outcome = engine.sync_over_http(&gridwalk_engine::SyncOptions::default());
    assert!(
        matches!(outcome, Err(EngineError::Unreachable { .. })),
        "of its worker's server: {outcome:?}"
    );
    // Where nobody asked, the thread hears of this.
    let _ = TcpStream::connect(address);
    let asked = thread.join().expect("no panic");
    assert!(asked.starts_with("POST /v1/hello"), "{asked:?}");
}
