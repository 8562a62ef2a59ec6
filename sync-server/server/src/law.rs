//! The law of a district as data: which catalogues and which calendar hold.
//!
//! What was imported counts before what ships with the server, whatever their
//! versions are. Every version of the catalogue stays known: a report keeps the
//! meaning of the one that it names.

use gridwalk_domain::catalogue::version_named;
use gridwalk_domain::{Calendar, Catalogue, Entity, TenantId};
use gridwalk_store::{LawSort, Read, StoreError, TenantRow};
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::commits::lock;

/// A district's catalogues and calendar.
#[derive(Debug)]
pub(crate) struct Law {
    /// The catalogue in force.
    pub(crate) catalogue: Catalogue,
    /// All others, by version.
    pub(crate) older: Vec<Catalogue>,
    /// The working time that limits run over.
    pub(crate) calendar: Calendar,
}

impl Law {
    /// As this transaction sees it.
    pub(crate) fn read(tx: &dyn Read, tenant: TenantId) -> Result<Self, StoreError> {
        let mut older: Vec<Catalogue> = imported(tx, tenant, LawSort::Catalogue)?;
        let shipped = Catalogue::shipped();
        let catalogue = match older.pop() {
            None => shipped,
            Some(in_force) => {
                let known = |one: &Catalogue| one.version == shipped.version;
                if !known(&in_force) && !older.iter().any(known) {
                    older.push(shipped);
                    older.sort_by_key(|catalogue| catalogue.version);
                }
                in_force
            }
        };
        let calendars: Vec<Calendar> = imported(tx, tenant, LawSort::Calendar)?;
        Ok(Self {
            catalogue,
            older,
            calendar: calendars
                .into_iter()
                .next_back()
                .unwrap_or_else(Calendar::shipped),
        })
    }

    /// A version of the catalogue, where it is known.
    pub(crate) fn catalogue(&self, version: u32) -> Option<&Catalogue> {
        let mut all = std::iter::once(&self.catalogue).chain(&self.older);
        all.find(|catalogue| catalogue.version == version)
    }

    /// The version of the catalogue that a record names, where it is known.
    pub(crate) fn catalogue_of(&self, entity: &Entity) -> Option<&Catalogue> {
        self.catalogue(version_named(entity.value("catalogue"))?)
    }
}

/// All versions of a sort that were imported, the one in force last. They were
/// checked when they came; a newer server may ask more of new ones.
fn imported<T: DeserializeOwned>(
    tx: &dyn Read,
    tenant: TenantId,
    sort: LawSort,
) -> Result<Vec<T>, StoreError> {
    let rows = tx.laws(tenant, sort)?.into_iter();
    rows.map(|row| {
        let damaged = |why| {
            let version = row.version;
            StoreError::Damaged(format!(
                "version {version} of {sort:?} cannot be read: {why}"
            ))
        };
        serde_json::from_str(&row.text).map_err(damaged)
    })
    .collect()
}

/// The laws of all districts, kept in memory until one changes.
#[derive(Default)]
pub(crate) struct Laws {
    kept: Mutex<HashMap<TenantId, (u64, Arc<Law>)>>,
}

impl Laws {
    /// The district's law as this transaction sees it.
    pub(crate) fn get(&self, tx: &dyn Read, tenant: &TenantRow) -> Result<Arc<Law>, StoreError> {
        if let Some((version, law)) = lock(&self.kept).get(&tenant.id)
            && *version == tenant.law_version
        {
            return Ok(Arc::clone(law));
        }
        let law = Arc::new(Law::read(tx, tenant.id)?);
        let entry = (tenant.law_version, Arc::clone(&law));
        lock(&self.kept).insert(tenant.id, entry);
        Ok(law)
    }
}
