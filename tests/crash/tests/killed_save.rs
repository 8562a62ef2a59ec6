//! SIGKILL while a report with photos is saved: it is there whole or not at
//! all, and once it was confirmed it is there.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use gridwalk_crash::{Phone, png};
use std::fs;
use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::Stdio;

const GRIDWALK: &str = env!("CARGO_BIN_EXE_gridwalk-to-kill");

/// A PNG of noise, no two alike.
fn photo(file: &Path, random: &mut fastrand::Rng) {
    let noise: Vec<u8> = std::iter::repeat_with(|| random.u8(..))
        .take(100_000)
        .collect();
    fs::write(file, png(&noise)).expect("writes");
}

fn files(folder: &Path) -> usize {
    fs::read_dir(folder).map_or(0, Iterator::count)
}

#[test]
fn a_report_is_saved_whole_or_not_at_all() {
    let folder = tempfile::tempdir().expect("a folder");
    let phone = Phone::on_patrol(folder.path(), true).expect("a phone");
    let blobs = folder.path().join("phone.db-blobs");
    let mut random = fastrand::Rng::with_seed(11);
    let mut confirmed = 0;
    for round in 0..12 {
        let before = phone
            .open()
            .expect("opens")
            .incidents()
            .expect("reads")
            .len();
        let on_disk = files(&blobs);
        let mut command = phone.command(GRIDWALK);
        command.args(["incident", "new", "--category", "hygiene", "--title", "甲"]);
        for n in 0..2 {
            let file = folder.path().join(format!("{n}.png"));
            photo(&file, &mut random);
            command.arg("--photo").arg(file);
        }
        let mut child = command.stdout(Stdio::piped()).spawn().expect("starts");
        let mut output = BufReader::new(child.stdout.take().expect("a pipe"));
        // Killed at once, when the first photo's file appears, when both have,
        // and when it has said that all is saved.
        match round % 4 {
            0 => {}
            3 => {
                let mut line = String::new();
                output.read_line(&mut line).expect("reads");
                assert!(!line.is_empty(), "round {round}");
                confirmed += 1;
            }
            wanted => {
                while files(&blobs) < on_disk + wanted && child.try_wait().expect("asks").is_none()
                {
                    std::thread::yield_now();
                }
            }
        }
        // It may have ended by itself by now, which is as good.
        let _ = child.kill();
        child.wait().expect("ends");

        assert_eq!(phone.integrity().expect("opens"), "ok", "round {round}");
        let engine = phone.open().expect("opens");
        let incidents = engine.incidents().expect("reads");
        assert!(
            (before..=before + 1).contains(&incidents.len()),
            "round {round}"
        );
        if round % 4 == 3 {
            assert_eq!(incidents.len(), before + 1, "it was confirmed");
        }
        for incident in incidents {
            assert_eq!(incident.photos.len(), 2, "whole or not at all");
            for photo in incident.photos {
                let bytes = engine
                    .photo(photo.sha256)
                    .expect("reads, and is what its hash says");
                assert_eq!(bytes.len() as u64, photo.bytes);
            }
        }
    }
    assert!(
        phone
            .open()
            .expect("opens")
            .incidents()
            .expect("reads")
            .len()
            >= confirmed
    );
}
