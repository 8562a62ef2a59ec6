//! The disk under SQLite and under the engine's own files.

use super::*;
use gridwalk_engine::{Disk as _, OpenFor};
use rusqlite::{Connection, OpenFlags};

fn connect(disk: &SimDisk) -> rusqlite::Result<Connection> {
    let (path, flags) = (disk.path("db"), OpenFlags::default());
    let file = Connection::open_with_flags_and_vfs(path, flags, vfs::name())?;
    for (name, value) in [
        ("locking_mode", "EXCLUSIVE"),
        ("journal_mode", "WAL"),
        ("synchronous", "FULL"),
        ("wal_autocheckpoint", "20"),
    ] {
        file.pragma_update(None, name, value)?;
    }
    file.execute_batch("CREATE TABLE IF NOT EXISTS t (n INTEGER PRIMARY KEY, text TEXT)")?;
    Ok(file)
}

fn save(file: &Connection, n: i64) -> rusqlite::Result<()> {
    let text = format!("{n} ").repeat(3000);
    file.execute("INSERT INTO t VALUES (?1, ?2)", (n, text))?;
    Ok(())
}

/// How many are there; none where the file is damaged.
fn found(file: &Connection) -> Option<i64> {
    let check: String = file
        .query_row("PRAGMA integrity_check", [], |row| row.get(0))
        .ok()?;
    let count = file.query_row("SELECT count(*) FROM t", [], |row| row.get(0));
    (check == "ok").then(|| count.ok())?
}

fn saved(file: &Connection) -> i64 {
    found(file).expect("the file is whole")
}

/// Saves until the phone dies at this step: how often it was told that all is
/// well, and whether it died at all.
fn save_until(disk: &SimDisk, step: u64) -> (i64, bool) {
    disk.die_at(step);
    let mut acked = 0;
    if let Ok(file) = connect(disk) {
        while acked < 12 && save(&file, acked).is_ok() {
            acked += 1;
        }
    }
    (acked, disk.is_dead())
}

#[test]
fn whatever_step_sqlite_is_stopped_at_what_it_committed_is_there() {
    for power in [false, true] {
        for step in 0.. {
            let disk = SimDisk::new(step);
            let (acked, died) = save_until(&disk, step);
            if power {
                disk.power_cut();
            } else {
                disk.revive();
            }
            let file = connect(&disk).expect("opens again");
            let found = saved(&file);
            assert!(
                (acked..=acked + 1).contains(&found),
                "{step}: {found} of {acked}"
            );
            if !died {
                assert!(step > 100, "{step} steps are few");
                break;
            }
        }
    }
}

#[test]
fn a_log_that_is_not_synced_loses_commits() {
    // The disk must be able to show a fault: without syncs there is one.
    let lost = (0..40).filter(|seed| {
        let disk = SimDisk::new(*seed);
        let file = connect(&disk).expect("opens");
        file.pragma_update(None, "synchronous", "OFF").expect("set");
        (0..8).for_each(|n| save(&file, n).expect("saves"));
        disk.die();
        drop(file);
        disk.power_cut();
        connect(&disk).ok().and_then(|file| found(&file)) != Some(8)
    });
    assert!(lost.count() > 10);
}

#[test]
fn a_full_disk_is_told_and_passes() {
    let disk = SimDisk::new(1);
    let file = connect(&disk).expect("opens");
    save(&file, 0).expect("saves");
    disk.full_from(disk.steps());
    let error = save(&file, 1).expect_err("is full");
    assert_eq!(
        error.sqlite_error_code(),
        Some(rusqlite::ErrorCode::DiskFull)
    );
    assert_eq!(saved(&file), 1);
    disk.mend();
    save(&file, 1).expect("saves");
    assert_eq!(saved(&file), 2);
}

#[test]
fn a_dead_process_writes_no_more_and_lets_go_of_its_locks() {
    let disk = SimDisk::new(1);
    let path = disk.path("f");
    let mut old = disk.open(&path, OpenFor::Writing).expect("opens");
    assert!(old.try_lock().expect("asks"));
    old.write_at(0, b"before").expect("writes");
    let mut other = disk.open(&path, OpenFor::Writing).expect("opens");
    assert!(!other.try_lock().expect("asks"));
    disk.die();
    assert!(old.write_at(0, b"after!").is_err());
    disk.revive();
    assert!(old.write_at(0, b"after!").is_err(), "still dead");
    let mut new = disk.open(&path, OpenFor::Reading).expect("opens");
    assert!(new.try_lock().expect("asks"));
    let mut bytes = [0; 6];
    new.read_at(0, &mut bytes).expect("reads");
    assert_eq!(&bytes, b"before");
}

#[test]
fn a_copy_has_all_files_and_a_life_of_its_own() {
    let disk = SimDisk::new(1);
    let file = connect(&disk).expect("opens");
    save(&file, 0).expect("saves");
    let copy = disk.copy(2);
    assert!(copy.holds(b"0 0 0 0").is_some());
    save(&file, 1).expect("saves");
    let other = connect(&copy).expect("opens");
    assert_eq!((saved(&file), saved(&other)), (2, 1));
}
