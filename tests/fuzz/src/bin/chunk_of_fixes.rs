//! The chunk encoder: whatever fixes go in come out, exactly.
#![no_main]

use arbitrary::Unstructured;
use gridwalk_track::codec::{decode, encode};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(fixes) = gridwalk_fuzz::stored(&mut Unstructured::new(data)) else {
        return;
    };
    let back = encode(&fixes).and_then(|chunk| decode(&chunk));
    // As text, so that what is not a number equals itself.
    assert_eq!(format!("{:?}", Ok::<_, ()>(&fixes)), format!("{back:?}"));
});
