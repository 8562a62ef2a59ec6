//! Phones: which there are, and taking their rights away.

use gridwalk_domain::wire::Unsent;
use gridwalk_domain::{DeviceId, WorkerId};
use gridwalk_store::{DeviceRow, DeviceStanding};
use serde::Serialize;

use super::Admin;
use super::enrolment::find;
use super::error::AdminError;
use super::people::audit;
use crate::keep::{Book, Order, append};
use crate::replay::revoke;

/// A phone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeviceInfo {
    /// Which.
    pub id: DeviceId,
    /// Whose.
    pub worker: WorkerId,
    /// What it may do.
    pub standing: DeviceStanding,
    /// What it is.
    pub platform: String,
    /// When it was enrolled.
    pub enrolled_ms: i64,
    /// When it was last heard from.
    pub last_ms: Option<i64>,
    /// What it then had to send.
    pub unsent: Option<Unsent>,
    /// Up to which receipt backups cover what it sent.
    pub watermark: u64,
    /// How often it had to read a stream again.
    pub rereads: u64,
}

/// Whose rights are taken.
#[derive(Clone, Copy, Debug)]
pub enum Revoke<'a> {
    /// One phone's.
    Device(&'a str),
    /// All phones' of a worker, by id or name.
    Worker(&'a str),
}

impl Admin<'_> {
    /// The phones of a worker, or all.
    ///
    /// # Errors
    /// [`AdminError`].
    pub fn devices(&self, worker: Option<&str>) -> Result<Vec<DeviceInfo>, AdminError> {
        self.service.read(|tx| {
            let mut rows = Vec::new();
            match worker {
                None => {
                    for tenant in tx.tenants()? {
                        rows.extend(tx.devices(tenant.id, None)?);
                    }
                }
                Some(worker) => match find(tx, worker, None)? {
                    Ok(Some((tenant, row))) => rows = tx.devices(tenant, Some(row.id))?,
                    Ok(None) => return Ok(Err(AdminError::UnknownWorker(worker.to_owned()))),
                    Err(error) => return Ok(Err(error)),
                },
            }
            let mut out = Vec::with_capacity(rows.len());
            for row in rows {
                let contact = tx.contact(row.tenant, row.id)?;
                out.push(DeviceInfo {
                    id: row.id,
                    worker: row.worker,
                    standing: row.standing,
                    platform: row.platform,
                    enrolled_ms: row.enrolled_ms,
                    last_ms: contact.as_ref().map(|c| c.last_ms),
                    unsent: contact.as_ref().and_then(|c| c.unsent),
                    watermark: row.watermark,
                    rereads: contact.map_or(0, |c| c.rereads),
                });
            }
            Ok(Ok(out))
        })?
    }

    /// Takes phones' rights: they may only send from now on. A stolen one's ops
    /// go into quarantine, and it destroys its key when it is heard from.
    ///
    /// # Errors
    /// [`AdminError`]; nothing is changed then.
    pub fn revoke(&self, whose: Revoke<'_>, stolen: bool) -> Result<Vec<DeviceId>, AdminError> {
        let whose = match whose {
            Revoke::Device(id) => Ok(id.to_owned()),
            Revoke::Worker(worker) => Err(worker.to_owned()),
        };
        let now_ms = self.service.now_ms();
        self.service.commit_with(move |tx, tools| {
            let rows: Vec<DeviceRow> = match &whose {
                Ok(id) => {
                    let found = match id.parse() {
                        Ok(id) => tx.device(id)?,
                        Err(_) => None,
                    };
                    match found {
                        Some(row) => vec![row],
                        None => return Ok(Err(AdminError::UnknownDevice(id.clone()))),
                    }
                }
                Err(worker) => match find(tx, worker, None)? {
                    Ok(Some((tenant, row))) => tx.devices(tenant, Some(row.id))?,
                    Ok(None) => return Ok(Err(AdminError::UnknownWorker(worker.clone()))),
                    Err(error) => return Ok(Err(error)),
                },
            };
            let standing = if stolen {
                DeviceStanding::Stolen
            } else {
                DeviceStanding::SendOnly
            };
            // Into the ledger first: a backup from before it must not give the
            // rights back.
            let orders: Vec<Order> = rows
                .iter()
                .map(|row| Order::Revoke {
                    tenant: row.tenant,
                    at_ms: now_ms,
                    device: row.id,
                    stolen,
                })
                .collect();
            append(&*tools.keep, Book::Ledger, &orders)?;
            let what = if stolen {
                "device stolen"
            } else {
                "device revoke"
            };
            let mut ids = Vec::new();
            for row in rows {
                let (tenant, id) = (row.tenant, row.id);
                revoke(tx, row, standing)?;
                tx.add_audit(tenant, &audit(now_ms, what, &format!("device/{id}")))?;
                ids.push(id);
            }
            Ok(Ok(ids))
        })?
    }
}
