//! SQLite's way to a [`SimDisk`]: a VFS for all of them, which finds the disk
//! that a path names.
//!
//! It does what SQLite's VFS for Unix does as far as a power cut can see it: a
//! log's or journal's first sync makes the names of its folder durable, and a
//! removal does where it is asked to. There is no shared memory: the engine
//! opens its file for one connection alone.
//!
//! This is the one place of the crate with unsafe code. SQLite calls plain C
//! functions with raw pointers; each block says why what it does with them
//! holds. No function here may panic: that would end the process.

#![expect(unsafe_code, reason = "SQLite's interface for file systems is C")]

use gridwalk_engine::{Disk as _, DiskFile as _, OpenFor};
use rusqlite::ffi::{self, sqlite3_file, sqlite3_int64, sqlite3_io_methods, sqlite3_vfs};
use std::ffi::{CStr, c_char, c_int, c_void};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use super::{Handle, SimDisk};

const NAME: &CStr = c"gridwalk-sim";
/// The longest path that SQLite may ask for.
const LONGEST_PATH: c_int = 512;
/// What SQLite's own VFS says of disks of today.
const SECTOR_BYTES: c_int = 4096;

/// An open file as SQLite holds it: the head that it knows, then ours.
#[repr(C)]
struct File {
    head: sqlite3_file,
    open: *mut Open,
}

struct Open {
    handle: Handle,
    path: PathBuf,
    /// A log or journal whose name is durable only after its first sync.
    name_unsynced: bool,
    delete_on_close: bool,
}

static METHODS: sqlite3_io_methods = sqlite3_io_methods {
    iVersion: 1,
    xClose: Some(close),
    xRead: Some(read),
    xWrite: Some(write),
    xTruncate: Some(truncate),
    xSync: Some(sync),
    xFileSize: Some(file_size),
    xLock: Some(lock),
    xUnlock: Some(lock),
    xCheckReservedLock: Some(check_reserved_lock),
    xFileControl: Some(file_control),
    xSectorSize: Some(sector_size),
    xDeviceCharacteristics: Some(device_characteristics),
    xShmMap: None,
    xShmLock: None,
    xShmBarrier: None,
    xShmUnmap: None,
    xFetch: None,
    xUnfetch: None,
};

/// Registers the VFS, once a process.
pub(super) fn name() -> &'static str {
    static NAMED: OnceLock<&'static str> = OnceLock::new();
    NAMED.get_or_init(|| {
        let vfs = Box::new(sqlite3_vfs {
            iVersion: 2,
            szOsFile: c_int::try_from(size_of::<File>()).unwrap_or(c_int::MAX),
            mxPathname: LONGEST_PATH,
            pNext: std::ptr::null_mut(),
            zName: NAME.as_ptr(),
            pAppData: std::ptr::null_mut(),
            xOpen: Some(open),
            xDelete: Some(delete),
            xAccess: Some(access),
            xFullPathname: Some(full_pathname),
            xDlOpen: None,
            xDlError: None,
            xDlSym: None,
            xDlClose: None,
            xRandomness: Some(randomness),
            xSleep: Some(sleep),
            xCurrentTime: Some(current_time),
            xGetLastError: None,
            xCurrentTimeInt64: Some(current_time_ms),
            xSetSystemCall: None,
            xGetSystemCall: None,
            xNextSystemCall: None,
        });
        // SAFETY: SQLite keeps the pointer for ever, and it is leaked here; all
        // that it leads to is static.
        unsafe { ffi::sqlite3_vfs_register(Box::into_raw(vfs), 0) };
        NAME.to_str().unwrap_or_default()
    })
}

pub(super) fn seed(seed: u64) {
    // Zero would mean the system's entropy.
    let seed = c_int::try_from(seed % 0x7fff_fffe).unwrap_or(0) + 1;
    // SAFETY: the arguments are those that this control takes: a number and a
    // connection, which may be none.
    unsafe {
        ffi::sqlite3_test_control(
            ffi::SQLITE_TESTCTRL_PRNG_SEED,
            seed,
            std::ptr::null_mut::<ffi::sqlite3>(),
        );
    }
}

/// The path that SQLite names.
///
/// # Safety
/// `name` is null or a C string that outlives the call.
unsafe fn path_of(name: *const c_char) -> Option<PathBuf> {
    if name.is_null() {
        return None;
    }
    // SAFETY: the caller's promise.
    let name = unsafe { CStr::from_ptr(name) };
    name.to_str().ok().map(PathBuf::from)
}

/// The open file behind SQLite's.
///
/// # Safety
/// `file` was opened by [`open`] and is not closed. SQLite uses a file from one
/// thread at a time.
unsafe fn open_of<'a>(file: *mut sqlite3_file) -> &'a mut Open {
    // SAFETY: `open` has put it there, and `close` alone takes it away.
    unsafe { &mut *(*file.cast::<File>()).open }
}

