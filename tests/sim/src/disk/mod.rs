//! A phone's disk in memory, for the engine's files and for SQLite alike.
//!
//! It tells what was written from what was synced, dies at any step, loses
//! power, fills up and fails, all by seed. Whatever changes the disk is a
//! **step**: each write, cut, sync, rename, removal. A process that dies at
//! step *n* has done all before it and nothing of it, or the first bytes of it.

mod medium;
mod vfs;

use gridwalk_engine::{Disk, DiskFile, OpenFor};
use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use medium::{Ino, Medium};

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

struct State {
    medium: Medium,
    rng: fastrand::Rng,
    /// Which process of the phone is the living one; the handles of another are
    /// dead.
    process: u64,
    dead: bool,
    locks: BTreeMap<Ino, u64>,
    handles: u64,
    steps: u64,
    trouble: Trouble,
}

/// What is to go wrong, and when: at a number of steps from the disk's first.
#[derive(Clone, Copy, Debug, Default)]
struct Trouble {
    dies_at: Option<u64>,
    full_from: Option<u64>,
    fails_at: Option<u64>,
}

/// Why a step is not done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stop {
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
    /// Counts a step; `grows` where it needs room.
    fn step(&mut self, process: u64, grows: bool) -> Result<(), Stop> {
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

    fn alive(&self, process: u64) -> Result<(), Stop> {
        if self.dead || process != self.process {
            return Err(Stop::Dead);
        }
        Ok(())
    }

    fn revive(&mut self) {
        self.process += 1;
        self.dead = false;
        self.locks.clear();
        self.trouble.dies_at = None;
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
        let state = State {
            medium,
            rng: fastrand::Rng::with_seed(seed),
            process: 0,
            dead: false,
            locks: BTreeMap::new(),
            handles: 0,
            steps: 0,
            trouble: Trouble::default(),
        };
        let shared = Arc::new(Shared {
            id,
            state: Mutex::new(state),
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

    fn handle(&self, state: &mut State, ino: Ino) -> Handle {
        state.handles += 1;
        Handle {
            disk: self.clone(),
            ino,
            id: state.handles,
            process: state.process,
        }
    }

    fn open_file(&self, path: &Path, how: OpenFor) -> io::Result<Handle> {
        let mut state = self.state();
        let process = state.process;
        state.alive(process)?;
        let ino = match (state.medium.find(path), how) {
            (Some(_), OpenFor::New) => return Err(ErrorKind::AlreadyExists.into()),
            (Some(ino), _) => ino,
            (None, OpenFor::Reading) => return Err(ErrorKind::NotFound.into()),
            (None, _) => {
                state.step(process, true)?;
                let ino = state.medium.make();
                state.medium.rename(vec![(path.to_owned(), Some(ino))]);
                ino
            }
        };
        Ok(self.handle(&mut state, ino))
    }
}

impl Disk for SimDisk {
    fn vfs(&self) -> Option<&str> {
        Some(vfs::name())
    }

    fn open(&self, path: &Path, how: OpenFor) -> io::Result<Box<dyn DiskFile>> {
        Ok(Box::new(self.open_file(path, how)?))
    }

    fn len(&self, path: &Path) -> io::Result<Option<u64>> {
        let state = self.state();
        state.alive(state.process)?;
        let ino = state.medium.find(path);
        let content = ino.and_then(|ino| state.medium.content(ino));
        Ok(content.map(|content| content.bytes().len() as u64))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        let process = state.process;
        let ino = state.medium.find(from).ok_or(ErrorKind::NotFound)?;
        state.step(process, false)?;
        let change = vec![(from.to_owned(), None), (to.to_owned(), Some(ino))];
        state.medium.rename(change);
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        let process = state.process;
        state.medium.find(path).ok_or(ErrorKind::NotFound)?;
        state.step(process, false)?;
        state.medium.rename(vec![(path.to_owned(), None)]);
        Ok(())
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        let state = self.state();
        state.alive(state.process)?;
        let inside = |path: &&Path| path.parent() == Some(folder);
        let paths = state.medium.paths().filter(inside);
        Ok(paths.map(Path::to_owned).collect())
    }

    /// Folders are there by themselves here.
    fn make_folder(&self, _: &Path) -> io::Result<()> {
        let state = self.state();
        Ok(state.alive(state.process)?)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        let mut state = self.state();
        let process = state.process;
        state.step(process, false)?;
        state.medium.sync_names(folder);
        Ok(())
    }
}

/// An open file, of the process that opened it.
struct Handle {
    disk: SimDisk,
    ino: Ino,
    id: u64,
    process: u64,
}

fn size_of(number: u64) -> io::Result<usize> {
    usize::try_from(number).map_err(io::Error::other)
}

impl DiskFile for Handle {
    fn size(&self) -> io::Result<u64> {
        let state = self.disk.state();
        state.alive(self.process)?;
        let content = state.medium.content(self.ino).ok_or(ErrorKind::NotFound)?;
        Ok(content.bytes().len() as u64)
    }

    fn read_at(&mut self, at: u64, out: &mut [u8]) -> io::Result<()> {
        let state = self.disk.state();
        state.alive(self.process)?;
        let content = state.medium.content(self.ino).ok_or(ErrorKind::NotFound)?;
        let at = size_of(at)?;
        let found = content.bytes().get(at..at + out.len());
        out.copy_from_slice(found.ok_or(ErrorKind::UnexpectedEof)?);
        Ok(())
    }

    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        let mut state = self.disk.state();
        let state = &mut *state;
        let at = size_of(at)?;
        let content = state.medium.content(self.ino).ok_or(ErrorKind::NotFound)?;
        let grows = content.bytes().len() < at + bytes.len();
        let done = state.step(self.process, grows);
        let written = match done {
            Ok(()) => bytes.len(),
            Err(Stop::Dies | Stop::Full) => state.rng.usize(0..=bytes.len()),
            Err(Stop::Dead | Stop::Fails) => 0,
        };
        let content = state.medium.content_mut(self.ino);
        let content = content.ok_or(ErrorKind::NotFound)?;
        if written > 0 {
            content.write(at, &bytes[..written]);
        }
        Ok(done?)
    }

    fn set_size(&mut self, size: u64) -> io::Result<()> {
        let mut state = self.disk.state();
        state.step(self.process, false)?;
        let content = state.medium.content_mut(self.ino);
        content.ok_or(ErrorKind::NotFound)?.set_size(size_of(size)?);
        Ok(())
    }

    fn sync(&mut self) -> io::Result<()> {
        let mut state = self.disk.state();
        state.step(self.process, false)?;
        let content = state.medium.content_mut(self.ino);
        content.ok_or(ErrorKind::NotFound)?.sync();
        Ok(())
    }

    fn try_lock(&mut self) -> io::Result<bool> {
        let mut state = self.disk.state();
        state.alive(self.process)?;
        let holder = *state.locks.entry(self.ino).or_insert(self.id);
        Ok(holder == self.id)
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        if state.locks.get(&self.ino) == Some(&self.id) {
            state.locks.remove(&self.ino);
        }
    }
}

#[cfg(test)]
mod tests;
