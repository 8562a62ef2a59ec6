//! Sharing cells among groups, so that every group hangs together.
//!
//! A region is halved again and again. A half is the first so many cells in
//! the order of some direction, which makes straight cuts; of all directions
//! and sizes that leave both halves in one piece, the shortest cut wins. Where
//! no direction will do, the order of nearness to a cell is tried.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use geo::Coord;

use crate::WorldError;

/// Directions tried for each cut, evenly over the half circle.
const DIRECTIONS: u32 = 24;
/// Sizes tried for each direction: a large region has hundreds that would do.
const SIZES: usize = 24;

/// The cells to be shared: where they are and which touch.
#[derive(Clone, Copy, Debug)]
pub struct Cells<'a> {
    /// The middle of each cell.
    pub centres: &'a [Coord<f64>],
    /// For each cell its neighbours and the length of the common border.
    pub neighbours: &'a [Vec<(usize, f64)>],
}

/// Shares all cells among groups. `families[g]` is the family (the town) of
/// group `g`; families come one after the other and hang together as well.
/// Every group gets a number of cells within `sizes`.
///
/// # Errors
///
/// When the sizes cannot be met, or no cut leaves both halves in one piece.
pub fn share(
    cells: Cells<'_>,
    families: &[usize],
    sizes: &RangeInclusive<usize>,
) -> Result<Vec<Vec<usize>>, WorldError> {
    let all: Vec<usize> = (0..cells.centres.len()).collect();
    let mut shared = vec![Vec::new(); families.len()];
    let mut open = vec![(all, 0..families.len())];
    while let Some((region, groups)) = open.pop() {
        let fault = |problem| WorldError::Partition {
            cells: region.len(),
            groups: groups.len(),
            problem,
        };
        if groups.is_empty()
            || !(sizes.start() * groups.len()..=sizes.end() * groups.len()).contains(&region.len())
        {
            return Err(fault("that many do not go into so many"));
        }
        if groups.len() == 1 {
            shared[groups.start] = region;
            continue;
        }
        let middle = groups.start + split(&families[groups.clone()]);
        let (first, second) = cells
            .halve(&region, middle - groups.start, groups.end - middle, sizes)
            .ok_or_else(|| fault("no cut leaves both halves in one piece"))?;
        open.push((first, groups.start..middle));
        open.push((second, middle..groups.end));
    }
    Ok(shared)
}

/// How many groups go into the first half: near the middle, and never through a
/// family while there are several.
fn split(families: &[usize]) -> usize {
    let half = families.len() / 2;
    (1..families.len())
        .filter(|&at| families[at - 1] != families[at])
        .min_by_key(|&at| at.abs_diff(half))
        .unwrap_or(half)
}

