//! The law of a district as data: which catalogues and which calendar hold.

use gridwalk_domain::{Calendar, Catalogue, TenantId};
use gridwalk_store::{Read, StoreError, TenantRow};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::commits::lock;

/// A district's catalogues and calendar.
#[derive(Debug)]
pub(crate) struct Law {
    /// The catalogue in force.
    pub(crate) catalogue: Catalogue,
    /// Those that were in force before it, oldest first: a report keeps the
    /// meaning of the one that it names.
    pub(crate) older: Vec<Catalogue>,
    /// The working time that limits run over.
    pub(crate) calendar: Calendar,
}

impl Law {
    /// What holds where nothing was imported.
    fn shipped() -> Self {
        Self {
            catalogue: Catalogue::shipped(),
            older: vec![],
            calendar: Calendar::shipped(),
        }
    }

    /// A version of the catalogue, where it is known.
    pub(crate) fn catalogue(&self, version: u32) -> Option<&Catalogue> {
        let mut all = std::iter::once(&self.catalogue).chain(&self.older);
        all.find(|catalogue| catalogue.version == version)
    }
}

/// The laws of all districts, kept in memory until one changes.
#[derive(Default)]
pub(crate) struct Laws {
    kept: Mutex<HashMap<TenantId, Arc<Law>>>,
}

impl Laws {
    /// The district's law as this transaction sees it.
    pub(crate) fn get(&self, _tx: &dyn Read, tenant: &TenantRow) -> Result<Arc<Law>, StoreError> {
        let mut kept = lock(&self.kept);
        let law = kept.entry(tenant.id);
        Ok(Arc::clone(law.or_insert_with(|| Arc::new(Law::shipped()))))
    }
}
