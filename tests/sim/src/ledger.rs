//! What phones acknowledged, kept outside of them.
//!
//! Every text that a worker writes carries a token of its own, `#A12#`: the
//! letter is the grid that the record lies in. So a text can be found anywhere,
//! on any phone, on the server, in any answer, and so can one that is where it
//! must not be.

use gridwalk_domain::{EntityId, Fix, GridId, OpId, RunId};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// The name of one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Token {
    /// The letter of the grid that its record lies in.
    pub grid: char,
    /// Its number in this run.
    pub n: u32,
}

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}{}#", self.grid, self.n)
    }
}

/// All tokens in a text, in their order.
pub fn tokens(text: &str) -> impl Iterator<Item = Token> + '_ {
    let mut parts = text.split('#');
    // What comes before the first sign is none.
    parts.next();
    parts.filter_map(|part| {
        let mut letters = part.chars();
        let grid = letters.next().filter(char::is_ascii_uppercase)?;
        let n = letters.as_str().parse().ok()?;
        Some(Token { grid, n })
    })
}

/// What is known of whether something was saved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Saved {
    /// The phone said so.
    Yes,
    /// The phone said that it was not.
    No,
    /// The phone died over it, or its storage failed: nobody was told.
    Perhaps,
}

/// One text and what it is.
#[derive(Clone, Debug)]
pub struct Fact {
    /// Its name.
    pub token: Token,
    /// The phone it was written on; none where it was on the page.
    pub phone: Option<usize>,
    /// When, in true time.
    pub at_ms: i64,
    /// `incident`, `title`, `comment`, …
    pub what: &'static str,
    /// The record, where the writer knew it.
    pub record: Option<EntityId>,
    /// How many photos were saved with it.
    pub photos: usize,
    /// Whether it was saved.
    pub saved: Saved,
}

/// Who may hear of a record, besides those to whom it was given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Audience {
    /// Who has its grid.
    Grid,
    /// Who has its grid, or one that stands below this one.
    Below(GridId),
    /// Its author alone.
    Author,
}

/// A record that was made.
#[derive(Clone, Copy, Debug)]
pub struct Made {
    /// The worker who made it; none where it was made on the page.
    pub author: Option<usize>,
    /// Its grid.
    pub grid: usize,
    /// Who may hear of it.
    pub audience: Audience,
}

/// What a shift or patrol becomes first.
pub const CREATED: &str = "created";

/// A step of a shift or patrol, which carries no text.
#[derive(Clone, Copy, Debug)]
pub struct Duty {
    /// The phone it was done on.
    pub phone: usize,
    /// The shift or patrol.
    pub record: EntityId,
    /// The status that it leads to, or [`CREATED`].
    pub to: &'static str,
    /// Whether it was saved.
    pub saved: Saved,
}

/// Something that somebody did on the page.
#[derive(Clone, Copy, Debug)]
pub struct Deed {
    /// The op that it is.
    pub op: OpId,
    /// The record.
    pub record: EntityId,
    /// Whether the page said that it was done.
    pub saved: Saved,
}

/// Fixes of one call of `record`.
#[derive(Clone, Debug)]
pub struct Bunch {
    /// The phone.
    pub phone: usize,
    /// The patrol.
    pub patrol: EntityId,
    /// The run.
    pub run: RunId,
    /// The ordinal of the first.
    pub first: u32,
    /// The fixes as the sensor gave them.
    pub fixes: Vec<Fix>,
    /// When they were acknowledged, in true time.
    pub at_ms: i64,
    /// A power cut came too soon after: they may be gone.
    pub excused: bool,
}

/// All of it.
#[derive(Default)]
pub struct Ledger {
    next: u32,
    facts: BTreeMap<u32, Fact>,
    duties: Vec<Duty>,
    deeds: Vec<Deed>,
    bunches: Vec<Bunch>,
    /// The workers to whom a record may ever have been given.
    dispatched: BTreeSet<(EntityId, usize)>,
    /// Notices that a worker may have read.
    read: BTreeSet<(EntityId, usize)>,
    /// Incidents, with their grid, in the order in which they became known.
    incidents: Vec<(EntityId, usize)>,
    /// Who may hear of each record.
    made: BTreeMap<EntityId, Made>,
    /// Other records than incidents, in their order.
    others: Vec<EntityId>,
}

