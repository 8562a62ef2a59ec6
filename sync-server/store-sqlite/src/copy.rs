//! Whole files: copied, replaced, checked, rewritten.

use gridwalk_store::StoreError;
use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use std::fs::{self, File};
use std::path::Path;

use crate::bind::{all, error, one};
use crate::checkpoint::Checkpointer;
use crate::{Borrowed, FILE_NAME, Mode, OpenError, SqliteStore, lock};

type Result<T, E = StoreError> = std::result::Result<T, E>;

fn failed(why: &dyn std::fmt::Display) -> StoreError {
    StoreError::Failed(why.to_string())
}

fn disk(why: &std::io::Error) -> StoreError {
    match why.kind() {
        std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => StoreError::Full,
        _ => failed(why),
    }
}

/// Opens a file that nobody changes: nothing is locked or written.
pub(crate) fn open_still(path: &Path) -> Result<Connection, rusqlite::Error> {
    let path = path.to_string_lossy();
    let escaped: String = path
        .chars()
        .map(|c| match c {
            '%' => "%25".to_owned(),
            '?' => "%3f".to_owned(),
            '#' => "%23".to_owned(),
            other => other.to_string(),
        })
        .collect();
    Connection::open_with_flags(
        format!("file:{escaped}?immutable=1"),
        OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI,
    )
}

/// All pages in one step, so that they are of one committed state.
fn pour(from: &Connection, into: &mut Connection) -> Result<()> {
    let backup = Backup::new(from, into).map_err(error)?;
    match backup.step(-1).map_err(error)? {
        StepResult::Done => Ok(()),
        StepResult::More => Err(failed(&"the copy was not whole")),
        StepResult::Busy | StepResult::Locked => Err(failed(&"another process holds the file")),
        other => Err(failed(&format!("the copy ended with {other:?}"))),
    }
}

impl SqliteStore {
    /// A connection of its own that reads.
    fn borrow(&self) -> Result<Borrowed<'_>> {
        Ok(Borrowed {
            store: self,
            connection: Some(self.reader()?),
        })
    }

    pub(crate) fn copy_into(&self, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder).map_err(|why| disk(&why))?;
        let path = folder.join(FILE_NAME);
        if path.exists() {
            let text = format!("{} is there already", path.display());
            return Err(StoreError::Refused(text));
        }
        let borrowed = self.borrow()?;
        if let Some(from) = &borrowed.connection {
            let mut into = Connection::open(&path).map_err(error)?;
            pour(from, &mut into)?;
        }
        File::open(&path)
            .and_then(|file| file.sync_all())
            .and_then(|()| File::open(folder)?.sync_all())
            .map_err(|why| disk(&why))?;
        Self::open(folder).map_err(|why| match why {
            OpenError::Folder { why, .. } => disk(&why),
            other => failed(&other),
        })
    }

    pub(crate) fn replace_by(&self, copy: &Self) -> Result<()> {
        let borrowed = copy.borrow()?;
        let Some(from) = &borrowed.connection else {
            return Ok(());
        };
        // In WAL mode this is one transaction of the file: readers go on with
        // the state that they began with.
        pour(from, &mut lock(&self.writer))
    }

    pub(crate) fn check_integrity(&self) -> Result<()> {
        let borrowed = self.borrow()?;
        let Some(connection) = &borrowed.connection else {
            return Ok(());
        };
        let said = all(connection, "PRAGMA integrity_check", [], |cells| {
            cells.text(0)
        })?;
        match said.as_slice() {
            [ok] if ok == "ok" => Ok(()),
            _ => Err(StoreError::Damaged(said.join("; "))),
        }
    }

    /// Writes the file anew. To overwrite what is deleted (`secure_delete`) would
    /// not do: when SQLite moves rows between pages, it leaves copies of them in
    /// the unused part of the page that they come from.
    pub(crate) fn rewrite(&self) -> Result<()> {
        if self.mode == Mode::Still {
            return Err(failed(&"a copy that stays as it is cannot be rewritten"));
        }
        let connection = lock(&self.writer);
        let _still = self.checkpointer.as_ref().map(Checkpointer::hold);
        // The rewritten file may be larger than memory.
        let set = |name| connection.pragma_update(None, "temp_store", name);
        set("file").map_err(error)?;
        let rewritten = connection.execute_batch("VACUUM").map_err(error);
        set("memory").map_err(error)?;
        rewritten?;
        let busy = one(
            &connection,
            "PRAGMA wal_checkpoint(TRUNCATE)",
            [],
            |cells| cells.flag(0),
        )?;
        match busy {
            Some(false) => Ok(()),
            _ => Err(failed(&"somebody reads an old state; try again later")),
        }
    }
}
