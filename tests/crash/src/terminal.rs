//! A phone used by hand: every call a process of its own.

#![expect(clippy::expect_used, reason = "a test fails by panicking")]

use std::fs;
use std::path::PathBuf;

use crate::{Phone, png};

/// A phone and the folder that it lives in.
pub struct Terminal {
    program: &'static str,
    folder: tempfile::TempDir,
    phone: Phone,
}

impl Terminal {
    /// A phone that is enrolled by a server of a few lines, on shift and on
    /// patrol, used by `program`.
    #[must_use]
    pub fn on_patrol(program: &'static str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let phone = Phone::on_patrol(folder.path(), true).expect("a phone");
        Self {
            program,
            folder,
            phone,
        }
    }

    /// A phone that is nobody's yet.
    #[must_use]
    pub fn blank(program: &'static str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let phone = Phone::at(folder.path(), true).expect("a phone");
        Self {
            program,
            folder,
            phone,
        }
    }

    /// The phone, to be looked into between two calls.
    #[must_use]
    pub const fn phone(&self) -> &Phone {
        &self.phone
    }

    /// A file beside the phone's.
    #[must_use]
    pub fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What it says, and whether it was done.
    #[must_use]
    pub fn run(&self, words: &[&str]) -> (bool, String) {
        let run = self.phone.command(self.program).args(words).output();
        let run = run.expect("runs");
        let said = [run.stdout, run.stderr].concat();
        (
            run.status.success(),
            String::from_utf8(said).expect("is text"),
        )
    }

    /// What it says where it is done.
    pub fn does(&self, words: &[&str]) -> String {
        let (done, said) = self.run(words);
        assert!(done, "{words:?}: {said}");
        assert!(!said.contains('{'), "{words:?}: {said}");
        said
    }

    /// The same; all of `texts` are in it.
    pub fn says(&self, words: &[&str], texts: &[&str]) -> String {
        let said = self.does(words);
        for text in texts {
            assert!(said.contains(text), "{text}: {said}");
        }
        said
    }

    /// One line that says why not, in both languages.
    pub fn fails(&self, words: &[&str]) -> String {
        let (done, said) = self.run(words);
        assert!(!done, "{words:?}: {said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains(" · "), "{said}");
        said
    }

    /// The path of a photo, none like another.
    #[must_use]
    pub fn photo(&self, name: &str) -> String {
        let file = self.file(name);
        fs::write(&file, png(&name.as_bytes().repeat(100))).expect("writes");
        file.display().to_string()
    }
}

/// Words after one another.
#[must_use]
pub fn joined<'a>(head: &[&'a str], more: &[&'a str]) -> Vec<&'a str> {
    [head, more].concat()
}

/// The first id in what was said.
#[must_use]
pub fn id(said: &str) -> String {
    let word = said.split_whitespace().find_map(|word| {
        let word = word.trim_matches(|c: char| !c.is_ascii_hexdigit());
        (word.len() == 36).then(|| word.to_owned())
    });
    word.expect("an id")
}
