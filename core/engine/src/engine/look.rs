//! Looking: nothing here writes.

use gridwalk_domain::wire::tracks::NamedChunk;
use gridwalk_domain::{Catalogue, Entity, EntityId, Grid, kind};
use gridwalk_track::StoredFix;
use serde_json::Value;

use super::Engine;
use super::amend::shown;
use crate::error::{EngineError, Inner, Result};
use crate::export::{self, Format};
use crate::gate::Gate;
use crate::identity::{Me, Synced};
use crate::view::{self, ConflictView, IncidentView, PatrolView, RouteView, Status};
use crate::{GridRef, Identity, chunks, entities, recorder};

impl Engine {
    /// Who this phone is; none before enrolment.
    ///
    /// # Errors
    /// `Closed`.
    pub fn identity(&self) -> Result<Option<Identity>> {
        self.shared
            .with(|core| Ok(core.me.as_ref().map(Me::identity)))
    }

    /// The grids whose records the worker writes, with their boundaries.
    ///
    /// # Errors
    /// `Closed`.
    pub fn grids(&self) -> Result<Vec<Grid>> {
        self.shared.with(|core| {
            Ok(core
                .synced
                .iter()
                .flat_map(Synced::own_grids)
                .cloned()
                .collect())
        })
    }

    /// The grid of the worker's with this code, or this id.
    ///
    /// # Errors
    /// `UnknownGrid`.
    pub fn grid_by_code(&self, code: &str) -> Result<GridRef> {
        let grids = self.grids()?;
        let found = grids
            .iter()
            .find(|grid| grid.code.as_str() == code || grid.id.to_string() == code);
        found
            .map(GridRef::from)
            .ok_or_else(|| EngineError::UnknownGrid {
                code: code.to_owned(),
            })
    }

    /// The catalogue in force: the synced one, else the one that ships.
    ///
    /// # Errors
    /// `Closed`.
    pub fn catalogue(&self) -> Result<Catalogue> {
        self.shared.with(|core| {
            let synced = core
                .synced
                .as_ref()
                .map(|synced| synced.scope.catalogue.clone());
            Ok(synced.unwrap_or_else(Catalogue::shipped))
        })
    }

    /// The catalogue in whose words a record speaks: what its codes are called,
    /// what its form asks, which limits run. It is of the version that the record
    /// names, however many came since; none where this phone lacks that version.
    /// A report that is not classified yet has the one in force.
    ///
    /// # Errors
    /// `NotEnrolled`, `NotFound`, `Closed`, `Storage`.
    pub fn catalogue_of(&self, record: EntityId) -> Result<Option<Catalogue>> {
        self.shared.with(|core| {
            let entity = shown(core, record)?;
            let gate = Gate::new(core.me()?, core.synced.as_ref());
            Ok(gate.catalogue_of(&entity).cloned())
        })
    }

    /// How things stand.
    ///
    /// # Errors
    /// `Closed`, `Storage`.
    pub fn status(&self) -> Result<Status> {
        self.shared.with(view::status)
    }

    /// The incidents that this phone knows, the newest first.
    ///
    /// # Errors
    /// `Closed`, `Storage`.
    pub fn incidents(&self) -> Result<Vec<IncidentView>> {
        self.shared.with(|core| view::incidents(core))
    }

    /// One incident.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn incident(&self, id: EntityId) -> Result<IncidentView> {
        self.shared
            .with(|core| Ok(view::incident(core, id)?.ok_or(EngineError::NotFound)?))
    }

    /// The fields that were written twice and wait for somebody to settle them,
    /// record by record.
    ///
    /// # Errors
    /// `Closed`, `Storage`.
    pub fn conflicts(&self) -> Result<Vec<ConflictView>> {
        self.shared.with(|core| view::conflicts(core))
    }

    /// The patrols that this phone knows, the newest first.
    ///
    /// # Errors
    /// `Closed`, `Storage`.
    pub fn patrols(&self) -> Result<Vec<PatrolView>> {
        self.shared.with(|core| view::patrols(core))
    }

    /// One patrol.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn patrol(&self, id: EntityId) -> Result<PatrolView> {
        self.shared
            .with(|core| Ok(view::patrol(core, id)?.ok_or(EngineError::NotFound)?))
    }

    /// The route of a patrol that was recorded on this phone, the running one
    /// too.
    ///
    /// # Errors
    /// `NotFound`, also where its fixes are on this phone no more
    /// ([`Policy::keep_routes_days`](crate::Policy)).
    pub fn route(&self, patrol: EntityId) -> Result<RouteView> {
        let (runs, entity) = self.track(patrol)?;
        let route = recorder::route(runs.iter(), &entity);
        Ok(RouteView {
            patrol,
            segments: route.segments,
            gaps: route.gaps,
            stops: route.stops,
            distance_m: route.distance_m,
            moving_s: route.moving_ms / 1000,
            fixes: route.fixes as u64,
            used: route.used as u64,
        })
    }

    /// A patrol that was recorded on this phone, as a file for other programs.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn export(&self, patrol: EntityId, format: Format) -> Result<String> {
        let (runs, entity) = self.track(patrol)?;
        Ok(export::text(
            format,
            &runs,
            &recorder::route(runs.iter(), &entity),
            &entity,
        ))
    }

    /// The fixes of a patrol, the runs in the order in which they were walked.
    fn track(&self, id: EntityId) -> Result<(Vec<Vec<StoredFix>>, Entity)> {
        enum Found {
            Live(Vec<Vec<StoredFix>>),
            Sealed(Vec<NamedChunk>),
        }
        let (found, entity) = self.shared.with(|core| {
            let entity = entities::shown(&core.conn, core.account(), id)?;
            let entity = entity.filter(|entity| entity.kind == kind::patrol::KIND.name);
            let entity = entity.ok_or(EngineError::NotFound)?;
            let live = core.recorder.live.as_ref().filter(|live| live.id == id);
            let found = match live {
                Some(live) => Found::Live(live.runs.values().cloned().collect()),
                None => Found::Sealed(chunks::bodies(&core.conn, id)?),
            };
            Ok((found, entity))
        })?;
        let mut runs = match found {
            Found::Live(runs) => runs,
            // Decoding needs no lock.
            Found::Sealed(bodies) => {
                let decoded: Inner<Vec<_>> =
                    chunks::decode(&bodies).map(|runs| runs.into_values().collect());
                decoded?
            }
        };
        let recorded = entity.value("fixes").and_then(Value::as_u64);
        if runs.is_empty() && recorded.is_some_and(|fixes| fixes > 0) {
            return Err(EngineError::NotFound);
        }
        runs.sort_by_key(|run| {
            let used = run.iter().find(|stored| stored.refused.is_none());
            used.or(run.first()).map(|stored| stored.fix.time_ms)
        });
        Ok((runs, entity))
    }
}
