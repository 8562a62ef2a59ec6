//! The server's storage seam.
//!
//! [`Store`] is what the service needs of a database, in its own words: rows in,
//! rows out, no rule of the domain. Two stores implement it, [`memory`] for
//! simulations and SQLite for production; [`conformance`] is the suite that
//! every store must pass, a missing one included.
//!
//! Calls that an op needs take lists and give lists, so that a store across a
//! network answers a whole batch in a few round trips.

pub mod conformance;
mod error;
pub mod memory;
mod rows;
mod store;

pub use error::StoreError;
pub use rows::{
    AssignmentRow, AuditRow, BadRole, BlobRow, BootRow, ChunkKey, ChunkRow, ChunkSpan, CodeRow,
    ContactRow, DeviceRow, DeviceStanding, EntityFilter, EntityRow, EntryRow, GridChangeRow,
    GridRow, HeldChunkRow, HolderRow, LawRow, LawSort, Listing, OpRow, OpSummary, PageRow,
    PositionRow, Purged, ReadingRow, ReceiptRow, Role, SessionRow, StreamHead, SuccessionRow, Tag,
    TagRow, TenantRow, TrackVersion, UploadRow, UserRow, Wait, WorkerRow,
};
pub use store::{Read, Store, Write, nested, read, write};
