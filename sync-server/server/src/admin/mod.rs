//! What an operator does: the library calls under the verbs of
//! `gridwalk-server`. They work on the store and on what is kept beside it, so
//! they can run while another process serves the same folder.

mod assignments;
mod backup_folders;
mod backups;
mod devices;
mod enrolment;
mod error;
mod grids;
mod law;
mod people;
mod purge;
mod quarantine;
mod read;
mod readings;
mod regrid;
mod sites;

pub use assignments::Assign;
pub use backup_folders::{Manifest, open_backup};
pub use backups::{Backup, KEPT_BACKUPS, Restored, Verified};
pub use devices::{DeviceInfo, Revoke};
pub use enrolment::{EnrolFor, NewCode};
pub use error::{AdminError, FileFault, Lang, message};
pub use grids::{Import, ImportReport};
pub use law::CatalogueInfo;
pub use people::{NewUser, Settings};
pub use purge::PurgeReport;
pub use quarantine::{Held, HeldChunk, HeldOp, HeldRef};
pub use read::{BadCrs, Crs, Source};
pub use readings::Reading;
pub use sites::SitesReport;

use gridwalk_domain::TenantId;
use gridwalk_domain::{Clock, Rng};
use gridwalk_store::TenantRow;
use gridwalk_store_sqlite::SqliteStore;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::blobs::FolderBlobs;
use crate::error::Error;
use crate::keep::FolderKeep;
use crate::page::Holdings;
use crate::service::{Parts, Service};

/// Where everything is.
#[derive(Clone, Debug)]
pub struct Folders {
    /// The database and the attachments.
    pub data: PathBuf,
    /// The journal, the ledger and the floor; `journal` in the data folder where
    /// none is given.
    pub journal: Option<PathBuf>,
}

impl Folders {
    /// A data folder with its journal inside.
    #[must_use]
    pub const fn new(data: PathBuf) -> Self {
        Self {
            data,
            journal: None,
        }
    }

    fn journal(&self) -> PathBuf {
        let inside = || self.data.join("journal");
        self.journal.clone().unwrap_or_else(inside)
    }
}

fn blobs_in(folder: &Path) -> PathBuf {
    folder.join("blobs")
}

/// Opens the service on its folders, making them where they are missing.
///
/// # Errors
/// [`AdminError::Open`] where a folder or the database cannot be used.
pub fn open(
    folders: &Folders,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
    settings: crate::Settings,
) -> Result<Service, AdminError> {
    let cannot = |why: &dyn std::fmt::Display| AdminError::Open(why.to_string());
    let store = SqliteStore::open(&folders.data).map_err(|why| cannot(&why))?;
    let blobs = FolderBlobs::open(&blobs_in(&folders.data)).map_err(|why| cannot(&why))?;
    let keep = FolderKeep::open(&folders.journal(), &*rng).map_err(|why| cannot(&why))?;
    let parts = Parts {
        store: Arc::new(store),
        blobs: Arc::new(blobs),
        keep: Arc::new(keep),
        clock,
        rng,
    };
    Service::open(parts, settings).map_err(|why| cannot(&why))
}

/// The operator's calls.
pub struct Admin<'a> {
    service: &'a Service,
}

impl Service {
    /// The operator's calls.
    #[must_use]
    pub const fn admin(&self) -> Admin<'_> {
        Admin { service: self }
    }
}

impl Admin<'_> {
    /// The districts.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn tenants(&self) -> Result<Vec<TenantRow>, AdminError> {
        Ok(self.service.read(|tx| Ok(tx.tenants()?))?)
    }

    /// What a district holds, or all.
    ///
    /// # Errors
    /// Where the store fails.
    pub fn holdings(&self, tenant: Option<TenantId>) -> Result<Holdings, AdminError> {
        let holdings = self.service.read(|tx| {
            let tenants = match tenant {
                Some(tenant) => vec![tenant],
                None => tx.tenants()?.iter().map(|row| row.id).collect(),
            };
            crate::page::holdings(tx, &tenants)
        });
        Ok(holdings?)
    }
}

impl From<Error> for AdminError {
    fn from(error: Error) -> Self {
        match error {
            Error::Store(error) => Self::Store(error),
            Error::Fault(fault) => Self::Refused(fault.text),
            Error::WentBack(_) => Self::Refused(error.to_string()),
        }
    }
}
