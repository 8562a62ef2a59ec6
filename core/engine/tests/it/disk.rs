//! A disk that a test fills up.

use gridwalk_engine::{
    Disk, DiskFile, Engine, EngineError, Invitation, LogOut, NewIncident, NewPhoto, OpenFor,
    SystemDisk,
};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::media::files;
use crate::server::FakeServer;
use crate::support::{Phone, png};
use crate::talk::sync;

/// The system's disk; the journal on it can be told that there is no room, and
/// its syncs are counted. It can also be told to remove nothing.
#[derive(Clone, Default)]
struct Narrow {
    full: Arc<AtomicBool>,
    stuck: Arc<AtomicBool>,
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
        if self.stuck.load(Ordering::Relaxed) {
            return Err(ErrorKind::StorageFull.into());
        }
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

#[test]
fn what_was_done_is_said_to_be_done_although_the_clean_up_after_it_failed() {
    let (phone, server, disk) = (Phone::new(true), FakeServer::new(), Narrow::default());
    let mut config = phone.config();
    config.disk = Arc::new(disk.clone());
    let engine = Engine::open(config).expect("opens");
    let invitation = Invitation::parse("CODE", Some("https://test")).expect("reads");
    engine.enrol(&server, &invitation).expect("enrols");
    engine.start_shift(None).expect("begins");
    let draft = |seed: u8| NewIncident {
        category: "hygiene".into(),
        photos: vec![NewPhoto {
            bytes: png(seed),
            mime: String::new(),
        }],
        ..NewIncident::default()
    };
    let id = engine.save_draft(None, draft(1)).expect("saves");
    disk.stuck.store(true, Ordering::Relaxed);
    assert_eq!(engine.save_draft(Some(id), draft(2)), Ok(id));
    let kept = engine.draft(id).expect("there").photos.remove(0);
    assert!(kept.bytes.len() > 1000 && files(&phone) == 2, "both files");
    assert_eq!(engine.discard_draft(id), Ok(()));
    assert_eq!(engine.drafts(), Ok(vec![]));
    let id = engine.save_draft(None, draft(3)).expect("saves");
    assert_eq!(engine.submit_draft(id), Ok(id));
    sync(&engine, &server).expect("syncs");
    assert_eq!(engine.log_out(true), Ok(LogOut::Done));
    drop(engine);
    // The next opening finishes what could not be done.
    disk.stuck.store(false, Ordering::Relaxed);
    phone.open();
    assert_eq!(files(&phone), 1, "what was submitted waits for a backup");
}
