//! A phone that was reported stolen: everything on it goes.
//!
//! That it is to go is written beside the data first, so that neither a kill
//! nor a network that is taken away saves anything: whatever is left is
//! destroyed when the file is opened next. Files are overwritten before they
//! are removed; flash may keep old blocks all the same, which is why the shell
//! then destroys the key.

use std::io;
use std::path::{Path, PathBuf};

use crate::disk::{self, Disk, OpenFor};
use crate::error::Inner;
use crate::store::{all_beside, aside, beside};

/// How much is overwritten at a time.
static ZEROS: [u8; 64 * 1024] = [0; 64 * 1024];

/// Whether a file whose name goes on like this after the data file's is the
/// engine's.
fn is_ours(rest: &str) -> bool {
    matches!(rest, "" | "-wal" | "-shm" | "-lock")
        || rest.starts_with("-journal")
        || aside::is_aside(rest)
}

fn mark_of(path: &Path) -> PathBuf {
    beside(path, "-wiped")
}

/// Notes that everything is to go.
pub(crate) fn order(disk: &dyn Disk, path: &Path) -> Inner<()> {
    let mark = mark_of(path);
    let mut file = disk.open(&mark, OpenFor::Writing)?;
    file.write_at(0, b"wiped")?;
    file.sync()?;
    Ok(disk::sync_name(disk, &mark)?)
}

/// Whether everything is to go.
pub(crate) fn is_ordered(disk: &dyn Disk, path: &Path) -> Inner<bool> {
    Ok(disk.len(&mark_of(path))?.is_some())
}

/// Destroys the data file and all that lies beside it, files that were set
/// aside too; at last the order itself. After an error the next call goes on.
pub(crate) fn carry_out(disk: &dyn Disk, path: &Path) -> Inner<()> {
    let folder = disk::folder(path);
    let blobs = beside(path, "-blobs");
    let mark = mark_of(path);
    let ours = all_beside(disk, path, is_ours)?;
    let mut failed = None;
    for file in disk.list(&blobs)?.into_iter().chain(ours) {
        if let Err(error) = destroy(disk, &file) {
            failed = failed.or(Some(error));
        }
    }
    if let Some(error) = failed {
        return Err(error.into());
    }
    if disk.len(&mark)?.is_some() {
        disk.remove(&mark)?;
    }
    Ok(disk.sync_folder(folder)?)
}

fn destroy(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    let mut file = disk.open(path, OpenFor::Writing)?;
    let size = file.size()?;
    let mut at = 0;
    while at < size {
        let rest = usize::try_from(size - at).unwrap_or(ZEROS.len());
        let piece = &ZEROS[..rest.min(ZEROS.len())];
        file.write_at(at, piece)?;
        at += piece.len() as u64;
    }
    file.sync()?;
    drop(file);
    disk.remove(path)
}
