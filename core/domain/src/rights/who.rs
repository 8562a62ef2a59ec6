//! The words in which tables say who may do something.

use std::fmt;

use super::{Actor, Rights, Role};
use crate::calendar::DAY_MS;
use crate::catalogue::Catalogue;
use crate::entity::Entity;
use crate::kind::incident::{Assignee, Life, catalogue_of, class_of};
use crate::kind::{grid_of, mediation, worker_of};
use crate::op::ServerPart;
use crate::{GridId, WorkerId};

/// Somebody, by what they are to a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Who {
    /// A gridworker of the record's grid, or who stands in for one.
    Gridworker,
    /// The worker whose record it is.
    Owner,
    /// The supervisor of the community that the record's grid stands in, and
    /// nobody above.
    CommunitySupervisor,
    /// A supervisor of a grid that the record's grid stands under.
    Supervisor,
    /// A supervisor of the grid that holds the incident.
    HolderSupervisor,
    /// Whom the incident is dispatched to: the worker, or anybody of the
    /// department or team.
    Assignee,
    /// Whom the incident was ever dispatched to.
    Dispatched,
    /// Who may verify: a gridworker of the place who did not do the work
    /// themselves, or its supervisor where a gridworker of the place did it.
    Verifier,
    /// A gridworker of the grid, where the catalogue lets them close what they
    /// handled.
    ClosingGridworker,
    /// A gridworker of the grid, within the catalogue's days after the end.
    ReopeningGridworker,
    /// The worker whom a task names, or the gridworkers of its grid where it
    /// names none.
    Addressee,
    /// Somebody whom the record names as a reader.
    Named,
    /// Anybody with a role on the record's grid or on one below it.
    Below,
    /// Another system that reports.
    System,
    /// The server's clock.
    Clock,
    /// An administrator.
    Administrator,
}

impl Who {
    /// Whether the grid alone tells who it is, and not what a record says.
    pub(super) const fn is_of_a_grid(self) -> bool {
        matches!(
            self,
            Self::Gridworker
                | Self::CommunitySupervisor
                | Self::Supervisor
                | Self::Below
                | Self::System
                | Self::Administrator
        )
    }
}

impl fmt::Display for Who {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Gridworker => "a gridworker of the grid",
            Self::Owner => "the worker whose record it is",
            Self::CommunitySupervisor => "the community's supervisor",
            Self::Supervisor => "a supervisor above the grid",
            Self::HolderSupervisor => "a supervisor of the grid that holds it",
            Self::Assignee => "whom it is dispatched to",
            Self::Dispatched => "whom it was dispatched to",
            Self::Verifier => {
                "a gridworker of the place who did not do the work, or the supervisor where one did"
            }
            Self::ClosingGridworker => "a gridworker, where the catalogue lets them close it",
            Self::ReopeningGridworker => "a gridworker of the grid, soon enough after the end",
            Self::Addressee => "whom it was sent to",
            Self::Named => "whom it names",
            Self::Below => "who works there",
            Self::System => "a connected system",
            Self::Clock => "the server's clock",
            Self::Administrator => "an administrator",
        })
    }
}

/// A record, as far as rights go: one that is there, or one to be made.
#[derive(Clone, Copy)]
pub(super) struct Record<'a> {
    pub(super) grid: Option<GridId>,
    pub(super) owner: Option<WorkerId>,
    pub(super) entity: Option<&'a Entity>,
}

impl<'a> Record<'a> {
    pub(super) fn of(entity: &'a Entity) -> Self {
        let maker = match Actor::from(entity.created.by) {
            Actor::Worker(worker) => Some(worker),
            Actor::User(_) | Actor::Server(_) => None,
        };
        Self {
            grid: grid_of(entity),
            owner: worker_of(entity).or(maker),
            entity: Some(entity),
        }
    }
}

