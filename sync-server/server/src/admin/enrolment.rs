//! One-time codes for phones.

use gridwalk_domain::{TenantId, WorkerId};
use gridwalk_store::{CodeRow, Read, WorkerRow};
use std::fmt::Write as _;
use std::sync::Arc;

use super::Admin;
use super::error::AdminError;
use super::people::{audit, checked, put_worker};
use crate::error::Error;
use crate::random::{hashed, letters, normal};

/// Groups of four letters in a code: 60 random bits.
const CODE_GROUPS: usize = 3;
/// How long a code can be used.
const VALID_MS: i64 = 24 * 3_600_000;

/// Whose phone is to be enrolled.
#[derive(Clone, Copy, Debug)]
pub struct EnrolFor<'a> {
    /// A worker's id or name.
    pub worker: &'a str,
    /// The code of a base grid: where no worker bears the name, one is made
    /// there.
    pub grid: Option<&'a str>,
}

/// A one-time code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewCode {
    /// `XXXX-XXXX-XXXX`, to be shown once: only its hash is stored.
    pub code: String,
    /// For whom.
    pub worker: WorkerId,
    /// Their name.
    pub name: String,
    /// The district.
    pub tenant: TenantId,
    /// Until when it can be used.
    pub expires_ms: i64,
}

impl NewCode {
    /// What the QR code says: server, code, and the pin of a private CA.
    #[must_use]
    pub fn uri(&self, public_url: &str, ca_sha256: Option<&str>) -> String {
        let server: String = form_urlencoded::byte_serialize(public_url.as_bytes()).collect();
        let mut uri = format!("gridwalk://enrol?server={server}&code={}", self.code);
        if let Some(ca) = ca_sha256 {
            let _ = write!(uri, "&ca={ca}");
        }
        uri
    }
}

/// The worker of this id or name, among these or among all.
pub(super) fn find(
    tx: &dyn Read,
    worker: &str,
    tenant: Option<TenantId>,
) -> Result<Result<Option<(TenantId, WorkerRow)>, AdminError>, Error> {
    let tenants = match tenant {
        Some(tenant) => vec![tenant],
        None => tx.tenants()?.iter().map(|row| row.id).collect(),
    };
    let id = worker.parse::<WorkerId>().ok();
    let mut found = Vec::new();
    for tenant in tenants {
        let ids = id.as_ref().map(std::slice::from_ref);
        let rows = tx.workers(tenant, ids)?.into_iter();
        let theirs = rows.filter(|row| id.is_some() || row.name == worker);
        found.extend(theirs.map(|row| (tenant, row)));
    }
    if found.len() > 1 {
        return Ok(Err(AdminError::AmbiguousWorker(worker.to_owned())));
    }
    Ok(Ok(found.pop()))
}

impl Admin<'_> {
    /// Makes a one-time code for a worker's phone, and the worker where they
    /// are new and a grid is given.
    ///
    /// # Errors
    /// [`AdminError`]; nothing is changed then.
    pub fn enrol(&self, whom: EnrolFor<'_>) -> Result<NewCode, AdminError> {
        let (name, grid) = (checked(whom.worker)?, whom.grid.map(str::to_owned));
        let rng = Arc::clone(&self.service.tools.rng);
        let now_ms = self.service.now_ms();
        let code = letters(&*rng, CODE_GROUPS);
        let expires_ms = now_ms + VALID_MS;
        self.service.commit(move |tx| {
            let district = match &grid {
                Some(grid) => match super::grids::find(tx, grid)? {
                    Ok((tenant, _)) => Some(tenant),
                    Err(error) => return Ok(Err(error)),
                },
                None => None,
            };
            let known = match find(tx, &name, district)? {
                Ok(known) => known,
                Err(error) => return Ok(Err(error)),
            };
            let (tenant, worker) = match (known, &grid) {
                (Some(known), _) => known,
                (None, None) => return Ok(Err(AdminError::UnknownWorker(name.clone()))),
                (None, Some(grid)) => {
                    let row = WorkerRow {
                        id: WorkerId::draw(&*rng),
                        name: name.clone(),
                    };
                    match put_worker(tx, &row.name, grid, row.id, now_ms)? {
                        Ok(tenant) => (tenant, row),
                        Err(error) => return Ok(Err(error)),
                    }
                }
            };
            tx.put_code(&CodeRow {
                code: hashed(&normal(&code)),
                tenant,
                worker: worker.id,
                expires_ms,
                used_by: None,
            })?;
            let on = format!("worker/{}", worker.id);
            tx.add_audit(tenant, &audit(now_ms, "enrol code", &on))?;
            Ok(Ok(NewCode {
                code: code.clone(),
                worker: worker.id,
                name: worker.name,
                tenant,
                expires_ms,
            }))
        })?
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_uri_carries_server_code_and_pin() {
        let code = NewCode {
            code: "K7MP-2QXD-9RTA".into(),
            worker: WorkerId::from_bytes([1; 16]),
            name: "网格员".into(),
            tenant: TenantId::from_bytes([1; 16]),
            expires_ms: 0,
        };
        assert_eq!(
            code.uri("https://grid.example:8443", Some("abcd")),
            "gridwalk://enrol?server=https%3A%2F%2Fgrid.example%3A8443&code=K7MP-2QXD-9RTA&ca=abcd"
        );
    }
}
