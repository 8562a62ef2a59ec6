//! Boundaries of grids in GeoJSON, as an operator imports them, in each of the
//! coordinate systems.
#![no_main]

use gridwalk_server::admin::Crs;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    for crs in [Crs::Wgs84, Crs::Gcj02, Crs::Bd09] {
        gridwalk_fuzz::import_grids("grids.geojson", data, Some(crs));
    }
});
