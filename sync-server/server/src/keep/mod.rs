//! What is kept outside of the database, so that it survives a database that
//! goes back in time: the journal of what people did on the page, the ledger of
//! purges, enrolments and revocations, the floor below which no backup is restored.
//!
//! These are short lists of lines, appended and synced; what the lines say is in
//! [`lines`].

mod folder;
mod lines;
mod memory;

use std::io;

pub use folder::FolderKeep;
pub(crate) use lines::{
    Enrolment, Entry, Floor, Instead, Kept, Order, Watermark, append, orders, read, rewrite,
};
pub use memory::MemoryKeep;

/// One of the lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Book {
    /// Ops of people on the page.
    Journal,
    /// Purges, enrolments and revocations.
    Ledger,
    /// The backups that may be restored: one line.
    Floor,
}

/// Where they are kept.
///
/// Any number of callers at once, from several processes too: an append is whole
/// or not there, and a rewrite leaves out nothing that was appended meanwhile.
///
/// # Errors
/// Every call: what the system says. After an error of `append` the lines may be
/// there or not; to append them again does no harm.
#[expect(clippy::missing_errors_doc, reason = "said once, above")]
pub trait Keep: Send + Sync {
    /// Which one this is: drawn when it was made, and noted in the database that
    /// it belongs to.
    fn id(&self) -> io::Result<String>;
    /// All lines of a book, oldest first.
    fn lines(&self, book: Book) -> io::Result<Vec<String>>;
    /// Appends lines, none of which has a line feed; durable on return.
    fn append(&self, book: Book, lines: &[String]) -> io::Result<()>;
    /// Puts other lines in the place of all; durable on return, and whatever
    /// happens, either the old ones are there or the new ones.
    fn rewrite(
        &self,
        book: Book,
        change: &mut dyn FnMut(Vec<String>) -> Vec<String>,
    ) -> io::Result<()>;
}
