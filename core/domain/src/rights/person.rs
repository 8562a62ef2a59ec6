//! Who asks: a person, their roles on grids, and what the rules look up.

use serde::{Deserialize, Serialize};

use crate::{Author, Catalogue, DepartmentId, GridId, ServerPart, TeamId, UserId, WorkerId};

/// Somebody who reads and writes, whichever phone or page they use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Actor {
    /// A gridworker.
    Worker(WorkerId),
    /// Somebody on the page, or another system's account.
    User(UserId),
    /// A part of the server.
    Server(ServerPart),
}

impl From<Author> for Actor {
    fn from(author: Author) -> Self {
        match author {
            Author::Worker { worker, .. } => Self::Worker(worker),
            Author::User { user } => Self::User(user),
            Author::Server { server } => Self::Server(server),
        }
    }
}

/// What somebody is to a grid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// 网格员: walks it.
    Gridworker,
    /// 社区: its community's supervisor.
    Community,
    /// 镇街: its town's or street's supervisor.
    Town,
    /// 区: its district's supervisor.
    District,
    /// 部门: of a department that works there.
    Department(DepartmentId),
    /// 队伍: of a team that works there.
    Team(TeamId),
    /// 外部系统: another system that reports what it was told.
    System,
    /// 管理员: looks after people and data, and takes no part in records.
    Administrator,
}

impl Role {
    /// Whether it supervises those below.
    #[must_use]
    pub const fn supervises(self) -> bool {
        matches!(self, Self::Community | Self::Town | Self::District)
    }
}

/// A role on a grid and on all below it, for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Right {
    /// As what.
    #[serde(rename = "as")]
    pub role: Role,
    /// Where.
    pub grid: GridId,
    /// From when on: milliseconds since 1970 (UTC).
    pub from_ms: i64,
    /// Until when; none while it lasts. A stand-in has an end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_ms: Option<i64>,
}

impl Right {
    /// Whether it holds at `at_ms`.
    #[must_use]
    pub fn holds_at(&self, at_ms: i64) -> bool {
        self.from_ms <= at_ms && self.until_ms.is_none_or(|until| at_ms < until)
    }
}

/// Somebody and all their rights, past ones too: an op is judged by those of
/// the time at which it was made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// Who.
    pub actor: Actor,
    /// Their rights.
    pub rights: Vec<Right>,
}

impl Person {
    /// The server's clock.
    #[must_use]
    pub const fn clock() -> Self {
        Self {
            actor: Actor::Server(ServerPart::Clock),
            rights: vec![],
        }
    }
}

/// What the rules look up. A phone answers from what it synced: it knows its
/// own grids with their ancestors, and its own worker.
pub trait District {
    /// The grid that this one stands under; none for the district itself and
    /// for a grid that is not known.
    fn parent(&self, grid: GridId) -> Option<GridId>;

    /// The grids that a worker walked at a time, as a stand-in too; none for a
    /// worker who is not known.
    fn grids_of(&self, worker: WorkerId, at_ms: i64) -> Vec<GridId>;

    /// A version of the catalogue, where it is known.
    fn catalogue(&self, version: u32) -> Option<&Catalogue>;
}

/// A chain of parents is never longer than this; a longer one is a circle.
const MOST_LEVELS: usize = 16;

impl dyn District + '_ {
    /// Whether `grid` is `top` or stands below it, by the chain of parents.
    #[must_use]
    pub fn is_below(&self, grid: GridId, top: GridId) -> bool {
        let chain = std::iter::successors(Some(grid), |grid| self.parent(*grid));
        chain.take(MOST_LEVELS).any(|grid| grid == top)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{FIRE, P};
    use serde_json::json;

    #[test]
    fn rights_travel_as_words() {
        let id = |n: u8| crate::testing::id(n);
        let fire = P::Fire.person();
        let expected = json!({"actor": {"user": id(111)},
            "rights": [{"as": {"department": FIRE}, "grid": id(1), "from_ms": 1_740_877_200_000_i64}]});
        assert_eq!(serde_json::to_value(&fire).expect("json"), expected);
        let stand_in = P::StandIn.person();
        let json = serde_json::to_value(&stand_in).expect("json");
        assert_eq!(json["rights"][0]["as"], "gridworker");
        assert_eq!(json["rights"][0]["until_ms"], 1_772_499_600_000_i64);
        assert_eq!(
            serde_json::from_value::<Person>(json).expect("reads"),
            stand_in
        );
    }

    #[test]
    fn a_right_holds_from_its_first_millisecond_to_before_its_last() {
        let right = Right {
            role: Role::Gridworker,
            grid: crate::testing::BASE,
            from_ms: 10,
            until_ms: Some(20),
        };
        let holds: Vec<i64> = (0..30).filter(|at| right.holds_at(*at)).collect();
        assert_eq!(holds, (10..20).collect::<Vec<i64>>());
    }
}
