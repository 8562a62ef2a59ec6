//! Which visits to sites were due, which were made, and why the others were not.
//!
//! A site is due in something: in each patrol, on each day, in each week. Each of
//! these is a [`Unit`], met by as many visits as the site asks for: credited
//! where a segment of a route passes, or made by the worker by hand. The
//! coverage of a patrol, a day or a week is its units that were met of those
//! that were due.
//!
//! The server decides by this; a phone shows what it would come to.

use gridwalk_domain::{CheckIn, EntityId, Every, GapCause, Position, Site};
use std::collections::BTreeMap;
use std::ops::Range;

use super::{Circle, Pass, closest, credit};
use crate::geometry::{Metres, Plane, nearest_on};
use crate::route::{Gap, Route};

/// A patrol and what of its route bears on the sites of its grid.
#[derive(Clone, Debug, PartialEq)]
pub struct Outing {
    /// The patrol.
    pub patrol: EntityId,
    /// When it began.
    pub started_ms: i64,
    /// When it ended; none while it goes on.
    pub ended_ms: Option<i64>,
    /// The visits that its segments show, by site and time.
    pub visits: Vec<(EntityId, Pass)>,
    /// Why there is none, for the other sites.
    pub misses: BTreeMap<EntityId, Miss>,
}

/// Why a route shows no visit to a site, the reason that says most first.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Miss {
    /// It passed within the radius, too vaguely to be certain.
    Vague,
    /// Nothing is known of the way where it may have passed, for this cause.
    Gap(GapCause),
    /// It came no nearer than this many metres; none where it has no fix.
    NotNear(Option<f64>),
}

impl Outing {
    /// What a patrol's route says of these sites.
    #[must_use]
    pub fn of(
        patrol: EntityId,
        started_ms: i64,
        ended_ms: Option<i64>,
        route: &Route,
        sites: &[Site],
    ) -> Self {
        let mut outing = Self {
            patrol,
            started_ms,
            ended_ms,
            visits: Vec::new(),
            misses: BTreeMap::new(),
        };
        for site in sites {
            let circle = circle(site);
            let passes = credit(&route.segments, &circle);
            if passes.is_empty() {
                outing.misses.insert(site.id, missed(route, &circle));
            }
            outing
                .visits
                .extend(passes.into_iter().map(|pass| (site.id, pass)));
        }
        outing
    }
}

fn circle(site: &Site) -> Circle {
    Circle {
        at: site.at,
        radius_m: site.radius_m,
    }
}

/// A gap whose straight way passes a site within this many metres may be why
/// there is no visit to it.
const BESIDE_M: f64 = 100.0;

fn missed(route: &Route, site: &Circle) -> Miss {
    let nearest = closest(&route.segments, site.at);
    if nearest.is_some_and(|m| m <= site.radius_m) {
        return Miss::Vague;
    }
    let plane = Plane::around(site.at);
    let may_have_passed = |gap: &&Gap| {
        let at = |p: Option<Position>| p.map(|p| plane.metres(p));
        let (Some(from), Some(to)) = (at(gap.from).or(at(gap.to)), at(gap.to).or(at(gap.from)))
        else {
            // A patrol without any fix may have passed anything.
            return true;
        };
        nearest_on(from, to, Metres::default()).1 <= site.radius_m.max(BESIDE_M)
    };
    let longest = route
        .gaps
        .iter()
        .filter(may_have_passed)
        .max_by_key(|gap| gap.duration_ms());
    longest.map_or(Miss::NotNear(nearest), |gap| Miss::Gap(gap.cause))
}

/// What a site was due in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Period {
    /// A patrol.
    Patrol(EntityId),
    /// A day, counted from 1970-01-01 in the district's time.
    Day(i32),
    /// A week, by the day of its Monday.
    Week(i32),
}

/// One visit to a site.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Visit {
    /// When: milliseconds since 1970.
    pub at_ms: i64,
    /// In which patrol; none where it was made by hand outside of one.
    pub patrol: Option<EntityId>,
    /// How it is known.
    pub by: By,
}

/// How a visit is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum By {
    /// The route passed, this near in metres.
    Route(f64),
    /// The worker said so, this far away in metres where that is known.
    Hand(Option<f64>),
}

/// Why a unit was not met.
#[derive(Clone, Debug, PartialEq)]
pub enum Reason {
    /// The worker said why: a word, and what else they said.
    Said(String, Option<String>),
    /// Its time is not over.
    NotYet,
    /// It was visited, and not often enough.
    TooFew,
    /// There was no patrol.
    NoPatrol,
    /// There was one, and its route shows this.
    Route(Miss),
}

