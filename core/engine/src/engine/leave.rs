//! Logging out, and what is left behind.

use std::path::Path;

use super::Engine;
use crate::account::Leaving;
use crate::error::Result;
use crate::export_unsent::{self, Exported};
use crate::leaving::{self, Departure, LogOut, VaultView};
use crate::observe::Touched;

impl Engine {
    /// Logs the worker out, offline too: what was pulled is forgotten, and the
    /// token with it. What is not on the server yet stays, is seen by nobody,
    /// and is still sent by every sync.
    ///
    /// Without `confirm` nothing is changed where something would be left
    /// behind or is running; the answer says what. With it, a patrol and a
    /// shift that run are ended first.
    ///
    /// # Errors
    /// `NotEnrolled`, `DiskFull`, `Storage`.
    pub fn log_out(&self, confirm: bool) -> Result<LogOut> {
        let done = self.shared.change(|core| {
            let departure = leaving::departure(core)?;
            if !confirm && departure != Departure::default() {
                return Ok((LogOut::Asks(departure), Touched::default()));
            }
            core.leave(&self.shared, Leaving::LoggedOut)?;
            Ok((LogOut::Done, Touched::all()))
        })?;
        if done == LogOut::Done {
            self.shared.clean_up();
        }
        Ok(done)
    }

    /// What is on this phone and on no screen: of those who left, and of grids
    /// that are not the worker's any more. Counts alone.
    ///
    /// # Errors
    /// `Closed`, `Storage`.
    pub fn vault(&self) -> Result<Vec<VaultView>> {
        self.shared.with(|core| leaving::vault(core))
    }

    /// Writes everything that the server has not taken, whoever's it is, into a
    /// new folder, for support to bring it in by hand: in a folder for each
    /// account `ops.jsonl` (a line `{"sha256","body"}` an op), `tracks.gwt` (one
    /// block, as `POST /v1/tracks` takes it) and the attachments by their
    /// hashes. The files are not encrypted. An attachment whose file does not read
    /// any more is counted and left out.
    ///
    /// # Errors
    /// `Closed`, `DiskFull`, `Storage`; also where a file is there already.
    pub fn export_unsent(&self, folder: &Path) -> Result<Exported> {
        export_unsent::write(&self.shared, folder)
    }
}
