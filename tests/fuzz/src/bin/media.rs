//! A file that somebody attaches: refused by name, or what is left of it is
//! taken again and is the same; its thumbnail is small and a picture.
#![no_main]

use gridwalk_media::{Kind, THUMB_BYTES, clean, thumbnail};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    match clean(data.to_vec()) {
        Err(why) => assert!(why.code().starts_with("file_") && !why.to_string().is_empty()),
        Ok(taken) => {
            assert!(taken.bytes.len() as u64 <= taken.kind.most_bytes());
            let again = clean(taken.bytes.clone());
            assert_eq!(again, Ok(taken.clone()), "cleaning twice changes nothing");
            if let Some(thumb) = taken.thumb {
                assert!(thumb.len() <= 2 * THUMB_BYTES);
                assert!(clean(thumb).is_ok());
            }
            if taken.kind == Kind::Photo {
                assert!(thumbnail(taken.bytes).is_ok());
            }
        }
    }
});
