//! Whose phone it is, and what stands on it for looking up.

use gridwalk_domain as domain;
use gridwalk_engine as inner;

use crate::text::{list, write_optional};

/// What an engine needs to open.
#[derive(Clone, uniffi::Record)]
pub struct OpenOptions {
    /// The data file; other files of the same name with a suffix lie beside it.
    pub path: String,
    /// The key of the data file: 32 bytes from the system's key store. A phone
    /// always gives one; none makes a plain file.
    pub key: Option<Vec<u8>>,
    /// What this is: `android`, `ios`, `terminal` …
    pub platform: String,
    /// The app's version, as the server shall see it.
    pub app: String,
}

/// Whose phone it is.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Identity {
    /// The worker's id.
    pub worker_id: String,
    /// The worker's name.
    pub worker_name: String,
    /// This installation's id.
    pub device_id: String,
    /// The district's id.
    pub tenant_id: String,
    /// The server's address.
    pub server: String,
}

impl From<inner::Identity> for Identity {
    fn from(identity: inner::Identity) -> Self {
        Self {
            worker_id: identity.worker.id.to_string(),
            worker_name: identity.worker.name,
            device_id: identity.device.to_string(),
            tenant_id: identity.tenant.to_string(),
            server: identity.server.url,
        }
    }
}

/// How high a grid stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum GridLevel {
    /// 区县
    District,
    /// 镇街
    Town,
    /// 村居、社区
    Community,
    /// 基础网格: the one that a gridworker walks.
    Base,
}

impl From<domain::GridLevel> for GridLevel {
    fn from(level: domain::GridLevel) -> Self {
        match level {
            domain::GridLevel::District => Self::District,
            domain::GridLevel::Town => Self::Town,
            domain::GridLevel::Community => Self::Community,
            domain::GridLevel::Base => Self::Base,
        }
    }
}

/// A grid of the worker's.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Grid {
    /// Its id.
    pub id: String,
    /// Its code today.
    pub code: String,
    /// Its name today.
    pub name: String,
    /// The grid it stands under; none for the district itself.
    pub parent: Option<String>,
    /// How high it stands.
    pub level: GridLevel,
    /// Whether its boundary was made up for want of a public one.
    pub synthetic: bool,
    /// Its polygons: for each the outer ring, then its holes; each ring closed.
    /// Empty where the boundary is not known.
    pub boundary: Vec<Vec<Vec<Position>>>,
}

impl From<domain::Grid> for Grid {
    fn from(grid: domain::Grid) -> Self {
        let point = |[lon, lat]: [f64; 2]| Position { lat, lon };
        let ring = |ring: Vec<[f64; 2]>| ring.into_iter().map(point).collect();
        let polygon = |rings: Vec<Vec<[f64; 2]>>| rings.into_iter().map(ring).collect();
        let polygons = grid.boundary.unwrap_or_default().0;
        Self {
            id: grid.id.to_string(),
            code: grid.code.to_string(),
            name: grid.name,
            parent: write_optional(grid.parent),
            level: grid.level.into(),
            synthetic: grid.synthetic,
            boundary: polygons.into_iter().map(polygon).collect(),
        }
    }
}

/// A grid, to be named.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct GridRef {
    /// Its id.
    pub id: String,
    /// Its code today.
    pub code: String,
    /// Its name today.
    pub name: String,
}

impl From<inner::GridRef> for GridRef {
    fn from(grid: inner::GridRef) -> Self {
        Self {
            id: grid.id.to_string(),
            code: grid.code.to_string(),
            name: grid.name,
        }
    }
}

/// A point on the earth, WGS-84, in degrees.
#[derive(Clone, Copy, Debug, PartialEq, uniffi::Record)]
pub struct Position {
    /// Latitude in degrees.
    pub lat: f64,
    /// Longitude in degrees.
    pub lon: f64,
}

impl From<domain::Position> for Position {
    fn from(position: domain::Position) -> Self {
        Self {
            lat: position.lat,
            lon: position.lon,
        }
    }
}

/// A place that a record names, WGS-84.
#[derive(Clone, Copy, Debug, PartialEq, uniffi::Record)]
pub struct Place {
    /// Latitude in degrees.
    pub lat: f64,
    /// Longitude in degrees.
    pub lon: f64,
    /// Accuracy in metres (68 % radius), where known.
    pub accuracy_m: Option<f64>,
}

impl From<inner::Place> for Place {
    fn from(place: inner::Place) -> Self {
        Self {
            lat: place.lat,
            lon: place.lon,
            accuracy_m: place.accuracy_m,
        }
    }
}

impl From<Place> for inner::Place {
    fn from(place: Place) -> Self {
        Self {
            lat: place.lat,
            lon: place.lon,
            accuracy_m: place.accuracy_m,
        }
    }
}

/// What can be reported.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct Catalogue {
    /// Its version; a report names the one it was made with.
    pub version: u32,
    /// Its categories, in the order in which they are shown.
    pub categories: Vec<CatalogueEntry>,
    /// Its severities, from the least.
    pub severities: Vec<CatalogueEntry>,
}

impl From<domain::Catalogue> for Catalogue {
    fn from(catalogue: domain::Catalogue) -> Self {
        Self {
            version: catalogue.version,
            categories: list(catalogue.categories),
            severities: list(catalogue.severities),
        }
    }
}

/// A category or a severity.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Record)]
pub struct CatalogueEntry {
    /// Its code, for ever.
    pub code: String,
    /// Its Chinese name.
    pub zh: String,
    /// Its English name.
    pub en: String,
}

impl From<domain::Category> for CatalogueEntry {
    fn from(category: domain::Category) -> Self {
        Self {
            code: category.code,
            zh: category.name.zh,
            en: category.name.en,
        }
    }
}

impl From<domain::Severity> for CatalogueEntry {
    fn from(severity: domain::Severity) -> Self {
        Self {
            code: severity.code,
            zh: severity.name.zh,
            en: severity.name.en,
        }
    }
}
