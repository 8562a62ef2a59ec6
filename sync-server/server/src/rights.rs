//! What a user of the page sees: the domain says who may read a record, here it
//! is asked.
//!
//! The page's handlers have no other way to the store than a [`Sight`]: what its
//! user may not see does not come out of it, so a handler cannot forget to ask. A
//! record of narrow readers that does come out is noted, and whoever answers
//! writes down that it was read.

use gridwalk_domain::kind::{mediation, patrol};
use gridwalk_domain::rights::{Person, Rights};
use gridwalk_domain::{Entity, EntityId, GridId, Sha256, Site, UserId, WorkerId, kind};
use gridwalk_store::{
    AssignmentRow, BlobRow, ContactRow, EntityFilter, EntityRow, GridRow, PositionRow, Read, Role,
    StoreError, TenantRow, UserRow,
};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::district::Known;
use crate::error::{Error, Fault};
use crate::law::Law;
use crate::project;
use crate::routes::{Routes, Summary};
use crate::tree::Tree;

/// Somebody who is logged in.
pub(crate) struct Viewer {
    pub(crate) user: UserRow,
    pub(crate) tenant: TenantRow,
    pub(crate) person: Person,
    pub(crate) tree: Arc<Tree>,
    pub(crate) law: Arc<Law>,
    /// When they ask.
    pub(crate) at_ms: i64,
}

impl Viewer {
    fn sees(&self, grid: GridId) -> bool {
        self.tree.is_below(grid, self.user.grid)
    }
}

/// A grid that the user may see, and all below it.
pub(crate) struct Area {
    /// None where it is the whole district: a question without a list.
    grids: Option<Vec<GridId>>,
}

/// What one user sees of the store.
pub(crate) struct Sight<'a> {
    pub(crate) viewer: &'a Viewer,
    tx: &'a dyn Read,
    /// The records of narrow readers that came out.
    shown: RefCell<BTreeSet<EntityId>>,
}

impl<'a> Sight<'a> {
    pub(crate) const fn new(viewer: &'a Viewer, tx: &'a dyn Read) -> Self {
        Self {
            viewer,
            tx,
            shown: RefCell::new(BTreeSet::new()),
        }
    }

    /// The records of narrow readers that were shown, to be written down.
    pub(crate) fn shown(self) -> BTreeSet<EntityId> {
        self.shown.into_inner()
    }

    /// Asks the domain whether the user may read a record.
    fn may_read(&self, row: &EntityRow) -> Result<bool, Error> {
        let viewer = self.viewer;
        let Some(kind) = kind::find(&row.kind).filter(|_| row.state.is_some()) else {
            return Ok(false);
        };
        let district = Known::new(self.tx, viewer.tenant.id, &viewer.tree, &viewer.law);
        let rights = Rights::new(&viewer.person, &district, viewer.at_ms);
        let by_grid = row.grid.and_then(|grid| rights.may_read_in(kind, grid));
        let may = match by_grid {
            Some(may) => may,
            None => rights.may_read(&project::state(row)?).is_ok(),
        };
        district.sound()?;
        Ok(may)
    }

    /// Whether the user may read a record, wherever it came from; that they did is
    /// noted.
    pub(crate) fn reads(&self, record: &Entity) -> Result<bool, Error> {
        let viewer = self.viewer;
        let district = Known::new(self.tx, viewer.tenant.id, &viewer.tree, &viewer.law);
        let rights = Rights::new(&viewer.person, &district, viewer.at_ms);
        let may = rights.may_read(record).is_ok();
        district.sound()?;
        if may {
            self.note(&record.kind, record.id);
        }
        Ok(may)
    }

    /// Those of these records that the user may read.
    fn readable(&self, rows: Vec<EntityRow>) -> Result<Vec<EntityRow>, Error> {
        let mut out = Vec::with_capacity(rows.len());
        for row in rows {
            if self.may_read(&row)? {
                self.note(&row.kind, row.id);
                out.push(row);
            }
        }
        Ok(out)
    }

    fn note(&self, kind: &str, id: EntityId) {
        if mediation::is_narrow(kind) {
            self.shown.borrow_mut().insert(id);
        }
    }

    /// Whether the user may read all records of a kind in a grid.
    fn reads_all(&self, kind: &str, grid: GridId) -> bool {
        let viewer = self.viewer;
        let district = Known::new(self.tx, viewer.tenant.id, &viewer.tree, &viewer.law);
        let rights = Rights::new(&viewer.person, &district, viewer.at_ms);
        kind::find(kind).is_some_and(|kind| rights.may_read_in(kind, grid) == Some(true))
    }

