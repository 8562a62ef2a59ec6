//! The gate on this phone: the rules are asked before an op is written, with
//! what was synced of the district.
//!
//! A phone knows its worker's grids and what stands above them, and the
//! versions of the catalogue that came with the scope. It never refuses by the
//! clock, which may be years off: that a right has ended, or that a time is
//! over, the server says, by corrected time. And where it lacks the version of
//! the catalogue that a record names, it leaves to the server what only that
//! version can tell, so that nobody loses a report for want of a sync.

use gridwalk_domain::catalogue::{BadReport, version_named};
use gridwalk_domain::rights::{Actor, Denied, District, Person, Right, Rights, Role};
use gridwalk_domain::rules::{self, Breach};
use gridwalk_domain::wire::Scope;
use gridwalk_domain::{Catalogue, Entity, GridId, Intent, OpBody, StreamKey, WorkerId, kind};

use crate::error::EngineError;
use crate::identity::{Me, Synced};

/// A time before all others: a limit of time is not over then.
const NEVER_LATE: i64 = i64::MIN;

/// This phone's worker, and what the phone knows of the district.
pub(crate) struct Gate<'a> {
    person: Person,
    known: Known<'a>,
}

/// What was synced of the district.
struct Known<'a> {
    worker: WorkerId,
    synced: Option<&'a Synced>,
}

impl Known<'_> {
    fn scope(&self) -> Option<&Scope> {
        self.synced.map(|synced| &synced.scope)
    }

    fn writes(&self, grid: GridId) -> bool {
        self.synced.is_some_and(|synced| synced.writes(grid))
    }

    fn own_grids(&self) -> impl Iterator<Item = GridId> {
        let streams = self.scope().into_iter().flat_map(|scope| &scope.streams);
        streams.filter_map(|stream| match stream {
            StreamKey::Records(grid) => Some(*grid),
            _ => None,
        })
    }
}

impl District for Known<'_> {
    fn parent(&self, grid: GridId) -> Option<GridId> {
        let mut grids = self.scope()?.grids.iter();
        grids.find(|known| known.id == grid)?.parent
    }

    fn grids_of(&self, worker: WorkerId, _at_ms: i64) -> Vec<GridId> {
        if worker == self.worker {
            self.own_grids().collect()
        } else {
            vec![]
        }
    }

    fn catalogue(&self, version: u32) -> Option<&Catalogue> {
        let scope = self.scope()?;
        let mut all = std::iter::once(&scope.catalogue).chain(&scope.older_catalogues);
        all.find(|catalogue| catalogue.version == version)
    }
}

impl<'a> Gate<'a> {
    pub(crate) fn new(me: &Me, synced: Option<&'a Synced>) -> Self {
        let known = Known {
            worker: me.worker.id,
            synced,
        };
        let right = |grid| Right {
            role: Role::Gridworker,
            grid,
            from_ms: NEVER_LATE,
            until_ms: None,
        };
        let person = Person {
            actor: Actor::Worker(me.worker.id),
            rights: known.own_grids().map(right).collect(),
        };
        Self { person, known }
    }

    /// The worker's rights, whatever the clocks say.
    pub(crate) fn rights(&self) -> Rights<'_> {
        self.rights_at(NEVER_LATE)
    }

    /// The worker's rights at a time: what a screen offers.
    pub(crate) fn rights_at(&self, at_ms: i64) -> Rights<'_> {
        Rights::new(&self.person, &self.known, at_ms)
    }

    /// The catalogue in whose words a record speaks: of the version that it names,
    /// where that is here. One without a category speaks no such words yet, and
    /// has the one in force.
    pub(crate) fn catalogue_of(&self, record: &Entity) -> Option<&Catalogue> {
        match record.text("category") {
            Some(_) => kind::incident::catalogue_of(&self.known, record),
            None => self.in_force(),
        }
    }

    /// The catalogue by which a report is classified: its own, where that is
    /// here, else the one in force.
    pub(crate) fn catalogue_for(&self, report: &Entity) -> Result<&Catalogue, EngineError> {
        let own = self.catalogue_of(report).or_else(|| self.in_force());
        own.ok_or(EngineError::NotEnrolled)
    }

    fn in_force(&self) -> Option<&Catalogue> {
        self.known.scope().map(|scope| &scope.catalogue)
    }

    /// What is known of the district.
    pub(crate) fn district(&self) -> &dyn District {
        &self.known
    }

    /// Whether the rules let this op be taken into `state`.
    pub(crate) fn check(&self, state: Option<&Entity>, op: &OpBody) -> Result<(), EngineError> {
        match rules::check(&self.rights(), state, op) {
            Err(breach) if self.cannot_tell(state, op, &breach) => Ok(()),
            Err(breach) => Err(self.refused(state, op, breach)),
            Ok(()) => Ok(()),
        }
    }

    /// Whether only a version of the catalogue that is not here could tell.
    fn cannot_tell(&self, state: Option<&Entity>, op: &OpBody, breach: &Breach) -> bool {
        let made = match &op.intent {
            Intent::Create { fields, .. } => fields.get("catalogue"),
            _ => state.and_then(|state| state.value("catalogue")),
        };
        let known = version_named(made).and_then(|version| self.known.catalogue(version));
        let asks_it = matches!(
            breach,
            Breach::Report(_)
                | Breach::Denied(Denied::NotSelfClosed)
                | Breach::Unfit { what: "place", .. }
        );
        known.is_none() && asks_it
    }

    fn refused(&self, state: Option<&Entity>, op: &OpBody, breach: Breach) -> EngineError {
        let home = match &op.intent {
            Intent::Create { home, .. } => Some(*home),
            _ => state.map(|state| state.home),
        };
        match (home, breach) {
            (Some(StreamKey::Records(grid)), Breach::Denied(Denied::NotFor(_)))
                if !self.known.writes(grid) =>
            {
                let grid = grid.to_string();
                EngineError::OutOfScope { grid }
            }
            (_, breach) => breach.into(),
        }
    }
}

impl From<Denied> for EngineError {
    fn from(denied: Denied) -> Self {
        Breach::from(denied).into()
    }
}

impl From<Breach> for EngineError {
    fn from(breach: Breach) -> Self {
        let (rule, said) = (breach.code(), breach.to_string());
        let (field, why) = match breach {
            Breach::Report(BadReport::UnknownCode { code, .. }) => {
                return Self::UnknownCategory { code };
            }
            Breach::Report(BadReport::BadAnswer { field, why }) => (field, why),
            Breach::Report(
                BadReport::UnknownQuestion(ref field) | BadReport::Unanswered(ref field),
            )
            | Breach::Fixed(ref field) => {
                let why = said.strip_prefix(&format!("{field}: ")).unwrap_or(&said);
                (field.clone(), why.to_owned())
            }
            Breach::Unfit { what, why } => (what.to_owned(), why),
            Breach::Report(BadReport::UnknownCatalogue(_)) => ("catalogue".to_owned(), said),
            Breach::Denied(_) => (String::new(), said),
        };
        Self::NotAllowed { rule, field, why }
    }
}
