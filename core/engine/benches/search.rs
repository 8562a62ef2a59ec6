//! `./dev bench search`: lists and searches among 10,000 incidents on one
//! encrypted phone, beside looking at all of them, in the same run.

#![expect(clippy::expect_used, reason = "a bench fails by panicking")]
#![expect(clippy::print_stdout, reason = "its result")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

#[path = "../tests/it/server/mod.rs"]
#[expect(dead_code, reason = "shared with the tests")]
mod server;
#[path = "../tests/it/support.rs"]
#[expect(dead_code, reason = "shared with the tests")]
mod support;
#[path = "../tests/it/talk.rs"]
#[expect(dead_code, reason = "shared with the tests")]
mod talk;

use gridwalk_domain::{Clock as _, EntityId, Intent, Position, search};
use gridwalk_engine::{Engine, IncidentQuery, Near, Sort};
use gridwalk_system::SystemClock;
use serde_json::{Value, json};
use std::collections::BTreeMap;

use server::FakeServer;
use support::{Phone, START_MS};

const INCIDENTS: u32 = 10_000;
/// The clock has milliseconds: an average is finer.
const TIMES: u32 = 20;
const SCANS: u32 = 3;
const MIDDLE: Position = Position {
    lat: 35.1,
    lon: 118.35,
};

const SEEN: [&str; 5] = [
    "三楼楼道堆放杂物，占用消防通道",
    "路灯不亮，夜间行走不便",
    "沿街商铺占道经营",
    "下水道堵塞，污水外溢",
    "电动车在楼道内充电",
];

/// One incident of five months: some hundred characters, somewhere in 5 km.
fn fields(n: u32, server: &FakeServer) -> BTreeMap<String, Value> {
    let what = SEEN[n as usize % SEEN.len()];
    let lat = MIDDLE.lat + f64::from(n * 7919 % 5_000) / 111_195.0;
    let lon = MIDDLE.lon + f64::from(n * 104_729 % 5_000) / 90_000.0;
    let category = ["fire_safety", "hygiene"][n as usize % 2];
    let fields = [
        ("worker", json!(server.worker.id)),
        ("grid", json!(server.grid.id)),
        ("catalogue", json!(1)),
        ("category", json!(category)),
        ("severity", json!("normal")),
        ("title", json!(format!("{}号楼：{what}", n % 97))),
        (
            "description",
            json!(format!("{what}。{what}。居民第 {n} 次反映，已拍照。")),
        ),
        ("place", json!({ "lat": lat, "lon": lon })),
        ("found_ms", json!(START_MS - i64::from(n) * 1_296_000)),
    ];
    fields
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn filled(phone: &Phone) -> Engine {
    let server = FakeServer::new();
    let engine = phone.enrolled(&server);
    for n in 0..INCIDENTS {
        let mut id = [0x40; 16];
        id[..4].copy_from_slice(&n.to_be_bytes());
        let (home, fields) = (server.stream(), fields(n, &server));
        let create = Intent::Create { home, fields };
        talk::elsewhere(&server, EntityId::from_bytes(id), create);
    }
    server.with(|state| state.page = 500);
    talk::sync(&engine, &server).expect("syncs");
    engine
}

/// The average in milliseconds.
fn timed(times: u32, mut work: impl FnMut()) -> f64 {
    let clock = SystemClock::new();
    let start = clock.now().mono_ms;
    for _ in 0..times {
        work();
    }
    (clock.now().mono_ms - start) as f64 / f64::from(times)
}

fn queries() -> [(&'static str, IncidentQuery); 6] {
    let all = IncidentQuery::default;
    let near = Some(Near {
        position: MIDDLE,
        within_m: 1_000.0,
    });
    [
        ("list", all()),
        (
            "state",
            IncidentQuery {
                status: Some("reported".into()),
                ..all()
            },
        ),
        (
            "category",
            IncidentQuery {
                category: Some("hygiene".into()),
                ..all()
            },
        ),
        (
            "day",
            IncidentQuery {
                day: "2025-10-10".parse().ok(),
                ..all()
            },
        ),
        (
            "text",
            IncidentQuery {
                text: Some("楼道 充电".into()),
                ..all()
            },
        ),
        (
            "near",
            IncidentQuery {
                near,
                sort: Sort::Nearest,
                ..all()
            },
        ),
    ]
}

fn main() {
    let phone = Phone::new(true);
    let engine = filled(&phone);
    let scan = timed(SCANS, || {
        let mut all = engine.incidents().expect("reads");
        let words = search::folded("楼道 充电");
        all.retain(|view| search::matches(&search::folded(&view.title), &words));
        assert!(!all.is_empty());
    });
    println!("{INCIDENTS} incidents, looking at all: {scan:.1} ms");
    let mut figures = BTreeMap::new();
    for (name, query) in queries() {
        let total = engine.find_incidents(&query).expect("finds").total;
        assert!(total > 0, "{name} finds something");
        let took = timed(TIMES, || {
            drop(engine.find_incidents(&query).expect("finds"));
        });
        let ratio = scan / took;
        println!(
            "{name:<9} {took:6.2} ms, {total} found, {ratio:.0} times as fast as looking at all"
        );
        figures.insert(name, json!({ "ms": took, "found": total, "ratio": ratio }));
    }
    if std::env::args().any(|arg| arg == "--json") {
        println!(
            "{}",
            json!({ "incidents": INCIDENTS, "scan_ms": scan, "queries": figures })
        );
    }
}
