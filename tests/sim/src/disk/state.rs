//! What a disk is told to do, and when it stops doing it.

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};

use super::medium::{Ino, Medium};

/// A disk and the processes that use it.
pub(super) struct State {
    pub(super) medium: Medium,
    pub(super) rng: fastrand::Rng,
    /// Which process of the phone is the living one; the handles of another are
    /// dead.
    pub(super) process: u64,
    pub(super) dead: bool,
    pub(super) locks: BTreeMap<Ino, u64>,
    pub(super) handles: u64,
    pub(super) steps: u64,
    pub(super) trouble: Trouble,
}

/// What is to go wrong, and when: at a number of steps from the disk's first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Trouble {
    pub(super) dies_at: Option<u64>,
    /// How many syncs go well before one that it dies at.
    pub(super) dies_at_sync: Option<u64>,
    pub(super) full_from: Option<u64>,
    pub(super) fails_at: Option<u64>,
}

/// Why a step is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stop {
    /// The process died just now: the first bytes of a write may be there.
    Dies,
    /// The process is dead.
    Dead,
    /// The disk is full: the first bytes of a write may be there.
    Full,
    /// The disk failed, once.
    Fails,
}

impl From<Stop> for io::Error {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Dies | Stop::Dead => Self::other("this process is dead"),
            Stop::Full => Self::new(ErrorKind::StorageFull, "the disk is full"),
            Stop::Fails => Self::other("the disk failed"),
        }
    }
}

impl State {
    pub(super) fn new(medium: Medium, seed: u64) -> Self {
        Self {
            medium,
            rng: fastrand::Rng::with_seed(seed),
            process: 0,
            dead: false,
            locks: BTreeMap::new(),
            handles: 0,
            steps: 0,
            trouble: Trouble::default(),
        }
    }

    /// Counts a step; `grows` where it needs room.
    pub(super) fn step(&mut self, process: u64, grows: bool) -> Result<(), Stop> {
        if self.dead || process != self.process {
            return Err(Stop::Dead);
        }
        let step = self.steps;
        self.steps += 1;
        if self.trouble.dies_at.is_some_and(|at| at <= step) {
            self.dead = true;
            return Err(Stop::Dies);
        }
        if grows && self.trouble.full_from.is_some_and(|from| from <= step) {
            return Err(Stop::Full);
        }
        if self.trouble.fails_at.is_some_and(|at| at <= step) {
            self.trouble.fails_at = None;
            return Err(Stop::Fails);
        }
        Ok(())
    }

    /// Counts the step of a sync.
    pub(super) fn sync_step(&mut self, process: u64) -> Result<(), Stop> {
        match &mut self.trouble.dies_at_sync {
            Some(0) => self.trouble.dies_at = Some(0),
            Some(left) => *left -= 1,
            None => {}
        }
        self.step(process, false)
    }

    pub(super) fn alive(&self, process: u64) -> Result<(), Stop> {
        if self.dead || process != self.process {
            return Err(Stop::Dead);
        }
        Ok(())
    }

    pub(super) fn revive(&mut self) {
        self.process += 1;
        self.dead = false;
        self.locks.clear();
        self.trouble.dies_at = None;
        self.trouble.dies_at_sync = None;
    }
}