impl Rights<'_> {
    /// Whether the person is `who` to the record.
    pub(super) fn is(&self, who: Who, record: &Record<'_>) -> bool {
        let actor = self.person.actor;
        match who {
            Who::Gridworker => self.has(record.grid, |role| role == Role::Gridworker),
            Who::CommunitySupervisor => self.has(record.grid, |role| role == Role::Community),
            Who::Supervisor => self.has(record.grid, Role::supervises),
            Who::System => self.has(record.grid, |role| role == Role::System),
            Who::Administrator => self.has(record.grid, |role| role == Role::Administrator),
            Who::Below => self.has_below(record.grid),
            Who::Clock => actor == Actor::Server(ServerPart::Clock),
            Who::Owner => record.owner.map(Actor::Worker) == Some(actor),
            Who::Addressee => match record.entity.and_then(worker_of) {
                Some(worker) => actor == Actor::Worker(worker),
                None => self.is(Who::Gridworker, record),
            },
            Who::Named => {
                let mut named = record.entity.into_iter().flat_map(mediation::readers);
                named.any(|reader| reader == actor)
            }
            Who::HolderSupervisor => {
                let holder = record.entity.and_then(Life::of).map(|life| life.holder);
                self.has(holder, Role::supervises)
            }
            Who::Assignee => {
                let life = record.entity.and_then(Life::of);
                let assignee = life.and_then(|life| life.assignee);
                assignee.is_some_and(|assignee| self.acts_for(assignee, record))
            }
            Who::Dispatched => {
                let ever = record.entity.map(Life::ever_dispatched).unwrap_or_default();
                ever.into_iter()
                    .any(|assignee| self.acts_for(assignee, record))
            }
            Who::Verifier => self.verifies(record),
            Who::ClosingGridworker => {
                self.is(Who::Gridworker, record) && self.may_self_close(record)
            }
            Who::ReopeningGridworker => {
                self.is(Who::Gridworker, record) && self.days_to_reopen(record).is_ok()
            }
        }
    }

    /// Whether the person has such a role on the grid, by the chain of parents.
    fn has(&self, grid: Option<GridId>, role: impl Fn(Role) -> bool) -> bool {
        let rights = self.person.rights.iter();
        grid.is_some_and(|grid| {
            rights
                .filter(|right| role(right.role) && self.counts(right))
                .any(|right| self.district.is_below(grid, right.grid))
        })
    }

    /// Whether the person works on the grid or below it.
    fn has_below(&self, grid: Option<GridId>) -> bool {
        let works = |role: Role| role.supervises() || role == Role::Gridworker;
        let rights = self.person.rights.iter();
        grid.is_some_and(|grid| {
            rights
                .filter(|right| works(right.role) && self.counts(right))
                .any(|right| self.district.is_below(right.grid, grid))
        })
    }

    fn acts_for(&self, assignee: Assignee, record: &Record<'_>) -> bool {
        match assignee {
            Assignee::Worker(worker) => self.person.actor == Actor::Worker(worker),
            Assignee::Department(id) => self.has(record.grid, |role| role == Role::Department(id)),
            Assignee::Team(id) => self.has(record.grid, |role| role == Role::Team(id)),
        }
    }

    fn verifies(&self, record: &Record<'_>) -> bool {
        let life = record.entity.and_then(Life::of);
        let Some(assignee) = life.and_then(|life| life.assignee) else {
            return false;
        };
        if self.is(Who::Gridworker, record) {
            return !self.acts_for(assignee, record);
        }
        let of_the_place = match (assignee, record.grid) {
            (Assignee::Worker(worker), Some(grid)) => {
                let walked = self.district.grids_of(worker, self.at_ms);
                walked
                    .iter()
                    .any(|walked| self.district.is_below(grid, *walked))
            }
            _ => false,
        };
        of_the_place && self.is(Who::Supervisor, record)
    }

    fn may_self_close(&self, record: &Record<'_>) -> bool {
        record.entity.is_some_and(|entity| {
            let catalogue = catalogue_of(self.district, entity);
            catalogue.is_some_and(|catalogue| catalogue.self_close(class_of(entity)))
        })
    }

    /// Days within which a gridworker may still reopen; an error with the days
    /// there were, where they are over.
    pub(super) fn days_to_reopen(&self, record: &Record<'_>) -> Result<(), u32> {
        let Some(entity) = record.entity else {
            return Err(0);
        };
        let catalogue = catalogue_of(self.district, entity);
        let days = catalogue.map_or(0, Catalogue::reopen_days);
        let ended = entity
            .history
            .last()
            .map_or(i64::MIN, |step| step.stamp.at_ms);
        let until = ended.saturating_add(i64::from(days) * DAY_MS);
        if self.at_ms < until {
            Ok(())
        } else {
            Err(days)
        }
    }
}
