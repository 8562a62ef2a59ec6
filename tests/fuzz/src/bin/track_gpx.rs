//! GPX of a track: an error that names a line, or fixes.
#![no_main]

use gridwalk_track::read;
use gridwalk_track::route::Route;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    match read::any(data) {
        Ok(fixes) => assert_eq!(Route::of(&fixes).fixes, fixes.len()),
        Err(error) => assert!(error.line >= 1 && !error.to_string().is_empty()),
    }
    let _ = read::gpx(data);
});
