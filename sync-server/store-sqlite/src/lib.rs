//! The embedded store: one SQLite file in a folder, nothing to set up.
//!
//! WAL with `synchronous=FULL`: a commit that returned survives a power cut.
//! One connection writes, one transaction at a time; a few read, each on a
//! snapshot of its own. Another process (an `import` beside `serve`) may have
//! the file open too: SQLite's locks put its writes between ours.

mod bind;
mod checkpoint;
mod copy;
mod pack;
mod read;
mod rows;
mod write;

use checkpoint::Checkpointer;
use gridwalk_store::{Read, Store, StoreError, Write};
use rusqlite::{Connection, ErrorCode, TransactionBehavior};
use rusqlite_migration::{M, Migrations, SchemaVersion};
use std::any::Any;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The name of the file in its folder.
pub const FILE_NAME: &str = "gridwalk.sqlite";

/// How many connections read at once.
const READERS: usize = 8;
/// How long another process may hold the file before a write gives up.
const BUSY_TIMEOUT: Duration = Duration::from_secs(20);
/// What a connection keeps of the file, as SQLite takes it: minus so many KiB.
const CACHE_KIB: i64 = -16_384;
/// The same for the one that writes: one commit of many phones' batches changes
/// some ten thousand pages, and those that do not fit are written twice.
const WRITER_CACHE_KIB: i64 = -65_536;
/// Cached statements of a connection: all that this crate has.
const STATEMENTS: usize = 128;

/// How many migrations there are.
const MIGRATIONS: usize = 2;

fn migrations() -> Migrations<'static> {
    let all = [
        include_str!("../migrations/0001_first.sql"),
        include_str!("../migrations/0002_law_and_clock.sql"),
    ];
    let all: [&str; MIGRATIONS] = all;
    Migrations::new(all.map(M::up).to_vec())
}

/// Why a store could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The folder cannot be made or written.
    #[error("the data folder {path} cannot be used: {why}; choose another with --data")]
    Folder {
        /// Which.
        path: PathBuf,
        /// What the system says.
        why: std::io::Error,
    },
    /// The file is no database of ours, or is damaged.
    #[error(
        "{path} cannot be opened as Gridwalk's database: {why}; nothing was changed, restore a backup or choose another folder"
    )]
    File {
        /// Which.
        path: PathBuf,
        /// What SQLite says.
        why: String,
    },
    /// A newer version of the server wrote it.
    #[error("{path} was written by a newer version; upgrade this server")]
    Newer {
        /// Which.
        path: PathBuf,
    },
}

/// How a file is opened.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mode {
    /// To be read and written.
    Live,
    /// A copy that nobody changes: no file beside it is made or needed.
    Still,
}

/// The store.
pub struct SqliteStore {
    path: PathBuf,
    mode: Mode,
    writer: Mutex<Connection>,
    /// None where nothing is written.
    checkpointer: Option<Checkpointer>,
    readers: Mutex<Readers>,
    returned: Condvar,
}

#[derive(Default)]
struct Readers {
    idle: Vec<Connection>,
    open: usize,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A panic while a lock was held left a connection whose transaction was
    // rolled back when it was dropped: it can be used on.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl SqliteStore {
    /// Opens the store in `folder`, making both where they are missing, and
    /// brings its tables up to date.
    ///
    /// # Errors
    /// [`OpenError`]; an existing file is left as it was.
    pub fn open(folder: &Path) -> Result<Self, OpenError> {
        std::fs::create_dir_all(folder).map_err(|why| OpenError::Folder {
            path: folder.to_owned(),
            why,
        })?;
        let path = folder.join(FILE_NAME);
        let bad = |why: rusqlite::Error| OpenError::File {
            path: path.clone(),
            why: why.to_string(),
        };
        let mut writer = connect(&path, Mode::Live).map_err(bad)?;
        writer
            .pragma_update(None, "cache_size", WRITER_CACHE_KIB)
            .map_err(bad)?;
        migrations()
            .to_latest(&mut writer)
            .map_err(|error| match error {
                rusqlite_migration::Error::MigrationDefinition(
                    rusqlite_migration::MigrationDefinitionError::DatabaseTooFarAhead,
                ) => OpenError::Newer { path: path.clone() },
                other => OpenError::File {
                    path: path.clone(),
                    why: other.to_string(),
                },
            })?;
        let beside = connect(&path, Mode::Live).map_err(bad)?;
        let checkpointer = Checkpointer::start(&writer, beside);
        Ok(Self {
            path,
            mode: Mode::Live,
            writer: Mutex::new(writer),
            checkpointer: Some(checkpointer),
            readers: Mutex::default(),
            returned: Condvar::new(),
        })
    }

