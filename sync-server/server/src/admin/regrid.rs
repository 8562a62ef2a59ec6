//! Grids that are split, merged and moved.
//!
//! A closed grid stays for ever, with what was made in it. Its workers go on in
//! all that take its place, and its open records are listed there too: nobody
//! loses sight of anything.

use gridwalk_domain::{StreamKey, TenantId};
use gridwalk_store::{
    AssignmentRow, GridRow, Read, StoreError, SuccessionRow, TenantRow, Wait, Write,
};
use std::collections::BTreeSet;

use super::Admin;
use super::error::AdminError;
use super::grids::{find, fresh_version, log_change};
use super::people::audit;
use crate::audience;
use crate::batch::Batch;
use crate::error::Error;
use crate::service::Tools;

impl Admin<'_> {
    /// Splits a grid into others of its level, which must be there already.
    ///
    /// # Errors
    /// [`AdminError`]; nothing is changed then.
    pub fn split_grid(&self, grid: &str, into: &[&str]) -> Result<(), AdminError> {
        self.close_grids("grid split", &[grid], into)
    }

    /// Merges grids into another one of their level, which must be there already.
    ///
    /// # Errors
    /// [`AdminError`]; nothing is changed then.
    pub fn merge_grids(&self, grids: &[&str], into: &str) -> Result<(), AdminError> {
        self.close_grids("grid merge", grids, &[into])
    }

    fn close_grids(
        &self,
        what: &'static str,
        grids: &[&str],
        into: &[&str],
    ) -> Result<(), AdminError> {
        let owned = |codes: &[&str]| codes.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>();
        let (grids, into) = (owned(grids), owned(into));
        let now_ms = self.service.now_ms();
        self.service.commit_with(move |tx, tools| {
            let plan = match Plan::new(tx, &grids, &into)? {
                Ok(plan) => plan,
                Err(error) => return Ok(Err(error)),
            };
            plan.carry_out(tx, tools, what, now_ms)?;
            Ok(Ok(()))
        })?
    }

    /// Moves a grid, with all below it, under another one.
    ///
    /// # Errors
    /// [`AdminError`]; nothing is changed then.
    pub fn move_grid(&self, grid: &str, under: &str) -> Result<(), AdminError> {
        let (grid, under) = (grid.to_owned(), under.to_owned());
        let now_ms = self.service.now_ms();
        self.service.commit_with(move |tx, tools| {
            let (tenant, row) = match find(tx, &grid)? {
                Ok(found) => found,
                Err(error) => return Ok(Err(error)),
            };
            let (other, parent) = match find(tx, &under)? {
                Ok(found) => found,
                Err(error) => return Ok(Err(error)),
            };
            if tenant != other || parent.level >= row.level {
                return Ok(Err(AdminError::BadParent(under.clone())));
            }
            let moved = GridRow {
                parent: Some(parent.id),
                ..row.clone()
            };
            tx.put_grid(tenant, &moved, None)?;
            log_change(tx, tenant, Some(&row), &moved, now_ms)?;
            changed(tx, tools, tenant)?;
            let on = format!("grid/{} under grid/{}", row.id, parent.id);
            tx.add_audit(tenant, &audit(now_ms, "grid move", &on))?;
            Ok(Ok(()))
        })?
    }
}

/// Tells caches that grids changed.
fn changed(tx: &mut dyn Write, tools: &Tools, tenant: TenantId) -> Result<(), StoreError> {
    let missing = || StoreError::Damaged("a grid without a district".to_owned());
    let row = tx.tenant(tenant)?.ok_or_else(missing)?;
    let grids_version = fresh_version(&*tools.rng);
    tx.put_tenant(&TenantRow {
        grids_version,
        ..row
    })
}

/// Which grids are closed, and what takes their place.
struct Plan {
    tenant: TenantId,
    closed: Vec<GridRow>,
    successors: Vec<GridRow>,
}

