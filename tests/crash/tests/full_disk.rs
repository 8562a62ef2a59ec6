//! A full disk: one clear error, nothing changed, and all goes on once there
//! is room.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use gridwalk_crash::{Phone, png};
use gridwalk_domain::{Fix, Position};
use gridwalk_engine::{EngineError, Format, NewIncident, NewPhoto};
use std::fs;
use std::path::Path;
use std::process::Command;

const GRIDWALK: &str = env!("CARGO_BIN_EXE_gridwalk-to-kill");

/// A file system of 2 MB, unmounted when dropped.
struct Small(tempfile::TempDir);

impl Small {
    /// None where this user may not mount.
    fn mount() -> Option<Self> {
        let small = Self(tempfile::tempdir().expect("a folder"));
        let mount = |args: &[&str]| {
            Command::new("mount")
                .args(args)
                .arg(small.0.path())
                .output()
        };
        let mounted = mount(&["-t", "tmpfs", "-o", "size=2m", "tmpfs"]);
        mounted
            .is_ok_and(|output| output.status.success())
            .then_some(small)
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Leaves no room, or as good as none.
    fn fill(&self) {
        for size in [64 * 1024, 4096, 1] {
            for n in 0.. {
                if fs::write(self.path().join(format!("fill-{size}-{n}")), vec![0; size]).is_err() {
                    break;
                }
            }
        }
    }

    fn make_room(&self) {
        for entry in fs::read_dir(self.path()).expect("lists") {
            let path = entry.expect("an entry").path();
            if path
                .file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("fill-"))
            {
                fs::remove_file(path).expect("removes");
            }
        }
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(self.0.path()).status();
    }
}

fn fix(n: i64) -> Fix {
    #[expect(clippy::cast_precision_loss, reason = "small")]
    let lat = 35.0 + n as f64 * 1e-5;
    Fix {
        time_ms: 1_763_700_000_000 + n * 1000,
        position: Position { lat, lon: 118.35 },
        accuracy_m: Some(5.0),
        altitude_m: None,
        speed_mps: None,
        bearing_deg: None,
        mocked: false,
    }
}

fn photo() -> NewPhoto {
    NewPhoto {
        bytes: png(&[7; 100_000]),
        mime: String::new(),
    }
}

fn incident(photos: Vec<NewPhoto>) -> NewIncident {
    let (category, title) = ("hygiene".into(), "甲".into());
    NewIncident {
        category,
        title,
        photos,
        ..NewIncident::default()
    }
}

#[test]
fn a_full_disk_is_told_changes_nothing_and_passes() {
    let Some(small) = Small::mount() else {
        // Mounting needs root, which CI has and must say so. The engine's own
        // tests fill a file up to a limit of pages, which needs nothing.
        assert_ne!(
            std::env::var("GRIDWALK_NEED_ROOT").as_deref(),
            Ok("1"),
            "cannot mount"
        );
        return;
    };
    let phone = Phone::on_patrol(small.path(), true).expect("a phone");
    let engine = phone.open().expect("opens");
    let before: Vec<Fix> = (0..10).map(fix).collect();
    engine.record(&before).expect("records");
    let status = engine.status().expect("reads");
    small.fill();

    // The journal grows within its last page for a while; then it is told.
    let mut recorded = 10;
    let error = loop {
        match engine.record(&[fix(recorded)]) {
            Ok(done) => recorded += i64::from(done.acked > 0),
            Err(error) => break error,
        }
        assert!(recorded < 2_000, "the disk is full and nobody says so");
    };
    assert_eq!(error, EngineError::DiskFull);
    assert_eq!(
        engine.report_incident(incident(vec![photo()])),
        Err(EngineError::DiskFull)
    );
    assert_eq!(engine.incidents(), Ok(vec![]));
    let full = engine.status().expect("reads");
    assert_eq!(full.unsent.ops, status.unsent.ops);
    assert_eq!(
        full.patrol.as_ref().map(|patrol| patrol.fixes),
        u64::try_from(recorded).ok()
    );
    drop(engine);

    let told = phone
        .command(GRIDWALK)
        .args([
            "incident",
            "new",
            "--category",
            "hygiene",
            "--title",
            "甲",
            "--photo",
        ])
        .arg({
            let file =
                std::env::temp_dir().join(format!("gridwalk-full-{}.png", std::process::id()));
            fs::write(&file, photo().bytes).expect("writes");
            file
        })
        .output()
        .expect("runs");
    let line = String::from_utf8(told.stderr).expect("text");
    assert!(
        !told.status.success() && line.lines().count() == 1,
        "{line}"
    );
    assert!(
        line.contains("存储空间已满") && line.contains("no room is left"),
        "{line}"
    );

    small.make_room();
    let engine = phone.open().expect("opens");
    engine.record(&[fix(recorded)]).expect("records again");
    let id = engine
        .report_incident(incident(vec![photo()]))
        .expect("reports");
    assert_eq!(engine.incident(id).expect("there").photos.len(), 1);
    let patrol = engine.finish_patrol().expect("finishes");
    assert_eq!(u64::try_from(recorded + 1), Ok(patrol.fixes));
    let csv = engine.export(patrol.patrol, Format::Csv).expect("exports");
    assert_eq!(
        csv.lines().count() as u64,
        patrol.fixes + 1,
        "each once, and the header"
    );
    drop(engine);
    assert_eq!(phone.integrity().expect("opens"), "ok");
}