fn code(result: io::Result<()>, otherwise: c_int) -> c_int {
    match result {
        Ok(()) => ffi::SQLITE_OK,
        Err(error) if error.kind() == ErrorKind::StorageFull => ffi::SQLITE_FULL,
        Err(_) => otherwise,
    }
}

fn open_at(path: &Path, flags: c_int) -> io::Result<Open> {
    let disk = SimDisk::of_path(path).ok_or(ErrorKind::NotFound)?;
    let how = if flags & ffi::SQLITE_OPEN_CREATE == 0 {
        OpenFor::Reading
    } else {
        OpenFor::Writing
    };
    let journal = ffi::SQLITE_OPEN_WAL | ffi::SQLITE_OPEN_MAIN_JOURNAL;
    Ok(Open {
        handle: disk.open_file(path, how)?,
        path: path.to_owned(),
        name_unsynced: flags & journal != 0,
        delete_on_close: flags & ffi::SQLITE_OPEN_DELETEONCLOSE != 0,
    })
}

unsafe extern "C" fn open(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    file: *mut sqlite3_file,
    flags: c_int,
    out_flags: *mut c_int,
) -> c_int {
    let file = file.cast::<File>();
    // SAFETY: SQLite gives room for a `File`, as `szOsFile` says. Without
    // methods it will not call `close`.
    unsafe { (*file).head.pMethods = std::ptr::null() };
    // SAFETY: SQLite gives a C string, or null for a file without a name, of
    // which this engine has none: its temporary ones are in memory.
    let Some(path) = (unsafe { path_of(name) }) else {
        return ffi::SQLITE_CANTOPEN;
    };
    match open_at(&path, flags) {
        Ok(open) => {
            // SAFETY: as above; `out_flags` is null or room for a number.
            unsafe {
                (*file).open = Box::into_raw(Box::new(open));
                (*file).head.pMethods = &raw const METHODS;
                if !out_flags.is_null() {
                    *out_flags = flags;
                }
            }
            ffi::SQLITE_OK
        }
        Err(error) => code(Err(error), ffi::SQLITE_CANTOPEN),
    }
}

