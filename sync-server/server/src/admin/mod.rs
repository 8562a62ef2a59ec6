//! What an operator does: the library calls under the verbs of
//! `gridwalk-server`. They work on the store alone, so they can run while
//! another process serves the same folder.

mod enrolment;
mod error;
mod grids;
mod people;
mod read;
mod sites;

pub use enrolment::{EnrolFor, NewCode};
pub use error::{AdminError, FileFault, Lang, message};
pub use grids::{Import, ImportReport};
pub use people::{NewUser, Settings};
pub use read::{BadCrs, Crs, Source};
pub use sites::SitesReport;

use gridwalk_domain::TenantId;
use gridwalk_domain::{Clock, Rng};
use gridwalk_store::TenantRow;
use gridwalk_store_sqlite::SqliteStore;
use std::path::Path;
use std::sync::Arc;

use crate::blobs::FolderBlobs;
use crate::error::Error;
use crate::page::Holdings;
use crate::service::Service;

/// Opens the service on a data folder, making it where it is missing.
///
/// # Errors
/// [`AdminError::Open`] where the folder or its database cannot be used.
pub fn open(
    folder: &Path,
    clock: Arc<dyn Clock>,
    rng: Arc<dyn Rng>,
) -> Result<Service, AdminError> {
    let store = SqliteStore::open(folder).map_err(|why| AdminError::Open(why.to_string()))?;
    let blobs = FolderBlobs::open(&folder.join("blobs"));
    let blobs = blobs.map_err(|why| AdminError::Open(why.to_string()))?;
    Ok(Service::open(Arc::new(store), Arc::new(blobs), clock, rng)?)
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
            Error::Fault(fault) => Self::Open(fault.text),
        }
    }
}
