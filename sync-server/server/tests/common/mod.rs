//! A small world for the server's tests: a clock that the test turns, two
//! districts, and phones that speak the protocol.
#![allow(
    dead_code,
    unreachable_pub,
    reason = "each test file uses a part of it"
)]
#![allow(
    clippy::expect_used,
    clippy::panic,
    reason = "what fails here fails the test"
)]

pub mod phone;
pub mod process;
pub mod socket;

use gridwalk_domain::{BootId, Clock, GridId, Moment, Rng, TenantId};
use gridwalk_server::admin::{Crs, EnrolFor, Import, Source};
use gridwalk_server::blobs::MemoryBlobs;
use gridwalk_server::http::{Request, Response};
use gridwalk_server::keep::{Keep, MemoryKeep};
use gridwalk_server::{Parts, Service, Settings};
use gridwalk_store::memory::MemoryStore;
use gridwalk_store::{Read, Role, Store, StoreError};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

pub use phone::Phone;

/// 2026-11-21 08:00 in Linyi.
pub const MORNING: i64 = 1_795_219_200_000;
pub const MINUTE: i64 = 60_000;
pub const HOUR: i64 = 60 * MINUTE;

/// A clock that stands until it is turned.
pub struct TestClock {
    wall_ms: AtomicI64,
    boot: BootId,
}

impl TestClock {
    pub fn new(boot: u8) -> Arc<Self> {
        Arc::new(Self {
            wall_ms: AtomicI64::new(MORNING),
            boot: BootId::from_bytes([boot; 16]),
        })
    }

    pub fn turn(&self, ms: i64) {
        self.wall_ms.fetch_add(ms, Ordering::Relaxed);
    }

    pub fn wall_ms(&self) -> i64 {
        self.wall_ms.load(Ordering::Relaxed)
    }
}

impl Clock for TestClock {
    fn now(&self) -> Moment {
        let wall_ms = self.wall_ms();
        Moment {
            wall_ms,
            boot: self.boot,
            mono_ms: wall_ms - MORNING + HOUR,
        }
    }
}

/// Repeatable randomness: SplitMix64, each draw another number.
pub struct TestRng(AtomicU64);

impl TestRng {
    pub fn new(seed: u64) -> Arc<Self> {
        Arc::new(Self(AtomicU64::new(seed << 32)))
    }
}

impl Rng for TestRng {
    fn fill(&self, out: &mut [u8]) {
        for chunk in out.chunks_mut(8) {
            let n = self.0.fetch_add(1, Ordering::Relaxed);
            let mut z = n.wrapping_mul(0x9e37_79b9_7f4a_7c15);
            z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
            chunk.copy_from_slice(&(z ^ (z >> 31)).to_le_bytes()[..chunk.len()]);
        }
    }
}

/// One district, two towns, three communities, four base grids.
pub const LANSHAN: &str = "code,parent,level,name
371302,,district,兰山区
371302001,371302,town,兰山街道
371302002,371302,town,银雀山街道
371302001001,371302001,community,甲社区
371302001002,371302001,community,乙社区
371302002001,371302002,community,丙社区
371302001001001,371302001001,base,甲一
371302001001002,371302001001,base,甲二
371302001002001,371302001002,base,乙一
371302002001001,371302002001,base,丙一
";

/// Another district.
pub const HEDONG: &str = "code,parent,level,name
371312,,district,河东区
371312001,371312,town,九曲街道
371312001001,371312001,community,丁社区
371312001001001,371312001001,base,丁一
";

pub const BASE: [&str; 4] = [
    "371302001001001",
    "371302001001002",
    "371302001002001",
    "371302002001001",
];

/// The server and its clock.
pub struct World {
    pub service: Arc<Service>,
    /// What it runs on, to be opened again.
    pub parts: Parts,
    pub clock: Arc<TestClock>,
    pub tenant: TenantId,
    pub other: TenantId,
}

/// Parts in memory.
pub fn parts(clock: &Arc<TestClock>) -> Parts {
    Parts {
        store: Arc::new(MemoryStore::new()),
        blobs: Arc::new(MemoryBlobs::new()),
        keep: Arc::new(MemoryKeep::new()),
        clock: clock.clone(),
        rng: TestRng::new(1),
    }
}

/// A world in memory.
pub fn world() -> World {
    let clock = TestClock::new(200);
    world_on(parts(&clock), clock, settings())
}

/// Tests ask as often as they like.
pub fn settings() -> Settings {
    Settings {
        pace: None,
        ..Settings::default()
    }
}

/// A world on these parts.
pub fn world_on(parts: Parts, clock: Arc<TestClock>, settings: Settings) -> World {
    let service = Service::open(parts.clone(), settings).expect("opens");
    filled(Arc::new(service), parts, clock)
}

