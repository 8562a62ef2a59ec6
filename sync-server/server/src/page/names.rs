//! Whom and what records name.

use gridwalk_domain::{Author, Entity, EntityId, UserId, WorkerId};
use gridwalk_store::EntityRow;
use std::collections::{BTreeMap, BTreeSet};

use super::answers::Who;
use crate::error::Error;
use crate::rights::Sight;

/// Looked up once for all records of an answer.
pub(super) struct Names {
    workers: BTreeMap<WorkerId, String>,
    users: BTreeMap<UserId, String>,
    /// The records that these belong to, where the user sees them.
    parents: BTreeSet<EntityId>,
}

impl Names {
    /// Of the workers that these rows belong to, and of these authors.
    pub(super) fn load<'a>(
        sight: &Sight<'_>,
        rows: impl Iterator<Item = &'a EntityRow>,
        authors: impl Iterator<Item = Author>,
    ) -> Result<Self, Error> {
        let mut workers: BTreeSet<WorkerId> = BTreeSet::new();
        let mut parents: BTreeSet<EntityId> = BTreeSet::new();
        for row in rows {
            workers.extend(row.worker);
            parents.extend(row.parent);
        }
        let parents: Vec<EntityId> = parents.into_iter().collect();
        let mut users = BTreeSet::new();
        for author in authors {
            match author {
                Author::Worker { worker, .. } => workers.insert(worker),
                Author::User { user } => users.insert(user),
                Author::Server { .. } => false,
            };
        }
        Ok(Self {
            parents: sight.seen(&parents)?,
            workers: sight.worker_names(&workers)?,
            users: if users.is_empty() {
                BTreeMap::new()
            } else {
                sight.user_names(&users)?
            },
        })
    }

    /// And of these workers.
    pub(super) fn and(
        mut self,
        sight: &Sight<'_>,
        workers: &BTreeSet<WorkerId>,
    ) -> Result<Self, Error> {
        if !workers.is_empty() {
            self.workers.extend(sight.worker_names(workers)?);
        }
        Ok(self)
    }

    pub(super) fn worker(&self, id: WorkerId) -> Who {
        let name = self.workers.get(&id).cloned().unwrap_or_default();
        Who {
            id: id.to_string(),
            name,
        }
    }

    pub(super) fn author(&self, author: Author) -> Who {
        match author {
            Author::Worker { worker, .. } => self.worker(worker),
            Author::User { user } => {
                let name = self.users.get(&user).cloned().unwrap_or_default();
                Who {
                    id: user.to_string(),
                    name,
                }
            }
            Author::Server { .. } => Who {
                id: "server".to_owned(),
                name: String::new(),
            },
        }
    }

    /// The record that one belongs to; none where it is not the user's to see.
    pub(super) fn parent(&self, row: &EntityRow) -> Option<EntityId> {
        row.parent.filter(|parent| self.parents.contains(parent))
    }

    /// Whose a record is.
    pub(super) fn owner(&self, row: &EntityRow, state: &Entity) -> Who {
        row.worker.map_or_else(
            || self.author(state.created.by),
            |worker| self.worker(worker),
        )
    }
}
