//! A small district: grids with letters, workers, who may work where and when.

use gridwalk_domain::{GridId, TenantId, WorkerId};
use gridwalk_server::admin::{Import, Source};
use gridwalk_store::{AssignmentRow, StoreError};

use crate::server::Server;

/// The grids of the district, and one of another district.
const LANSHAN: &str = "code,parent,level,name
371302,,district,兰山区
371302001,371302,town,兰山街道
371302001001,371302001,community,甲社区
371302001002,371302001,community,乙社区
";
const HEDONG: &str = "code,parent,level,name
371312,,district,河东区
371312001,371312,town,九曲街道
371312001001,371312001,community,丁社区
371312001001001,371312001001,base,丁一
";
/// The letter of the other district's one grid.
const ELSEWHERE: char = 'Z';

/// A base grid.
#[derive(Clone, Copy, Debug)]
pub struct Grid {
    /// Its letter, in the tokens of texts about its records.
    pub letter: char,
    /// Its identity.
    pub id: GridId,
    /// Its district.
    pub tenant: TenantId,
}

/// A gridworker.
#[derive(Clone, Debug)]
pub struct Worker {
    /// Their name.
    pub name: String,
    /// Their identity.
    pub id: WorkerId,
    /// Their district.
    pub tenant: TenantId,
}

/// The districts as the operator made them.
pub struct District {
    /// The base grids.
    pub grids: Vec<Grid>,
    /// The workers.
    pub workers: Vec<Worker>,
    /// What was assigned, as the server has it.
    assignments: Vec<AssignmentRow>,
}

/// What the operator could not do.
fn failed(error: &dyn std::fmt::Display) -> StoreError {
    StoreError::Failed(error.to_string())
}

impl District {
    /// Makes so many base grids in the district, one elsewhere, and for each as
    /// many workers.
    ///
    /// # Errors
    /// Where the server does not take it.
    pub fn build(server: &Server, workers: &[usize]) -> Result<Self, StoreError> {
        let mut csv = LANSHAN.to_owned();
        let mut codes = Vec::new();
        for n in 0..workers.len() - 1 {
            let community = 1 + n % 2;
            let code = format!("371302001{community:03}{:03}", n + 1);
            csv += &format!("{code},371302001{community:03},base,网格{}\n", n + 1);
            codes.push((char::from(b'A' + u8::try_from(n).unwrap_or(0)), code));
        }
        codes.push((ELSEWHERE, "371312001001001".to_owned()));
        let admin = server.service().admin();
        for (name, bytes) in [("lanshan.csv", csv.as_str()), ("hedong.csv", HEDONG)] {
            let source = Source {
                name,
                bytes: bytes.as_bytes(),
            };
            let import = Import::default();
            admin
                .import_grids(source, &import)
                .map_err(|error| failed(&error))?;
        }
        let mut district = Self {
            grids: vec![],
            workers: vec![],
            assignments: vec![],
        };
        for ((letter, code), count) in codes.into_iter().zip(workers) {
            let parsed = code.parse().map_err(|error| failed(&error))?;
            let found = server.read(|tx| tx.grids_by_code(&parsed))?;
            let (tenant, row) = found.first().ok_or_else(|| failed(&code))?;
            let (tenant, id) = (*tenant, row.id);
            district.grids.push(Grid { letter, id, tenant });
            for n in 0..*count {
                let name = format!("网格员{letter}{}", n + 1);
                let id = admin
                    .add_worker(&name, &code)
                    .map_err(|error| failed(&error))?;
                district.workers.push(Worker { name, id, tenant });
            }
        }
        district.read(server)?;
        Ok(district)
    }

    /// Reads the terms from the server: those of its time, where it went back.
    ///
    /// # Errors
    /// Where its store fails.
    pub fn read(&mut self, server: &Server) -> Result<(), StoreError> {
        self.assignments.clear();
        for worker in &self.workers {
            let rows = server.read(|tx| tx.assignments(worker.tenant, Some(worker.id)))?;
            self.assignments.extend(rows);
        }
        Ok(())
    }

    /// Gives a worker a grid, or another term there.
    ///
    /// # Errors
    /// Where the server does not take it.
    pub fn assign(
        &mut self,
        server: &Server,
        worker: usize,
        grid: usize,
        from_ms: i64,
        until_ms: Option<i64>,
    ) -> Result<(), StoreError> {
        let Worker { id, tenant, .. } = self.workers[worker];
        let row = AssignmentRow {
            worker: id,
            grid: self.grids[grid].id,
            from_ms,
            until_ms,
        };
        server.write(|tx| tx.put_assignment(tenant, &row))?;
        let same = |known: &AssignmentRow| {
            (known.worker, known.grid, known.from_ms) == (row.worker, row.grid, row.from_ms)
        };
        self.assignments.retain(|known| !same(known));
        self.assignments.push(row);
        Ok(())
    }

    /// The terms of a worker in a grid.
    pub fn terms(&self, worker: usize, grid: usize) -> impl Iterator<Item = &AssignmentRow> {
        let (worker, grid) = (self.workers[worker].id, self.grids[grid].id);
        let rows = self.assignments.iter();
        rows.filter(move |row| row.worker == worker && row.grid == grid)
    }

    /// Whether a worker has a grid at this time.
    #[must_use]
    pub fn has(&self, worker: usize, grid: usize, at_ms: i64) -> bool {
        self.terms(worker, grid).any(|row| row.holds_at(at_ms))
    }

    /// The grids that a worker has at this time.
    #[must_use]
    pub fn grids_of(&self, worker: usize, at_ms: i64) -> Vec<usize> {
        let grids = 0..self.grids.len();
        grids
            .filter(|grid| self.has(worker, *grid, at_ms))
            .collect()
    }

    /// The grid with this letter.
    #[must_use]
    pub fn lettered(&self, letter: char) -> Option<usize> {
        self.grids.iter().position(|grid| grid.letter == letter)
    }

    /// The grid with this identity.
    #[must_use]
    pub fn grid(&self, id: GridId) -> Option<usize> {
        self.grids.iter().position(|grid| grid.id == id)
    }
}
