//! Requests of an enrolled phone, whole: method, path, headers and body. The
//! server answers each, and no fault is its own; what it took once it takes
//! again.
//!
//! An input is text: `METHOD PATH`, headers as `name: value`, an empty line, the
//! body, and `====` before the next request. `OPS` and an empty line make a push
//! of the ops that follow, one a line, with their right hashes. TENANT, GRID,
//! WORKER and DEVICE stand for the phone's own.
#![no_main]

use gridwalk_domain::wire::PushRequest;
use gridwalk_domain::{SealedOp, Sha256};
use gridwalk_fuzz::Phoned;

libfuzzer_sys::fuzz_target!(|data: &[u8]| {
    let phoned = Phoned::new();
    let text = phoned.own(&String::from_utf8_lossy(data));
    for request in text.split("\n====\n").take(8) {
        let (head, body) = request.split_once("\n\n").unwrap_or((request, ""));
        let mut lines = head.lines();
        let first = lines.next().unwrap_or_default();
        let (method, path) = first.split_once(' ').unwrap_or((first, "/"));
        let headers: Vec<(String, String)> = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .filter(|(name, _)| name != "authorization")
            .collect();
        let (method, path, body) = match first {
            "OPS" => ("POST", "/v1/push", push(body)),
            _ => (method, path, body.as_bytes().to_vec()),
        };
        for _ in 0..2 {
            let _ = phoned.ask(method, path, &headers, body.clone());
        }
    }
});

fn push(lines: &str) -> Vec<u8> {
    let ops = lines.lines().map(|line| SealedOp {
        sha256: Sha256::of(line.as_bytes()),
        body: line.to_owned(),
    });
    let request = PushRequest {
        v: 1,
        ops: ops.collect(),
    };
    serde_json::to_vec(&request).unwrap_or_default()
}
