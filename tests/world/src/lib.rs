//! Lanshan's synthetic grid (兰山区合成网格), and real walks moved into it.
//!
//! The district's outline and the names and codes of its towns and communities
//! are real (`tests/fixtures/SOURCES.md`). Base grids have no public boundary,
//! so this crate makes them, and says of every area that it did: `synthetic`.
//!
//! How the areas are made, each step repeatable by seed:
//!
//! 1. [`cells`]: 1,956 points relaxed by Lloyd's method; their Voronoi cells,
//!    clipped by the outline, are the base grids, all of about one size.
//! 2. [`mesh`]: corners that are one place become one point, so that what two
//!    cells share is known exactly and not within a tolerance.
//! 3. [`partition`]: the cells are halved again and again along short, straight
//!    cuts until every community holds five or six of them. Communities of one
//!    town stay together because the halving follows the order of the codes.
//! 4. [`world`]: the boundary of a community, a town, the district is what
//!    remains of its cells' edges when every shared edge has cancelled out.
//!
//! The newspaper report that gave the number of base grids counts 12 towns and
//! 380 communities; the official list has 11 and 359. The list's names stand
//! here, because they can be checked.
//!
//! [`replay`] cuts the walking pieces out of real traces and moves them, in
//! place and time, into a grid.

pub mod cells;
pub mod divisions;
pub mod mesh;
pub mod partition;
mod plane;
pub mod replay;
pub mod world;

pub use divisions::Division;
pub use plane::Plane;
pub use replay::Walks;
pub use world::{Area, BASE_GRIDS, World};

/// What can go wrong while the world is made.
#[derive(Debug, thiserror::Error)]
pub enum WorldError {
    /// The list of divisions cannot be used.
    #[error("the list of divisions, line {line}: {problem}; expected code,parent,level,name")]
    Divisions {
        /// Line in the file, the header being line 1.
        line: u64,
        /// What is wrong there.
        problem: String,
    },
    /// The outline cannot be used.
    #[error("the outline: {0}; expected GeoJSON with one polygon, longitude before latitude")]
    Outline(String),
    /// The outline cannot be cut into cells.
    #[error("cutting the outline into {wanted} cells: {problem}; try another seed")]
    Cells {
        /// How many cells were asked for.
        wanted: usize,
        /// What is wrong.
        problem: String,
    },
    /// The cells cannot be shared out.
    #[error("sharing {cells} cells among {groups} communities: {problem}; try another seed")]
    Partition {
        /// Cells to be shared.
        cells: usize,
        /// Communities to receive them.
        groups: usize,
        /// What is wrong.
        problem: &'static str,
    },
    /// A trace cannot be read.
    #[error("the trace {file}: {problem}")]
    Trace {
        /// The file's name.
        file: String,
        /// What is wrong, and what to do.
        problem: String,
    },
    /// There is nothing to walk with or nowhere to walk.
    #[error("moving a walk: {0}")]
    Replay(&'static str),
}