unsafe extern "C" fn close(file: *mut sqlite3_file) -> c_int {
    let file = file.cast::<File>();
    // SAFETY: SQLite closes what `open` opened, once.
    let open = unsafe { Box::from_raw((*file).open) };
    if open.delete_on_close {
        let _ = open.handle.disk.clone().remove(&open.path);
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn read(
    file: *mut sqlite3_file,
    out: *mut c_void,
    amount: c_int,
    at: sqlite3_int64,
) -> c_int {
    // SAFETY: an open file, and room for `amount` bytes.
    let (open, out) = unsafe {
        let amount = usize::try_from(amount).unwrap_or(0);
        let out = std::slice::from_raw_parts_mut(out.cast::<u8>(), amount);
        (open_of(file), out)
    };
    let at = u64::try_from(at).unwrap_or(0);
    let Ok(size) = open.handle.size() else {
        return ffi::SQLITE_IOERR_READ;
    };
    // What lies beyond the end reads as zeros, and SQLite is told.
    let there = usize::try_from(size.saturating_sub(at)).unwrap_or(usize::MAX);
    let there = there.min(out.len());
    let (within, beyond) = out.split_at_mut(there);
    beyond.fill(0);
    match open.handle.read_at(at, within) {
        Ok(()) if beyond.is_empty() => ffi::SQLITE_OK,
        Ok(()) => ffi::SQLITE_IOERR_SHORT_READ,
        Err(_) => ffi::SQLITE_IOERR_READ,
    }
}

unsafe extern "C" fn write(
    file: *mut sqlite3_file,
    bytes: *const c_void,
    amount: c_int,
    at: sqlite3_int64,
) -> c_int {
    // SAFETY: an open file, and `amount` bytes.
    let (open, bytes) = unsafe {
        let amount = usize::try_from(amount).unwrap_or(0);
        let bytes = std::slice::from_raw_parts(bytes.cast::<u8>(), amount);
        (open_of(file), bytes)
    };
    let at = u64::try_from(at).unwrap_or(0);
    code(open.handle.write_at(at, bytes), ffi::SQLITE_IOERR_WRITE)
}

unsafe extern "C" fn truncate(file: *mut sqlite3_file, size: sqlite3_int64) -> c_int {
    // SAFETY: an open file.
    let open = unsafe { open_of(file) };
    let size = u64::try_from(size).unwrap_or(0);
    code(open.handle.set_size(size), ffi::SQLITE_IOERR_TRUNCATE)
}

unsafe extern "C" fn sync(file: *mut sqlite3_file, _: c_int) -> c_int {
    // SAFETY: an open file.
    let open = unsafe { open_of(file) };
    if let Err(error) = open.handle.sync() {
        return code(Err(error), ffi::SQLITE_IOERR_FSYNC);
    }
    if open.name_unsynced {
        let folder = open.path.parent().unwrap_or(Path::new("/"));
        // Like SQLite's own, which tries it once and does not insist.
        let _ = open.handle.disk.sync_folder(folder);
        open.name_unsynced = false;
    }
    ffi::SQLITE_OK
}

unsafe extern "C" fn file_size(file: *mut sqlite3_file, out: *mut sqlite3_int64) -> c_int {
    // SAFETY: an open file.
    let open = unsafe { open_of(file) };
    match open.handle.size() {
        Ok(size) => {
            // SAFETY: room for a number.
            unsafe { *out = sqlite3_int64::try_from(size).unwrap_or(0) };
            ffi::SQLITE_OK
        }
        Err(_) => ffi::SQLITE_IOERR_FSTAT,
    }
}

/// One connection a file: the engine's own lock sees to that.
const unsafe extern "C" fn lock(_: *mut sqlite3_file, _: c_int) -> c_int {
    ffi::SQLITE_OK
}

unsafe extern "C" fn check_reserved_lock(_: *mut sqlite3_file, out: *mut c_int) -> c_int {
    // SAFETY: room for a number.
    unsafe { *out = 0 };
    ffi::SQLITE_OK
}

const unsafe extern "C" fn file_control(_: *mut sqlite3_file, _: c_int, _: *mut c_void) -> c_int {
    ffi::SQLITE_NOTFOUND
}

const unsafe extern "C" fn sector_size(_: *mut sqlite3_file) -> c_int {
    SECTOR_BYTES
}

/// As SQLite's own VFS promises, and as the disk keeps it: a torn write leaves
/// alone what it did not write.
const unsafe extern "C" fn device_characteristics(_: *mut sqlite3_file) -> c_int {
    ffi::SQLITE_IOCAP_POWERSAFE_OVERWRITE
}

unsafe extern "C" fn delete(_: *mut sqlite3_vfs, name: *const c_char, sync: c_int) -> c_int {
    // SAFETY: SQLite gives a C string.
    let Some(path) = (unsafe { path_of(name) }) else {
        return ffi::SQLITE_IOERR_DELETE;
    };
    let Some(disk) = SimDisk::of_path(&path) else {
        return ffi::SQLITE_IOERR_DELETE_NOENT;
    };
    let removed = disk.remove(&path).and_then(|()| match path.parent() {
        Some(folder) if sync != 0 => disk.sync_folder(folder),
        _ => Ok(()),
    });
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => ffi::SQLITE_IOERR_DELETE_NOENT,
        other => code(other, ffi::SQLITE_IOERR_DELETE),
    }
}

unsafe extern "C" fn access(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    what: c_int,
    out: *mut c_int,
) -> c_int {
    // SAFETY: SQLite gives a C string.
    let path = unsafe { path_of(name) };
    let size = path.and_then(|path| SimDisk::of_path(&path)?.len(&path).ok()?);
    // An empty file is as good as none, as SQLite's own VFS sees it.
    let there = size.is_some_and(|size| what != ffi::SQLITE_ACCESS_EXISTS || size > 0);
    // SAFETY: room for a number.
    unsafe { *out = c_int::from(there) };
    ffi::SQLITE_OK
}

unsafe extern "C" fn full_pathname(
    _: *mut sqlite3_vfs,
    name: *const c_char,
    room: c_int,
    out: *mut c_char,
) -> c_int {
    // SAFETY: SQLite gives a C string, and room for so many bytes.
    unsafe {
        let bytes = CStr::from_ptr(name).to_bytes_with_nul();
        if bytes.len() > usize::try_from(room).unwrap_or(0) {
            return ffi::SQLITE_CANTOPEN;
        }
        std::ptr::copy_nonoverlapping(bytes.as_ptr().cast::<c_char>(), out, bytes.len());
    }
    ffi::SQLITE_OK
}

/// SQLite takes its seed from its default VFS, see [`seed`].
unsafe extern "C" fn randomness(_: *mut sqlite3_vfs, amount: c_int, out: *mut c_char) -> c_int {
    // SAFETY: room for `amount` bytes.
    unsafe { std::ptr::write_bytes(out, 1, usize::try_from(amount).unwrap_or(0)) };
    amount
}

const unsafe extern "C" fn sleep(_: *mut sqlite3_vfs, microseconds: c_int) -> c_int {
    microseconds
}

/// Noon of 2026-11-21, as a Julian day; the engine never asks SQLite.
unsafe extern "C" fn current_time(_: *mut sqlite3_vfs, out: *mut f64) -> c_int {
    // SAFETY: room for a number.
    unsafe { *out = 2_461_366.0 };
    ffi::SQLITE_OK
}

unsafe extern "C" fn current_time_ms(_: *mut sqlite3_vfs, out: *mut sqlite3_int64) -> c_int {
    // SAFETY: room for a number.
    unsafe { *out = 2_461_366 * 86_400_000 };
    ffi::SQLITE_OK
}
