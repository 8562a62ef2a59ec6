//! Backups in folders.

use gridwalk_domain::Sha256;
use gridwalk_store_sqlite::{FILE_NAME, SqliteStore};
use serde::{Deserialize, Serialize};
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::path::Path;
use std::sync::Arc;

use super::backups::{Backup, Restored, Verified};
use super::error::AdminError;
use super::{Admin, blobs_in};
use crate::blobs::FolderBlobs;
use crate::hash::hash_of;

/// The file that says that a backup is whole: written last.
const MANIFEST: &str = "manifest.json";
/// The version of the manifest.
const VERSION: u32 = 1;

/// What is in a backup's folder besides attachments, which are named by their
/// hash.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The version of this shape.
    pub v: u32,
    /// The server's version.
    pub server: String,
    /// When it was made.
    pub made_ms: i64,
    /// The database's size in bytes.
    pub bytes: u64,
    /// The hash of the database's file.
    pub sha256: Sha256,
}

fn no_backup(folder: &Path, why: &dyn std::fmt::Display) -> AdminError {
    AdminError::NoBackup {
        folder: folder.display().to_string(),
        why: why.to_string(),
    }
}

fn hash_of_file(file: &Path) -> io::Result<(Sha256, u64)> {
    hash_of(&mut File::open(file)?, |_| ())
}

/// Opens a backup, whose database must be as its manifest says.
///
/// # Errors
/// [`AdminError::NoBackup`].
pub fn open_backup(folder: &Path) -> Result<Backup, AdminError> {
    let bad = |why: &dyn std::fmt::Display| no_backup(folder, why);
    let text = fs::read_to_string(folder.join(MANIFEST)).map_err(|why| bad(&why))?;
    let manifest: Manifest = serde_json::from_str(&text).map_err(|why| bad(&why))?;
    if manifest.v > VERSION {
        return Err(bad(&"it was made by a newer version"));
    }
    let found = hash_of_file(&folder.join(FILE_NAME)).map_err(|why| bad(&why))?;
    if found != (manifest.sha256, manifest.bytes) {
        return Err(bad(&"the database is not what the manifest says"));
    }
    let store = SqliteStore::open_still(folder).map_err(|why| bad(&why))?;
    Ok(Backup {
        store: Arc::new(store),
        blobs: Arc::new(FolderBlobs::still(&blobs_in(folder))),
    })
}

impl Admin<'_> {
    /// Copies all data into a new folder while it is served. Attachments are
    /// linked where the disk allows it.
    ///
    /// # Errors
    /// [`AdminError`]; a folder without its manifest is no backup.
    pub fn backup(&self, folder: &Path) -> Result<Manifest, AdminError> {
        let bad = |why: &dyn std::fmt::Display| no_backup(folder, why);
        let used = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
        if used {
            return Err(bad(&"the folder is not empty; choose a new one"));
        }
        fs::create_dir_all(folder).map_err(|why| bad(&why))?;
        let blobs = FolderBlobs::open(&blobs_in(folder)).map_err(|why| bad(&why))?;
        // Closed at once, so that the file is whole by itself.
        drop(self.back_up_into(folder, Arc::new(blobs))?);
        let (sha256, bytes) = hash_of_file(&folder.join(FILE_NAME)).map_err(|why| bad(&why))?;
        let manifest = Manifest {
            v: VERSION,
            server: self.service.tools.settings.version.clone(),
            made_ms: self.service.now_ms(),
            bytes,
            sha256,
        };
        write_manifest(folder, &manifest).map_err(|why| bad(&why))?;
        Ok(manifest)
    }

    /// Checks the backup in a folder ([`Admin::verify`]).
    ///
    /// # Errors
    /// [`AdminError`]; then it counts as unchecked.
    pub fn verify_backup(&self, folder: &Path, kept: usize) -> Result<Verified, AdminError> {
        self.verify(&open_backup(folder)?, kept)
    }

    /// Goes back to the backup in a folder ([`Admin::restore_from`]); the database
    /// is prepared in the data folder, beside the one that is served.
    ///
    /// # Errors
    /// [`AdminError`]; the data is as it was.
    pub fn restore(&self, folder: &Path, data: &Path, force: bool) -> Result<Restored, AdminError> {
        let backup = open_backup(folder)?;
        let aside = data.join("restoring");
        let clear = || match fs::remove_dir_all(&aside) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(()),
        };
        clear().map_err(|why| AdminError::Open(why.to_string()))?;
        let restored = self.restore_from(&backup, &aside, force);
        clear().map_err(|why| AdminError::Open(why.to_string()))?;
        restored
    }
}

fn write_manifest(folder: &Path, manifest: &Manifest) -> io::Result<()> {
    let text = serde_json::to_string_pretty(manifest)?;
    let mut file = File::create(folder.join(MANIFEST))?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    File::open(folder)?.sync_all()
}
