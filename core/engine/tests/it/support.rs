//! Clocks, randomness, fixes and phones for tests.

use gridwalk_domain::{BootId, Clock, Fix, Moment, Position, Rng};
use gridwalk_engine::{Config, Engine, Invitation, Key32, SystemDisk};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use crate::server::{COMMUNITY, FakeServer};

/// Fixes of one chunk, as the engine seals them.
pub(crate) const CHUNK: usize = 600;

pub(crate) const START_MS: i64 = 1_763_769_600_000;

/// Clocks that a test moves: the truth, which is the fixes' time, and the
/// phone's own idea of it.
pub(crate) struct TestClock(Mutex<Clocks>);

struct Clocks {
    now: Moment,
    /// How far the wall clock is ahead of the truth.
    ahead_ms: i64,
}

impl TestClock {
    pub(crate) fn new() -> Arc<Self> {
        let now = Moment {
            wall_ms: START_MS,
            boot: BootId::from_bytes([1; 16]),
            mono_ms: 50_000,
        };
        Arc::new(Self(Mutex::new(Clocks { now, ahead_ms: 0 })))
    }

    fn change(&self, change: impl FnOnce(&mut Clocks)) {
        change(&mut self.0.lock().expect("no panic"));
    }

    pub(crate) fn pass(&self, ms: i64) {
        self.change(|clocks| {
            clocks.now.wall_ms += ms;
            clocks.now.mono_ms += ms;
        });
    }

    pub(crate) fn pass_days(&self, days: i64) {
        self.pass(days * 24 * 3_600_000);
    }

    /// Somebody sets the wall clock by so much.
    pub(crate) fn turn(&self, ms: i64) {
        self.change(|clocks| {
            clocks.now.wall_ms += ms;
            clocks.ahead_ms += ms;
        });
    }

    /// Somebody sets the wall clock so far ahead of the truth.
    pub(crate) fn set_ahead(&self, ms: i64) {
        self.turn(ms - self.ahead_ms());
    }

    /// The phone was off for so long.
    pub(crate) fn reboot(&self, off_ms: i64) {
        self.change(|clocks| {
            let boot = clocks.now.boot.as_bytes()[0] + 1;
            clocks.now = Moment {
                wall_ms: clocks.now.wall_ms + off_ms,
                boot: BootId::from_bytes([boot; 16]),
                mono_ms: 7_000,
            };
        });
    }

    /// The true time.
    pub(crate) fn true_ms(&self) -> i64 {
        self.now().wall_ms - self.ahead_ms()
    }

    fn ahead_ms(&self) -> i64 {
        self.0.lock().expect("no panic").ahead_ms
    }
}

impl Clock for TestClock {
    fn now(&self) -> Moment {
        self.0.lock().expect("no panic").now
    }
}

/// What a step up says: who holds the incident from then on.
pub(crate) fn holder() -> Map<String, Value> {
    Map::from_iter([("holder".to_owned(), json!(COMMUNITY))])
}

/// What the form of fire safety must know.
pub(crate) fn premises() -> BTreeMap<String, Value> {
    [("premises".to_owned(), json!("dwelling"))].into()
}

/// Numbers that differ from each other and from run to run of a phone.
pub(crate) struct TestRng(AtomicU64);

impl TestRng {
    pub(crate) fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(
            seed.wrapping_mul(0x5851_f42d_4c95_7f2d),
        )))
    }
}

impl Rng for TestRng {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            // SplitMix64 (Steele, Lea, Flood 2014).
            let mut z = self.0.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_be_bytes()[..chunk.len()]);
        }
    }
}

/// A phone in a folder of its own.
pub(crate) struct Phone {
    folder: tempfile::TempDir,
    pub(crate) clock: Arc<TestClock>,
    pub(crate) rng: Arc<TestRng>,
    pub(crate) key: Option<Key32>,
}

impl Phone {
    pub(crate) fn new(keyed: bool) -> Self {
        Self {
            folder: tempfile::tempdir().expect("a folder"),
            clock: TestClock::new(),
            rng: TestRng::new(1),
            key: keyed.then(|| Key32::new([7; 32])),
        }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.folder.path().join("phone.db")
    }

