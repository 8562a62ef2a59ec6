//! `./dev bench recorder`: what the recorder writes, keeps and takes, beside a
//! row for each fix in the same kind of database.
//!
//! Flash written is what the kernel counts for this process (`write_bytes` of
//! `/proc/self/io`): 4 KiB pages handed to the storage, the same page again
//! each time that it was synced and touched anew. The folder must lie on a
//! disk, not in memory.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

use anyhow::{Context as _, Result};
use clap::Parser;
use gridwalk_bench::days::{Day, Plan};
use gridwalk_bench::{arguments, traces::MEASURED_FROM};
use gridwalk_crash::Phone;
use gridwalk_domain::{BootId, Clock, Fix, Moment};
use rusqlite::{Connection, params};
use serde::Serialize;

#[derive(Parser)]
struct Args {
    /// One JSON object on the last line
    #[arg(long)]
    json: bool,
}

/// Days that one phone records, one fix a call.
const DAYS: u64 = 4;
/// Fixes that are written as rows, each in a commit of its own.
const ROWS: usize = 3_000;

#[derive(Serialize)]
struct Report {
    flash_b: Option<f64>,
    disk_b: f64,
    fixes_s: f64,
    row_flash_b: Option<f64>,
    row_disk_b: f64,
    row_fixes_s: f64,
}

/// A clock that stands where the last fix was.
struct Turned(AtomicI64);

impl Clock for Turned {
    fn now(&self) -> Moment {
        let wall_ms = self.0.load(Ordering::Relaxed);
        Moment {
            wall_ms,
            boot: BootId::from_bytes([1; 16]),
            mono_ms: wall_ms - 1_700_000_000_000,
        }
    }
}

fn main() -> Result<()> {
    let args = Args::parse_from(arguments());
    let days: Vec<Fix> = (0..DAYS)
        .flat_map(|n| {
            let mut fixes = Day::new(MEASURED_FROM + n, Plan::DAY).fixes;
            // One day after the other.
            let first = fixes.first().map_or(0, |f| f.time_ms);
            for fix in &mut fixes {
                fix.time_ms += 1_795_000_000_000 - first + n.cast_signed() * 86_400_000;
            }
            fixes
        })
        .collect();
    let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
    let ours = ours(folder.path(), &days)?;
    let rows = rows(folder.path(), &days[..ROWS])?;
    let report = Report {
        flash_b: ours.flash,
        disk_b: ours.disk,
        fixes_s: ours.fixes_s,
        row_flash_b: rows.flash,
        row_disk_b: rows.disk,
        row_fixes_s: rows.fixes_s,
    };
    let mut out = std::io::stdout().lock();
    writeln!(
        out,
        "{} fixes of {DAYS} synthetic days, position, accuracy and speed, under a key",
        days.len()
    )?;
    writeln!(out, "                 flash B/fix   disk B/fix    fixes/s")?;
    for (name, figures) in [("the recorder", &ours), ("a row a fix", &rows)] {
        let flash = figures.flash.map_or("?".to_owned(), |b| format!("{b:.0}"));
        let (disk, fixes_s) = (figures.disk, figures.fixes_s);
        writeln!(out, "{name:<17}{flash:>11}{disk:>13.2}{fixes_s:>11.0}")?;
    }
    if args.json {
        writeln!(out, "{}", serde_json::to_string(&report)?)?;
    }
    Ok(())
}

struct Figures {
    flash: Option<f64>,
    disk: f64,
    fixes_s: f64,
}

/// What happens from now on, by fix.
struct Measured {
    flash: Option<u64>,
    disk: u64,
    start: Instant,
}

impl Measured {
    #[expect(clippy::disallowed_methods, reason = "a bench measures time")]
    fn begin(folder: &Path) -> Result<Self> {
        Ok(Self {
            flash: flash(),
            disk: size(folder)?,
            start: Instant::now(),
        })
    }

    /// `seconds` is the time of the writing alone.
    #[expect(clippy::cast_precision_loss, reason = "counts of bytes and fixes")]
    fn end(&self, folder: &Path, fixes: usize, seconds: f64) -> Result<Figures> {
        let each = |bytes: u64| bytes as f64 / fixes as f64;
        let flash = flash().zip(self.flash).map(|(now, then)| each(now - then));
        Ok(Figures {
            flash,
            disk: each(size(folder)?.saturating_sub(self.disk)),
            fixes_s: fixes as f64 / seconds,
        })
    }
}

fn ours(folder: &Path, fixes: &[Fix]) -> Result<Figures> {
    let folder = &folder.join("ours");
    fs::create_dir(folder)?;
    let clock = Arc::new(Turned(AtomicI64::new(fixes[0].time_ms - 1000)));
    let phone = Phone::on_patrol_at(folder, true, clock.clone())?;
    let measured = Measured::begin(folder)?;
    let engine = phone.open_at(clock.clone())?;
    for fix in fixes {
        clock.0.store(fix.time_ms, Ordering::Relaxed);
        engine.record(std::slice::from_ref(fix))?;
    }
    let seconds = measured.start.elapsed().as_secs_f64();
    engine.finish_patrol()?;
    drop(engine);
    measured.end(folder, fixes.len(), seconds)
}

fn rows(folder: &Path, fixes: &[Fix]) -> Result<Figures> {
    let folder = &folder.join("rows");
    fs::create_dir(folder)?;
    let open = || -> Result<Connection> {
        let file = Connection::open(folder.join("rows.db"))?;
        file.pragma_update(None, "key", format!("x'{}'", "c5".repeat(32)))?;
        file.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
        file.pragma_update(None, "synchronous", "FULL")?;
        Ok(file)
    };
    open()?.execute_batch(
        "CREATE TABLE fix (patrol INTEGER, time_ms INTEGER, lat REAL, lon REAL, accuracy REAL, speed REAL)",
    )?;
    let measured = Measured::begin(folder)?;
    let file = open()?;
    for fix in fixes {
        file.prepare_cached("INSERT INTO fix VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
            .execute(params![
                1,
                fix.time_ms,
                fix.position.lat,
                fix.position.lon,
                fix.accuracy_m,
                fix.speed_mps
            ])?;
    }
    let seconds = measured.start.elapsed().as_secs_f64();
    file.close().map_err(|(_, why)| why)?;
    measured.end(folder, fixes.len(), seconds)
}

fn flash() -> Option<u64> {
    let io = fs::read_to_string("/proc/self/io").ok()?;
    let line = io.lines().find_map(|l| l.strip_prefix("write_bytes: "))?;
    line.parse().ok()
}

/// The bytes of all files of a folder.
fn size(folder: &Path) -> Result<u64> {
    let mut bytes = 0;
    for entry in fs::read_dir(folder).context("the bench's folder")? {
        bytes += entry?.metadata()?.len();
    }
    Ok(bytes)
}
