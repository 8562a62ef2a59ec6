//! The world of one run: phones, the server, what is between them, and the
//! queue of what happens next.
//!
//! Everything is one thread's, in the order of virtual time, so that a seed
//! names a run.

mod calm;
pub mod district;
mod life;
pub mod net;
pub mod phone;
pub(crate) mod setup;

use gridwalk_domain::{EntityId, OpBody, OpId, Sha256, TenantId};
use gridwalk_engine::{Engine, EngineError};
use gridwalk_server::admin::Backup;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::fmt;

use crate::faults::Striking;
use crate::invariants::{Invariant, Violation};
use crate::ledger::{Ledger, Saved, Token};
use crate::server::Server;
use crate::server::view::View;
use crate::time::Time;
use crate::trace::Trace;
use district::District;
use phone::Phone;

/// Something that happens.
type Job = Box<dyn FnOnce(&mut World)>;

/// Something that happens at a time; what was planned first comes first.
struct Due {
    at_ms: i64,
    n: u64,
    job: Job,
}

impl Due {
    const fn rank(&self) -> (i64, u64) {
        (self.at_ms, self.n)
    }
}

impl PartialEq for Due {
    fn eq(&self, other: &Self) -> bool {
        self.rank() == other.rank()
    }
}

impl Eq for Due {}

impl PartialOrd for Due {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Due {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        // The heap gives the greatest first.
        other.rank().cmp(&self.rank())
    }
}

/// An op as the network saw it.
#[derive(Clone, Debug)]
pub struct SeenOp {
    /// What it says.
    pub body: OpBody,
    /// The phones that sent it.
    pub phones: BTreeSet<usize>,
}

/// What a call of an engine came to.
pub(crate) enum Called<T> {
    Done(T),
    Refused(EngineError),
    /// The phone died over it.
    Died,
}

/// The world.
pub struct World {
    /// What names this run.
    pub seed: u64,
    /// Decides what happens.
    pub rng: fastrand::Rng,
    /// The true time.
    pub time: Time,
    queue: BinaryHeap<Due>,
    planned: u64,
    /// The server.
    pub server: Server,
    /// The backups that phones rely on, the oldest first.
    pub(crate) backups: Vec<Backup>,
    /// The records that were purged by order.
    pub purged: BTreeSet<EntityId>,
    /// The workers one of whose phones was reported stolen.
    pub(crate) stolen: BTreeSet<usize>,
    /// The attachments that were purged by themselves, in the first district, with
    /// their bytes.
    pub purged_blobs: BTreeMap<Sha256, Vec<u8>>,
    /// The oldest version of the protocol that the server judges.
    pub(crate) min_v: u32,
    /// When the server last went back.
    pub(crate) back_ms: i64,
    /// Grids, workers, terms.
    pub district: District,
    /// The phones.
    pub phones: Vec<Phone>,
    /// What was acknowledged.
    pub ledger: Ledger,
    /// What happened.
    pub trace: Trace,
    /// The ops that were sent, with what they say.
    pub ops: BTreeMap<OpId, SeenOp>,
    /// Whether workers work and faults strike.
    pub(crate) busy: bool,
    /// The mean time between two things that a worker does.
    pub(crate) pace_ms: i64,
    pub(crate) faults: Vec<Striking>,
    invariants: Vec<Box<dyn Invariant>>,
    /// The round of syncs in the calm.
    pub(crate) round: Option<usize>,
    /// What the server holds at the end, by district.
    pub(crate) views: BTreeMap<TenantId, View>,
    /// What does not hold.
    pub broken: Option<Violation>,
}

impl World {
    /// The true time.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.time.now_ms()
    }

    /// Plans something.
    pub(crate) fn after(&mut self, ms: i64, job: impl FnOnce(&mut Self) + 'static) {
        self.planned += 1;
        self.queue.push(Due {
            at_ms: self.now_ms() + ms.max(0),
            n: self.planned,
            job: Box::new(job),
        });
    }

    /// Lets happen what is planned up to this time, as long as all holds.
    pub(crate) fn run_until(&mut self, end_ms: i64) {
        while self.broken.is_none()
            && let Some(due) = self.queue.peek()
            && due.at_ms <= end_ms
        {
            let Some(due) = self.queue.pop() else { return };
            self.time.pass_to(due.at_ms);
            (due.job)(self);
        }
        self.time.pass_to(end_ms);
    }

    /// Writes down what happened.
    pub(crate) fn say(&mut self, line: fmt::Arguments<'_>) {
        let now_ms = self.now_ms();
        self.trace.add(now_ms, line);
    }

    /// Something does not hold; the first such thing ends the run.
    pub(crate) fn breaks(&mut self, violation: Violation) {
        if self.broken.is_none() {
            self.say(format_args!("VIOLATION {}", violation.text));
            self.broken = Some(violation);
        }
    }

    /// Shows something to every invariant.
    pub(crate) fn show(&mut self, mut to: impl FnMut(&mut dyn Invariant, &Self) -> crate::Held) {
        let mut invariants = std::mem::take(&mut self.invariants);
        for invariant in &mut invariants {
            if let Err(mut violation) = to(&mut **invariant, self) {
                violation.invariant = invariant.name();
                self.breaks(violation);
                break;
            }
        }
        self.invariants = invariants;
    }

    /// Calls the engine of a phone whose app runs.
    pub(crate) fn call<T>(
        &mut self,
        phone: usize,
        what: &str,
        work: impl FnOnce(&Engine) -> Result<T, EngineError>,
    ) -> Option<Called<T>> {
        let engine = self.phones[phone].engine.clone()?;
        let result = work(&engine);
        drop(engine);
        if self.phones[phone].disk.is_dead() {
            self.say(format_args!("p{phone} {what}: dies"));
            self.fall(phone);
            return Some(Called::Died);
        }
        Some(match result {
            Ok(value) => {
                self.say(format_args!("p{phone} {what}"));
                Called::Done(value)
            }
            Err(error) => {
                self.say(format_args!("p{phone} {what}: {}", error.code()));
                Called::Refused(error)
            }
        })
    }

    /// The short name of a record.
    #[must_use]
    pub fn short(record: EntityId) -> String {
        record.to_string().chars().take(8).collect()
    }

    /// A new token for a text about a record in this grid.
    pub(crate) fn token(&mut self, grid: usize) -> Token {
        self.ledger.token(self.district.grids[grid].letter)
    }
}

impl<T> Called<T> {
    /// Whether what was to be saved is saved.
    pub(crate) const fn saved(&self) -> Saved {
        match self {
            Self::Done(_) => Saved::Yes,
            // Its storage failed: what a commit wrote may come back.
            Self::Refused(EngineError::Storage { .. }) | Self::Died => Saved::Perhaps,
            Self::Refused(_) => Saved::No,
        }
    }
}
