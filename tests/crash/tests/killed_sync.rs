//! SIGKILL while a phone syncs with a real server: wherever the process ends,
//! the file is whole, and in the end everything is on the server once.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use gridwalk_crash::office::Office;
use gridwalk_crash::{Phone, loops, png};
use gridwalk_domain::{Fix, Position};
use gridwalk_engine::{NewIncident, NewPhoto};
use std::collections::BTreeSet;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

const GRIDWALK: &str = env!("CARGO_BIN_EXE_gridwalk-to-kill");

/// A line between phone and server that kills the phone after so many bytes.
struct Line {
    left: AtomicI64,
    phone: Mutex<Option<u32>>,
}

impl Line {
    fn to(server: SocketAddr) -> (Arc<Self>, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("listens");
        let addr = listener.local_addr().expect("an address");
        let line = Arc::new(Self {
            left: AtomicI64::new(i64::MAX),
            phone: Mutex::new(None),
        });
        let of_thread = Arc::clone(&line);
        thread::spawn(move || {
            for phone in listener.incoming() {
                let (phone, server) = (
                    phone.expect("a connection"),
                    TcpStream::connect(server).expect("a server"),
                );
                let other = (
                    server.try_clone().expect("a socket"),
                    phone.try_clone().expect("a socket"),
                );
                for (from, to) in [(phone, server), other] {
                    let line = Arc::clone(&of_thread);
                    thread::spawn(move || line.carry(from, to));
                }
            }
        });
        (line, addr)
    }

    fn carry(&self, mut from: TcpStream, mut to: TcpStream) {
        let mut piece = [0; 512];
        while let Ok(read @ 1..) = from.read(&mut piece) {
            let read_bytes = i64::try_from(read).expect("small");
            let before = self.left.fetch_sub(read_bytes, Ordering::SeqCst);
            if before > 0 && before <= read_bytes {
                self.kill();
            }
            if to.write_all(&piece[..read]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(std::net::Shutdown::Both);
    }

    fn kill(&self) {
        if let Some(id) = *self.phone.lock().expect("no panic") {
            let _ = Command::new("kill")
                .args(["-KILL", &id.to_string()])
                .status();
        }
    }

    /// Syncs in a process of its own; whether it came to its end.
    fn sync(&self, phone: &Phone, bytes: i64) -> bool {
        let mut known = self.phone.lock().expect("no panic");
        self.left.store(bytes, Ordering::SeqCst);
        let mut command = phone.command(GRIDWALK);
        let child = command
            .arg("sync")
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let mut child = child.spawn().expect("starts");
        *known = Some(child.id());
        drop(known);
        let done = child.wait().expect("ends").success();
        *self.phone.lock().expect("no panic") = None;
        done
    }
}

#[test]
fn a_sync_killed_anywhere_loses_nothing_and_sends_nothing_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let office = Office::open(folder.path());
    let (line, addr) = Line::to(office.server.addr());
    let (_, invitation) = office.invites("01 号网格员", addr);
    let phone = Phone::enrolled(folder.path(), true, &invitation).expect("a phone");
    let seed = 5;
    println!("seed {seed}, {} rounds", loops());
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut saved, mut killed, mut fixes) = (BTreeSet::new(), 0, 0);
    for round in 0..loops() {
        let engine = phone.open().expect("opens");
        let photo = NewPhoto {
            bytes: png(&noise(round)),
            mime: String::new(),
        };
        let new = NewIncident {
            category: "hygiene".into(),
            title: format!("第{round}件"),
            photos: vec![photo],
            ..NewIncident::default()
        };
        let id = engine.report_incident(new).expect("saves");
        engine.comment(id, "看过了").expect("saves");
        saved.insert(id);
        let bunch: Vec<Fix> = (0..20).map(|_| fix(&mut fixes)).collect();
        engine.record(&bunch).expect("records");
        engine.close();
        killed += u64::from(!line.sync(&phone, random.i64(1..20_000)));
        assert_eq!(phone.integrity().expect("opens"), "ok", "round {round}");
    }
    assert!(killed > loops() / 4, "only {killed} were killed");
    let engine = phone.open().expect("opens");
    engine.finish_patrol().expect("finishes");
    engine.close();
    assert!(line.sync(&phone, i64::MAX), "the last one comes to its end");
    let status = phone.open().expect("opens").status().expect("reads");
    let unsent = (status.unsent.ops, status.unsent.chunks, status.unsent.blobs);
    assert_eq!(unsent, (0, 0, 0));

    let holdings = office
        .server
        .service()
        .admin()
        .holdings(None)
        .expect("holdings");
    let there: BTreeSet<_> = holdings.incidents.iter().copied().collect();
    assert_eq!((holdings.incidents.len(), there), (saved.len(), saved));
    let ops: BTreeSet<_> = holdings.ops.iter().collect();
    assert_eq!(ops.len(), holdings.ops.len(), "nothing twice");
    assert_eq!(holdings.attachments.len() as u64, loops());
    assert_eq!(
        holdings.patrols[0].fixes_stored,
        u64::try_from(fixes).expect("few")
    );
    office.server.stop();
}

/// The next one of a walk north that began when the phone was enrolled.
fn fix(n: &mut i64) -> Fix {
    *n += 1;
    #[expect(clippy::cast_precision_loss, reason = "small")]
    let lat = 35.1 + *n as f64 * 1e-5;
    Fix {
        time_ms: 1_795_000_000_000 + *n * 1000,
        position: Position { lat, lon: 118.35 },
        accuracy_m: Some(5.0),
        altitude_m: None,
        speed_mps: Some(1.2),
        bearing_deg: None,
        mocked: false,
    }
}

/// A few KB of noise, none like another.
fn noise(seed: u64) -> Vec<u8> {
    let mut random = fastrand::Rng::with_seed(seed);
    std::iter::repeat_with(|| random.u8(..))
        .take(6_000)
        .collect()
}
