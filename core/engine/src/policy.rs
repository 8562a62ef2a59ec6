//! What the worker, or whoever set up the phone, decided about sending and
//! keeping.

use rusqlite::{Connection, Transaction};
use serde::{Deserialize, Serialize};

use crate::error::Inner;
use crate::store::meta::{self, name};

/// What the phone's network costs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Network {
    /// There is none.
    None,
    /// Somebody pays by the byte: a mobile network.
    Metered,
    /// Nobody does.
    #[default]
    Unmetered,
}

/// Settings of this phone; they outlast a log-out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// Whether routes are sent over a metered network too. They are unless
    /// somebody says otherwise: a day on foot takes some 40 KB, and who walks all
    /// day seldom has another network.
    pub routes_on_metered: bool,
    /// Whether photos are sent over a metered network too.
    pub photos_on_metered: bool,
    /// For how many days a route that the server has is kept on this phone, so
    /// that it can be shown; 14 at least.
    pub keep_routes_days: u16,
    /// How many megabytes of others' attachments that were fetched are kept, so
    /// that they need not be fetched again.
    pub keep_fetched_mb: u32,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            routes_on_metered: true,
            photos_on_metered: false,
            keep_routes_days: 30,
            keep_fetched_mb: 200,
        }
    }
}

impl Policy {
    pub(crate) fn load(conn: &Connection) -> Inner<Self> {
        Ok(meta::get(conn, name::POLICY)?.unwrap_or_default())
    }

    pub(crate) fn store(self, tx: &Transaction<'_>) -> Inner<()> {
        meta::put(tx, name::POLICY, &self)
    }

    /// Whether routes may be sent now.
    pub(crate) fn sends_routes(self, network: Network) -> bool {
        network == Network::Unmetered || self.routes_on_metered && network == Network::Metered
    }

    /// Whether photos may be sent now.
    pub(crate) fn sends_photos(self, network: Network) -> bool {
        network == Network::Unmetered || self.photos_on_metered && network == Network::Metered
    }
}
