//! A damaged data file is moved aside with its log and its journal, and is
//! reported, never deleted: it may hold what was not sent. So is what is left of one
//! that is gone: an empty file then bears the name.
//!
//! Attachments stay where they are: they are named by content, the new data file
//! takes them up where they recur, and what no row of it names may belong to the
//! damaged one. So where one lies beside, nothing is tidied up, and a file goes only
//! where the server ordered it ([`crate::purge`]).
//!
//! A mark beside, of the damaged file's new name and [`BEGUN`], stays until all
//! is moved: a data file without its log could be whole, and of an earlier day.

use std::path::{Path, PathBuf};

use super::{all_beside, beside};
use crate::Config;
use crate::disk::{self, Disk, OpenFor};
use crate::error::{EngineError, Inner};

/// Goes on behind the data file's name, and a number.
const DAMAGED: &str = ".damaged-";
const BEGUN: &str = "-begun";

/// Whether a file whose name goes on like this after the data file's was set
/// aside.
pub(crate) fn is_aside(rest: &str) -> bool {
    rest.starts_with(DAMAGED)
}

/// What of the files beside this one was set aside.
fn all(disk: &dyn Disk, path: &Path) -> Inner<Vec<PathBuf>> {
    all_beside(disk, path, is_aside)
}

/// Whether a damaged file lies beside this one.
pub(crate) fn lies_beside(disk: &dyn Disk, path: &Path) -> Inner<bool> {
    Ok(!all(disk, path)?.is_empty())
}

/// Whether the data file is gone while what belonged to it is there. A first opening
/// that was cut short leaves nothing of this: the file is whole before it has a log.
pub(super) fn is_lost(config: &Config) -> Inner<bool> {
    let (disk, path) = (&*config.disk, &config.path);
    for suffix in ["-wal", "-journal.gw"] {
        if disk.len(&beside(path, suffix))?.is_some_and(|len| len > 0) {
            return Ok(true);
        }
    }
    let attachments = disk.list(&beside(path, "-blobs"))?;
    // They may belong to one that was set aside before.
    Ok(!attachments.is_empty() && !lies_beside(disk, path)?)
}

/// Moves the data file and what belongs to it aside.
pub(super) fn set_aside(config: &Config) -> Inner<EngineError> {
    let disk = &*config.disk;
    let base = format!("{DAMAGED}{}", config.clock.now().wall_ms);
    let mut kept = beside(&config.path, &base);
    let mut n = 1;
    while disk.len(&kept)?.is_some() {
        n += 1;
        kept = beside(&config.path, &format!("{base}-{n}"));
    }
    disk.open(&beside(&kept, BEGUN), OpenFor::Writing)?;
    disk::sync_name(disk, &kept)?;
    move_all(config, &kept)
}

/// Goes on with what a process that died began.
pub(super) fn finish(config: &Config) -> Inner<Option<EngineError>> {
    for mark in all(&*config.disk, &config.path)? {
        if let Some(kept) = mark.to_string_lossy().strip_suffix(BEGUN) {
            return move_all(config, Path::new(kept)).map(Some);
        }
    }
    Ok(None)
}

fn move_all(config: &Config, kept: &Path) -> Inner<EngineError> {
    let disk = &*config.disk;
    // An earlier version had a `-shm` too.
    for suffix in ["", "-wal", "-shm", "-journal.gw"] {
        let from = beside(&config.path, suffix);
        if disk.len(&from)?.is_some() {
            disk.rename(&from, &beside(kept, suffix))?;
        }
    }
    disk::sync_name(disk, kept)?;
    // The last step, so that whoever dies before it is told at the next opening.
    disk.remove(&beside(kept, BEGUN))?;
    Ok(EngineError::Damaged {
        set_aside: kept.display().to_string(),
    })
}
