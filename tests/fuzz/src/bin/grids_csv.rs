//! The list of divisions, as an operator imports it.
#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| gridwalk_fuzz::import_grids("divisions.csv", data, None));
