//! The tree of a district's grids, kept in memory until a grid changes.

use gridwalk_domain::{GridId, TenantId};
use gridwalk_store::{GridRow, Read, StoreError, SuccessionRow, TenantRow};
use std::collections::{BTreeSet, HashMap};
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
    /// What took the place of which grid.
    successors: HashMap<GridId, Vec<GridId>>,
}

impl Tree {
    fn new(rows: Vec<GridRow>, successions: &[SuccessionRow]) -> Self {
        let mut tree = Self::default();
        for row in successions {
            let successors = tree.successors.entry(row.grid).or_default();
            successors.push(row.successor);
        }
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

impl Tree {
    /// A grid and all that took its place, and theirs.
    fn line(&self, grid: GridId) -> BTreeSet<GridId> {
        let mut line = BTreeSet::from([grid]);
        let mut open = vec![grid];
        while let Some(next) = open.pop() {
            for successor in self.successors.get(&next).into_iter().flatten() {
                if line.insert(*successor) {
                    open.push(*successor);
                }
            }
        }
        line
    }

    /// The open grids that took the place of a closed one; none for an open one.
    pub(crate) fn heirs(&self, grid: GridId) -> Vec<GridId> {
        let is_open = |id: &GridId| self.get(*id).is_some_and(|row| row.closed_ms.is_none());
        if !self.successors.contains_key(&grid) || is_open(&grid) {
            return Vec::new();
        }
        self.line(grid).into_iter().filter(is_open).collect()
    }

    /// The grids whose place this one took, at once or later.
    pub(crate) fn forebears(&self, one: GridId) -> impl Iterator<Item = GridId> {
        let closed = self.successors.keys().copied();
        closed.filter(move |grid| *grid != one && self.line(*grid).contains(&one))
    }

    /// Whether `one` is `grid` or took its place, at once or later.
    pub(crate) fn is_heir(&self, one: GridId, grid: GridId) -> bool {
        one == grid || (self.successors.contains_key(&grid) && self.line(grid).contains(&one))
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
        let successions = tx.successions(tenant.id)?;
        let tree = Arc::new(Tree::new(tx.grids(tenant.id)?, &successions));
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
            closed_ms: None,
        }
    }

    #[test]
    fn who_stands_under_whom_is_the_parent() {
        let id = |n: u8| GridId::from_bytes([n; 16]);
        let tree = Tree::new(
            vec![
                row(1, None),
                row(2, Some(1)),
                row(3, Some(1)),
                row(20, Some(3)),
            ],
            &[],
        );
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
    fn heirs_are_the_open_ones_at_the_end() {
        let id = |n: u8| GridId::from_bytes([n; 16]);
        let closed = |n| GridRow {
            closed_ms: Some(1),
            ..row(n, None)
        };
        let succession = |grid, successor| SuccessionRow {
            grid: id(grid),
            successor: id(successor),
            at_ms: 1,
        };
        // 1 was split into 2 and 3, then 3 into 4 and 5; 6 and 7 go round.
        let rows = vec![
            closed(1),
            row(2, None),
            closed(3),
            row(4, None),
            row(5, None),
        ];
        let circle = [closed(6), closed(7)];
        let successions = [(1, 2), (1, 3), (3, 4), (3, 5), (6, 7), (7, 6)];
        let successions = successions.map(|(grid, successor)| succession(grid, successor));
        let tree = Tree::new([rows, circle.to_vec()].concat(), &successions);
        assert_eq!(tree.heirs(id(1)), [id(2), id(4), id(5)]);
        assert!(tree.heirs(id(2)).is_empty() && tree.heirs(id(6)).is_empty());
        for heir in [1, 2, 3, 5] {
            assert!(tree.is_heir(id(heir), id(1)), "{heir}");
        }
        assert!(!tree.is_heir(id(2), id(3)) && !tree.is_heir(id(1), id(2)));
        let mut forebears: Vec<_> = tree.forebears(id(5)).collect();
        forebears.sort_unstable();
        assert_eq!(forebears, [id(1), id(3)]);
        assert_eq!(tree.forebears(id(1)).count(), 0);
    }

    #[test]
    fn a_circle_ends() {
        let tree = Tree::new(vec![row(1, Some(2)), row(2, Some(1))], &[]);
        assert!(tree.below(GridId::from_bytes([1; 16])).len() <= 2);
        assert!(!tree.is_below(GridId::from_bytes([1; 16]), GridId::from_bytes([9; 16])));
    }
}