/// Fills a service with both districts.
pub fn filled(service: Arc<Service>, parts: Parts, clock: Arc<TestClock>) -> World {
    let import = |name, text: &str| {
        let source = Source {
            name,
            bytes: text.as_bytes(),
        };
        service
            .admin()
            .import_grids(source, &Import::default())
            .expect("imports")
            .tenant
    };
    let (tenant, other) = (import("lanshan.csv", LANSHAN), import("hedong.csv", HEDONG));
    let map = boundary("371302001001001", "371302001001", "甲一", 118.30, 35.05);
    let source = Source {
        name: "map.geojson",
        bytes: map.as_bytes(),
    };
    let import = Import {
        crs: Some(Crs::Wgs84),
        ..Import::default()
    };
    service
        .admin()
        .import_grids(source, &import)
        .expect("imports");
    World {
        service,
        parts,
        clock,
        tenant,
        other,
    }
}

/// A GeoJSON file of one base grid: a square of some 500 m.
pub fn boundary(code: &str, parent: &str, name: &str, lon: f64, lat: f64) -> String {
    let (e, n) = (lon + 0.005, lat + 0.005);
    serde_json::json!({"type": "FeatureCollection", "features": [{
        "type": "Feature",
        "properties": {"code": code, "parent": parent, "level": "base", "name": name, "synthetic": true},
        "geometry": {"type": "Polygon", "coordinates": [[[lon, lat], [e, lat], [e, n], [lon, n], [lon, lat]]]},
    }]})
    .to_string()
}

impl World {
    /// The server again, after a restart, with these settings.
    pub fn restart(&mut self, settings: Settings) {
        let service = Service::open(self.parts.clone(), settings).expect("opens");
        self.service = Arc::new(service);
    }

    /// What the store holds.
    pub fn stored<T>(&self, run: impl FnMut(&dyn Read) -> Result<T, StoreError>) -> T {
        gridwalk_store::read(&*self.parts.store, run).expect("reads")
    }

    pub fn keep(&self) -> &dyn Keep {
        &*self.parts.keep
    }

    /// A copy of the database, to go back to.
    pub fn copy(&self) -> Arc<dyn Store> {
        self.parts.store.copy("nowhere".as_ref()).expect("copies")
    }

    /// Goes back in time without being told.
    pub fn go_back(&self, copy: &dyn Store) {
        self.parts.store.replace(copy).expect("goes back");
    }

    pub fn grid(&self, code: &str) -> GridId {
        let code = code.parse().expect("a code");
        let found =
            gridwalk_store::read::<_, gridwalk_store::StoreError>(self.service.store(), |tx| {
                tx.grids_by_code(&code)
            });
        found.expect("reads").first().expect("is there").1.id
    }

    /// A phone that is enrolled on a base grid.
    pub fn phone(&self, name: &str, grid: &str) -> Phone {
        let whom = EnrolFor {
            worker: name,
            grid: Some(grid),
        };
        let code = self.service.admin().enrol(whom).expect("a code");
        let line = phone::Line::InProcess(self.service.clone());
        let mut phone = Phone::new(line, self.clock.clone(), self.grid(grid));
        phone.enrol(&code.code);
        phone
    }

    /// Somebody who is logged in: the cookie.
    pub fn login(&self, name: &str, role: Role, grid: &str) -> String {
        let user = self
            .service
            .admin()
            .add_user(name, role, grid)
            .expect("a user");
        let answer = self.try_login(name, &user.password);
        assert_eq!(answer.status, 200);
        let cookie = answer.header("set-cookie").expect("a cookie");
        cookie.split(';').next().expect("a pair").to_owned()
    }

    pub fn try_login(&self, name: &str, password: &str) -> Response {
        let body = serde_json::json!({"name": name, "password": password}).to_string();
        self.service.handle(&Request {
            method: "POST".into(),
            path: "/api/login".into(),
            headers: vec![("X-Gridwalk".into(), "1".into())],
            body: body.into_bytes(),
            peer: "127.0.0.1".into(),
            ..Request::default()
        })
    }

    pub fn get(&self, cookie: &str, path: &str) -> Response {
        let (path, query) = path.split_once('?').unwrap_or((path, ""));
        self.service.handle(&Request {
            method: "GET".into(),
            path: path.into(),
            query: query.into(),
            headers: vec![("cookie".into(), cookie.into())],
            ..Request::default()
        })
    }

    pub fn look(&self, cookie: &str, path: &str) -> Value {
        let answer = self.get(cookie, path);
        let status = answer.status;
        let bytes = answer.body.into_bytes().expect("reads");
        assert_eq!(status, 200, "{path}: {}", String::from_utf8_lossy(&bytes));
        serde_json::from_slice(&bytes).expect("JSON")
    }
}
