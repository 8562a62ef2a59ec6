//! What the supervisor's page asks for (docs/api.md).

mod answers;
mod coverage;
mod day;
mod holdings;
mod incident;
mod kinds;
mod login;
mod look;
mod map;
mod names;
mod records;
mod steps;
mod tasks;
mod workers;

pub(crate) use holdings::holdings;
pub use holdings::{Holdings, PatrolHolding, RunHolding};
pub(crate) use login::hash_password;
pub(crate) use look::{Answer, COOKIE};

/// What a page shows of a day.
const KINDS: [&str; 2] = ["patrol", "incident"];
/// How many days are listed.
const MOST_DAYS: usize = 60;
