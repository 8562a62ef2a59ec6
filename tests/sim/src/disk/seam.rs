//! The engine's way to a [`SimDisk`].

use gridwalk_engine::{Disk, DiskFile, OpenFor};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::medium::Ino;
use super::state::{State, Stop};
use super::{SimDisk, vfs};

impl SimDisk {
    fn handle(&self, state: &mut State, ino: Ino) -> Handle {
        state.handles += 1;
        Handle {
            disk: self.clone(),
            ino,
            id: state.handles,
            process: state.process,
        }
    }

    pub(super) fn open_file(&self, path: &Path, how: OpenFor) -> io::Result<Handle> {
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
pub(super) struct Handle {
    pub(super) disk: SimDisk,
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
        state.sync_step(self.process)?;
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