/// A site and one thing that it was due in.
#[derive(Clone, Debug, PartialEq)]
pub struct Unit {
    /// The site.
    pub site: EntityId,
    /// What it was due in.
    pub period: Period,
    /// How many visits were due.
    pub times: u32,
    /// Those that were made, in the order of time.
    pub visits: Vec<Visit>,
    /// Why there are not enough; none where there are.
    pub reason: Option<Reason>,
}

impl Unit {
    /// Whether enough visits were made.
    #[must_use]
    pub fn met(&self) -> bool {
        self.reason.is_none()
    }
}

/// How many units were due and how many of them were met.
#[must_use]
pub fn count(units: &[Unit]) -> (usize, usize) {
    (units.len(), units.iter().filter(|unit| unit.met()).count())
}

/// Days and weeks as a district counts them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Minutes that its clocks are ahead of UTC.
    pub utc_offset_min: i32,
    /// The present: milliseconds since 1970.
    pub now_ms: i64,
}

const DAY_MS: i64 = 86_400_000;

impl Calendar {
    /// The day of a time, counted from 1970-01-01.
    #[must_use]
    pub fn day(&self, at_ms: i64) -> i32 {
        let local = at_ms.saturating_add(i64::from(self.utc_offset_min) * 60_000);
        i32::try_from(local.div_euclid(DAY_MS)).unwrap_or(if local < 0 {
            i32::MIN
        } else {
            i32::MAX
        })
    }

    /// The Monday of a day's week.
    #[must_use]
    pub fn monday(day: i32) -> i32 {
        // 1970-01-01 was a Thursday.
        day.saturating_sub(day.saturating_add(3).rem_euclid(7))
    }

    /// The times of some days.
    fn span(&self, days: Range<i32>) -> Range<i64> {
        let at = |day: i32| i64::from(day) * DAY_MS - i64::from(self.utc_offset_min) * 60_000;
        at(days.start)..at(days.end)
    }
}

/// What was seen and said of some sites.
#[derive(Clone, Copy, Debug)]
pub struct Seen<'a> {
    /// The sites.
    pub sites: &'a [Site],
    /// The patrols.
    pub outings: &'a [Outing],
    /// The check-ins.
    pub checkins: &'a [CheckIn],
    /// How time is counted.
    pub calendar: Calendar,
}

/// Two visits with less than this between them, in milliseconds, are one: the
/// route passes, and the worker checks in by hand.
const SAME_VISIT_MS: i64 = 30 * 60_000;

