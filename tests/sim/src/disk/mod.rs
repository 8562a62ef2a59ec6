//! A phone's disk in memory, for the engine's files and for SQLite alike.
//!
//! It tells what was written from what was synced, dies at any step, loses
//! power, fills up and fails, all by seed. Whatever changes the disk is a
//! **step**: each write, cut, sync, rename, removal. A process that dies at
//! step *n* has done all before it and nothing of it, or the first bytes of it.

mod medium;
mod seam;
mod state;
mod vfs;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use medium::Medium;
use seam::Handle;
use state::{State, Trouble};

/// All disks, so that SQLite finds the one that a path names.
static DISKS: Mutex<BTreeMap<u64, Weak<Shared>>> = Mutex::new(BTreeMap::new());
static NEXT: AtomicU64 = AtomicU64::new(1);

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Begins SQLite's random numbers anew: those of a log's header. They are the
/// process's, so of all runs in one process the last to begin decides.
pub fn seed_sqlite(seed: u64) {
    vfs::seed(seed);
}

/// A phone's disk.
#[derive(Clone)]
pub struct SimDisk(Arc<Shared>);

struct Shared {
    id: u64,
    state: Mutex<State>,
}

impl Drop for Shared {
    fn drop(&mut self) {
        lock(&DISKS).remove(&self.id);
    }
}

impl SimDisk {
    /// An empty one.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self::holding(Medium::default(), seed)
    }

    fn holding(medium: Medium, seed: u64) -> Self {
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        let shared = Arc::new(Shared {
            id,
            state: Mutex::new(State::new(medium, seed)),
        });
        lock(&DISKS).insert(id, Arc::downgrade(&shared));
        Self(shared)
    }

    /// The path of a file on this disk.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        PathBuf::from(format!("/disk-{}/{name}", self.0.id))
    }

    /// The disk that a path names.
    fn of_path(path: &Path) -> Option<Self> {
        let first = path.iter().nth(1)?.to_str()?;
        let id: u64 = first.strip_prefix("disk-")?.parse().ok()?;
        lock(&DISKS).get(&id)?.upgrade().map(Self)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.0.state)
    }

    /// How many steps it has seen.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.state().steps
    }

    /// The process will die at this step.
    pub fn die_at(&self, step: u64) {
        self.state().trouble.dies_at = Some(step);
    }

    /// The process will die at a sync: the one after so many others. All is
    /// written then, and nothing of it is safe from a power cut.
    pub fn die_at_sync(&self, after: u64) {
        self.state().trouble.dies_at_sync = Some(after);
    }

    /// The process dies now.
    pub fn die(&self) {
        self.state().dead = true;
    }

    /// Whether the process is dead.
    #[must_use]
    pub fn is_dead(&self) -> bool {
        self.state().dead
    }

    /// Another process may begin; all that was written is there.
    pub fn revive(&self) {
        self.state().revive();
    }

    /// The power is cut and comes back: what was not synced is there, torn or
    /// gone. Another process may begin.
    pub fn power_cut(&self) {
        let mut state = self.state();
        let state = &mut *state;
        state.medium.power_cut(&mut state.rng);
        state.revive();
    }

    /// From this step on there is no room for more.
    pub fn full_from(&self, step: u64) {
        self.state().trouble.full_from = Some(step);
    }

    /// There is room again.
    pub fn make_room(&self) {
        self.state().trouble.full_from = None;
    }

    /// There is room again, and nothing fails.
    pub fn mend(&self) {
        self.state().trouble = Trouble::default();
    }

    /// This step will fail.
    pub fn fail_at(&self, step: u64) {
        self.state().trouble.fails_at = Some(step);
    }

    /// Another disk with all that was written, as a backup or a clone has it.
    #[must_use]
    pub fn copy(&self, seed: u64) -> Self {
        let mut medium = self.state().medium.clone();
        let copy = Self::holding(Medium::default(), seed);
        medium.move_to(&copy.path(""));
        copy.state().medium = medium;
        copy
    }

    /// Whether any file holds these bytes, and which one.
    #[must_use]
    pub fn holds(&self, bytes: &[u8]) -> Option<PathBuf> {
        let state = self.state();
        let mut paths = state.medium.paths();
        let found = paths.find(|path| {
            let ino = state.medium.find(path);
            let content = ino.and_then(|ino| state.medium.content(ino));
            content.is_some_and(|content| {
                let mut windows = content.bytes().windows(bytes.len());
                windows.any(|window| window == bytes)
            })
        });
        found.map(Path::to_owned)
    }
}

#[cfg(test)]
mod tests;