    /// The grid's area.
    ///
    /// # Errors
    /// 403 for a grid outside of the user's, 404 for none.
    pub(crate) fn area(&self, grid: GridId) -> Result<Area, Error> {
        let tree = &self.viewer.tree;
        if !self.viewer.sees(grid) {
            return Err(Fault::forbidden().into());
        }
        let top = tree.get(grid).ok_or_else(Fault::not_found)?;
        let whole = top.parent.is_none();
        let below = || tree.below(grid).iter().map(|row| row.id).collect();
        Ok(Area {
            grids: (!whole).then(below),
        })
    }

    /// The grids of an area, parents before children.
    pub(crate) fn grids_below(&self, grid: GridId) -> Result<Vec<&'a GridRow>, Error> {
        self.area(grid)?;
        Ok(self.viewer.tree.below(grid))
    }

    /// The boundaries of an area, as JSON.
    pub(crate) fn boundaries(&self, area: &Area) -> Result<Vec<(GridId, String)>, Error> {
        Ok(self
            .tx
            .boundaries(self.viewer.tenant.id, area.grids.as_deref())?)
    }

    /// A grid, where the user sees it.
    pub(crate) fn grid(&self, grid: GridId) -> Option<&'a GridRow> {
        self.viewer
            .tree
            .get(grid)
            .filter(|row| self.viewer.sees(row.id))
    }

    /// The records of a kind in an area, on a day or at any time.
    pub(crate) fn find(
        &self,
        area: &Area,
        filter: &EntityFilter<'_>,
    ) -> Result<Vec<EntityRow>, Error> {
        let filter = EntityFilter {
            grids: area.grids.as_deref(),
            ..filter.clone()
        };
        let rows = self.tx.find(self.viewer.tenant.id, &filter)?;
        self.readable(rows)
    }

    /// The days that have something to see in an area, newest first.
    pub(crate) fn days(&self, area: &Area, kinds: &[&str], most: usize) -> Result<Vec<i32>, Error> {
        let top = self.viewer.user.grid;
        if kinds.iter().all(|kind| self.reads_all(kind, top)) {
            let grids = area.grids.as_deref();
            return Ok(self.tx.days(self.viewer.tenant.id, grids, kinds, most)?);
        }
        let mut days = BTreeSet::new();
        for kind in kinds {
            let filter = EntityFilter {
                kind: Some(kind),
                ..EntityFilter::default()
            };
            days.extend(self.find(area, &filter)?.iter().map(|row| row.day));
        }
        Ok(days.into_iter().rev().take(most).collect())
    }

    /// A record.
    ///
    /// # Errors
    /// 404 where there is none of this kind, 403 where it is not the user's to
    /// see.
    pub(crate) fn record(&self, kind: &str, id: EntityId) -> Result<EntityRow, Error> {
        let rows = self.tx.entities(self.viewer.tenant.id, &[id])?;
        let row = rows
            .into_iter()
            .find(|row| row.kind == kind && !row.deleted);
        let row = row.ok_or_else(Fault::not_found)?;
        let row = self.readable(vec![row])?.pop();
        Ok(row.ok_or_else(Fault::forbidden)?)
    }

    /// What belongs to a record that the user sees; each by its own rights.
    pub(crate) fn children(&self, kind: &str, parent: EntityId) -> Result<Vec<EntityRow>, Error> {
        let area = self.area(self.viewer.user.grid)?;
        let filter = EntityFilter {
            kind: Some(kind),
            parent: Some(parent),
            ..EntityFilter::default()
        };
        self.find(&area, &filter)
    }

    /// Which of these records the user sees.
    pub(crate) fn seen(&self, ids: &[EntityId]) -> Result<BTreeSet<EntityId>, Error> {
        let mut seen = BTreeSet::new();
        for row in self.tx.entities(self.viewer.tenant.id, ids)? {
            if self.may_read(&row)? {
                seen.insert(row.id);
            }
        }
        Ok(seen)
    }

    /// The routes of patrols that came from this sight.
    pub(crate) fn routes(
        &self,
        routes: &Routes,
        patrols: &[EntityRow],
    ) -> Result<Vec<Arc<Summary>>, StoreError> {
        routes.of(self.tx, self.viewer.tenant.id, patrols)
    }

    /// The sites of a grid that a record of this sight belongs to.
    pub(crate) fn sites(&self, grid: GridId) -> Result<Vec<Site>, Error> {
        let tenant = self.viewer.tenant.id;
        let mut places = crate::sites::places(self.tx, tenant, &[grid])?;
        Ok(places.remove(&grid).unwrap_or_default().sites)
    }

    /// The names of workers that records of this sight name.
    pub(crate) fn worker_names(
        &self,
        workers: &BTreeSet<WorkerId>,
    ) -> Result<BTreeMap<WorkerId, String>, Error> {
        let ids: Vec<WorkerId> = workers.iter().copied().collect();
        let rows = self.tx.workers(self.viewer.tenant.id, Some(&ids))?;
        Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
    }

    /// The names of users that records of this sight name.
    pub(crate) fn user_names(
        &self,
        users: &BTreeSet<UserId>,
    ) -> Result<BTreeMap<UserId, String>, Error> {
        let ids: Vec<UserId> = users.iter().copied().collect();
        let rows = self.tx.users(self.viewer.tenant.id, &ids)?;
        Ok(rows.into_iter().map(|row| (row.id, row.name)).collect())
    }

    /// Who works in an area now, with their grids there.
    pub(crate) fn workers(
        &self,
        area: &Area,
        now_ms: i64,
    ) -> Result<BTreeMap<WorkerId, Vec<GridId>>, Error> {
        let in_area = |grid: &GridId| match &area.grids {
            None => true,
            Some(grids) => grids.contains(grid),
        };
        // Who walks where, and where they are, is as much as their patrols say.
        let here = |grid: &GridId| in_area(grid) && self.reads_all(patrol::KIND.name, *grid);
        let mut workers: BTreeMap<WorkerId, Vec<GridId>> = BTreeMap::new();
        let rows = self.tx.assignments(self.viewer.tenant.id, None)?;
        let now = |row: &AssignmentRow| row.holds_at(now_ms) && here(&row.grid);
        for row in rows.into_iter().filter(now) {
            workers.entry(row.worker).or_default().push(row.grid);
        }
        Ok(workers)
    }

    /// When the phones of these workers were heard from.
    pub(crate) fn contacts(
        &self,
        workers: &BTreeMap<WorkerId, Vec<GridId>>,
    ) -> Result<Vec<ContactRow>, Error> {
        let rows = self.tx.contacts(self.viewer.tenant.id)?;
        Ok(rows
            .into_iter()
            .filter(|row| workers.contains_key(&row.worker))
            .collect())
    }

    /// Where these workers were last.
    pub(crate) fn positions(
        &self,
        workers: &BTreeMap<WorkerId, Vec<GridId>>,
    ) -> Result<BTreeMap<WorkerId, PositionRow>, Error> {
        let rows = self.tx.positions(self.viewer.tenant.id)?;
        let rows = rows
            .into_iter()
            .filter(|row| workers.contains_key(&row.worker));
        Ok(rows.map(|row| (row.worker, row)).collect())
    }

    /// Which of these attachments are here; for records of this sight.
    pub(crate) fn blobs(&self, blobs: &[Sha256]) -> Result<Vec<BlobRow>, Error> {
        Ok(self.tx.blobs(self.viewer.tenant.id, blobs)?)
    }

    /// An attachment that a record which the user sees refers to.
    ///
    /// # Errors
    /// 404 where nothing refers to it or it is not here, 403 where only records
    /// do that are not the user's to see.
    pub(crate) fn blob(&self, sha256: Sha256) -> Result<BlobRow, Error> {
        let tenant = self.viewer.tenant.id;
        let holders = self.tx.holders(tenant, sha256)?.into_iter();
        let holders: Vec<EntityId> = holders
            .filter(|row| !row.deleted)
            .map(|row| row.entity)
            .collect();
        if holders.is_empty() {
            return Err(Fault::not_found().into());
        }
        let mut through = None;
        for row in self.tx.entities(tenant, &holders)? {
            if self.may_read(&row)? {
                let narrow = mediation::is_narrow(&row.kind);
                through = Some(row);
                if !narrow {
                    break;
                }
            }
        }
        let through = through.ok_or_else(Fault::forbidden)?;
        self.note(&through.kind, through.id);
        let blob = self.tx.blobs(tenant, &[sha256])?.into_iter().next();
        Ok(blob.ok_or_else(Fault::not_found)?)
    }

    /// The store behind the sight, for an operator at the machine.
    pub(crate) const fn tx(&self) -> &'a dyn Read {
        self.tx
    }

    /// The store behind the sight, for administrators of the district.
    ///
    /// # Errors
    /// 403 for anybody else.
    pub(crate) fn whole(&self) -> Result<&'a dyn Read, Error> {
        if self.viewer.user.role == Role::Administrator {
            Ok(self.tx)
        } else {
            Err(Fault::forbidden().into())
        }
    }
}
