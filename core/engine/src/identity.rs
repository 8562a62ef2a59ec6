//! Who this phone is, and what it may write.

use gridwalk_domain::wire::{Scope, WorkerRef};
use gridwalk_domain::{
    Author, DeviceId, EntityId, Grid, GridCode, GridId, Sha256, StreamKey, TenantId,
};
use serde::{Deserialize, Serialize};

use crate::ServerAddress;
use crate::error::EngineError;

/// Who this phone is.
#[derive(Clone, Debug, PartialEq)]
pub struct Identity {
    /// Whose phone it is.
    pub worker: WorkerRef,
    /// The district.
    pub tenant: TenantId,
    /// This installation.
    pub device: DeviceId,
    /// The server that it was enrolled with.
    pub server: ServerAddress,
}

/// A grid and how people call it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GridRef {
    /// Its identity.
    pub id: GridId,
    /// Its code today.
    pub code: GridCode,
    /// Its name today.
    pub name: String,
}

impl From<&Grid> for GridRef {
    fn from(grid: &Grid) -> Self {
        Self {
            id: grid.id,
            code: grid.code.clone(),
            name: grid.name.clone(),
        }
    }
}

/// What is stored of an identity: what [`Identity`] has, and the tokens.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Me {
    /// The number of the account ([`crate::account`]).
    #[serde(skip)]
    pub(crate) account: i64,
    pub(crate) tenant: TenantId,
    pub(crate) worker: WorkerRef,
    pub(crate) device: DeviceId,
    /// Forgotten when the account leaves.
    pub(crate) token: Option<String>,
    /// It can send and nothing else.
    pub(crate) send_token: String,
    pub(crate) server: String,
    pub(crate) ca: Option<Sha256>,
}

impl Me {
    pub(crate) fn author(&self) -> Author {
        Author::Worker {
            worker: self.worker.id,
            device: self.device,
        }
    }

    pub(crate) fn identity(&self) -> Identity {
        Identity {
            worker: self.worker.clone(),
            tenant: self.tenant,
            device: self.device,
            server: self.address(),
        }
    }

    pub(crate) fn address(&self) -> ServerAddress {
        ServerAddress {
            url: self.server.clone(),
            ca: self.ca,
        }
    }

    /// Whether it is this worker who uses the phone now.
    pub(crate) fn is_present(&self) -> bool {
        self.token.is_some()
    }
}

/// The scope as it was synced, and its tag.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct Synced {
    pub(crate) tag: Sha256,
    pub(crate) scope: Scope,
}

impl Synced {
    /// The grids whose records the worker writes.
    pub(crate) fn own_grids(&self) -> impl Iterator<Item = &Grid> {
        self.scope.grids.iter().filter(|grid| self.writes(grid.id))
    }

    pub(crate) fn writes(&self, grid: GridId) -> bool {
        self.scope.streams.contains(&StreamKey::Records(grid))
    }
}

/// The grid to work in: the one asked for, or the only one there is.
pub(crate) fn choose_grid(
    scope: Option<&Synced>,
    asked: Option<GridId>,
) -> Result<Grid, EngineError> {
    let grids: Vec<&Grid> = scope.into_iter().flat_map(Synced::own_grids).collect();
    match (asked, grids.as_slice()) {
        (Some(id), grids) => grids
            .iter()
            .find(|grid| grid.id == id)
            .map(|grid| (*grid).clone())
            .ok_or(EngineError::OutOfScope {
                grid: id.to_string(),
            }),
        (None, [only]) => Ok((*only).clone()),
        (None, []) => Err(EngineError::UnknownGrid {
            code: "—".to_owned(),
        }),
        (None, _) => Err(EngineError::ChooseGrid),
    }
}

/// What the last hello said.
#[derive(Clone, Copy, Default, Serialize, Deserialize)]
pub(crate) struct Contact {
    pub(crate) at_ms: i64,
    pub(crate) skew_ms: i64,
    pub(crate) upgrade_needed: bool,
}

/// The patrol that runs, as far as only this phone knows it.
#[derive(Clone, Copy, Serialize, Deserialize)]
pub(crate) struct RunningPatrol {
    pub(crate) id: EntityId,
    pub(crate) boot: gridwalk_domain::BootId,
}

/// The shift that runs; where it is, is kept for the day when the grid is no
/// longer assigned.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct RunningShift {
    pub(crate) id: EntityId,
    pub(crate) grid: GridRef,
}
