//! Who works where, and from when to when: stand-ins too.

use gridwalk_domain::GridLevel;
use gridwalk_store::{AssignmentRow, Wait};

use super::Admin;
use super::enrolment::find as find_worker;
use super::error::AdminError;
use super::grids::find as find_grid;
use super::people::audit;
use crate::batch::Batch;

/// A grid for a worker.
#[derive(Clone, Copy, Debug)]
pub struct Assign<'a> {
    /// A worker's id or name.
    pub worker: &'a str,
    /// The code of a base grid.
    pub grid: &'a str,
    /// From when on; now where none is given.
    pub from_ms: Option<i64>,
    /// Until when; none while it lasts.
    pub until_ms: Option<i64>,
}

impl Admin<'_> {
    /// Gives a worker a grid. What they wrote there and waits for it is judged
    /// again.
    ///
    /// # Errors
    /// [`AdminError`]; nothing is changed then.
    pub fn assign(&self, assign: Assign<'_>) -> Result<(), AdminError> {
        let (worker, grid) = (assign.worker.to_owned(), assign.grid.to_owned());
        let now_ms = self.service.now_ms();
        let from_ms = assign.from_ms.unwrap_or(now_ms);
        let until_ms = assign.until_ms;
        if let Some(until) = until_ms.filter(|until| *until <= from_ms) {
            return Err(AdminError::BadTime(until.to_string()));
        }
        self.service.commit_with(move |tx, tools| {
            let (tenant, grid) = match find_grid(tx, &grid)? {
                Ok(found) => found,
                Err(error) => return Ok(Err(error)),
            };
            if grid.level != GridLevel::Base {
                return Ok(Err(AdminError::WrongLevel {
                    role: "worker".to_owned(),
                    level: GridLevel::Base.as_str().to_owned(),
                }));
            }
            let worker = match find_worker(tx, &worker, Some(tenant))? {
                Ok(Some((_, row))) => row.id,
                Ok(None) => return Ok(Err(AdminError::UnknownWorker(worker.clone()))),
                Err(error) => return Ok(Err(error)),
            };
            let row = AssignmentRow {
                worker,
                grid: grid.id,
                from_ms,
                until_ms,
            };
            tx.put_assignment(tenant, &row)?;
            let on = format!("worker/{worker} grid/{}", grid.id);
            tx.add_audit(tenant, &audit(now_ms, "assign", &on))?;
            let mut batch = Batch::open(tx, tools, tenant, now_ms)?;
            batch.has_come(Wait::Assignment(worker));
            batch.store(tx)?;
            Ok(Ok(()))
        })?
    }

    /// Ends a worker's time in a grid, now or at a time.
    ///
    /// # Errors
    /// [`AdminError`]; nothing is changed then.
    pub fn unassign(&self, worker: &str, grid: &str, at_ms: Option<i64>) -> Result<(), AdminError> {
        let (worker, grid) = (worker.to_owned(), grid.to_owned());
        let now_ms = self.service.now_ms();
        let at_ms = at_ms.unwrap_or(now_ms);
        self.service.commit(move |tx| {
            let (tenant, grid) = match find_grid(tx, &grid)? {
                Ok(found) => found,
                Err(error) => return Ok(Err(error)),
            };
            let worker = match find_worker(tx, &worker, Some(tenant))? {
                Ok(Some((_, row))) => row.id,
                Ok(None) => return Ok(Err(AdminError::UnknownWorker(worker.clone()))),
                Err(error) => return Ok(Err(error)),
            };
            for row in tx.assignments(tenant, Some(worker))? {
                let lasts = row.until_ms.is_none_or(|until| until > at_ms);
                if row.grid == grid.id && lasts {
                    let until_ms = Some(at_ms.max(row.from_ms));
                    tx.put_assignment(tenant, &AssignmentRow { until_ms, ..row })?;
                }
            }
            let on = format!("worker/{worker} grid/{}", grid.id);
            tx.add_audit(tenant, &audit(now_ms, "unassign", &on))?;
            Ok(Ok(()))
        })?
    }
}
