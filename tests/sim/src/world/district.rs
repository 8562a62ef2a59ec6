//! A small district: grids with letters, workers, who may work where and when,
//! and those who supervise them.

use gridwalk_domain::rights::{self, Actor, Person, Right};
use gridwalk_domain::{Catalogue, GridId, TenantId, UserId, WorkerId};
use gridwalk_server::admin::{Import, Source};
use gridwalk_store::{AssignmentRow, Role, StoreError, UserRow};
use std::collections::BTreeMap;

use crate::server::Server;

/// The grids of the district, and one of another district.
const LANSHAN: &str = "code,parent,level,name
371302,,district,兰山区
371302001,371302,town,兰山街道
371302001001,371302001,community,甲社区
371302001002,371302001,community,乙社区
";
/// The communities of the first district.
pub(crate) const COMMUNITIES: [&str; 2] = ["371302001001", "371302001002"];
const HEDONG: &str = "code,parent,level,name
371312,,district,河东区
371312001,371312,town,九曲街道
371312001001,371312001,community,丁社区
371312001001001,371312001001,base,丁一
";
/// The letter of the other district's one grid.
const ELSEWHERE: char = 'Z';

/// The letters of grids that are there for a split.
const SPARE: [char; 2] = ['X', 'Y'];

/// A base grid.
#[derive(Clone, Debug)]
pub struct Grid {
    /// Its letter, in the tokens of texts about its records.
    pub letter: char,
    /// Its identity.
    pub id: GridId,
    /// Its district.
    pub tenant: TenantId,
    /// Its code.
    pub code: String,
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

/// Somebody on the page.
#[derive(Clone, Debug)]
pub struct Supervisor {
    /// Their identity.
    pub id: UserId,
    /// Their district.
    pub tenant: TenantId,
    /// What they are …
    role: rights::Role,
    /// … on which grid.
    grid: GridId,
}

/// The districts as the operator made them.
pub struct District {
    /// The base grids.
    pub grids: Vec<Grid>,
    /// The workers.
    pub workers: Vec<Worker>,
    /// Those who supervise them.
    pub supervisors: Vec<Supervisor>,
    /// Which grid, a base grid or one above, stands under which.
    parents: BTreeMap<GridId, GridId>,
    /// The one that is in force.
    catalogue: Catalogue,
    /// What was assigned, as the server has it.
    assignments: Vec<AssignmentRow>,
    /// Which grid was split into which others.
    heirs: BTreeMap<usize, Vec<usize>>,
}

/// Whom the page knows: the codes of their grids, and what they are there.
const SUPERVISED: [(&str, Role); 6] = [
    ("371302001001", Role::Community),
    ("371302001002", Role::Community),
    ("371302001", Role::Town),
    ("371302", Role::District),
    ("371312001001", Role::Community),
    ("371312001", Role::Town),
];

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
        for (n, letter) in SPARE.into_iter().enumerate() {
            let code = format!("{}{}", COMMUNITIES[0], 901 + n);
            csv += &format!("{code},{},base,新网格{}\n", COMMUNITIES[0], n + 1);
            codes.push((letter, code));
        }
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
            supervisors: vec![],
            parents: BTreeMap::new(),
            catalogue: Catalogue::shipped(),
            assignments: vec![],
            heirs: BTreeMap::new(),
        };
        let counts = workers.iter().chain(&[0; SPARE.len()]);
        for ((letter, code), count) in codes.into_iter().zip(counts) {
            let parsed = code.parse().map_err(|error| failed(&error))?;
            let found = server.read(|tx| tx.grids_by_code(&parsed))?;
            let (tenant, row) = found.first().ok_or_else(|| failed(&code))?;
            let (tenant, id) = (*tenant, row.id);
            district.grids.push(Grid {
                letter,
                id,
                tenant,
                code: code.clone(),
            });
            for n in 0..*count {
                let name = format!("网格员{letter}{}", n + 1);
                let id = admin
                    .add_worker(&name, &code)
                    .map_err(|error| failed(&error))?;
                district.workers.push(Worker { name, id, tenant });
            }
        }
        for (code, role) in SUPERVISED {
            district.appoint(server, code, role)?;
        }
        district.read(server)?;
        Ok(district)
    }

    /// Somebody supervises the grid of a code from now on.
    fn appoint(&mut self, server: &Server, code: &str, role: Role) -> Result<(), StoreError> {
        let parsed = code.parse().map_err(|error| failed(&error))?;
        let found = server.read(|tx| tx.grids_by_code(&parsed))?;
        let (tenant, grid) = found.first().ok_or_else(|| failed(&code))?;
        let n = u128::try_from(self.supervisors.len()).unwrap_or(0) + 1;
        let row = UserRow {
            id: UserId::from_bytes(n.to_be_bytes()),
            tenant: *tenant,
            name: format!("监督员{n}"),
            password: String::new(),
            role,
            grid: grid.id,
        };
        server.write(|tx| tx.put_user(&row))?;
        self.supervisors.push(Supervisor {
            id: row.id,
            tenant: row.tenant,
            role: match role {
                Role::Community => rights::Role::Community,
                Role::Town => rights::Role::Town,
                Role::District => rights::Role::District,
                Role::Department(id) => rights::Role::Department(id),
                Role::Team(id) => rights::Role::Team(id),
                Role::System => rights::Role::System,
                Role::Administrator => rights::Role::Administrator,
            },
            grid: row.grid,
        });
        Ok(())
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
        self.parents.clear();
        for tenant in self.grids.iter().map(|grid| grid.tenant) {
            let rows = server.read(|tx| tx.grids(tenant))?.into_iter();
            let pairs = rows.filter_map(|row| Some((row.id, row.parent?)));
            self.parents.extend(pairs);
        }
        self.heirs.clear();
        for n in 0..self.grids.len() {
            let Grid { id, tenant, .. } = self.grids[n];
            let rows = server.read(|tx| tx.successions(tenant))?;
            let heirs = rows.iter().filter(|row| row.grid == id);
            let heirs: Vec<usize> = heirs.filter_map(|row| self.grid(row.successor)).collect();
            if !heirs.is_empty() {
                self.heirs.insert(n, heirs);
            }
        }
        Ok(())
    }

    /// The grids for a split.
    pub fn spare(&self) -> impl Iterator<Item = usize> + '_ {
        SPARE.iter().filter_map(|letter| self.lettered(*letter))
    }

    /// The grids that took a grid's place; none while it is open.
    #[must_use]
    pub fn heirs(&self, grid: usize) -> &[usize] {
        self.heirs.get(&grid).map_or(&[], Vec::as_slice)
    }

    /// Whether a worker may hear of a grid's records at this time: they have it,
    /// or one that took its place.
    #[must_use]
    pub fn reads(&self, worker: usize, grid: usize, at_ms: i64) -> bool {
        let heirs = self.heirs(grid).iter();
        let mut grids = std::iter::once(&grid).chain(heirs);
        grids.any(|grid| self.has(worker, *grid, at_ms))
    }

    /// The grids of which a worker may hear at this time.
    #[must_use]
    pub fn read_by(&self, worker: usize, at_ms: i64) -> Vec<usize> {
        let grids = 0..self.grids.len();
        grids
            .filter(|grid| self.reads(worker, *grid, at_ms))
            .collect()
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

    /// Which worker this is.
    #[must_use]
    pub fn worker(&self, id: WorkerId) -> Option<usize> {
        self.workers.iter().position(|worker| worker.id == id)
    }

    /// A grid and all above it.
    pub fn chain(&self, grid: GridId) -> impl Iterator<Item = GridId> + '_ {
        std::iter::successors(Some(grid), |grid| self.parents.get(grid).copied())
    }

    /// A worker, with their rights of all times.
    #[must_use]
    pub fn person(&self, worker: usize) -> Person {
        let id = self.workers[worker].id;
        let theirs = self.assignments.iter().filter(|row| row.worker == id);
        let rights = theirs.map(|row| Right {
            role: rights::Role::Gridworker,
            grid: row.grid,
            from_ms: row.from_ms,
            until_ms: row.until_ms,
        });
        Person {
            actor: Actor::Worker(id),
            rights: rights.collect(),
        }
    }
}

impl Supervisor {
    /// Them, with their right.
    #[must_use]
    pub fn person(&self) -> Person {
        let right = Right {
            role: self.role,
            grid: self.grid,
            from_ms: i64::MIN,
            until_ms: None,
        };
        Person {
            actor: Actor::User(self.id),
            rights: vec![right],
        }
    }
}

impl rights::District for District {
    fn parent(&self, grid: GridId) -> Option<GridId> {
        self.parents.get(&grid).copied()
    }

    fn grids_of(&self, worker: WorkerId, at_ms: i64) -> Vec<GridId> {
        let rows = self.assignments.iter();
        let theirs = rows.filter(|row| row.worker == worker && row.holds_at(at_ms));
        theirs.map(|row| row.grid).collect()
    }

    fn catalogue(&self, version: u32) -> Option<&Catalogue> {
        (self.catalogue.version == version).then_some(&self.catalogue)
    }
}
