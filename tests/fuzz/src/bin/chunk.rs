//! The chunk decoder: no bytes make it panic or take much memory, and what it
//! reads means the same when it is written again.
#![no_main]

use gridwalk_track::codec::{decode, encode, header};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    for chunk in [data.to_vec(), sealed(data)] {
        let head = header(&chunk);
        if let Ok(fixes) = decode(&chunk) {
            assert_eq!(head.map(|h| h.count), Ok(fixes.len()));
            // A few bytes can claim to be many fixes, which takes its time.
            if fixes.len() > 1_000 {
                continue;
            }
            let again = encode(&fixes).and_then(|chunk| decode(&chunk));
            // As text, so that what is not a number equals itself.
            assert_eq!(format!("{:?}", Ok::<_, ()>(fixes)), format!("{again:?}"));
        }
    }
});

/// The same bytes with a version and a checksum that fit, so that the fuzzer
/// gets past them.
fn sealed(data: &[u8]) -> Vec<u8> {
    let mut chunk = data.to_vec();
    if chunk.len() < 4 {
        return chunk;
    }
    chunk[0] = gridwalk_track::codec::VERSION;
    chunk[1] &= 63;
    let mut crc = 0xffff_u16;
    for (_, byte) in chunk
        .iter()
        .enumerate()
        .filter(|(at, _)| ![2, 3].contains(at))
    {
        crc ^= u16::from(*byte) << 8;
        for _ in 0..8 {
            crc = (crc << 1) ^ if crc & 0x8000 == 0 { 0 } else { 0x1021 };
        }
    }
    chunk[2..4].copy_from_slice(&crc.to_be_bytes());
    chunk
}
