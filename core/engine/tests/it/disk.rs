//! A disk that a test fills up.

use gridwalk_engine::{Disk, DiskFile, Engine, EngineError, OpenFor, SystemDisk};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::server::FakeServer;
use crate::support::Phone;

/// The system's disk; the journal on it can be told that there is no room, and
/// its syncs are counted.
#[derive(Clone, Default)]
struct Narrow {
    full: Arc<AtomicBool>,
    syncs: Arc<AtomicU64>,
}

struct Journal {
    file: Box<dyn DiskFile>,
    disk: Narrow,
}

impl Disk for Narrow {
    fn open(&self, path: &Path, how: OpenFor) -> io::Result<Box<dyn DiskFile>> {
        let file = SystemDisk.open(path, how)?;
        if !path.to_string_lossy().ends_with("-journal.gw") {
            return Ok(file);
        }
        let disk = self.clone();
        Ok(Box::new(Journal { file, disk }))
    }

    fn len(&self, path: &Path) -> io::Result<Option<u64>> {
        SystemDisk.len(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        SystemDisk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        SystemDisk.remove(path)
    }

    fn list(&self, folder: &Path) -> io::Result<Vec<PathBuf>> {
        SystemDisk.list(folder)
    }

    fn make_folder(&self, folder: &Path) -> io::Result<()> {
        SystemDisk.make_folder(folder)
    }

    fn sync_folder(&self, folder: &Path) -> io::Result<()> {
        SystemDisk.sync_folder(folder)
    }
}

impl DiskFile for Journal {
    fn size(&self) -> io::Result<u64> {
        self.file.size()
    }

    fn read_at(&mut self, at: u64, out: &mut [u8]) -> io::Result<()> {
        self.file.read_at(at, out)
    }

    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        if self.disk.full.load(Ordering::Relaxed) {
            return Err(ErrorKind::StorageFull.into());
        }
        self.file.write_at(at, bytes)
    }

    fn set_size(&mut self, size: u64) -> io::Result<()> {
        self.file.set_size(size)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.syncs.fetch_add(1, Ordering::Relaxed);
        self.file.sync()
    }

    fn try_lock(&mut self) -> io::Result<bool> {
        self.file.try_lock()
    }
}

#[test]
fn fixes_are_synced_in_time_although_the_disk_is_full_for_the_next() {
    let (phone, server, disk) = (Phone::new(true), FakeServer::new(), Narrow::default());
    drop(phone.on_patrol(&server));
    let mut config = phone.config();
    config.disk = Arc::new(disk.clone());
    let engine = Engine::open(config).expect("opens");
    phone.walk(&engine, 5);
    let syncs = disk.syncs.load(Ordering::Relaxed);
    disk.full.store(true, Ordering::Relaxed);
    phone.clock.pass(20_000);
    assert_eq!(engine.record(&[phone.fix()]), Err(EngineError::DiskFull));
    assert!(disk.syncs.load(Ordering::Relaxed) > syncs);
    disk.full.store(false, Ordering::Relaxed);
    assert_eq!(phone.walk(&engine, 1), 6);
}
