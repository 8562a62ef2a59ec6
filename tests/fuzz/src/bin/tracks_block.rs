//! The block that carries chunks: refused, or written again it is the same list.
#![no_main]

use gridwalk_domain::wire::tracks::{decode, encode};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    for block in [data.to_vec(), [b"GWT1", data].concat()] {
        if let Ok(chunks) = decode(&block) {
            assert_eq!(decode(&encode(&chunks)), Ok(chunks));
        }
    }
});
