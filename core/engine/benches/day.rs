//! A day of eight hours at one fix a second on one encrypted phone: how long a
//! call takes, what is written to flash, what lies on disk, how long opening
//! and looking take.
//!
//! Flash written is what the kernel counts for this process (`write_bytes` of
//! `/proc/self/io`): pages handed to the storage, the same page again each time.

#![expect(clippy::expect_used, reason = "a bench fails by panicking")]
#![expect(clippy::print_stdout, reason = "its result")]
#![expect(clippy::cast_precision_loss, reason = "figures for people")]

#[path = "../tests/it/server/mod.rs"]
#[expect(dead_code, reason = "shared with the tests")]
mod server;
#[path = "../tests/it/support.rs"]
#[expect(dead_code, reason = "shared with the tests")]
mod support;

use gridwalk_domain::Clock as _;
use gridwalk_system::SystemClock;
use std::fs;

use server::FakeServer;
use support::Phone;

const FIXES: usize = 8 * 3600;

fn flash() -> u64 {
    let io = fs::read_to_string("/proc/self/io").unwrap_or_default();
    let line = io
        .lines()
        .find_map(|line| line.strip_prefix("write_bytes: "));
    line.and_then(|text| text.parse().ok()).unwrap_or(0)
}

/// With the milliseconds that it took.
fn timed<T>(work: impl FnOnce() -> T) -> (T, i64) {
    let clock = SystemClock::new();
    let start = clock.now().mono_ms;
    let out = work();
    (out, clock.now().mono_ms - start)
}

fn main() {
    let (phone, server) = (Phone::new(true), FakeServer::new());
    let engine = phone.on_patrol(&server);
    let before = flash();
    let (longest, took) = timed(|| (0..FIXES).map(|_| timed(|| phone.walk(&engine, 1)).1).max());
    let written = flash() - before;
    println!(
        "record: {:.3} ms a call, the longest {} ms",
        took as f64 / FIXES as f64,
        longest.unwrap_or(0)
    );
    println!(
        "flash written: {:.0} bytes a fix",
        written as f64 / FIXES as f64
    );
    let (status, took) = timed(|| engine.status().expect("reads"));
    println!(
        "status with {} fixes: {took} ms",
        status.patrol.map_or(0, |patrol| patrol.fixes)
    );
    let (_, took) = timed(|| engine.finish_patrol().expect("finishes"));
    println!("finish: {took} ms");
    engine.close();
    let size = fs::metadata(phone.path()).map_or(0, |file| file.len());
    println!("data file: {size} bytes in all");
    let (engine, took) = timed(|| phone.open());
    println!("open: {took} ms");
    let id = engine.patrols().expect("reads")[0].id;
    let (_, took) = timed(|| engine.route(id).expect("there"));
    println!("route: {took} ms");
    let options = gridwalk_engine::SyncOptions::default();
    let (report, took) = timed(|| engine.sync(&server, options).expect("syncs"));
    println!(
        "sync: {took} ms, {} bytes up, {} down",
        report.bytes_up, report.bytes_down
    );
}
