//! The phone's disk, as the engine uses it beside SQLite: the journal, the
//! attachments, the lock.
//!
//! All file work of the engine goes through [`Disk`], and SQLite's through the
//! VFS that [`Disk::vfs`] names, so that a simulation gives both one disk that
//! fills up, fails, and loses what was not synced.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

/// How a file is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum OpenFor {
    /// To be read; it must be there.
    Reading,
    /// To be read and written; an empty one is made where there is none.
    Writing,
    /// The same, but there must be none.
    New,
}

/// Where the engine's files are.
///
/// What is durable when:
/// - what was **written** survives the death of the app as soon as the call
///   returns, and a power cut once [`DiskFile::sync`] has returned. Until then a
///   power cut may keep any part of it and drop the rest; what lies outside of
///   the bytes written stays as it was;
/// - a **name** (a file made, renamed or removed) survives the death of the app
///   at once, and a power cut once [`Disk::sync_folder`] has returned for its
///   folder. A power cut may undo what was done since, the last first;
/// - a rename is atomic: the new name means the one file or the other.
///
/// Files and folders are made for their owner alone. All calls may come from
/// any thread.
///
/// # Errors
/// What the system says; [`ErrorKind::StorageFull`] where no room is left. A
/// write that failed may have been done in part, any other call that failed
/// has changed nothing.
#[expect(clippy::missing_errors_doc, reason = "said once, above")]
pub trait Disk: Send + Sync {
    /// The name of the SQLite VFS that sees the same files; none for SQLite's
    /// own.
    fn vfs(&self) -> Option<&str> {
        None
    }

    /// Opens a file.
    fn open(&self, path: &Path, how: OpenFor) -> io::Result<Box<dyn DiskFile>>;
    /// The length of a file; none where there is no such file.
    fn len(&self, path: &Path) -> io::Result<Option<u64>>;
    /// Gives a file another name, in the place of whatever bore it.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;
    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;
    /// The files of a folder, in no order; none where there is no such folder.
    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>>;
    /// Makes a folder where there is none. On return its name is durable.
    fn make_folder(&self, folder: &Path) -> io::Result<()>;
    /// Makes the names in a folder durable.
    fn sync_folder(&self, folder: &Path) -> io::Result<()>;
}

/// An open file.
#[expect(clippy::missing_errors_doc, reason = "said once, at Disk")]
pub trait DiskFile: Send {
    /// How many bytes it has.
    fn size(&self) -> io::Result<u64>;
    /// Fills `out` with what is at `at`; [`ErrorKind::UnexpectedEof`] where the
    /// file ends before.
    fn read_at(&mut self, at: u64, out: &mut [u8]) -> io::Result<()>;
    /// Writes at `at`, beyond the end if need be.
    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()>;
    /// Cuts it, or fills it up with zeros.
    fn set_size(&mut self, size: u64) -> io::Result<()>;
    /// Makes what was written, and the size, durable.
    fn sync(&mut self) -> io::Result<()>;
    /// Takes the file for this process alone, until it is dropped or the
    /// process dies; says whether it could.
    fn try_lock(&mut self) -> io::Result<bool>;
}

/// The whole of a file; none where there is no such file.
pub(crate) fn read(disk: &dyn Disk, path: &Path) -> io::Result<Option<Vec<u8>>> {
    match disk.open(path, OpenFor::Reading) {
        Ok(mut file) => read_all(&mut *file).map(Some),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The whole of an open file.
pub(crate) fn read_all(file: &mut dyn DiskFile) -> io::Result<Vec<u8>> {
    let size = usize::try_from(file.size()?).map_err(io::Error::other)?;
    let mut bytes = vec![0; size];
    file.read_at(0, &mut bytes)?;
    Ok(bytes)
}

/// Makes the name of a file durable.
pub(crate) fn sync_name(disk: &dyn Disk, path: &Path) -> io::Result<()> {
    disk.sync_folder(folder(path))
}

pub(crate) fn folder(path: &Path) -> &Path {
    let parent = path
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty());
    parent.unwrap_or(Path::new("."))
}

/// The system's disk.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemDisk;

/// A file of the system's disk.
struct SystemFile {
    file: File,
    locked: bool,
}

impl Disk for SystemDisk {
    fn open(&self, path: &Path, how: OpenFor) -> io::Result<Box<dyn DiskFile>> {
        let mut options = OpenOptions::new();
        options
            .read(true)
            .write(how != OpenFor::Reading)
            .create(how == OpenFor::Writing)
            .create_new(how == OpenFor::New);
        #[cfg(unix)]
        {
            use std::os::unix::fs::OpenOptionsExt as _;
            options.mode(0o600);
        }
        let file = options.open(path)?;
        Ok(Box::new(SystemFile {
            file,
            locked: false,
        }))
    }

    fn len(&self, path: &Path) -> io::Result<Option<u64>> {
        match fs::metadata(path) {
            Ok(file) => Ok(Some(file.len())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        match fs::read_dir(folder) {
            Ok(entries) => entries.map(|entry| Ok(entry?.path())).collect(),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(vec![]),
            Err(error) => Err(error),
        }
    }

    fn make_folder(&self, path: &Path) -> io::Result<()> {
        if !path.is_dir() {
            let mut builder = fs::DirBuilder::new();
            #[cfg(unix)]
            {
                use std::os::unix::fs::DirBuilderExt as _;
                builder.mode(0o700);
            }
            builder.recursive(true).create(path)?;
        }
        // It may have been made by a process that died before it synced.
        self.sync_folder(folder(path))
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        File::open(folder)?.sync_all()
    }
}

impl DiskFile for SystemFile {
    fn size(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read_at(&mut self, at: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(at))?;
        self.file.read_exact(out)
    }

    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(at))?;
        self.file.write_all(bytes)
    }

    fn set_size(&mut self, size: u64) -> io::Result<()> {
        self.file.set_len(size)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn try_lock(&mut self) -> io::Result<bool> {
        match self.file.try_lock() {
            Ok(()) => self.locked = true,
            Err(TryLockError::WouldBlock) => return Ok(false),
            Err(TryLockError::Error(error)) => return Err(error),
        }
        Ok(true)
    }
}

impl Drop for SystemFile {
    fn drop(&mut self) {
        if self.locked {
            // Closing would do, were it not that a process that is just being
            // forked off elsewhere in this one holds the file for a moment more.
            let _ = self.file.unlock();
        }
    }
}
