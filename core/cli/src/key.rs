//! The key of the data file, from a file that only its owner reads.

use gridwalk_engine::Key32;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use zeroize::Zeroizing;

use crate::problem::{Outcome, Problem, shown};
use crate::text::Texts;

/// Reads 64 hex digits or 32 raw bytes; warns where others may read them too.
pub(crate) fn read(file: &Path, texts: &Texts) -> Outcome<Key32> {
    let bytes = Zeroizing::new(fs::read(file).map_err(|error| Problem::reading(file, &error))?);
    if open_to_others(file) {
        let warning = texts.say("key.open", &[("file", shown(file))]);
        // A warning that nobody can read changes nothing.
        let _ = writeln!(std::io::stderr(), "gridwalk: {warning}");
    }
    if let Ok(raw) = <[u8; 32]>::try_from(bytes.as_slice()) {
        return Ok(Key32::new(raw));
    }
    let text = std::str::from_utf8(&bytes)
        .ok()
        .and_then(|text| Key32::from_hex(text.trim()));
    text.ok_or_else(|| Problem::text("problem.key", vec![]).at(shown(file)))
}

#[cfg(unix)]
fn open_to_others(file: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    fs::metadata(file).is_ok_and(|meta| meta.permissions().mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn open_to_others(_file: &Path) -> bool {
    false
}
