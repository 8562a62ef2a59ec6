//! The server's books: in memory, written by the living only.

use gridwalk_server::keep::{Book, Keep, MemoryKeep};
use std::io;
use std::sync::Arc;

use super::Life;

/// The books.
#[derive(Clone, Default)]
pub(super) struct SimKeep {
    books: Arc<MemoryKeep>,
    life: Life,
}

impl SimKeep {
    pub(super) fn living(mut self, life: &Life) -> Self {
        self.life = life.clone();
        self
    }

    fn alive(&self) -> io::Result<&MemoryKeep> {
        if self.life.is_over() {
            return Err(io::Error::other("the server is dead"));
        }
        Ok(&self.books)
    }
}

impl Keep for SimKeep {
    fn id(&self) -> io::Result<String> {
        self.books.id()
    }

    fn lines(&self, book: Book) -> io::Result<Vec<String>> {
        self.books.lines(book)
    }

    fn append(&self, book: Book, lines: &[String]) -> io::Result<()> {
        self.alive()?.append(book, lines)
    }

    fn rewrite(
        &self,
        book: Book,
        change: &mut dyn FnMut(Vec<String>) -> Vec<String>,
    ) -> io::Result<()> {
        self.alive()?.rewrite(book, change)
    }
}
