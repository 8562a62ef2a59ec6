//! A film in boxes: refused, or what leaves the phone is as long, is a film still,
//! and has nothing more to be taken out. Read in pieces it is the same.
#![no_main]

use gridwalk_media::film;
use std::io::{Cursor, Read as _};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    // A head that is right gets further than most.
    let headed = [b"\0\0\0\x10ftypisom\0\0\0\0".as_slice(), data].concat();
    for file in [data, &headed] {
        let Ok(first) = film(&mut Cursor::new(file)) else {
            continue;
        };
        let mut out = Vec::new();
        let mut leaving = first.leaving(Cursor::new(file));
        leaving
            .read_to_end(&mut out)
            .unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(out.len(), file.len());
        let mut leaving = first.leaving(Cursor::new(file));
        let (mut piece, mut pieces) = ([0; 7], Vec::new());
        while let Ok(count @ 1..) = leaving.read(&mut piece) {
            pieces.extend_from_slice(&piece[..count]);
        }
        assert!(pieces == out, "the same in pieces");
        let second = film(&mut Cursor::new(&out));
        let second = second.unwrap_or_else(|why| panic!("it was a film: {why}"));
        let mut again = Vec::new();
        let mut leaving = second.leaving(Cursor::new(&out));
        leaving
            .read_to_end(&mut again)
            .unwrap_or_else(|error| panic!("{error}"));
        assert!(again == out, "cleaning twice changes nothing");
        assert_eq!((first.kind(), first.mime()), (second.kind(), second.mime()));
    }
});
