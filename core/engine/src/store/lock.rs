//! One engine a file: two writers on one outbox would break its lanes.

use std::fs::{File, TryLockError};
use std::io::{Read as _, Seek as _, Write as _};
use std::path::Path;

use super::{beside, private};
use crate::error::{EngineError, Inner};

/// Held while the engine is open; the system lets go of it when the process
/// dies, however it dies.
pub(crate) struct Lock {
    file: File,
    key_check: Option<String>,
}

impl Lock {
    pub(super) fn take(path: &Path) -> Inner<Self> {
        let mut file = private().read(true).open(beside(path, "-lock"))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(EngineError::InUse.into()),
            Err(TryLockError::Error(error)) => return Err(error.into()),
        }
        let mut text = String::new();
        // A half-written line is as good as none.
        let read = file.read_to_string(&mut text).is_ok();
        let line = text.strip_suffix('\n').filter(|_| read);
        let key_check = line
            .and_then(|line| line.strip_prefix("gridwalk 1 "))
            .map(str::to_owned);
        Ok(Self { file, key_check })
    }

    /// What is known of the key that the data file was made with.
    pub(super) fn key_check(&self) -> Option<&str> {
        self.key_check.as_deref()
    }

    pub(super) fn keep_key_check(&mut self, check: &str) -> Inner<()> {
        self.file.set_len(0)?;
        self.file.rewind()?;
        self.file
            .write_all(format!("gridwalk 1 {check}\n").as_bytes())?;
        self.file.sync_all()?;
        self.key_check = Some(check.to_owned());
        Ok(())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Closing would do, were it not that a process that is just being
        // forked off elsewhere in this one holds the file for a moment more.
        let _ = self.file.unlock();
    }
}