impl Plan {
    fn new(
        tx: &dyn Read,
        grids: &[String],
        into: &[String],
    ) -> Result<Result<Self, AdminError>, Error> {
        let mut rows = Vec::new();
        for code in grids.iter().chain(into) {
            match find(tx, code)? {
                Ok(found) => rows.push(found),
                Err(error) => return Ok(Err(error)),
            }
        }
        let successors = rows.split_off(grids.len());
        let Some((tenant, first)) = rows.first().cloned() else {
            return Ok(Err(AdminError::UnknownGrid(String::new())));
        };
        let is_closed = |row: &GridRow| rows.iter().any(|(_, closed)| closed.id == row.id);
        for (other, row) in rows.iter().chain(&successors) {
            if *other != tenant || row.level != first.level {
                return Ok(Err(AdminError::BadSuccessor(row.code.to_string())));
            }
        }
        if successors.is_empty() {
            return Ok(Err(AdminError::UnknownGrid(String::new())));
        }
        if let Some((_, same)) = successors.iter().find(|(_, row)| is_closed(row)) {
            return Ok(Err(AdminError::BadSuccessor(same.code.to_string())));
        }
        let below = tx.grids(tenant)?.into_iter();
        let mut below = below.filter(|row| row.closed_ms.is_none());
        if let Some(child) = below.find(|row| rows.iter().any(|(_, r)| row.parent == Some(r.id))) {
            let parent = rows.iter().find(|(_, row)| child.parent == Some(row.id));
            let code = parent.map(|(_, row)| row.code.to_string());
            return Ok(Err(AdminError::HasChildren(code.unwrap_or_default())));
        }
        Ok(Ok(Self {
            tenant,
            closed: rows.into_iter().map(|(_, row)| row).collect(),
            successors: successors.into_iter().map(|(_, row)| row).collect(),
        }))
    }

    fn carry_out(
        &self,
        tx: &mut dyn Write,
        tools: &Tools,
        what: &str,
        now_ms: i64,
    ) -> Result<(), Error> {
        let tenant = self.tenant;
        for row in &self.closed {
            let closed = GridRow {
                closed_ms: Some(now_ms),
                ..row.clone()
            };
            tx.put_grid(tenant, &closed, None)?;
            log_change(tx, tenant, Some(row), &closed, now_ms)?;
            for successor in &self.successors {
                tx.add_succession(
                    tenant,
                    SuccessionRow {
                        grid: row.id,
                        successor: successor.id,
                        at_ms: now_ms,
                    },
                )?;
                let on = format!("grid/{} into grid/{}", row.id, successor.id);
                tx.add_audit(tenant, &audit(now_ms, what, &on))?;
            }
        }
        changed(tx, tools, tenant)?;
        let workers = self.move_workers(tx, now_ms)?;
        let mut batch = Batch::open(tx, tools, tenant, now_ms)?;
        for row in &self.closed {
            list_open(tx, &mut batch, tenant, StreamKey::Records(row.id))?;
        }
        for worker in workers {
            batch.has_come(Wait::Assignment(worker));
        }
        batch.store(tx)?;
        Ok(())
    }

    /// Ends the assignments of the closed grids, and begins them in all that take
    /// their place.
    fn move_workers(
        &self,
        tx: &mut dyn Write,
        now_ms: i64,
    ) -> Result<BTreeSet<gridwalk_domain::WorkerId>, StoreError> {
        let mut workers = BTreeSet::new();
        for row in tx.assignments(self.tenant, None)? {
            let closed = self.closed.iter().any(|grid| grid.id == row.grid);
            let lasts = row.until_ms.is_none_or(|until| until > now_ms);
            if !closed || !lasts {
                continue;
            }
            let ended = AssignmentRow {
                until_ms: Some(now_ms.max(row.from_ms)),
                ..row
            };
            tx.put_assignment(self.tenant, &ended)?;
            for successor in &self.successors {
                let begun = AssignmentRow {
                    grid: successor.id,
                    from_ms: now_ms.max(row.from_ms),
                    ..row
                };
                tx.put_assignment(self.tenant, &begun)?;
            }
            workers.insert(row.worker);
        }
        Ok(workers)
    }
}

/// Lists the open records of a closed grid's stream in those that take its place.
fn list_open(
    tx: &dyn Read,
    batch: &mut Batch<'_>,
    tenant: TenantId,
    stream: StreamKey,
) -> Result<(), StoreError> {
    let ids: Vec<_> = tx
        .listed(tenant, stream)?
        .into_iter()
        .map(|(id, _)| id)
        .collect();
    for ids in ids.chunks(500) {
        for row in tx.entities(tenant, ids)? {
            if audience::is_open(&row) {
                batch.list(tx, row.id)?;
            }
        }
    }
    Ok(())
}
