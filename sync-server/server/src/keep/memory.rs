//! The books in memory, for tests and simulations.

use std::collections::BTreeMap;
use std::io;
use std::sync::Mutex;

use super::{Book, Keep};
use crate::commits::lock;

/// The books in memory.
#[derive(Default)]
pub struct MemoryKeep {
    books: Mutex<BTreeMap<Book, Vec<String>>>,
}

impl MemoryKeep {
    /// Empty ones.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }
}

impl Keep for MemoryKeep {
    fn id(&self) -> io::Result<String> {
        Ok("memory".to_owned())
    }

    fn lines(&self, book: Book) -> io::Result<Vec<String>> {
        Ok(lock(&self.books).get(&book).cloned().unwrap_or_default())
    }

    fn append(&self, book: Book, lines: &[String]) -> io::Result<()> {
        let mut books = lock(&self.books);
        books.entry(book).or_default().extend_from_slice(lines);
        Ok(())
    }

    fn rewrite(
        &self,
        book: Book,
        change: &mut dyn FnMut(Vec<String>) -> Vec<String>,
    ) -> io::Result<()> {
        let mut books = lock(&self.books);
        let lines = books.remove(&book).unwrap_or_default();
        books.insert(book, change(lines));
        Ok(())
    }
}