impl Cells<'_> {
    fn halve(
        self,
        region: &[usize],
        first: usize,
        second: usize,
        sizes: &RangeInclusive<usize>,
    ) -> Option<(Vec<usize>, Vec<usize>)> {
        let least = (sizes.start() * first).max(region.len().saturating_sub(sizes.end() * second));
        let most = (sizes.end() * first).min(region.len().checked_sub(sizes.start() * second)?);
        let stride = (most.checked_sub(least)? / SIZES).max(1);
        let tried: Vec<usize> = (least..=most).step_by(stride).collect();
        let by_direction = (0..DIRECTIONS).flat_map(|d| {
            let angle = std::f64::consts::PI * f64::from(d) / f64::from(DIRECTIONS);
            let forth = self.along(region, angle);
            let back = forth.iter().rev().copied().collect();
            [forth, back]
        });
        let by_nearness = region
            .iter()
            .map(|&from| self.outward(region, from))
            .filter(|reached| reached.len() == region.len());
        self.shortest(by_direction, &tried)
            .or_else(|| self.shortest(by_nearness, &tried))
    }

    /// The best cut of these orders: both halves in one piece, the border short.
    fn shortest(
        self,
        orders: impl Iterator<Item = Vec<usize>>,
        sizes: &[usize],
    ) -> Option<(Vec<usize>, Vec<usize>)> {
        let mut best: Option<(f64, Vec<usize>, usize)> = None;
        let mut side = vec![Side::Elsewhere; self.centres.len()];
        for order in orders {
            for &size in sizes {
                let (first, second) = order.split_at(size);
                first.iter().for_each(|&c| side[c] = Side::First);
                second.iter().for_each(|&c| side[c] = Side::Second);
                let border = self.border(first, &side);
                if best
                    .as_ref()
                    .is_none_or(|(shortest, ..)| border < *shortest)
                    && self.in_one_piece(first, &side)
                    && self.in_one_piece(second, &side)
                {
                    best = Some((border, order.clone(), size));
                }
            }
            order.iter().for_each(|&c| side[c] = Side::Elsewhere);
        }
        best.map(|(_, order, size)| {
            let (first, second) = order.split_at(size);
            (first.to_vec(), second.to_vec())
        })
    }

    fn along(self, region: &[usize], angle: f64) -> Vec<usize> {
        let (sin, cos) = angle.sin_cos();
        let depth = |c: usize| self.centres[c].x * cos + self.centres[c].y * sin;
        let mut order = region.to_vec();
        order.sort_by(|&a, &b| depth(a).total_cmp(&depth(b)).then(a.cmp(&b)));
        order
    }

    /// The region's cells in the order in which a flood from one of them reaches them.
    fn outward(self, region: &[usize], from: usize) -> Vec<usize> {
        let mut dry: Vec<bool> = vec![false; self.centres.len()];
        region.iter().for_each(|&c| dry[c] = true);
        let mut order = Vec::with_capacity(region.len());
        let mut edge = VecDeque::from([from]);
        dry[from] = false;
        while let Some(cell) = edge.pop_front() {
            order.push(cell);
            for &(next, _) in &self.neighbours[cell] {
                if std::mem::take(&mut dry[next]) {
                    edge.push_back(next);
                }
            }
        }
        order
    }

    fn border(self, first: &[usize], side: &[Side]) -> f64 {
        let beyond = |&(next, length): &(usize, f64)| match side[next] {
            Side::Second => length,
            Side::First | Side::Elsewhere => 0.0,
        };
        first
            .iter()
            .flat_map(|&c| &self.neighbours[c])
            .map(beyond)
            .sum()
    }

    fn in_one_piece(self, half: &[usize], side: &[Side]) -> bool {
        let Some(&start) = half.first() else {
            return false;
        };
        let mut reached = vec![false; self.centres.len()];
        reached[start] = true;
        let (mut open, mut count) = (vec![start], 0);
        while let Some(cell) = open.pop() {
            count += 1;
            for &(next, _) in &self.neighbours[cell] {
                if side[next] == side[start] && !std::mem::replace(&mut reached[next], true) {
                    open.push(next);
                }
            }
        }
        count == half.len()
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Elsewhere,
    First,
    Second,
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A board of squares, where touching corners are no border.
    struct Board {
        centres: Vec<Coord<f64>>,
        neighbours: Vec<Vec<(usize, f64)>>,
    }

    impl Board {
        fn new(places: &[(i32, i32)]) -> Self {
            let beside = |&(x, y): &(i32, i32)| {
                let touches =
                    |&(_, (u, v)): &(usize, &(i32, i32))| (x - u).abs() + (y - v).abs() == 1;
                places
                    .iter()
                    .enumerate()
                    .filter(touches)
                    .map(|(i, _)| (i, 1.0))
                    .collect()
            };
            Self {
                centres: places
                    .iter()
                    .map(|&(x, y)| Coord {
                        x: x.into(),
                        y: y.into(),
                    })
                    .collect(),
                neighbours: places.iter().map(beside).collect(),
            }
        }

        fn cells(&self) -> Cells<'_> {
            Cells {
                centres: &self.centres,
                neighbours: &self.neighbours,
            }
        }
    }

    fn rectangle(width: i32, height: i32) -> Vec<(i32, i32)> {
        (0..height)
            .flat_map(|y| (0..width).map(move |x| (x, y)))
            .collect()
    }

    #[test]
    fn every_cell_goes_to_one_group_and_every_group_hangs_together() {
        let board = Board::new(&rectangle(11, 10));
        let shared = share(board.cells(), &[0; 20], &(5..=6)).unwrap();
        let mut seen: Vec<usize> = shared.concat();
        seen.sort_unstable();
        assert_eq!(seen, (0..110).collect::<Vec<_>>());
        for group in &shared {
            assert!((5..=6).contains(&group.len()));
            let mut side = vec![Side::Elsewhere; 110];
            group.iter().for_each(|&c| side[c] = Side::First);
            assert!(board.cells().in_one_piece(group, &side));
        }
    }

    #[test]
    fn families_stay_together() {
        let board = Board::new(&rectangle(10, 6));
        let families = [0, 0, 0, 1, 2, 2, 2, 2, 2, 2];
        let shared = share(board.cells(), &families, &(5..=7)).unwrap();
        for family in 0..3 {
            let members = (0..families.len()).filter(|&g| families[g] == family);
            let union: Vec<usize> = members.flat_map(|g| shared[g].clone()).collect();
            let mut side = vec![Side::Elsewhere; 60];
            union.iter().for_each(|&c| side[c] = Side::First);
            assert!(board.cells().in_one_piece(&union, &side), "family {family}");
        }
    }

    #[test]
    fn what_cannot_be_shared_is_an_error() {
        let board = Board::new(&rectangle(4, 4));
        let wrong = share(board.cells(), &[0; 2], &(5..=6))
            .unwrap_err()
            .to_string();
        assert!(wrong.contains("16 cells among 2"), "{wrong}");
        let apart = Board::new(&[(0, 0), (1, 0), (9, 0), (10, 0), (20, 0), (21, 0)]);
        let wrong = share(apart.cells(), &[0; 2], &(3..=3))
            .unwrap_err()
            .to_string();
        assert!(wrong.contains("one piece"), "{wrong}");
    }

    #[test]
    fn a_bent_region_is_cut_along_itself() {
        // A comb with long teeth: no straight cut near the half leaves two pieces
        // unless it runs across the spine.
        let mut places: Vec<_> = (0..9).map(|x| (x, 0)).collect();
        for tooth in [0, 2, 4, 6, 8] {
            places.extend((1..6).map(|y| (tooth, y)));
        }
        let board = Board::new(&places);
        let shared = share(board.cells(), &[0; 2], &(12..=22)).unwrap();
        assert_eq!(shared[0].len() + shared[1].len(), 34);
    }
}
