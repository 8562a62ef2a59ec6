//! SIGKILL in the middle of recording: no fix that was acknowledged is lost,
//! none is there twice, the file is whole, the patrol goes on.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]
#![expect(clippy::print_stdout, reason = "its seed is told")]

use gridwalk_crash::{Phone, loops};
use gridwalk_engine::Format;
use std::collections::BTreeSet;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::Stdio;
use std::thread;

const GRIDWALK: &str = env!("CARGO_BIN_EXE_gridwalk-to-kill");
const T0: i64 = 1_763_700_000_000;
/// More fixes than a round can feed before it is killed.
const ROUND: i64 = 100_000;

/// Fix `n` of a walk that never ends: north, each round from the same place.
fn line(n: i64) -> String {
    #[expect(clippy::cast_precision_loss, reason = "small")]
    let lat = 35.0 + (n % ROUND) as f64 * 1e-5;
    format!("{},{lat:.6},118.350000,,5,1.2,\n", T0 + n * 1000)
}

/// Feeds fixes from `first` on, kills after so many acknowledgements; how many
/// fixes of the patrol the process said were safe.
fn record_and_kill(phone: &Phone, first: i64, kill_after: u64) -> u64 {
    let mut child = phone
        .command(GRIDWALK)
        .args(["patrol", "record", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("starts");
    let mut input = child.stdin.take().expect("a pipe");
    let feeder = thread::spawn(move || {
        let mut text = "t_ms,lat,lon,alt,acc,speed,bearing\n".to_owned();
        // Until the other end is gone, in pieces that end anywhere.
        for n in first.. {
            text.push_str(&line(n));
            if text.len() > 700 {
                let rest = text.split_off(700);
                if input.write_all(text.as_bytes()).is_err() {
                    return;
                }
                text = rest;
            }
        }
    });
    let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
    let (mut acked, mut seen) = (0, 0);
    loop {
        let mut text = String::new();
        output.read_line(&mut text).expect("reads");
        // What was said before the kill counts, read when it may be.
        let Some(number) = text
            .strip_suffix('\n')
            .and_then(|text| text.strip_prefix("acked "))
        else {
            assert!(text.is_empty() || !text.ends_with('\n'), "{text}");
            break;
        };
        acked = number.parse().expect("a number");
        seen += 1;
        if seen == kill_after {
            child.kill().expect("kills");
        }
    }
    assert!(seen >= kill_after, "it ended by itself after {seen}");
    assert!(!child.wait().expect("ends").success());
    feeder.join().expect("no panic");
    acked
}

fn kill_again_and_again(keyed: bool) {
    let folder = tempfile::tempdir().expect("a folder");
    let phone = Phone::on_patrol(folder.path(), keyed).expect("a phone");
    let seed = 7;
    println!("seed {seed}, {} rounds", loops());
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut before, mut next) = (0, 0);
    let mut promised = BTreeSet::new();
    for round in 0..loops() {
        // Below one chunk, at its edge, and far beyond.
        let acked = record_and_kill(&phone, next, 1 + random.u64(0..90));
        assert!(acked > before, "round {round}: {acked} {before}");
        let mine = i64::try_from(acked - before).expect("small");
        promised.extend(next..next + mine);

        assert_eq!(phone.integrity().expect("opens"), "ok", "round {round}");
        let engine = phone.open().expect("opens");
        let patrol = engine.status().expect("reads").patrol.expect("goes on");
        assert!(
            patrol.fixes >= acked,
            "round {round}: {} of {acked}",
            patrol.fixes
        );
        let csv = engine.export(patrol.id, Format::Csv).expect("exports");
        let times: Vec<i64> = csv
            .lines()
            .skip(1)
            .map(|line| {
                line.split(',')
                    .next()
                    .and_then(|t| t.parse().ok())
                    .expect("a time")
            })
            .map(|t: i64| (t - T0) / 1000)
            .collect();
        let kept: BTreeSet<i64> = times.iter().copied().collect();
        assert_eq!(
            kept.len(),
            times.len(),
            "round {round}: a fix is there twice"
        );
        assert_eq!(times.len() as u64, patrol.fixes);
        let lost: Vec<_> = promised.difference(&kept).collect();
        assert!(lost.is_empty(), "round {round}: {lost:?}");
        before = patrol.fixes;
        next += ROUND;
    }
    let summary = phone
        .open()
        .expect("opens")
        .finish_patrol()
        .expect("finishes");
    assert_eq!(summary.fixes, before);
    assert_eq!(summary.gaps, loops() - 1, "one between two runs");
}

#[test]
fn a_killed_recorder_loses_nothing_that_it_acknowledged() {
    kill_again_and_again(false);
}

#[test]
fn a_killed_recorder_loses_nothing_that_it_acknowledged_under_a_key() {
    kill_again_and_again(true);
}
