//! Every example of docs/protocol.md is read as the message it claims to be,
//! and written again without a difference.

#![allow(clippy::expect_used, reason = "a test says what it expected")]

use gridwalk_domain::wire::{
    EnrolRequest, EnrolResponse, ErrorResponse, HaveRequest, HaveResponse, HelloRequest,
    HelloResponse, OpOutcome, PullRequest, PullResponse, PushRequest, PushResponse, TracksResponse,
};
use gridwalk_domain::{Intent, OpBody, Sha256};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::Value;
use std::collections::BTreeSet;

const PAGE: &str = include_str!("../../../docs/protocol.md");

fn same_again<T: DeserializeOwned + Serialize>(example: &str) {
    let message: T = serde_json::from_str(example).unwrap_or_else(|e| panic!("{e} in {example}"));
    let written = serde_json::to_value(message).expect("writes");
    let given: Value = serde_json::from_str(example).expect("json");
    assert_eq!(written, given);
}

#[test]
fn every_example_reads_and_writes_back() {
    let mut seen = BTreeSet::new();
    for block in PAGE.split("```json ").skip(1) {
        let (name, rest) = block.split_once('\n').expect("a name");
        let example = rest.split("\n```").next().expect("an end");
        match name {
            "ErrorResponse" => same_again::<ErrorResponse>(example),
            "EnrolRequest" => same_again::<EnrolRequest>(example),
            "EnrolResponse" => same_again::<EnrolResponse>(example),
            "HelloRequest" => same_again::<HelloRequest>(example),
            "HelloResponse" => same_again::<HelloResponse>(example),
            "OpBody" => same_again::<OpBody>(example),
            "Intent" => same_again::<Intent>(example),
            "PushRequest" => same_again::<PushRequest>(example),
            "PushResponse" => same_again::<PushResponse>(example),
            "OpOutcome" => same_again::<OpOutcome>(example),
            "TracksResponse" => same_again::<TracksResponse>(example),
            "HaveRequest" => same_again::<HaveRequest>(example),
            "HaveResponse" => same_again::<HaveResponse>(example),
            "PullRequest" => same_again::<PullRequest>(example),
            "PullResponse" => same_again::<PullResponse>(example),
            other => panic!("the test does not know the message {other}"),
        }
        seen.insert(name);
    }
    assert_eq!(seen.len(), 15, "each message has an example: {seen:?}");
}

fn example<T: DeserializeOwned>(name: &str) -> T {
    let rest = PAGE
        .split(&format!("```json {name}\n"))
        .nth(1)
        .expect("the example");
    serde_json::from_str(rest.split("\n```").next().expect("an end")).expect("reads")
}

#[test]
fn the_hash_of_the_pushed_op_is_right() {
    for op in example::<PushRequest>("PushRequest").ops {
        assert_eq!(Sha256::of(op.body.as_bytes()), op.sha256);
    }
}

#[test]
fn the_digest_of_the_page_is_right() {
    for page in example::<PullResponse>("PullResponse").streams.values() {
        let mut digest = gridwalk_domain::StreamDigest::default();
        for entity in &page.entities {
            digest.add(entity.id, entity.rev);
        }
        assert_eq!(page.end.map(|end| end.hash), Some(digest));
    }
}
