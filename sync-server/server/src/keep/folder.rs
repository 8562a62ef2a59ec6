//! The books as files in a folder, which may be on another disk than the
//! database.

use gridwalk_domain::Rng;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::path::{Path, PathBuf};

use super::{Book, Keep};

/// The books in a folder.
pub struct FolderKeep {
    folder: PathBuf,
}

const fn name(book: Book) -> &'static str {
    match book {
        Book::Journal => "journal.jsonl",
        Book::Ledger => "ledger.jsonl",
        Book::Floor => "floor.json",
    }
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

impl FolderKeep {
    /// Uses `folder`, making it where it is missing.
    ///
    /// # Errors
    /// What the system says.
    pub fn open(folder: &Path, rng: &dyn Rng) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let keep = Self {
            folder: folder.to_owned(),
        };
        let _lock = keep.lock()?;
        let id = folder.join("id");
        if !id.exists() {
            keep.put(&id, &hex::encode(rng.bytes::<16>()))?;
        }
        drop(_lock);
        Ok(keep)
    }

    /// Held while a file changes; other processes wait for it.
    fn lock(&self) -> io::Result<File> {
        let path = self.folder.join("lock");
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        file.lock()?;
        Ok(file)
    }

    /// Writes a file whole, beside the old one and then in its place.
    fn put(&self, path: &Path, text: &str) -> io::Result<()> {
        let aside = path.with_extension("new");
        let mut file = File::create(&aside)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        fs::rename(&aside, path)?;
        sync_folder(&self.folder)
    }

    fn read(&self, book: Book) -> io::Result<Vec<String>> {
        let text = match fs::read_to_string(self.folder.join(name(book))) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => String::new(),
            text => text?,
        };
        // What a power cut tore was never acknowledged.
        let whole = text.rfind('\n').map_or(0, |end| end + 1);
        Ok(text[..whole].lines().map(str::to_owned).collect())
    }
}

impl Keep for FolderKeep {
    fn id(&self) -> io::Result<String> {
        fs::read_to_string(self.folder.join("id"))
    }

    fn lines(&self, book: Book) -> io::Result<Vec<String>> {
        let _lock = self.lock()?;
        self.read(book)
    }

    fn append(&self, book: Book, lines: &[String]) -> io::Result<()> {
        let _lock = self.lock()?;
        let path = self.folder.join(name(book));
        let is_new = !path.exists();
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)?;
        let end = whole_lines(&mut file)?;
        file.seek(io::SeekFrom::Start(end))?;
        let mut text = lines.join("\n");
        text.push('\n');
        file.write_all(text.as_bytes())?;
        let end = file.stream_position()?;
        file.set_len(end)?;
        file.sync_all()?;
        if is_new {
            sync_folder(&self.folder)?;
        }
        Ok(())
    }

    fn rewrite(
        &self,
        book: Book,
        change: &mut dyn FnMut(Vec<String>) -> Vec<String>,
    ) -> io::Result<()> {
        let _lock = self.lock()?;
        let mut text = change(self.read(book)?).join("\n");
        if !text.is_empty() {
            text.push('\n');
        }
        self.put(&self.folder.join(name(book)), &text)
    }
}

/// Where the last whole line ends.
fn whole_lines(file: &mut File) -> io::Result<u64> {
    const PIECE: u64 = 4096;
    let mut end = file.metadata()?.len();
    while end > 0 {
        let from = end.saturating_sub(PIECE);
        let mut piece = Vec::new();
        file.seek(io::SeekFrom::Start(from))?;
        file.take(end - from).read_to_end(&mut piece)?;
        if let Some(at) = piece.iter().rposition(|byte| *byte == b'\n') {
            return Ok(from + at as u64 + 1);
        }
        end = from;
    }
    Ok(0)
}

#[cfg(test)]
mod tests {
    use super::super::MemoryKeep;
    use super::*;

    struct Zeros;

    impl Rng for Zeros {
        fn fill(&self, out: &mut [u8]) {
            out.fill(0);
        }
    }

    fn lines(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|text| (*text).to_owned()).collect()
    }

    fn keeps_the_contract(keep: &dyn Keep) {
        assert!(keep.lines(Book::Ledger).expect("reads").is_empty());
        keep.append(Book::Journal, &lines(&["一", "2"]))
            .expect("appends");
        keep.append(Book::Journal, &lines(&["3"])).expect("appends");
        keep.append(Book::Ledger, &lines(&["x"])).expect("appends");
        assert_eq!(keep.lines(Book::Journal).expect("reads"), ["一", "2", "3"]);
        keep.rewrite(Book::Journal, &mut |mut lines| {
            lines.remove(1);
            lines
        })
        .expect("rewrites");
        keep.append(Book::Journal, &lines(&["4"])).expect("appends");
        assert_eq!(keep.lines(Book::Journal).expect("reads"), ["一", "3", "4"]);
        keep.rewrite(Book::Journal, &mut |_| vec![])
            .expect("rewrites");
        assert!(keep.lines(Book::Journal).expect("reads").is_empty());
        assert_eq!(keep.lines(Book::Ledger).expect("reads"), ["x"]);
        assert!(!keep.id().expect("an id").is_empty());
    }

    #[test]
    fn both_keep_the_contract() {
        let folder = tempfile::tempdir().expect("a folder");
        keeps_the_contract(&FolderKeep::open(folder.path(), &Zeros).expect("opens"));
        keeps_the_contract(&MemoryKeep::new());
    }

    #[test]
    fn a_torn_line_is_none() {
        let folder = tempfile::tempdir().expect("a folder");
        let keep = FolderKeep::open(folder.path(), &Zeros).expect("opens");
        let path = folder.path().join(name(Book::Journal));
        for torn in ["{\"half", &"长".repeat(5_000)] {
            fs::write(&path, format!("one\ntwo\n{torn}")).expect("writes");
            assert_eq!(keep.lines(Book::Journal).expect("reads"), ["one", "two"]);
            keep.append(Book::Journal, &lines(&["3"])).expect("appends");
            let text = fs::read_to_string(&path).expect("reads");
            assert_eq!(text, "one\ntwo\n3\n");
        }
        fs::write(&path, "torn").expect("writes");
        keep.append(Book::Journal, &lines(&["1"])).expect("appends");
        assert_eq!(keep.lines(Book::Journal).expect("reads"), ["1"]);
    }

    #[test]
    fn what_is_appended_while_a_book_is_rewritten_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let open = || FolderKeep::open(folder.path(), &Zeros).expect("opens");
        let (appends, rewrites) = (open(), open());
        std::thread::scope(|scope| {
            scope.spawn(|| {
                for n in 0..100 {
                    let line = n.to_string();
                    appends.append(Book::Journal, &[line]).expect("appends");
                }
            });
            for _ in 0..20 {
                let keep_all = &mut |lines| lines;
                rewrites.rewrite(Book::Journal, keep_all).expect("rewrites");
            }
        });
        let expected: Vec<_> = (0..100).map(|n| n.to_string()).collect();
        assert_eq!(open().lines(Book::Journal).expect("reads"), expected);
    }
}
