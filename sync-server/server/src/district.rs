//! The district as the domain's rules see it: its grids, who walks them, its
//! catalogues. And who acts there, with all their rights.

use gridwalk_domain::rights::{Actor, District, Person, Right, Role as DomainRole};
use gridwalk_domain::{Catalogue, GridId, TenantId, WorkerId};
use gridwalk_store::{AssignmentRow, Read, Role, StoreError, UserRow};
use std::cell::RefCell;

use crate::law::Law;
use crate::tree::Tree;

/// What the rules look up, within a transaction.
///
/// Grids and catalogues are in memory; whose grids are asked for, which few
/// steps do, costs one look-up.
pub(crate) struct Known<'a> {
    tx: &'a dyn Read,
    tenant: TenantId,
    tree: &'a Tree,
    law: &'a Law,
    failed: RefCell<Option<StoreError>>,
}

impl<'a> Known<'a> {
    pub(crate) const fn new(
        tx: &'a dyn Read,
        tenant: TenantId,
        tree: &'a Tree,
        law: &'a Law,
    ) -> Self {
        Self {
            tx,
            tenant,
            tree,
            law,
            failed: RefCell::new(None),
        }
    }

    /// What was looked up holds only where the store did not fail: to be asked
    /// before anything is made of an answer.
    ///
    /// # Errors
    /// The store's.
    pub(crate) fn sound(&self) -> Result<(), StoreError> {
        self.failed.take().map_or(Ok(()), Err)
    }
}

impl District for Known<'_> {
    fn parent(&self, grid: GridId) -> Option<GridId> {
        self.tree.get(grid)?.parent
    }

    fn grids_of(&self, worker: WorkerId, at_ms: i64) -> Vec<GridId> {
        match self.tx.assignments(self.tenant, Some(worker)) {
            Ok(rows) => walked(&rows, self.tree)
                .filter(|(row, _)| row.holds_at(at_ms))
                .map(|(_, grid)| grid)
                .collect(),
            Err(error) => {
                self.failed.replace(Some(error));
                vec![]
            }
        }
    }

    fn catalogue(&self, version: u32) -> Option<&Catalogue> {
        self.law.catalogue(version)
    }
}

/// The grids of assignments, and those whose place they took: who walks a grid
/// answers for what it was made of, too.
fn walked<'a>(
    assignments: &'a [AssignmentRow],
    tree: &'a Tree,
) -> impl Iterator<Item = (&'a AssignmentRow, GridId)> {
    assignments.iter().flat_map(|row| {
        let grids = std::iter::once(row.grid).chain(tree.forebears(row.grid));
        grids.map(move |grid| (row, grid))
    })
}

/// A worker with the rights of all their assignments.
pub(crate) fn worker(worker: WorkerId, assignments: &[AssignmentRow], tree: &Tree) -> Person {
    let rights = walked(assignments, tree).map(|(row, grid)| Right {
        role: DomainRole::Gridworker,
        grid,
        from_ms: row.from_ms,
        until_ms: row.until_ms,
    });
    Person {
        actor: Actor::Worker(worker),
        rights: rights.collect(),
    }
}

/// Somebody on the page with their role.
pub(crate) fn user(row: &UserRow) -> Person {
    let role = match row.role {
        Role::Community => DomainRole::Community,
        Role::Town => DomainRole::Town,
        Role::District => DomainRole::District,
        Role::Department(id) => DomainRole::Department(id),
        Role::Team(id) => DomainRole::Team(id),
        Role::System => DomainRole::System,
        Role::Administrator => DomainRole::Administrator,
    };
    let right = Right {
        role,
        grid: row.grid,
        from_ms: i64::MIN,
        until_ms: None,
    };
    Person {
        actor: Actor::User(row.id),
        rights: vec![right],
    }
}
