//! Copying the log back into the file, beside the writer.
//!
//! SQLite does that at the end of the commit that made the log too long, and the
//! next writer waits. Here a thread of its own with a connection of its own does it,
//! as far as the log goes when it begins: who writes on meanwhile is not in its way
//! (<https://sqlite.org/wal.html>, "Checkpointing"). The log begins anew once all of
//! it was copied, which a writer that never rests does not let happen: from
//! [`MOST_PAGES`] on the commit copies the rest itself.

use rusqlite::Connection;
use rusqlite::hooks::Wal;
use std::cell::Cell;
use std::ffi::c_int;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};

use crate::lock;

/// After how many pages more in the log they are copied: 16 MiB, so that a page
/// which changes often is copied once for many changes.
const PAGES: i64 = 4096;
/// From how many pages in the log on the commit copies: 64 MiB.
const MOST_PAGES: c_int = 16_384;

thread_local! {
    /// The pages in the log after this thread's last commit.
    static IN_LOG: Cell<i64> = const { Cell::new(0) };
}

fn committed(wal: &Wal, pages: c_int) -> rusqlite::Result<()> {
    IN_LOG.set(pages.into());
    if pages >= MOST_PAGES {
        // What cannot be copied now is by a later commit.
        let _ = wal.checkpoint();
    }
    Ok(())
}

/// Who copies, and how far they came.
pub(crate) struct Checkpointer {
    /// None once it is to end.
    wake: Option<SyncSender<()>>,
    thread: Option<JoinHandle<()>>,
    copied: Arc<AtomicI64>,
    /// Held while the log is copied.
    copying: Arc<Mutex<()>>,
}

impl Checkpointer {
    /// For the log of `writer`; `connection` is another one to the same file.
    pub(crate) fn start(writer: &Connection, connection: Connection) -> Self {
        writer.wal_hook(Some(committed));
        // It copies when it is told to, not by itself.
        connection.wal_hook(None);
        let (wake, woken) = sync_channel(1);
        let (copied, copying) = (Arc::default(), Arc::default());
        let (so_far, guard) = (Arc::clone(&copied), Arc::clone(&copying));
        let thread = thread::Builder::new()
            .name("checkpoint".to_owned())
            .spawn(move || copy_whenever(&connection, &woken, &so_far, &guard));
        Self {
            wake: Some(wake),
            // Without it, long logs are copied by the commits.
            thread: thread.ok(),
            copied,
            copying,
        }
    }

    /// After a commit of this thread.
    pub(crate) fn committed(&self) {
        let (pages, copied) = (IN_LOG.get(), self.copied.load(Ordering::Relaxed));
        // Where there are fewer than were copied, the log began anew.
        let since = if pages < copied {
            pages
        } else {
            pages - copied
        };
        if let Some(wake) = self.wake.as_ref().filter(|_| since >= PAGES) {
            // Where it is full it was told already.
            let _ = wake.try_send(());
        }
    }

    /// Nothing is copied while this is held.
    pub(crate) fn hold(&self) -> MutexGuard<'_, ()> {
        lock(&self.copying)
    }
}

impl Drop for Checkpointer {
    fn drop(&mut self) {
        self.wake = None;
        if let Some(thread) = self.thread.take() {
            // A panic there lost nothing.
            let _ = thread.join();
        }
    }
}

fn copy_whenever(
    connection: &Connection,
    woken: &Receiver<()>,
    copied: &AtomicI64,
    copying: &Mutex<()>,
) {
    while woken.recv().is_ok() {
        let _guard = lock(copying);
        let pages = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |row| row.get(2));
        // What failed is tried again after the next commit.
        copied.store(pages.unwrap_or(0).max(0), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{FILE_NAME, SqliteStore};
    use gridwalk_store::{Store as _, StoreError, write};
    use std::path::Path;

    /// Some five thousand pages.
    const MUCH: usize = 20 * 1024 * 1024;

    fn note(store: &SqliteStore, letter: &str) {
        write::<_, StoreError>(store, |tx| tx.put_note("large", &letter.repeat(MUCH)))
            .expect("writes");
    }

    fn log(folder: &Path) -> usize {
        let log = folder.join(format!("{FILE_NAME}-wal"));
        let length = std::fs::metadata(log).expect("is there").len();
        usize::try_from(length).expect("small")
    }

    #[test]
    fn a_long_log_is_copied_beside_the_writer_and_begins_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = SqliteStore::open(folder.path()).expect("opens");
        let checkpointer = store.checkpointer.as_ref().expect("is live");
        for letter in ["a", "b", "c"] {
            note(&store, letter);
            while checkpointer.copied.load(Ordering::Relaxed) < PAGES {
                thread::yield_now();
            }
            checkpointer.copied.store(0, Ordering::Relaxed);
        }
        let most = MUCH + MUCH / 2;
        assert!(log(folder.path()) < most, "it was all copied each time");
        store.check().expect("is whole");
    }

    #[test]
    fn a_log_that_nobody_copies_is_copied_by_the_commits() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = SqliteStore::open(folder.path()).expect("opens");
        let held = store.checkpointer.as_ref().map(Checkpointer::hold);
        for letter in ["a", "b", "c", "d", "e", "f"] {
            note(&store, letter);
        }
        let most = usize::try_from(MOST_PAGES).expect("small") * 4096 + 2 * MUCH;
        assert!(log(folder.path()) < most);
        drop(held);
        store.check().expect("is whole");
    }

    #[test]
    fn a_rewrite_waits_for_who_copies() {
        let folder = tempfile::tempdir().expect("a folder");
        let store = SqliteStore::open(folder.path()).expect("opens");
        for letter in ["a", "b"] {
            // Wakes the thread, which copies while the file is written anew.
            note(&store, letter);
            store.scrub().expect("is written anew");
            assert_eq!(log(folder.path()), 0);
        }
    }
}
