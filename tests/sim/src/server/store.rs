//! The server's store: the one in memory, with faults around it.

use gridwalk_store::memory::MemoryStore;
use gridwalk_store::{Read, Store, StoreError, Write};
use std::any::Any;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use super::Life;

/// How a write goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WriteFault {
    /// The disk fails; nothing is stored, and the server goes on.
    Refused,
    /// The server dies before the commit.
    DiesBefore,
    /// The server dies after the commit and before it answers.
    DiesAfter,
}

/// The store.
#[derive(Clone)]
pub(super) struct SimStore {
    rows: Arc<dyn Store>,
    /// How many writes go well before one that does not.
    fault: Arc<Mutex<Option<(u64, WriteFault)>>>,
    life: Life,
}

impl SimStore {
    pub(super) fn living(mut self, life: &Life) -> Self {
        self.life = life.clone();
        self
    }

    /// An empty one.
    pub(super) fn new() -> Self {
        Self::of(Arc::new(MemoryStore::new()))
    }

    /// With what these rows hold.
    pub(super) fn of(rows: Arc<dyn Store>) -> Self {
        Self {
            rows,
            fault: Arc::default(),
            life: Life::default(),
        }
    }

    /// The rows, without faults around them.
    pub(super) fn rows(&self) -> &dyn Store {
        &*self.rows
    }

    /// Carries out a write, or not, as it was planned.
    fn faulty(
        &self,
        write: impl FnOnce(Option<WriteFault>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        if self.life.is_over() {
            return Err(failed());
        }
        let fault = self.due();
        let stored = write(fault);
        match fault {
            Some(WriteFault::DiesBefore | WriteFault::DiesAfter) => {
                self.life.end();
                Err(failed())
            }
            Some(WriteFault::Refused) | None => stored,
        }
    }

    pub(super) fn fail(&self, after: u64, how: WriteFault) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = Some((after, how));
    }

    pub(super) fn mend(&self) {
        *self.fault.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn due(&self) -> Option<WriteFault> {
        let mut fault = self.fault.lock().unwrap_or_else(PoisonError::into_inner);
        match fault.as_mut() {
            Some((0, how)) => {
                let how = *how;
                *fault = None;
                Some(how)
            }
            Some((left, _)) => {
                *left -= 1;
                None
            }
            None => None,
        }
    }
}

fn failed() -> StoreError {
    StoreError::Failed("as the simulation asked".to_owned())
}

impl Store for SimStore {
    fn read(
        &self,
        run: &mut dyn FnMut(&dyn Read) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.rows.read(run)
    }

    fn write(
        &self,
        run: &mut dyn FnMut(&mut dyn Write) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        self.faulty(|fault| {
            self.rows.write(&mut |tx| {
                run(tx)?;
                match fault {
                    Some(WriteFault::Refused | WriteFault::DiesBefore) => Err(failed()),
                    Some(WriteFault::DiesAfter) | None => Ok(()),
                }
            })
        })
    }

    fn copy(&self, folder: &Path) -> Result<Arc<dyn Store>, StoreError> {
        self.rows.copy(folder)
    }

    fn replace(&self, copy: &dyn Store) -> Result<(), StoreError> {
        self.faulty(|fault| match fault {
            Some(WriteFault::Refused | WriteFault::DiesBefore) => Err(failed()),
            Some(WriteFault::DiesAfter) | None => self.rows.replace(copy),
        })
    }

    fn check(&self) -> Result<(), StoreError> {
        self.rows.check()
    }

    fn scrub(&self) -> Result<(), StoreError> {
        self.rows.scrub()
    }

    fn as_any(&self) -> &dyn Any {
        self.rows.as_any()
    }
}
