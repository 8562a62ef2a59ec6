//! The tree of a district's grids, kept in memory until a grid changes.

use gridwalk_domain::{GridId, TenantId};
use gridwalk_store::{GridRow, Read, StoreError, TenantRow};
use std::collections::HashMap;
use std::sync::{Arc, Mutex};

use crate::commits::lock;

/// A chain of parents is never longer than this; a longer one is a circle.
const MOST_LEVELS: usize = 16;

/// A district's grids.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    grids: HashMap<GridId, GridRow>,
    /// By level and code: parents before children.
    order: Vec<GridId>,
    children: HashMap<GridId, Vec<GridId>>,
}

impl Tree {
    fn new(rows: Vec<GridRow>) -> Self {
        let mut tree = Self::default();
        for row in rows {
            tree.order.push(row.id);
            if let Some(parent) = row.parent {
                tree.children.entry(parent).or_default().push(row.id);
            }
            tree.grids.insert(row.id, row);
        }
        tree
    }

    pub(crate) fn get(&self, grid: GridId) -> Option<&GridRow> {
        self.grids.get(&grid)
    }

    /// The grid itself, its parent, and so on up to the district.
    pub(crate) fn chain(&self, grid: GridId) -> impl Iterator<Item = &GridRow> {
        let first = self.get(grid);
        let next = |row: &&GridRow| row.parent.and_then(|parent| self.get(parent));
        std::iter::successors(first, next).take(MOST_LEVELS)
    }

    /// Whether `grid` is `top` or stands below it.
    pub(crate) fn is_below(&self, grid: GridId, top: GridId) -> bool {
        self.chain(grid).any(|row| row.id == top)
    }

    /// `top` and all below it, parents before children.
    pub(crate) fn below(&self, top: GridId) -> Vec<&GridRow> {
        let mut out: Vec<&GridRow> = self.get(top).into_iter().collect();
        let mut at = 0;
        while let Some(row) = out.get(at) {
            let children = self.children.get(&row.id).map_or(&[][..], Vec::as_slice);
            // More rows than grids would be a circle.
            if out.len() + children.len() > self.grids.len() {
                break;
            }
            out.extend(children.iter().filter_map(|id| self.get(*id)));
            at += 1;
        }
        out
    }
}

/// The trees of all districts.
#[derive(Default)]
pub(crate) struct Trees {
    kept: Mutex<HashMap<TenantId, (u64, Arc<Tree>)>>,
}

impl Trees {
    /// The district's tree as this transaction sees it.
    pub(crate) fn get(&self, tx: &dyn Read, tenant: &TenantRow) -> Result<Arc<Tree>, StoreError> {
        if let Some((version, tree)) = lock(&self.kept).get(&tenant.id)
            && *version == tenant.grids_version
        {
            return Ok(Arc::clone(tree));
        }
        let tree = Arc::new(Tree::new(tx.grids(tenant.id)?));
        let entry = (tenant.grids_version, Arc::clone(&tree));
        lock(&self.kept).insert(tenant.id, entry);
        Ok(tree)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gridwalk_domain::GridLevel;

    fn row(n: u8, parent: Option<u8>) -> GridRow {
        GridRow {
            id: GridId::from_bytes([n; 16]),
            // Codes that begin alike: no prefix may count.
            code: format!("371302{n}").parse().expect("a code"),
            parent: parent.map(|n| GridId::from_bytes([n; 16])),
            level: GridLevel::Base,
            name: n.to_string(),
            synthetic: false,
        }
    }

    #[test]
    fn who_stands_under_whom_is_the_parent() {
        let id = |n: u8| GridId::from_bytes([n; 16]);
        let tree = Tree::new(vec![
            row(1, None),
            row(2, Some(1)),
            row(3, Some(1)),
            row(20, Some(3)),
        ]);
        assert!(tree.is_below(id(20), id(1)) && tree.is_below(id(20), id(3)));
        assert!(
            !tree.is_below(id(20), id(2)),
            "371302 2 0 does not stand under 371302 2"
        );
        assert!(!tree.is_below(id(99), id(1)));
        let below: Vec<_> = tree.below(id(1)).iter().map(|row| row.id).collect();
        assert_eq!(below, [id(1), id(2), id(3), id(20)]);
        assert!(tree.below(id(99)).is_empty());
    }

    #[test]
    fn a_circle_ends() {
        let tree = Tree::new(vec![row(1, Some(2)), row(2, Some(1))]);
        assert!(tree.below(GridId::from_bytes([1; 16])).len() <= 2);
        assert!(!tree.is_below(GridId::from_bytes([1; 16]), GridId::from_bytes([9; 16])));
    }
}
