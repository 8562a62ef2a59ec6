//! Settings of this phone.

use super::Engine;
use crate::core::begin;
use crate::error::Result;
use crate::policy::Policy;

impl Engine {
    /// What is sent over which network, and what is kept how long.
    ///
    /// # Errors
    /// `Closed`, `Storage`.
    pub fn policy(&self) -> Result<Policy> {
        self.shared.with(|core| Policy::load(&core.conn))
    }

    /// Changes that; the next sync goes by it.
    ///
    /// # Errors
    /// `Closed`, `DiskFull`, `Storage`.
    pub fn set_policy(&self, policy: Policy) -> Result<()> {
        self.shared.with(|core| {
            let tx = begin(&mut core.conn)?;
            policy.store(&tx)?;
            tx.commit()
        })
    }
}