impl Ledger {
    /// A new token for a record of this grid.
    pub(crate) fn token(&mut self, grid: char) -> Token {
        self.next += 1;
        Token { grid, n: self.next }
    }

    pub(crate) fn add(&mut self, fact: Fact) {
        self.facts.insert(fact.token.n, fact);
    }

    /// An incident that a worker reported in a grid.
    pub(crate) fn add_incident(&mut self, record: EntityId, worker: usize, grid: usize) {
        self.incidents.push((record, grid));
        let made = Made {
            author: Some(worker),
            grid,
            audience: Audience::Grid,
        };
        self.made.insert(record, made);
    }

    /// A record of another kind.
    pub(crate) fn add_record(&mut self, record: EntityId, made: Made) {
        self.others.push(record);
        self.made.insert(record, made);
    }

    /// The records of other kinds, the oldest first.
    #[must_use]
    pub fn others(&self) -> &[EntityId] {
        &self.others
    }

    /// The last incidents of these grids and those dispatched to the worker, the
    /// newest first.
    pub(crate) fn latest<'a>(
        &'a self,
        grids: &'a [usize],
        worker: usize,
    ) -> impl Iterator<Item = (EntityId, usize)> + 'a {
        let known = self.incidents.iter().rev().copied();
        known.filter(move |(id, grid)| grids.contains(grid) || self.was_dispatched(*id, worker))
    }

    /// All incidents that are known, with their grids, the oldest first.
    #[must_use]
    pub fn incidents(&self) -> &[(EntityId, usize)] {
        &self.incidents
    }

    /// Who made a record, where, and for whom.
    #[must_use]
    pub fn made(&self, record: EntityId) -> Option<&Made> {
        self.made.get(&record)
    }

    pub(crate) fn add_duty(&mut self, duty: Duty) {
        self.duties.push(duty);
    }

    pub(crate) fn add_deed(&mut self, deed: Deed) {
        self.deeds.push(deed);
    }

    /// What was done on the page, in its order.
    #[must_use]
    pub fn deeds(&self) -> &[Deed] {
        &self.deeds
    }

    /// A record is given to a worker, perhaps.
    pub(crate) fn dispatch(&mut self, record: EntityId, worker: usize) {
        self.dispatched.insert((record, worker));
    }

    /// Whether a record may ever have been given to a worker.
    #[must_use]
    pub fn was_dispatched(&self, record: EntityId, worker: usize) -> bool {
        self.dispatched.contains(&(record, worker))
    }

    pub(crate) fn add_reading(&mut self, worker: usize, notice: EntityId) {
        self.read.insert((notice, worker));
    }

    /// Whether a worker may have read a notice.
    #[must_use]
    pub fn has_read(&self, worker: usize, notice: EntityId) -> bool {
        self.read.contains(&(notice, worker))
    }

    pub(crate) fn add_bunch(&mut self, bunch: Bunch) {
        self.bunches.push(bunch);
    }

    /// A power cut takes what was recorded after `since_ms` on this phone.
    pub(crate) fn excuse_since(&mut self, phone: usize, since_ms: i64) {
        let bunches = self.bunches.iter_mut().rev();
        for bunch in bunches.filter(|bunch| bunch.phone == phone) {
            if bunch.at_ms < since_ms {
                break;
            }
            bunch.excused = true;
        }
    }

    /// What was written under this token.
    #[must_use]
    pub fn fact(&self, token: Token) -> Option<&Fact> {
        self.facts.get(&token.n)
    }

    /// What was written, in its order.
    pub fn facts(&self) -> impl Iterator<Item = &Fact> {
        self.facts.values()
    }

    /// The steps of shifts and patrols, in their order.
    #[must_use]
    pub fn duties(&self) -> &[Duty] {
        &self.duties
    }

    /// The fixes, in their order.
    #[must_use]
    pub fn bunches(&self) -> &[Bunch] {
        &self.bunches
    }

    /// The texts about a record.
    #[must_use]
    pub fn about(&self, record: EntityId) -> BTreeSet<Token> {
        let facts = self.facts().filter(|fact| fact.record == Some(record));
        facts.map(|fact| fact.token).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_found_in_any_text() {
        let text = "\"#A12# 楼道\" # #b3# #7# #Q# #B3##C44#";
        let found: Vec<String> = tokens(text).map(|token| token.to_string()).collect();
        assert_eq!(found, ["#A12#", "#B3#", "#C44#"]);
    }
}