impl Seen<'_> {
    /// The units of one patrol: the sites that are due in each.
    #[must_use]
    pub fn of_patrol(&self, patrol: EntityId) -> Vec<Unit> {
        let outing = self.outings.iter().find(|outing| outing.patrol == patrol);
        outing.map_or_else(Vec::new, |outing| self.patrol_units(outing))
    }

    /// The visits in one patrol, to whatever site, due in it or not.
    #[must_use]
    pub fn visits(&self, patrol: EntityId) -> Vec<(EntityId, Visit)> {
        let outing = self.outings.iter().find(|outing| outing.patrol == patrol);
        let of = |site: &Site| {
            let within = |of: Option<EntityId>, _| of == Some(patrol);
            let outings: Vec<&Outing> = outing.into_iter().collect();
            let unit = self.unit(site, Period::Patrol(patrol), &outings, true, within);
            unit.visits
                .into_iter()
                .map(|visit| (site.id, visit))
                .collect::<Vec<_>>()
        };
        self.sites.iter().flat_map(of).collect()
    }

    /// The units of one day: those of its patrols, and the sites that are due
    /// each day.
    #[must_use]
    pub fn of_day(&self, day: i32) -> Vec<Unit> {
        let mut units = self.units(Every::Day, Period::Day(day), day..day + 1);
        let today = |outing: &&Outing| self.calendar.day(outing.started_ms) == day;
        units.extend(
            self.outings
                .iter()
                .filter(today)
                .flat_map(|o| self.patrol_units(o)),
        );
        units
    }

    /// The units of the week that begins on this Monday: those of its days up to
    /// the present, and the sites that are due each week.
    #[must_use]
    pub fn of_week(&self, monday: i32) -> Vec<Unit> {
        let mut units = self.units(Every::Week, Period::Week(monday), monday..monday + 7);
        let today = self.calendar.day(self.calendar.now_ms);
        units.extend(
            (monday..monday + 7)
                .filter(|day| *day <= today)
                .flat_map(|day| self.of_day(day)),
        );
        units
    }

    fn patrol_units(&self, outing: &Outing) -> Vec<Unit> {
        let span = outing.started_ms..outing.ended_ms.unwrap_or(i64::MAX);
        let due = self.due(Every::Patrol, &span);
        due.map(|site| {
            let within = |patrol: Option<EntityId>, _| patrol == Some(outing.patrol);
            let over = outing.ended_ms.is_some();
            self.unit(site, Period::Patrol(outing.patrol), &[outing], over, within)
        })
        .collect()
    }

    fn units(&self, every: Every, period: Period, days: Range<i32>) -> Vec<Unit> {
        let span = self.calendar.span(days);
        let over = span.end <= self.calendar.now_ms;
        let outings: Vec<&Outing> = self
            .outings
            .iter()
            .filter(|o| o.started_ms < span.end && o.ended_ms.is_none_or(|ms| ms >= span.start))
            .collect();
        let due = self.due(every, &span);
        due.map(|site| {
            self.unit(site, period, &outings, over, |_, at_ms| {
                span.contains(&at_ms)
            })
        })
        .collect()
    }

    /// The sites that are due in something of this span.
    fn due(&self, every: Every, span: &Range<i64>) -> impl Iterator<Item = &Site> {
        let (start, end) = (span.start, span.end);
        self.sites.iter().filter(move |site| {
            site.every == every && site.from_ms < end && site.until_ms.is_none_or(|ms| ms > start)
        })
    }

    fn unit(
        &self,
        site: &Site,
        period: Period,
        outings: &[&Outing],
        over: bool,
        within: impl Fn(Option<EntityId>, i64) -> bool,
    ) -> Unit {
        let ours = self
            .checkins
            .iter()
            .filter(|c| c.site == site.id && within(c.patrol, c.at_ms));
        let (said, made): (Vec<&CheckIn>, Vec<&CheckIn>) = ours.partition(|c| c.missed.is_some());
        let by_hand = made.into_iter().map(|c| Visit {
            at_ms: c.at_ms,
            patrol: c.patrol,
            by: By::Hand(c.at.map(|at| crate::geometry::distance_m(at, site.at))),
        });
        let passed = outings.iter().flat_map(|outing| {
            let passes = outing.visits.iter().filter(|(id, _)| *id == site.id);
            passes.map(|(_, pass)| Visit {
                at_ms: pass.closest_ms,
                patrol: Some(outing.patrol),
                by: By::Route(pass.closest_m),
            })
        });
        let passed = passed.filter(|visit| within(visit.patrol, visit.at_ms));
        let mut visits: Vec<Visit> = by_hand.chain(passed).collect();
        visits.sort_by_key(|visit| visit.at_ms);
        visits.dedup_by(|next, kept| next.at_ms - kept.at_ms < SAME_VISIT_MS);
        let met = visits.len() >= site.times as usize;
        let reason = (!met).then(|| match said.last() {
            Some(said) => Reason::Said(said.missed.clone().unwrap_or_default(), said.note.clone()),
            None if !over => Reason::NotYet,
            None if !visits.is_empty() => Reason::TooFew,
            None => why(site.id, outings),
        });
        Unit {
            site: site.id,
            period,
            times: site.times,
            visits,
            reason,
        }
    }
}

/// What the routes say about a site that was not visited often enough: the
/// reason that says most.
fn why(site: EntityId, outings: &[&Outing]) -> Reason {
    let misses = outings.iter().filter_map(|outing| outing.misses.get(&site));
    let said = |miss: &Miss| match miss {
        Miss::Vague => (0, 0.0),
        Miss::Gap(_) => (1, 0.0),
        Miss::NotNear(m) => (2, m.unwrap_or(f64::INFINITY)),
    };
    let by_rank = |a: &&Miss, b: &&Miss| {
        let (a, b) = (said(a), said(b));
        a.0.cmp(&b.0).then(a.1.total_cmp(&b.1))
    };
    match misses.min_by(by_rank) {
        Some(miss) => Reason::Route(*miss),
        None if outings.is_empty() => Reason::NoPatrol,
        None => Reason::Route(Miss::NotNear(None)),
    }
}

#[cfg(test)]
#[path = "duty_tests.rs"]
mod tests;
