//! The one SQLite file: opening, keys, damage.
//!
//! WAL, `synchronous=FULL`, one connection, one writer. Base tables have no
//! foreign keys: a child that comes before its parent waits unseen.
//!
//! A wrong key and a damaged first page look alike to SQLCipher. So the lock
//! file beside the data file holds a check of the key, derived one way: where
//! it fits and the file does not read, the file is damaged, and set [`aside`].

pub(crate) mod aside;
mod lock;
pub(crate) mod meta;
mod schema;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use rusqlite_migration::Error as MigrationError;
use std::path::{Path, PathBuf};
use std::sync::Once;

use crate::disk::{self, Disk, OpenFor};
use crate::error::{EngineError, Fault, Inner};
use crate::{Config, Key32};
pub(crate) use lock::Lock;

/// Fixed, so that an upgrade of SQLite never changes what files look like.
const PAGE_SIZE: u32 = 4096;

/// A file that lies beside the data file.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

/// What lies beside the data file under its name, where `is_meant` takes what the
/// name goes on with; the data file itself goes on with nothing.
pub(crate) fn all_beside(
    disk: &dyn Disk,
    path: &Path,
    is_meant: fn(&str) -> bool,
) -> Inner<Vec<PathBuf>> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let mut files = disk.list(disk::folder(path))?;
    files.retain(|file| {
        let other = file.file_name().unwrap_or_default().to_string_lossy();
        other.strip_prefix(name.as_ref()).is_some_and(is_meant)
    });
    Ok(files)
}

/// Opens the data file, making it where there is none.
pub(crate) fn open(config: &Config) -> Inner<(Connection, Lock)> {
    let mut lock = Lock::take(&*config.disk, &config.path)?;
    if let Some(damaged) = aside::finish(config)? {
        return Err(damaged.into());
    }
    let existed = config.disk.len(&config.path)?.is_some_and(|len| len > 0);
    let check = key_check(config.key.as_ref());
    if existed {
        refuse_misfit(config, &lock, &check)?;
        sync_log(config)?;
    } else if aside::is_lost(config)? {
        refuse_other_key(&lock, &check)?;
        make_file(config)?;
        return Err(aside::set_aside(config)?.into());
    } else {
        // Known before the file begins: where a power cut tears its first page
        // it is ours all the same, and damaged.
        lock.keep_key_check(&check)?;
        make_file(config)?;
    }
    match connect(config, existed) {
        Ok(conn) => {
            if lock.key_check() != Some(check.as_str()) {
                lock.keep_key_check(&check)?;
            }
            Ok((conn, lock))
        }
        Err(fault) if existed && unreadable(&fault) => {
            if lock.key_check() == Some(check.as_str()) {
                Err(aside::set_aside(config)?.into())
            } else {
                Err(EngineError::WrongKey.into())
            }
        }
        Err(fault) => Err(fault),
    }
}

/// Makes the data file, empty. SQLite gives its other files the rights of this one.
fn make_file(config: &Config) -> Inner<()> {
    config.disk.open(&config.path, OpenFor::Writing)?;
    Ok(disk::sync_name(&*config.disk, &config.path)?)
}

fn refuse_other_key(lock: &Lock, check: &str) -> Inner<()> {
    match lock.key_check() {
        Some(known) if known != check => Err(EngineError::WrongKey.into()),
        _ => Ok(()),
    }
}

/// Tells a plain file from an encrypted one before SQLite touches it.
fn refuse_misfit(config: &Config, lock: &Lock, check: &str) -> Inner<()> {
    refuse_other_key(lock, check)?;
    let mut head = [0; 16];
    let mut file = config.disk.open(&config.path, OpenFor::Reading)?;
    let whole = file.read_at(0, &mut head).is_ok();
    let plain = whole && &head == b"SQLite format 3\0";
    let misfit = match &config.key {
        Some(_) => plain,
        // Without a check the file may well be a foreign one: leave it alone.
        None => !plain && lock.key_check().is_none(),
    };
    if misfit {
        Err(EngineError::WrongKey.into())
    } else {
        Ok(())
    }
}

/// What an earlier process had committed and not synced yet when it was killed
/// will be seen: it becomes durable before anything is built on it.
fn sync_log(config: &Config) -> Inner<()> {
    let (disk, log) = (&*config.disk, beside(&config.path, "-wal"));
    if disk.len(&log)?.is_some() {
        disk.open(&log, OpenFor::Writing)?.sync()?;
        disk::sync_name(disk, &log)?;
    }
    Ok(())
}

