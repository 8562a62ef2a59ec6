//! Who read what has narrow readers.

use gridwalk_domain::{EntityId, TenantId, UserId, WorkerId};
use gridwalk_store::{Read, StoreError};
use serde::Serialize;
use std::collections::BTreeMap;

use super::Admin;
use super::error::AdminError;

/// That somebody was shown a record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Reading {
    /// When.
    pub at_ms: i64,
    /// Which record.
    pub record: EntityId,
    /// Who: `user/<id>` on the page, `worker/<id>` on a phone.
    pub who: String,
    /// Their name.
    pub name: String,
}

impl Admin<'_> {
    /// Who was shown a record, or any, oldest first.
    ///
    /// # Errors
    /// As [`Self::tenant_of`].
    pub fn readings(
        &self,
        record: Option<EntityId>,
        district: Option<&str>,
    ) -> Result<Vec<Reading>, AdminError> {
        let tenant = self.tenant_of(district)?;
        Ok(self.service.read(|tx| {
            let mut names: BTreeMap<String, String> = BTreeMap::new();
            let mut out = Vec::new();
            for row in tx.readings(tenant, record)? {
                let name = match names.get(&row.who) {
                    Some(name) => name.clone(),
                    None => name(tx, tenant, &row.who)?,
                };
                names.insert(row.who.clone(), name.clone());
                out.push(Reading {
                    at_ms: row.at_ms,
                    record: row.entity,
                    who: row.who,
                    name,
                });
            }
            Ok(out)
        })?)
    }
}

fn name(tx: &dyn Read, tenant: TenantId, who: &str) -> Result<String, StoreError> {
    let name = match who.split_once('/') {
        Some(("user", id)) => {
            let ids: Vec<UserId> = id.parse().into_iter().collect();
            tx.users(tenant, &ids)?.pop().map(|row| row.name)
        }
        Some(("worker", id)) => {
            let ids: Vec<WorkerId> = id.parse().into_iter().collect();
            tx.workers(tenant, Some(&ids))?.pop().map(|row| row.name)
        }
        _ => None,
    };
    Ok(name.unwrap_or_default())
}
