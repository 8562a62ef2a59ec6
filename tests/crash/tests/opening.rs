//! The first openings of a process.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use gridwalk_crash::Phone;
use std::path::Path;
use std::process::Command;
use std::sync::Barrier;
use std::thread;

/// Where a process that this test begins has its files.
const FOLDER: &str = "GRIDWALK_OPENINGS";

/// SQLite is ready at a process's first opening, SQLCipher a moment after it.
#[test]
fn many_threads_may_be_the_first_to_open() {
    if let Some(folder) = std::env::var_os(FOLDER) {
        return open_at_once(Path::new(&folder));
    }
    let test = std::env::current_exe().expect("this test");
    for process in 0..60 {
        let folder = tempfile::tempdir().expect("a folder");
        let run = Command::new(&test).env(FOLDER, folder.path()).output();
        let run = run.expect("runs");
        let said = String::from_utf8_lossy(&run.stdout);
        assert!(run.status.success(), "process {process}: {said}");
    }
}

fn open_at_once(folder: &Path) {
    const THREADS: usize = 16;
    let together = Barrier::new(THREADS);
    thread::scope(|scope| {
        for n in 0..THREADS {
            let (folder, together) = (folder.join(n.to_string()), &together);
            scope.spawn(move || {
                std::fs::create_dir(&folder).expect("a folder");
                let phone = Phone::at(&folder, true).expect("a phone");
                together.wait();
                drop(phone.open().expect("opens"));
            });
        }
    });
}
