//! What lies on a phone's medium: what was written, and what of it is synced.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Bytes that a power cut keeps or drops together.
const SECTOR: usize = 512;

/// The number of a file, whatever it is called.
pub(super) type Ino = u64;

/// How a power cut treats what was not synced.
#[derive(Clone, Copy, Debug)]
enum Mood {
    /// Nothing of it had reached the medium.
    DropsAll,
    /// All of it had.
    KeepsAll,
    /// Each sector had with this chance, and one in ten was torn.
    Keeps(f64),
}

impl Mood {
    fn draw(rng: &mut fastrand::Rng) -> Self {
        match rng.u8(0..8) {
            0 | 1 => Self::DropsAll,
            2 => Self::KeepsAll,
            _ => Self::Keeps(rng.f64()),
        }
    }

    fn keeps(self, rng: &mut fastrand::Rng) -> bool {
        match self {
            Self::DropsAll => false,
            Self::KeepsAll => true,
            Self::Keeps(chance) => rng.f64() < chance,
        }
    }
}

/// A file's bytes.
#[derive(Clone, Debug, Default)]
pub(super) struct Content {
    written: Vec<u8>,
    synced: Vec<u8>,
    /// Sectors that may differ between the two.
    dirty: BTreeSet<usize>,
}

impl Content {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.written
    }

    pub(super) fn write(&mut self, at: usize, bytes: &[u8]) {
        let end = at + bytes.len();
        let from = at.min(self.written.len());
        if self.written.len() < end {
            self.written.resize(end, 0);
        }
        self.written[at..end].copy_from_slice(bytes);
        self.dirty.extend(from / SECTOR..end.div_ceil(SECTOR));
    }

    pub(super) fn set_size(&mut self, size: usize) {
        let from = size.min(self.written.len());
        self.written.resize(size, 0);
        self.dirty.extend(from / SECTOR..size.div_ceil(SECTOR));
    }

    pub(super) fn sync(&mut self) {
        self.synced.resize(self.written.len(), 0);
        for sector in std::mem::take(&mut self.dirty) {
            copy(&self.written, &mut self.synced, sector, SECTOR);
        }
    }

    fn power_cut(&mut self, mood: Mood, rng: &mut fastrand::Rng) {
        let mut left = std::mem::take(&mut self.synced);
        // The new size may have reached the medium or not, whatever became of
        // the bytes; where nobody wrote, there are zeros.
        if mood.keeps(rng) {
            left.resize(self.written.len(), 0);
        }
        for sector in std::mem::take(&mut self.dirty) {
            if mood.keeps(rng) {
                let torn = matches!(mood, Mood::Keeps(_)) && rng.u8(0..10) == 0;
                let bytes = if torn { rng.usize(0..SECTOR) } else { SECTOR };
                copy(&self.written, &mut left, sector, bytes);
            }
        }
        self.written.clone_from(&left);
        self.synced = left;
    }
}

/// Copies the first bytes of a sector, as far as both have it.
fn copy(from: &[u8], to: &mut [u8], sector: usize, bytes: usize) {
    let at = sector * SECTOR;
    let end = (at + bytes).min(from.len()).min(to.len());
    if at < end {
        to[at..end].copy_from_slice(&from[at..end]);
    }
}

/// A change of names that is done whole or not at all.
type Renaming = Vec<(PathBuf, Option<Ino>)>;

/// Files and their names.
#[derive(Clone, Debug, Default)]
pub(super) struct Medium {
    files: BTreeMap<Ino, Content>,
    names: BTreeMap<PathBuf, Ino>,
    synced: BTreeMap<PathBuf, Ino>,
    /// Per folder, in their order, what was done to names since it was synced.
    unsynced: BTreeMap<PathBuf, Vec<Renaming>>,
    next: Ino,
}

impl Medium {
    pub(super) fn find(&self, path: &Path) -> Option<Ino> {
        self.names.get(path).copied()
    }

    pub(super) fn paths(&self) -> impl Iterator<Item = &Path> {
        self.names.keys().map(PathBuf::as_path)
    }

    pub(super) fn content(&self, ino: Ino) -> Option<&Content> {
        self.files.get(&ino)
    }

    pub(super) fn content_mut(&mut self, ino: Ino) -> Option<&mut Content> {
        self.files.get_mut(&ino)
    }

    /// A file without a name yet.
    pub(super) fn make(&mut self) -> Ino {
        self.next += 1;
        self.files.insert(self.next, Content::default());
        self.next
    }

    /// Changes names within one folder.
    pub(super) fn rename(&mut self, change: Renaming) {
        for (path, ino) in &change {
            set(&mut self.names, path, *ino);
        }
        let folder = change.first().and_then(|(path, _)| path.parent());
        let folder = folder.unwrap_or(Path::new("/")).to_owned();
        self.unsynced.entry(folder).or_default().push(change);
    }

    pub(super) fn sync_names(&mut self, folder: &Path) {
        for change in self.unsynced.remove(folder).unwrap_or_default() {
            for (path, ino) in change {
                set(&mut self.synced, &path, ino);
            }
        }
        self.forget_nameless();
    }

