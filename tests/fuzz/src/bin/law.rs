//! Catalogues and calendars, as an administrator imports them: what is taken is
//! the same once it was written and read again.
#![no_main]

use gridwalk_domain::{Calendar, Catalogue};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(catalogue) = Catalogue::parse(text) {
        let again = serde_json::to_string(&catalogue).expect("writes");
        assert_eq!(Catalogue::parse(&again).as_ref(), Ok(&catalogue));
    }
    if let Ok(calendar) = Calendar::parse(text) {
        let again = serde_json::to_string(&calendar).expect("writes");
        assert_eq!(Calendar::parse(&again).as_ref(), Ok(&calendar));
    }
});
