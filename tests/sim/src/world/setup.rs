//! What a seed makes of the world: how many of what, and what goes wrong.

use gridwalk_domain::BootId;
use gridwalk_domain::wire::{Limits, PROTOCOL_VERSION};
use gridwalk_engine::CancelToken;
use gridwalk_server::admin::EnrolFor;
use gridwalk_server::{Settings, Sizes};
use gridwalk_store::StoreError;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};
use std::sync::Arc;

use super::World;
use super::district::District;
use super::net::Link;
use super::phone::{Fall, Phone};
use crate::disk::{self, SimDisk};
use crate::faults::{self, Striking};
use crate::invariants;
use crate::ledger::Ledger;
use crate::random::{Chance as _, Seeded};
use crate::server::Server;
use crate::time::{DAY, MINUTE, PhoneClock, SECOND, Time};
use crate::trace::Trace;

/// The version of the protocol that newer apps speak, in this world.
pub(crate) const NEWER: u32 = PROTOCOL_VERSION + 1;
/// Twenty years.
const YEARS: i64 = 20 * 365 * DAY;

impl World {
    /// The world that a seed names, in the morning.
    ///
    /// # Errors
    /// Where the server does not take its district.
    pub fn new(seed: u64) -> Result<Self, StoreError> {
        let mut rng = fastrand::Rng::with_seed(seed);
        // Shared grids and lone ones, and a grid that belongs to another district.
        let mut workers: Vec<usize> = (0..rng.usize(1..=3)).map(|_| rng.usize(1..=3)).collect();
        // Three at least, each with a phone.
        if workers == [1] {
            workers[0] = 2;
        }
        workers.push(1);
        let mut world = Self::of(seed, rng, &workers)?;
        world.busy = true;
        world.pace_ms = 20 * SECOND + world.rng.about(2 * MINUTE).min(5 * MINUTE);
        for worker in 0..world.district.workers.len() {
            world.buy_phone(worker)?;
        }
        world.faults = faults::ALL
            .iter()
            .filter_map(|fault| Striking::draw(*fault, &mut world.rng))
            .collect();
        for phone in 0..world.phones.len() {
            // What opens for the first time writes most of what it is made of.
            if world.rng.happens(0.4) {
                let fall = world.some_fall();
                world.fall_soon(phone, 56, fall);
            }
            let ms = world.rng.about(2 * MINUTE);
            world.after(ms, move |world| world.open(phone));
        }
        for n in 0..world.faults.len() {
            world.plan_strike(n);
        }
        world.plan_desk();
        world.plan_clock();
        Ok(world)
    }

    /// A world of one phone, its app not opened yet, in which nothing happens by
    /// itself and nothing goes wrong.
    ///
    /// # Errors
    /// Where the server does not take its district.
    pub fn quiet(seed: u64) -> Result<Self, StoreError> {
        let mut world = Self::of(seed, fastrand::Rng::with_seed(seed), &[1, 1])?;
        let phone = world.buy_phone(0)?;
        world.phones[phone].link.mend();
        world.phones[phone].clock.set_ahead(0);
        world.phones[phone].speaks = NEWER;
        Ok(world)
    }

    fn of(seed: u64, mut rng: fastrand::Rng, workers: &[usize]) -> Result<Self, StoreError> {
        disk::seed_sqlite(seed);
        let time = Time::new();
        let settings = Settings {
            min_v: if rng.happens(0.25) {
                NEWER
            } else {
                PROTOCOL_VERSION
            },
            sizes: sizes(&mut rng),
            ..Settings::default()
        };
        let min_v = settings.min_v;
        let server = Server::new(&time, rng.u64(..), settings)
            .map_err(|error| StoreError::Failed(error.to_string()))?;
        let district = District::build(&server, workers)?;
        Ok(Self {
            seed,
            rng,
            time,
            queue: BinaryHeap::new(),
            planned: 0,
            server,
            backups: vec![],
            min_v,
            back_ms: i64::MIN,
            purged: BTreeSet::new(),
            stolen: BTreeSet::new(),
            purged_blobs: BTreeMap::new(),
            district,
            phones: vec![],
            ledger: Ledger::default(),
            trace: Trace::default(),
            ops: BTreeMap::new(),
            busy: false,
            pace_ms: MINUTE,
            faults: vec![],
            invariants: invariants::all(),
            round: None,
            views: BTreeMap::new(),
            broken: None,
        })
    }

    /// A phone for a worker, with a one-time code.
    ///
    /// # Errors
    /// Where the server gives no code.
    pub(crate) fn buy_phone(&mut self, worker: usize) -> Result<usize, StoreError> {
        let code = self.new_code(worker)?;
        let rng = &mut self.rng;
        // Most clocks are right; some are a little off, some years.
        let ahead_ms = match rng.u8(0..10) {
            0 => rng.i64(-YEARS..YEARS),
            1 => rng.i64(-2 * DAY..2 * DAY),
            2..5 => rng.i64(-5 * MINUTE..5 * MINUTE),
            _ => 0,
        };
        let boot = BootId::from_bytes(rng.u128(..).to_be_bytes());
        let clock = PhoneClock::new(&self.time, ahead_ms, rng.i64(-100..100), boot);
        let phone = Phone {
            no: self.phones.len(),
            worker,
            disk: SimDisk::new(rng.u64(..)),
            clock: Arc::new(clock),
            rng: Arc::new(Seeded::new(rng.u64(..))),
            speaks: if rng.bool() { PROTOCOL_VERSION } else { NEWER },
            link: Link::draw(rng),
            code,
            engine: None,
            call: None,
            cancel: CancelToken::new(),
            asked: 0,
            died_ms: None,
            life: 0,
            fall: Fall::Kill,
            enrolled: false,
            left: false,
            to_leave: false,
            wiped: false,
            cloned: false,
            shift: None,
            patrol: None,
            walk: (rng.usize(..), rng.usize(..)),
            synced: None,
        };
        self.phones.push(phone);
        Ok(self.phones.len() - 1)
    }

    /// A one-time code for a worker's phone.
    pub(crate) fn new_code(&self, worker: usize) -> Result<String, StoreError> {
        let name = &self.district.workers[worker].name;
        let whom = EnrolFor {
            worker: name,
            grid: None,
        };
        let admin = self.server.service().admin();
        let code = admin.enrol(whom);
        Ok(code
            .map_err(|error| StoreError::Failed(error.to_string()))?
            .code)
    }
}

/// Half of the servers have small requests and pages, so that whatever takes
/// several takes several here.
fn sizes(rng: &mut fastrand::Rng) -> Sizes {
    if rng.bool() {
        return Sizes::default();
    }
    Sizes {
        limits: Limits {
            push_ops: rng.usize(1..12),
            push_bytes: rng.usize(2_000..8_000),
            tracks_bytes: rng.usize(500..2_000),
            ..Limits::default()
        },
        page_bytes: rng.usize(1..20_000),
        page_receipts: rng.usize(1..20),
    }
}
