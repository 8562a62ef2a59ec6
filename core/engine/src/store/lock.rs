//! One engine a file: two writers on one outbox would break its lanes.

use std::path::Path;

use super::beside;
use crate::disk::{self, Disk, DiskFile, OpenFor};
use crate::error::{EngineError, Inner};

/// Held while the engine is open; the system lets go of it when the process
/// dies, however it dies.
pub(crate) struct Lock {
    file: Box<dyn DiskFile>,
    key_check: Option<String>,
}

impl Lock {
    pub(super) fn take(disk: &dyn Disk, path: &Path) -> Inner<Self> {
        let mut file = disk.open(&beside(path, "-lock"), OpenFor::Writing)?;
        if !file.try_lock()? {
            return Err(EngineError::InUse.into());
        }
        let text = String::from_utf8(disk::read_all(&mut *file)?).unwrap_or_default();
        // A half-written line is as good as none.
        let line = text.strip_suffix('\n');
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
        self.file.set_size(0)?;
        self.file
            .write_at(0, format!("gridwalk 1 {check}\n").as_bytes())?;
        self.file.sync()?;
        self.key_check = Some(check.to_owned());
        Ok(())
    }
}
