//! Grids: the tree of areas that a district divides itself into.

use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

use crate::GridId;

/// A grid's code (网格编码): text, never a number.
///
/// At the base level 6 digits of the district (GB/T 2260), 3 of the town or
/// street, 3 of the village or community and 3 of the base grid; local codes
/// may be longer. A parent's code is usually a prefix of its child's, but
/// nothing may rely on it: who stands under whom is the grid's parent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GridCode(String);

/// A text that cannot be a grid's code.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a grid code: expected 6 to 32 digits or Latin letters")]
pub struct BadGridCode;

impl GridCode {
    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for GridCode {
    type Err = BadGridCode;

    fn from_str(text: &str) -> Result<Self, BadGridCode> {
        let fits = (6..=32).contains(&text.len());
        if fits && text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(BadGridCode)
        }
    }
}

impl TryFrom<String> for GridCode {
    type Error = BadGridCode;

    fn try_from(text: String) -> Result<Self, BadGridCode> {
        text.parse()
    }
}

impl From<GridCode> for String {
    fn from(code: GridCode) -> Self {
        code.0
    }
}

impl fmt::Display for GridCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How high a grid stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
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

impl GridLevel {
    /// The word used on the wire and in files.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::District => "district",
            Self::Town => "town",
            Self::Community => "community",
            Self::Base => "base",
        }
    }
}

impl FromStr for GridLevel {
    type Err = BadGridLevel;

    fn from_str(text: &str) -> Result<Self, BadGridLevel> {
        [Self::District, Self::Town, Self::Community, Self::Base]
            .into_iter()
            .find(|level| level.as_str() == text)
            .ok_or(BadGridLevel)
    }
}

/// A text that names no level.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a level: expected district, town, community or base")]
pub struct BadGridLevel;

/// Closed polygons, WGS-84: for each, an outer ring and its holes; each ring
/// a list of `[lon, lat]` whose last point repeats the first (as in GeoJSON).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Boundary(pub Vec<Vec<Vec<[f64; 2]>>>);

/// A node of the grid tree (网格).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Grid {
    /// Its identity, which splits, moves and renames leave alone.
    pub id: GridId,
    /// Its code today.
    pub code: GridCode,
    /// The grid it stands under; none for the district itself.
    pub parent: Option<GridId>,
    /// How high it stands.
    pub level: GridLevel,
    /// Its name today.
    pub name: String,
    /// Whether its boundary was made up for want of a public one.
    #[serde(default)]
    pub synthetic: bool,
    /// Its area, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boundary: Option<Boundary>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_keep_their_zeros_and_refuse_nonsense() {
        for good in ["371302", "371302001201003", "37130200120100300001"] {
            assert_eq!(
                good.parse::<GridCode>().map(String::from),
                Ok(good.to_owned())
            );
        }
        for bad in [
            "",
            "37130",
            "3713 02",
            "网格371302",
            "3713020012010030000137130200120100300001",
        ] {
            assert_eq!(bad.parse::<GridCode>(), Err(BadGridCode), "{bad}");
        }
    }

    #[test]
    fn levels_read_what_they_write() {
        for level in [
            GridLevel::District,
            GridLevel::Town,
            GridLevel::Community,
            GridLevel::Base,
        ] {
            assert_eq!(level.as_str().parse(), Ok(level));
            assert_eq!(
                serde_json::to_value(level).expect("a word"),
                serde_json::Value::from(level.as_str())
            );
        }
        assert!("village".parse::<GridLevel>().is_err());
    }
}
