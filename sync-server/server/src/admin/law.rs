//! Catalogues and calendars: imported, listed, exported. One that was imported is
//! in force at once, for a server that runs too, and never changed again.

use gridwalk_domain::{BadData, Calendar, Catalogue, TenantId};
use gridwalk_store::{LawRow, LawSort, StoreError, Wait, Write};
use serde::Serialize;

use super::error::AdminError;
use super::grids::fresh_version;
use super::people::audit;
use super::{Admin, Source};
use crate::batch::Batch;
use crate::error::Error;
use crate::law::Law;

/// A version of the catalogue that a district knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct CatalogueInfo {
    /// Its version.
    pub version: u32,
    /// Whether new reports are made with it.
    pub in_force: bool,
    /// When it was imported; none where it ships with the server.
    pub imported_ms: Option<i64>,
    /// Its categories.
    pub categories: usize,
    /// Their sub-categories.
    pub subcategories: usize,
}

fn text<'a>(source: &Source<'a>) -> Result<&'a str, AdminError> {
    std::str::from_utf8(source.bytes).map_err(|why| {
        let before = &source.bytes[..why.valid_up_to()];
        let lines = before.iter().filter(|byte| **byte == b'\n').count();
        let column = before
            .iter()
            .rev()
            .take_while(|byte| **byte != b'\n')
            .count();
        AdminError::BadLaw {
            file: source.name.to_owned(),
            fault: BadData {
                what: "file",
                line: lines + 1,
                column: column + 1,
                at: "the whole".to_owned(),
                why: "is not UTF-8".to_owned(),
            },
        }
    })
}

fn json(value: &impl Serialize) -> Result<String, AdminError> {
    let failed = |why: serde_json::Error| StoreError::Failed(why.to_string());
    Ok(serde_json::to_string(value).map_err(failed)?)
}

fn pretty(value: &impl Serialize) -> Result<String, AdminError> {
    let failed = |why: serde_json::Error| StoreError::Failed(why.to_string());
    Ok(serde_json::to_string_pretty(value).map_err(failed)?)
}

impl Admin<'_> {
    /// Imports a catalogue, in force from now on; its version. What waited for a
    /// catalogue is judged again.
    ///
    /// # Errors
    /// [`AdminError::BadLaw`] with line and column at fault,
    /// [`AdminError::NotNewer`], or as [`Self::tenant_of`]; nothing is changed
    /// then.
    pub fn import_catalogue(
        &self,
        source: Source<'_>,
        district: Option<&str>,
    ) -> Result<u32, AdminError> {
        let catalogue = Catalogue::parse(text(&source)?).map_err(|fault| AdminError::BadLaw {
            file: source.name.to_owned(),
            fault,
        })?;
        let row = (LawSort::Catalogue, catalogue.version, json(&catalogue)?);
        self.import_law(district, row)
    }

    /// Imports a calendar, in force from now on, for all limits that run; its
    /// version.
    ///
    /// # Errors
    /// As [`Self::import_catalogue`].
    pub fn import_calendar(
        &self,
        source: Source<'_>,
        district: Option<&str>,
    ) -> Result<u32, AdminError> {
        let calendar = Calendar::parse(text(&source)?).map_err(|fault| AdminError::BadLaw {
            file: source.name.to_owned(),
            fault,
        })?;
        let row = (LawSort::Calendar, calendar.version, json(&calendar)?);
        self.import_law(district, row)
    }

    fn import_law(
        &self,
        district: Option<&str>,
        (sort, version, text): (LawSort, u32, String),
    ) -> Result<u32, AdminError> {
        let tenant = self.tenant_of(district)?;
        let now_ms = self.service.now_ms();
        self.service.commit_with(move |tx, tools| {
            let law = Law::read(tx, tenant)?;
            let in_force = match sort {
                LawSort::Catalogue => law.catalogue.version,
                LawSort::Calendar => law.calendar.version,
            };
            if version <= in_force {
                return Ok(Err(AdminError::NotNewer { version, in_force }));
            }
            tx.add_law(
                tenant,
                &LawRow {
                    sort,
                    version,
                    at_ms: now_ms,
                    text: text.clone(),
                },
            )?;
            let Some(mut row) = tx.tenant(tenant)? else {
                return Ok(Err(AdminError::NoDistrict));
            };
            row.law_version = fresh_version(&*tools.rng);
            tx.put_tenant(&row)?;
            let what = match sort {
                LawSort::Catalogue => "import catalogue",
                LawSort::Calendar => "import calendar",
            };
            tx.add_audit(tenant, &audit(now_ms, what, &version.to_string()))?;
            match sort {
                LawSort::Catalogue => {
                    let mut batch = Batch::open(tx, tools, tenant, now_ms)?;
                    batch.has_come(Wait::Upgrade);
                    batch.store(tx)?;
                }
                LawSort::Calendar => look_again_at_all(tx, tenant)?,
            }
            Ok(Ok(version))
        })?
    }

    /// The versions of the catalogue that a district knows.
    ///
    /// # Errors
    /// As [`Self::tenant_of`].
    pub fn catalogues(&self, district: Option<&str>) -> Result<Vec<CatalogueInfo>, AdminError> {
        let tenant = self.tenant_of(district)?;
        Ok(self.service.read(|tx| {
            let law = Law::read(tx, tenant)?;
            let imported = tx.laws(tenant, LawSort::Catalogue)?;
            let all = law.older.iter().chain([&law.catalogue]);
            Ok(all
                .map(|catalogue| CatalogueInfo {
                    version: catalogue.version,
                    in_force: catalogue.version == law.catalogue.version,
                    imported_ms: imported
                        .iter()
                        .find(|row| row.version == catalogue.version)
                        .map(|row| row.at_ms),
                    categories: catalogue.categories.len(),
                    subcategories: catalogue.categories.iter().map(|one| one.subs.len()).sum(),
                })
                .collect())
        })?)
    }

    /// A version of the catalogue as JSON, to be changed and imported again; the
    /// one in force where none is named.
    ///
    /// # Errors
    /// [`AdminError::UnknownVersion`], or as [`Self::tenant_of`].
    pub fn export_catalogue(
        &self,
        version: Option<u32>,
        district: Option<&str>,
    ) -> Result<String, AdminError> {
        let law = self.law(district)?;
        match version {
            None => pretty(&law.catalogue),
            Some(version) => match law.catalogue(version) {
                Some(catalogue) => pretty(catalogue),
                None => Err(AdminError::UnknownVersion(version)),
            },
        }
    }

    /// The calendar in force as JSON, to be changed and imported again.
    ///
    /// # Errors
    /// As [`Self::tenant_of`].
    pub fn export_calendar(&self, district: Option<&str>) -> Result<String, AdminError> {
        pretty(&self.law(district)?.calendar)
    }

    fn law(&self, district: Option<&str>) -> Result<Law, AdminError> {
        let tenant = self.tenant_of(district)?;
        Ok(self.service.read(|tx| Ok(Law::read(tx, tenant)?))?)
    }
}

/// The clock looks again at all that it waits for: other days are worked now.
fn look_again_at_all(tx: &mut dyn Write, tenant: TenantId) -> Result<(), Error> {
    for row in tx.due(tenant, i64::MAX, usize::MAX)? {
        tx.set_due(tenant, row.id, Some(0))?;
    }
    Ok(())
}
