//! Ops, one a line: refused, or the same when they are written again; taken
//! twice they change nothing, and the state that they make reads as it was
//! written.
#![no_main]

use gridwalk_domain::{Effect, Entity, SealedOp, Sha256, apply};

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let mut state: Option<Entity> = None;
    for line in data.split(|byte| *byte == b'\n').take(40) {
        let Ok(text) = std::str::from_utf8(line) else {
            continue;
        };
        let sealed = SealedOp {
            sha256: Sha256::of(text.as_bytes()),
            body: text.to_owned(),
        };
        let Ok(body) = sealed.open() else { continue };
        if let Ok(again) = body.seal() {
            assert_eq!(again.open().as_ref(), Ok(&body));
        }
        let at_ms = body.at.wall_ms;
        let before = state.clone();
        match apply(&mut state, &body, at_ms) {
            Ok(_) => {
                let once = state.clone();
                assert_eq!(apply(&mut state, &body, at_ms), Ok(Effect::Repeated));
                assert_eq!(state, once, "twice is once");
                same(&state);
            }
            Err(_) => assert_eq!(state, before, "what is refused changes nothing"),
        }
    }
});

fn same(state: &Option<Entity>) {
    let text = serde_json::to_string(state).unwrap_or_else(|why| panic!("{why}"));
    let read: Option<Entity> = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(&read, state);
}