fn key_check(key: Option<&Key32>) -> String {
    match key {
        None => "plain".to_owned(),
        Some(key) => hex::encode(&key.derive(b"gridwalk key check 1").bytes()[..16]),
    }
}

/// SQLite counts as ready before SQLCipher is, which it calls last: whoever
/// opens a file in between is refused. So a process's first opening is of
/// nothing, and all others wait for its end.
fn prepare_library() {
    static FIRST: Once = Once::new();
    // Where this fails the opening that follows does too, and says why.
    FIRST.call_once(|| drop(Connection::open_in_memory()));
}

fn connect(config: &Config, existed: bool) -> Inner<Connection> {
    prepare_library();
    let flags = OpenFlags::default();
    let mut conn = match config.disk.vfs() {
        None => Connection::open_with_flags(&config.path, flags)?,
        Some(vfs) => Connection::open_with_flags_and_vfs(&config.path, flags, vfs)?,
    };
    // A file that turns out to be damaged is left as it was found: closing it would
    // copy the log over pages that may be the better ones.
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
    if let Some(key) = &config.key {
        apply_key(&conn, key)?;
    }
    // One engine a file: the index of the log needs no memory that is shared.
    conn.pragma_update_and_check(None, "locking_mode", "EXCLUSIVE", |_| Ok(()))?;
    conn.pragma_update(None, "page_size", PAGE_SIZE)?;
    conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    conn.pragma_update_and_check(None, "journal_mode", "WAL", |_| Ok(()))?;
    conn.pragma_update(None, "synchronous", "FULL")?;
    conn.pragma_update(None, "fullfsync", true)?;
    conn.pragma_update(None, "foreign_keys", false)?;
    conn.pragma_update(None, "temp_store", "MEMORY")?;
    // What is deleted is gone from the file.
    conn.pragma_update_and_check(None, "secure_delete", true, |_| Ok(()))?;
    // Pages that were freed are not reused before the log was copied back: a
    // log of some 1 MB is enough for a phone.
    conn.pragma_update(None, "wal_autocheckpoint", 256)?;
    if existed {
        let found: u32 = conn.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if found > schema::VERSION {
            return Err(EngineError::TooNew {
                found,
                known: schema::VERSION,
            }
            .into());
        }
        let verdict: String = conn.query_row("PRAGMA quick_check(1)", [], |row| row.get(0))?;
        if verdict != "ok" {
            return Err(Fault::Row("the data file"));
        }
    }
    migrate(&mut conn)?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, false)?;
    conn.set_prepared_statement_cache_capacity(64);
    Ok(conn)
}

/// Writes the data file anew, copies the log back into it and cuts it: pages as
/// they were before are nowhere any more, and neither are the cells that SQLite
/// left in the unused part of a page when it moved them (docs/adr/0007).
pub(crate) fn rewrite(conn: &Connection) -> Inner<()> {
    conn.execute_batch("VACUUM")?;
    Ok(conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?)
}

/// Tables in memory, for tests of what works on them.
#[cfg(test)]
pub(crate) fn in_memory() -> Connection {
    prepare_library();
    let mut conn = Connection::open_in_memory().expect("opens");
    migrate(&mut conn).expect("migrates");
    conn
}

/// Brings the tables up to this version.
fn migrate(conn: &mut Connection) -> Inner<()> {
    schema::migrations()
        .to_latest(conn)
        .map_err(|error| match error {
            MigrationError::RusqliteError { err, .. } => Fault::Sql(err),
            _ => Fault::Row("the data file's version"),
        })
}

fn apply_key(conn: &Connection, key: &Key32) -> Inner<()> {
    let cipher: Option<String> = conn
        .query_row("PRAGMA cipher_version", [], |row| row.get(0))
        .map(Some)
        .or_else(|error| match error {
            rusqlite::Error::QueryReturnedNoRows => Ok(None),
            other => Err(other),
        })?;
    if cipher.is_none() {
        return Err(EngineError::NoCipher.into());
    }
    // A raw key: deriving one from a passphrase would cost 240 ms an opening.
    let raw = zeroize::Zeroizing::new(format!("x'{}'", hex::encode(key.bytes())));
    conn.pragma_update(None, "key", raw.as_str())?;
    Ok(())
}

fn unreadable(fault: &Fault) -> bool {
    match fault {
        Fault::Sql(error) => matches!(
            error.sqlite_error_code(),
            Some(ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt)
        ),
        Fault::Row(_) => true,
        _ => false,
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
