//! CSV of a track: an error that names a line, or fixes that can be written and
//! read again.
#![no_main]

use gridwalk_track::{read, write};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    match read::csv(data) {
        Ok(fixes) => {
            let again = read::csv(write::csv(&fixes).as_bytes());
            let again = again.map(|all| all.len()).map_err(|e| e.to_string());
            assert_eq!(again, Ok(fixes.len()));
        }
        Err(error) => assert!(error.line >= 1 && !error.to_string().is_empty()),
    }
});
