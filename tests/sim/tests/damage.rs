//! A damaged data file is set aside whole, whatever step a phone dies at while it
//! does that.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use gridwalk_engine::{Config, Disk as _, Engine, EngineError, OpenFor};
use gridwalk_sim::crash_points::{CrashPoint, day};
use gridwalk_sim::disk::SimDisk;
use gridwalk_sim::world::phone::{Fall, Phone};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The names behind the data file's of what belongs to it, and their bytes.
type Files = BTreeMap<String, Vec<u8>>;

fn read(disk: &SimDisk, folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let paths = disk.list(folder).expect("lists").into_iter();
    let bytes = |path: &Path| {
        let mut file = disk.open(path, OpenFor::Reading).expect("opens");
        let mut bytes = vec![0; usize::try_from(file.size().expect("told")).expect("small")];
        file.read_at(0, &mut bytes).expect("reads");
        bytes
    };
    paths.map(|path| (path.clone(), bytes(&path))).collect()
}

fn behind(disk: &SimDisk, prefix: &Path) -> Files {
    let prefix = prefix.to_str().expect("text");
    let files = read(disk, &disk.path("")).into_iter();
    files
        .filter_map(|(path, bytes)| {
            let rest = path.to_str()?.strip_prefix(prefix)?.to_owned();
            (!rest.ends_with("-lock") && !rest.contains(".damaged-")).then_some((rest, bytes))
        })
        .collect()
}

fn config(phone: &Phone, disk: &SimDisk) -> Config {
    Config {
        path: disk.path("phone.db"),
        disk: Arc::new(disk.clone()),
        ..phone.config()
    }
}

/// Opens until something is said: where it was set aside, or that all is well.
fn told(phone: &Phone, disk: &SimDisk, fall: Fall) -> Option<PathBuf> {
    for _ in 0..2 {
        let opened = Engine::open(config(phone, disk));
        if disk.is_dead() {
            drop(opened);
            match fall {
                Fall::Kill => disk.revive(),
                Fall::PowerCut => disk.power_cut(),
            }
            continue;
        }
        return match opened {
            Ok(_) => None,
            Err(EngineError::Damaged { set_aside }) => Some(set_aside.into()),
            Err(error) => panic!("{error}"),
        };
    }
    panic!("nothing was said");
}

/// What befalls the data file.
#[derive(Clone, Copy, Debug)]
enum Harm {
    Overwritten,
    Emptied,
    Removed,
}

fn harm(disk: &SimDisk, data: &Path, harm: Harm) {
    let mut file = disk.open(data, OpenFor::Writing).expect("opens");
    match harm {
        Harm::Overwritten => {
            let size = usize::try_from(file.size().expect("told")).expect("small");
            file.write_at(0, &vec![0xa5; size]).expect("writes");
        }
        Harm::Emptied => file.set_size(0).expect("empties"),
        Harm::Removed => disk.remove(data).expect("removes"),
    }
    file.sync().expect("syncs");
    disk.sync_folder(&disk.path("")).expect("syncs");
}

#[test]
fn a_damaged_file_is_set_aside_whole_whenever_the_phone_dies() {
    let unbroken = CrashPoint {
        step: u64::MAX,
        fall: Fall::Kill,
        again: None,
    };
    let world = day(unbroken).expect("a district");
    let phone = &world.phones[0];
    let harms = [Harm::Overwritten, Harm::Emptied, Harm::Removed];
    let falls = [Fall::Kill, Fall::PowerCut];
    for (how, fall) in harms.iter().flat_map(|how| falls.map(|fall| (*how, fall))) {
        for step in 0.. {
            let disk = phone.disk.copy(step);
            // What comes now finds nothing that was not synced.
            disk.power_cut();
            let blobs = read(&disk, &disk.path("phone.db-blobs"));
            assert!(!blobs.is_empty());
            let data = disk.path("phone.db");
            harm(&disk, &data, how);
            let mut found = behind(&disk, &data);
            assert!(found.contains_key("-wal"), "{:?}", found.keys());
            // An empty file bears the name of one that is gone.
            found.entry(String::new()).or_default();
            let before = disk.steps();
            disk.die_at(before + step);
            let aside = told(phone, &disk, fall).expect("it is damaged");
            let died = disk.steps() > before + step;
            disk.mend();
            assert!(behind(&disk, &aside) == found, "{how:?} {fall:?} at {step}");
            assert_eq!(told(phone, &disk, fall), None);
            assert!(behind(&disk, &aside) == found, "{how:?} {fall:?} at {step}");
            assert!(read(&disk, &disk.path("phone.db-blobs")) == blobs);
            if !died {
                break;
            }
        }
    }
}