    /// Opens the copy in `folder` to be read alone: its file stays as it is, byte
    /// for byte. Nobody may write to it meanwhile.
    ///
    /// # Errors
    /// [`OpenError`], also where the file is of another version's tables.
    pub fn open_still(folder: &Path) -> Result<Self, OpenError> {
        let path = folder.join(FILE_NAME);
        let bad = |why: String| OpenError::File {
            path: path.clone(),
            why,
        };
        let writer = connect(&path, Mode::Still).map_err(|why| bad(why.to_string()))?;
        match migrations().current_version(&writer) {
            Ok(SchemaVersion::Inside(n)) if n.get() == MIGRATIONS => {}
            Ok(SchemaVersion::Outside(_)) => return Err(OpenError::Newer { path }),
            Ok(_) => return Err(bad("its tables are those of an older version".to_owned())),
            Err(why) => return Err(bad(why.to_string())),
        }
        Ok(Self {
            path,
            mode: Mode::Still,
            writer: Mutex::new(writer),
            checkpointer: None,
            readers: Mutex::default(),
            returned: Condvar::new(),
        })
    }

    fn reader(&self) -> Result<Connection, StoreError> {
        let mut readers = lock(&self.readers);
        loop {
            if let Some(connection) = readers.idle.pop() {
                return Ok(connection);
            }
            if readers.open < READERS {
                let connection = connect(&self.path, self.mode).map_err(bind::error)?;
                connection
                    .pragma_update(None, "query_only", true)
                    .map_err(bind::error)?;
                readers.open += 1;
                return Ok(connection);
            }
            readers = self
                .returned
                .wait(readers)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// Gives a connection back to the pool, whatever happened to its user.
struct Borrowed<'a> {
    store: &'a SqliteStore,
    connection: Option<Connection>,
}

impl Drop for Borrowed<'_> {
    fn drop(&mut self) {
        let mut readers = lock(&self.store.readers);
        match self.connection.take() {
            Some(connection) if connection.is_autocommit() => readers.idle.push(connection),
            // It cannot be trusted: the next one opens anew.
            _ => readers.open -= 1,
        }
        drop(readers);
        self.store.returned.notify_one();
    }
}

fn connect(path: &Path, mode: Mode) -> Result<Connection, rusqlite::Error> {
    let connection = match mode {
        Mode::Live => Connection::open(path)?,
        Mode::Still => copy::open_still(path)?,
    };
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS);
    if mode == Mode::Live {
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "journal_size_limit", 64 * 1024 * 1024)?;
    }
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "temp_store", "memory")?;
    connection.pragma_update(None, "cache_size", CACHE_KIB)?;
    rusqlite::vtab::array::load_module(&connection)?;
    Ok(connection)
}

/// A transaction's connection.
struct Tx<'a> {
    connection: &'a Connection,
    savepoints: usize,
}

impl Store for SqliteStore {
    fn read(
        &self,
        run: &mut dyn FnMut(&dyn Read) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut borrowed = Borrowed {
            store: self,
            connection: Some(self.reader()?),
        };
        let Some(connection) = borrowed.connection.as_mut() else {
            return Ok(());
        };
        let tx = connection
            .transaction_with_behavior(TransactionBehavior::Deferred)
            .map_err(bind::error)?;
        // The snapshot is taken by the first read, not by BEGIN.
        run(&Tx {
            connection: &tx,
            savepoints: 0,
        })
    }

    fn write(
        &self,
        run: &mut dyn FnMut(&mut dyn Write) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut connection = lock(&self.writer);
        let tx = connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(bind::error)?;
        run(&mut Tx {
            connection: &tx,
            savepoints: 0,
        })?;
        tx.commit().map_err(|error| match bind::error(error) {
            // A commit that fails has stored nothing, whatever it was.
            StoreError::Refused(why) | StoreError::Damaged(why) => StoreError::Failed(why),
            other => other,
        })?;
        if let Some(checkpointer) = &self.checkpointer {
            checkpointer.committed();
        }
        Ok(())
    }

    fn copy(&self, folder: &Path) -> Result<Arc<dyn Store>, StoreError> {
        self.copy_into(folder)
            .map(|store| Arc::new(store) as Arc<dyn Store>)
    }

    fn replace(&self, copy: &dyn Store) -> Result<(), StoreError> {
        let copy = copy.as_any().downcast_ref::<Self>();
        let other_sort = || StoreError::Refused("the copy is of another sort of store".to_owned());
        self.replace_by(copy.ok_or_else(other_sort)?)
    }

    fn check(&self) -> Result<(), StoreError> {
        self.check_integrity()
    }

    fn scrub(&self) -> Result<(), StoreError> {
        self.rewrite()
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// Whether the error says that the file's disk is full.
fn is_full(code: ErrorCode) -> bool {
    code == ErrorCode::DiskFull
}

#[cfg(test)]
mod tests;
