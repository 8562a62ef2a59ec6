//! Must-visit sites, as an operator imports them.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gridwalk_fuzz::import_sites(data));
