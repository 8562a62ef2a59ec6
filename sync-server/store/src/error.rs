//! What can go wrong in a store.

/// Why a store did not do as it was asked.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Another transaction changed what this one had read. Nothing of it is
    /// stored; run it again.
    #[error("another transaction came in between; run it again")]
    Conflict,
    /// The row breaks a rule of the tables (two users of one name, say). The
    /// transaction goes on; what was asked for is not stored.
    #[error("the store refuses the row: {0}")]
    Refused(String),
    /// What is stored cannot be read as what it should be.
    #[error("stored data cannot be read: {0}")]
    Damaged(String),
    /// The disk is full. Nothing of the transaction is stored.
    #[error("the disk is full; free some space, nothing was stored")]
    Full,
    /// The store cannot be reached or the disk failed. Nothing of the
    /// transaction is stored.
    #[error("the store failed: {0}")]
    Failed(String),
}

impl StoreError {
    /// Whether the whole transaction is lost, and not just this call.
    #[must_use]
    pub const fn ends_transaction(&self) -> bool {
        matches!(self, Self::Conflict | Self::Full | Self::Failed(_))
    }
}
