//! Every message of the protocol, cursors and names of streams: refused, or the
//! same when it is written again.
#![no_main]

use gridwalk_domain::wire::{
    Cursor, EnrolRequest, EnrolResponse, ErrorResponse, HaveRequest, HaveResponse, HelloRequest,
    HelloResponse, PullRequest, PullResponse, PushRequest, PushResponse, TracksResponse,
};
use gridwalk_domain::{GridCode, StreamKey};
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::{Debug, Display};
use std::str::FromStr;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    json::<EnrolRequest>(data);
    json::<EnrolResponse>(data);
    json::<HelloRequest>(data);
    json::<HelloResponse>(data);
    json::<PushRequest>(data);
    json::<PushResponse>(data);
    json::<PullRequest>(data);
    json::<PullResponse>(data);
    json::<HaveRequest>(data);
    json::<HaveResponse>(data);
    json::<TracksResponse>(data);
    json::<ErrorResponse>(data);
    if let Ok(text) = std::str::from_utf8(data) {
        word::<Cursor>(text);
        word::<StreamKey>(text);
        word::<GridCode>(text);
    }
});

fn json<T: Serialize + DeserializeOwned>(data: &[u8]) {
    let Ok(message) = serde_json::from_slice::<T>(data) else {
        return;
    };
    let text = serde_json::to_string(&message).unwrap_or_else(|why| panic!("{why}"));
    let again: T = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}: {text}"));
    let again = serde_json::to_string(&again).unwrap_or_else(|why| panic!("{why}"));
    assert_eq!(text, again);
}

fn word<T: FromStr + Display + PartialEq + Debug>(text: &str) {
    if let Ok(word) = text.parse::<T>() {
        let again = word.to_string().parse::<T>().ok();
        assert_eq!(again, Some(word));
    }
}
