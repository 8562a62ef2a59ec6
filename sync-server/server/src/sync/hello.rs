//! `hello`: limits, times, and what the worker may see and write.

use gridwalk_domain::wire::{
    HelloRequest, HelloResponse, Limits, PROTOCOL_VERSION, Scope, Standing, Unsent, WorkerRef,
};
use gridwalk_domain::{Boundary, Grid, Sha256};
use gridwalk_store::{ContactRow, DeviceRow, Read, StoreError, Write};

use super::time::start_of;
use super::{check_version, grids_at, readable};
use crate::error::{Error, Fault};
use crate::service::Service;

/// The longest name of a version that is kept.
const MOST_APP: usize = 40;
/// A contact is written down again only after this long, where nothing else
/// changed: a sync with nothing to do costs no commit of its own.
const CONTACT_EVERY_MS: i64 = 60_000;

impl Service {
    /// Answers a phone's hello and writes down what it said.
    ///
    /// # Errors
    /// 426 for a version that is not spoken, or where the store fails.
    pub fn hello(
        &self,
        device: &DeviceRow,
        request: &HelloRequest,
    ) -> Result<HelloResponse, Error> {
        check_version(request.v)?;
        if request.app.len() > MOST_APP || request.app.chars().any(char::is_control) {
            return Err(Fault::bad_request("app: at most 40 bytes of plain text").into());
        }
        let now_ms = self.now_ms();
        let contact = ContactRow {
            device: device.id,
            worker: device.worker,
            last_ms: now_ms,
            unsent: Some(request.unsent),
            reported_ms: Some(now_ms),
            app: Some(request.app.clone()),
        };
        let boot = start_of(&request.at, now_ms);
        let phone = device.clone();
        self.commit(move |tx| {
            tx.put_contact(phone.tenant, &contact)?;
            // Fixed once: what was corrected by it stays corrected alike.
            if tx.boots(phone.tenant, phone.id, &[boot.boot])?.is_empty() {
                tx.put_boot(phone.tenant, phone.id, boot)?;
            }
            Ok(())
        })?;
        let scope = self.read(|tx| self.scope(tx, device, now_ms))?;
        let text = serde_json::to_string(&scope)
            .map_err(|why| StoreError::Failed(format!("the scope cannot be written: {why}")))?;
        let scope_tag = Sha256::of(text.as_bytes());
        Ok(HelloResponse {
            min_v: PROTOCOL_VERSION,
            max_v: PROTOCOL_VERSION,
            server_ms: now_ms,
            epoch: self.epoch,
            server: env!("CARGO_PKG_VERSION").to_owned(),
            standing: Standing::Active,
            watermark: 0,
            news: true,
            scope_tag,
            scope: (request.scope_tag != Some(scope_tag)).then_some(scope),
            limits: Limits::default(),
        })
    }

    fn scope(&self, tx: &dyn Read, device: &DeviceRow, now_ms: i64) -> Result<Scope, Error> {
        let missing = || StoreError::Damaged("a phone without a worker or district".into());
        let tenant = tx.tenant(device.tenant)?.ok_or_else(missing)?;
        let workers = tx.workers(device.tenant, Some(&[device.worker]))?;
        let worker = workers.into_iter().next().ok_or_else(missing)?;
        let assignments = tx.assignments(device.tenant, Some(device.worker))?;
        let ids = grids_at(&assignments, now_ms);
        let tree = self.trees.get(tx, &tenant)?;
        let mut boundaries = tx
            .boundaries(device.tenant, Some(&ids))?
            .into_iter()
            .collect();
        let grids = ids.iter().filter_map(|id| tree.get(*id));
        let grids = grids.map(|row| {
            let boundary = take_boundary(&mut boundaries, row.id)?;
            Ok(Grid {
                id: row.id,
                code: row.code.clone(),
                parent: row.parent,
                level: row.level,
                name: row.name.clone(),
                synthetic: row.synthetic,
                boundary,
            })
        });
        Ok(Scope {
            worker: WorkerRef {
                id: worker.id,
                name: worker.name,
            },
            grids: grids.collect::<Result<_, StoreError>>()?,
            streams: readable(self, tx, device, now_ms)?,
            catalogue: self.catalogue.clone(),
            utc_offset_min: tenant.utc_offset_min,
        })
    }
}

fn take_boundary(
    boundaries: &mut std::collections::HashMap<gridwalk_domain::GridId, String>,
    grid: gridwalk_domain::GridId,
) -> Result<Option<Boundary>, StoreError> {
    let json = boundaries.remove(&grid);
    json.map(|json| serde_json::from_str(&json))
        .transpose()
        .map_err(|why| StoreError::Damaged(format!("a boundary cannot be read: {why}")))
}

/// Writes down that the phone was heard from, where that is news.
pub(super) fn contact(
    tx: &mut dyn Write,
    device: &DeviceRow,
    unsent: Unsent,
    now_ms: i64,
) -> Result<(), Error> {
    let known = tx.contact(device.tenant, device.id)?;
    if known
        .as_ref()
        .is_some_and(|row| !is_news(row, unsent, now_ms))
    {
        return Ok(());
    }
    let row = ContactRow {
        device: device.id,
        worker: device.worker,
        last_ms: now_ms,
        unsent: Some(unsent),
        reported_ms: Some(now_ms),
        app: known.and_then(|row| row.app),
    };
    Ok(tx.put_contact(device.tenant, &row)?)
}

pub(super) fn is_news(known: &ContactRow, unsent: Unsent, now_ms: i64) -> bool {
    known.unsent != Some(unsent) || (now_ms - known.last_ms).abs() >= CONTACT_EVERY_MS
}
