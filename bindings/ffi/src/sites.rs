//! Sites: what is due, what was visited, and checking in by hand.

use gridwalk_domain as domain;
use gridwalk_engine as inner;
use gridwalk_track::coverage::duty;

use crate::text::{list, read, write_optional};
use crate::{EngineError, GapCause, Place, Position};

/// A check-in to save.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct NewCheckIn {
    /// The site's id.
    pub site: String,
    /// Why it was *not* visited, as a word (`locked`, `no_access`,
    /// `nobody_home` …); none for a visit.
    pub missed: Option<String>,
    /// What else there is to say: at most 5,000 characters.
    pub note: Option<String>,
    /// Where the worker is, where that is known; else the patrol's last fix.
    pub place: Option<Place>,
}

impl TryFrom<NewCheckIn> for inner::NewCheckIn {
    type Error = EngineError;

    fn try_from(new: NewCheckIn) -> Result<Self, EngineError> {
        Ok(Self {
            site: read(&new.site, "site")?,
            missed: new.missed,
            note: new.note,
            place: new.place.map(Into::into),
        })
    }
}

/// The sites of the worker's grids and how they stand today. The server decides
/// what a route is credited with; this is what that will come to.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct CoverageView {
    /// How many visits are due today.
    pub due: u64,
    /// How many of them were made.
    pub met: u64,
    /// The sites, by name.
    pub sites: Vec<SiteView>,
}

impl From<inner::CoverageView> for CoverageView {
    fn from(view: inner::CoverageView) -> Self {
        Self {
            due: view.due as u64,
            met: view.met as u64,
            sites: list(view.sites),
        }
    }
}

/// A site and how it stands.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct SiteView {
    /// Its id.
    pub id: String,
    /// What people call it.
    pub name: String,
    /// What it is, as a word: `market`, `school` …
    pub sort: Option<String>,
    /// The id of the grid that it is in.
    pub grid: String,
    /// Its middle.
    pub at: Position,
    /// Its radius in metres.
    pub radius_m: f64,
    /// In what it is due.
    pub every: SiteEvery,
    /// How often in that.
    pub times: u32,
    /// Whether it is due in something now.
    pub due: bool,
    /// The visits that were made in that.
    pub visits: Vec<SiteVisit>,
    /// Why there are not enough of them; none where there are.
    pub missing: Option<SiteMissing>,
}

impl From<inner::SiteView> for SiteView {
    fn from(view: inner::SiteView) -> Self {
        let (due, visits, reason) = match view.unit {
            Some(unit) => (true, unit.visits, unit.reason),
            None => (false, Vec::new(), None),
        };
        Self {
            id: view.site.id.to_string(),
            name: view.site.name,
            sort: view.site.sort,
            grid: view.grid.to_string(),
            at: view.site.at.into(),
            radius_m: view.site.radius_m,
            every: view.site.every.into(),
            times: view.site.times,
            due,
            visits: list(visits),
            missing: reason.map(Into::into),
        }
    }
}

/// In what a site is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum SiteEvery {
    /// In each patrol of its grid.
    Patrol,
    /// On each day.
    Day,
    /// In each week, which begins on Monday.
    Week,
}

impl From<domain::Every> for SiteEvery {
    fn from(every: domain::Every) -> Self {
        match every {
            domain::Every::Patrol => Self::Patrol,
            domain::Every::Day => Self::Day,
            domain::Every::Week => Self::Week,
        }
    }
}

/// A visit to a site.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct SiteVisit {
    /// When: milliseconds since 1970.
    pub at_ms: i64,
    /// In which patrol.
    pub patrol: Option<String>,
    /// Whether the worker said so; else the route passed.
    pub by_hand: bool,
    /// How far from the site's middle, in metres, where that is known.
    pub away_m: Option<f64>,
}

impl From<duty::Visit> for SiteVisit {
    fn from(visit: duty::Visit) -> Self {
        let (by_hand, away_m) = match visit.by {
            duty::By::Route(metres) => (false, Some(metres)),
            duty::By::Hand(metres) => (true, metres),
        };
        Self {
            at_ms: visit.at_ms,
            patrol: write_optional(visit.patrol),
            by_hand,
            away_m,
        }
    }
}

/// Why a site was not visited often enough.
#[derive(Clone, Debug, PartialEq, uniffi::Enum)]
pub enum SiteMissing {
    /// The worker said why.
    Said {
        /// The word.
        word: String,
        /// What else they said.
        note: Option<String>,
    },
    /// There is time still.
    NotYet,
    /// It was visited, and not often enough.
    TooFew,
    /// There was no patrol.
    NoPatrol,
    /// The route passed, too vaguely to be certain.
    Vague,
    /// It may have been passed where nothing is known of the route.
    Gap {
        /// Why nothing is known.
        cause: GapCause,
    },
    /// The route came no nearer.
    NotNear {
        /// Than this, in metres; none where there is no route.
        closest_m: Option<f64>,
    },
}

impl From<duty::Reason> for SiteMissing {
    fn from(reason: duty::Reason) -> Self {
        match reason {
            duty::Reason::Said(word, note) => Self::Said { word, note },
            duty::Reason::NotYet => Self::NotYet,
            duty::Reason::TooFew => Self::TooFew,
            duty::Reason::NoPatrol => Self::NoPatrol,
            duty::Reason::Route(duty::Miss::Vague) => Self::Vague,
            duty::Reason::Route(duty::Miss::Gap(cause)) => Self::Gap {
                cause: cause.into(),
            },
            duty::Reason::Route(duty::Miss::NotNear(closest_m)) => Self::NotNear { closest_m },
        }
    }
}
