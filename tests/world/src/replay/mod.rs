//! Real walks, moved into a grid.
//!
//! Nobody publishes the tracks of gridworkers. What can be had are traces of
//! rides, runs and hikes elsewhere, most of them too fast and all of them too
//! long for a grid some 670 m wide. So the stretches at walking speed are cut
//! out ([`walking_pieces`]) and moved in place and time: turned by quarters and
//! mirrored by seed, set down in the grid, and folded at its edge
//! ([`fit_into_grid`]). No speed, no interval and no wobble of the sensor is
//! changed. Altitude and bearing are left away: they belong to where the walk
//! was made. Where all this is shown, it is said.

mod fold;
mod pieces;
mod walks;

pub use fold::fit_into_grid;
pub use pieces::{WALKING_MPS, walking_pieces};
pub use walks::{Walk, Walks};