    /// Gives all files of a folder, and of those in it, to another folder.
    pub(super) fn move_to(&mut self, folder: &Path) {
        let moved = |path: &Path| {
            let within: PathBuf = path.iter().skip(2).collect();
            folder.join(within)
        };
        let named = |names: &BTreeMap<PathBuf, Ino>| {
            let names = names.iter();
            names.map(|(path, ino)| (moved(path), *ino)).collect()
        };
        self.names = named(&self.names);
        self.synced = named(&self.synced);
        for (folder, changes) in std::mem::take(&mut self.unsynced) {
            let changes = changes.into_iter().map(|change| {
                let change = change.into_iter();
                change.map(|(path, ino)| (moved(&path), ino)).collect()
            });
            self.unsynced.insert(moved(&folder), changes.collect());
        }
    }

    /// What the medium holds once the power is back.
    pub(super) fn power_cut(&mut self, rng: &mut fastrand::Rng) {
        let mood = Mood::draw(rng);
        for (_, changes) in std::mem::take(&mut self.unsynced) {
            // The folder's own log is kept up to somewhere.
            let kept = changes.iter().take_while(|_| mood.keeps(rng)).count();
            for (path, ino) in changes.into_iter().take(kept).flatten() {
                set(&mut self.synced, &path, ino);
            }
        }
        self.names.clone_from(&self.synced);
        for content in self.files.values_mut() {
            content.power_cut(mood, rng);
        }
        self.forget_nameless();
    }

    fn forget_nameless(&mut self) {
        let named = |ino: &Ino| {
            self.names.values().any(|known| known == ino)
                || self.synced.values().any(|known| known == ino)
        };
        let gone: Vec<Ino> = self
            .files
            .keys()
            .filter(|ino| !named(ino))
            .copied()
            .collect();
        for ino in gone {
            self.files.remove(&ino);
        }
    }
}

fn set(names: &mut BTreeMap<PathBuf, Ino>, path: &Path, ino: Option<Ino>) {
    match ino {
        Some(ino) => names.insert(path.to_owned(), ino),
        None => names.remove(path),
    };
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path(name: &str) -> PathBuf {
        Path::new("/p").join(name)
    }

    fn named(medium: &mut Medium, name: &str) -> Ino {
        let ino = medium.make();
        medium.rename(vec![(path(name), Some(ino))]);
        ino
    }

    #[test]
    fn what_is_synced_survives_every_power_cut_and_the_rest_some() {
        let (mut kept, mut dropped) = (0, 0);
        for seed in 0..200 {
            let mut medium = Medium::default();
            let ino = named(&mut medium, "a");
            let content = medium.content_mut(ino).expect("there");
            content.write(0, &[1; 2000]);
            content.sync();
            content.write(1000, &[2; 3000]);
            medium.sync_names(Path::new("/p"));
            medium.power_cut(&mut fastrand::Rng::with_seed(seed));
            let bytes = medium.content(ino).expect("there").bytes();
            assert_eq!(bytes[..1000], [1; 1000], "{seed}");
            // What lies outside of the bytes written stays, torn or not.
            assert!(bytes[1000..2000].iter().all(|byte| [1, 2].contains(byte)));
            assert!(bytes.len() == 2000 || bytes.len() == 4000);
            kept += usize::from(bytes.ends_with(&[2; 1000]));
            dropped += usize::from(bytes == [1; 2000]);
        }
        assert!(kept > 20 && dropped > 20, "{kept} {dropped}");
    }

    #[test]
    fn a_rename_is_undone_until_the_folder_is_synced() {
        let mut undone = 0;
        for seed in 0..100 {
            let mut rng = fastrand::Rng::with_seed(seed);
            let mut medium = Medium::default();
            let (old, new) = (named(&mut medium, "a"), named(&mut medium, "draft"));
            medium.sync_names(Path::new("/p"));
            let change = vec![(path("draft"), None), (path("a"), Some(new))];
            medium.rename(change.clone());
            assert_eq!(medium.find(&path("a")), Some(new), "seen at once");
            let mut cut = medium.clone();
            cut.power_cut(&mut rng);
            let found = cut.find(&path("a"));
            assert_eq!(found == Some(old), cut.find(&path("draft")).is_some());
            undone += usize::from(found == Some(old));
            medium.sync_names(Path::new("/p"));
            medium.power_cut(&mut rng);
            assert_eq!(medium.find(&path("a")), Some(new));
            assert!(medium.content(old).is_none(), "nobody can reach it");
        }
        assert!((10..90).contains(&undone), "{undone}");
    }

    #[test]
    fn a_file_that_was_cut_and_not_synced_may_be_long_again() {
        let sizes: BTreeSet<usize> = (0..50)
            .map(|seed| {
                let mut content = Content::default();
                content.write(0, &[7; 3000]);
                content.sync();
                content.set_size(0);
                content.write(0, &[8; 100]);
                let mut rng = fastrand::Rng::with_seed(seed);
                let mood = Mood::draw(&mut rng);
                content.power_cut(mood, &mut rng);
                content.bytes().len()
            })
            .collect();
        assert_eq!(sizes, [100, 3000].into());
    }
}