    pub(crate) fn beside(&self, suffix: &str) -> PathBuf {
        PathBuf::from(format!("{}{suffix}", self.path().display()))
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn config(&self) -> Config {
        Config {
            path: self.path(),
            disk: Arc::new(SystemDisk),
            key: self.key.clone(),
            clock: self.clock.clone(),
            rng: self.rng.clone(),
            platform: "test".into(),
            app: "0".into(),
        }
    }

    pub(crate) fn open(&self) -> Engine {
        Engine::open(self.config()).expect("opens")
    }

    /// Opens, enrols.
    pub(crate) fn enrolled(&self, server: &FakeServer) -> Engine {
        let engine = self.open();
        let invitation = Invitation::parse("CODE", Some("https://test")).expect("reads");
        engine.enrol(server, &invitation).expect("enrols");
        engine
    }

    /// Opens, enrols, begins a shift and a patrol.
    pub(crate) fn on_patrol(&self, server: &FakeServer) -> Engine {
        let engine = self.enrolled(server);
        engine.start_shift(None).expect("begins");
        engine.start_patrol().expect("starts");
        engine
    }

    /// Walks north at 1.2 m/s, a fix a second, recorded one by one.
    pub(crate) fn walk(&self, engine: &Engine, fixes: usize) -> u64 {
        let mut acked = 0;
        for _ in 0..fixes {
            self.clock.pass(1000);
            acked = engine.record(&[self.fix()]).expect("records").acked;
        }
        acked
    }

    /// The same walk, delivered in bunches.
    pub(crate) fn walk_in_bunches(&self, engine: &Engine, fixes: usize) {
        let all: Vec<Fix> = (0..fixes)
            .map(|_| {
                self.clock.pass(1000);
                self.fix()
            })
            .collect();
        for bunch in all.chunks(100) {
            engine.record(bunch).expect("records");
        }
    }

    /// Where the walk is now.
    pub(crate) fn fix(&self) -> Fix {
        let ms = self.clock.true_ms();
        #[expect(clippy::cast_precision_loss, reason = "small")]
        let seconds = (ms - START_MS) as f64 / 1000.0;
        Fix {
            time_ms: ms,
            position: Position {
                lat: 35.1 + seconds * 1.2 / 111_320.0,
                lon: 118.35,
            },
            accuracy_m: Some(5.0),
            altitude_m: None,
            speed_mps: Some(1.2),
            bearing_deg: None,
            mocked: false,
        }
    }
}

/// A PNG of 150 KB with a text in it that must not leave the phone. It is small
/// enough to have no thumbnail.
pub(crate) fn png(seed: u8) -> Vec<u8> {
    png_of(seed, 150_000)
}

pub(crate) fn png_of(seed: u8, bytes: usize) -> Vec<u8> {
    const SIDE: u32 = 320;
    let rows = u32::try_from(bytes).expect("small") / (3 * SIDE);
    secret_png(&noise(seed, SIDE, rows.max(1)))
}

/// The same of any picture.
pub(crate) fn secret_png(image: &image::RgbImage) -> Vec<u8> {
    let mut out = std::io::Cursor::new(Vec::new());
    image
        .write_to(&mut out, image::ImageFormat::Png)
        .expect("writes");
    let text = img_parts::Bytes::from_static(SECRET);
    let text = img_parts::png::PngChunk::new(*b"tEXt", text);
    let out = out.into_inner();
    let (head, rest) = out.split_at(33);
    [head, &text.encoder().bytes(), rest].concat()
}

/// Where the worker stood: it must never leave the phone.
pub(crate) const SECRET: &[u8] = b"35.104512N 118.356781E";

pub(crate) fn noise(seed: u8, width: u32, height: u32) -> image::RgbImage {
    let rng = TestRng::new(u64::from(seed));
    let mut pixels = vec![0; (width * height * 3) as usize];
    rng.fill(&mut pixels);
    image::RgbImage::from_raw(width, height, pixels).expect("all of them")
}
