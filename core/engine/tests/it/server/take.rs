//! What the server takes: ops, chunks, attachments.

use super::*;
use base64::Engine as _;
use gridwalk_domain::wire::tracks::decode;

impl FakeServer {
    pub(super) fn push(
        &self,
        state: &mut State,
        asking: Asking,
        request: &PushRequest,
    ) -> Response {
        if let Some((poison, status)) = &state.poison
            && request
                .ops
                .iter()
                .any(|op| op.body.contains(poison.as_str()))
        {
            return error(*status, "cannot_read");
        }
        let mut outcomes = Vec::new();
        for sealed in &request.ops {
            let body = sealed.open().expect("an op");
            let outcome = match state.purged_entities.contains(&body.entity) {
                true => Outcome::Purged,
                false => self.judge(state, asking.device, sealed, &body),
            };
            outcomes.push(OpOutcome {
                op: Some(body.id),
                sha256: sealed.sha256,
                outcome,
            });
        }
        let receipt = state.end(StreamKey::Receipts(asking.device));
        json(&PushResponse { outcomes, receipt })
    }

    pub(crate) fn judge(
        &self,
        state: &mut State,
        device: DeviceId,
        sealed: &SealedOp,
        body: &OpBody,
    ) -> Outcome {
        if let Some((known, first)) = state.ops.get(&body.id) {
            assert_eq!(known, sealed, "an op's bytes never change");
            return Outcome::Duplicate {
                first: Box::new(first.clone()),
            };
        }
        let before: Vec<OpId> = body.prev.iter().chain(&body.needs).copied().collect();
        let missing: Vec<OpId> = before
            .iter()
            .filter(|op| !state.ops.contains_key(op))
            .copied()
            .collect();
        if !missing.is_empty() {
            return Outcome::Deferred { missing };
        }
        let title = match &body.intent {
            Intent::Create { fields, .. } => fields.get("title").and_then(|title| title.as_str()),
            _ => None,
        };
        let outcome = match title.and_then(|title| state.refuse.get(title)) {
            Some(outcome) => outcome.clone(),
            None if before.iter().any(|op| state.stands_in_the_way(*op)) => quarantined(
                "depends_on_refused",
                "what it builds on was refused or is in quarantine",
            ),
            None if !self.author_is(state, device, body) => {
                quarantined("foreign_author", "it names another author")
            }
            None => state.apply(body, apply),
        };
        state.ops.insert(body.id, (sealed.clone(), outcome.clone()));
        state.tell(device, body.id);
        outcome
    }

    fn author_is(&self, state: &State, device: DeviceId, body: &OpBody) -> bool {
        match body.by {
            Author::Worker { worker, device: by } => {
                by == device && state.devices.get(&device).map(|known| known.worker) == Some(worker)
            }
            _ => true,
        }
    }

    /// A person decides about an op in quarantine.
    pub(crate) fn decide(&self, op: OpId, accepted: bool) {
        self.with(|state| {
            let (sealed, outcome) = state.ops.get(&op).cloned().expect("known");
            assert!(matches!(outcome, Outcome::Quarantined { .. }));
            let body = sealed.open().expect("an op");
            let outcome = match accepted {
                true => state.apply(&body, apply_decided),
                false => Outcome::Rejected {
                    reason: reason("refused", "a person refused it"),
                },
            };
            state.ops.insert(op, (sealed, outcome));
            let Author::Worker { device, .. } = body.by else {
                panic!("a phone's op")
            };
            state.tell(device, op);
        });
    }
}

type Apply = fn(&mut Option<Entity>, &OpBody, i64) -> Result<Effect, Refusal>;

impl State {
    fn tell(&mut self, device: DeviceId, op: OpId) {
        let (sealed, outcome) = self.ops[&op].clone();
        self.receipt(
            device,
            ReceiptOf::Op(OpOutcome {
                op: Some(op),
                sha256: sealed.sha256,
                outcome,
            }),
        );
    }

    /// A phone sent this content, or need not: it gets one receipt for it and no
    /// more. Gives its highest.
    fn sent(&mut self, device: DeviceId, sha256: Sha256) -> Cursor {
        let purged = false;
        let of = ReceiptOf::Blob { sha256, purged };
        if !self
            .receipts
            .get(&device)
            .is_some_and(|all| all.contains(&of))
        {
            self.receipt(device, of);
        }
        self.end(StreamKey::Receipts(device)).expect("given")
    }

    fn stands_in_the_way(&self, op: OpId) -> bool {
        match self.ops.get(&op) {
            Some((_, Outcome::Quarantined { .. })) => true,
            Some((sealed, Outcome::Rejected { .. })) => {
                matches!(sealed.open().expect("an op").intent, Intent::Create { .. })
            }
            _ => false,
        }
    }

    fn apply(&mut self, body: &OpBody, apply: Apply) -> Outcome {
        let mut entity = self.state(body.entity).cloned();
        match apply(&mut entity, body, body.at.wall_ms + self.ahead_ms) {
            Err(refusal @ (Refusal::UnknownBase | Refusal::Missing)) => {
                quarantined(refusal.code(), &refusal.to_string())
            }
            Err(refusal) => Outcome::Rejected {
                reason: reason(refusal.code(), &refusal.to_string()),
            },
            Ok(effect) => {
                let stream = entity.as_ref().expect("applied").home;
                let seq = self.list(stream, body.entity, entity);
                match effect {
                    Effect::ConflictKept => Outcome::ConflictKept { stream, seq },
                    _ => Outcome::Applied { stream, seq },
                }
            }
        }
    }
}

fn reason(code: &str, text: &str) -> Reason {
    Reason {
        code: code.into(),
        text: text.into(),
    }
}

fn quarantined(code: &str, text: &str) -> Outcome {
    Outcome::Quarantined {
        reason: reason(code, text),
    }
}

pub(super) fn tracks(state: &mut State, device: DeviceId, body: &[u8]) -> Response {
    let mut outcomes = Vec::new();
    for chunk in decode(body).expect("a block") {
        let outcome = if state.purged_entities.contains(&chunk.name.patrol) {
            TrackOutcome::Purged
        } else if state.state(chunk.name.patrol).is_none() {
            TrackOutcome::Deferred
        } else if let Some(known) = state.chunks.get(&chunk.name) {
            assert_eq!(*known, chunk.body, "a chunk never changes");
            TrackOutcome::Duplicate
        } else {
            state.chunks.insert(chunk.name, chunk.body);
            TrackOutcome::Stored
        };
        let outcome = ChunkOutcome {
            chunk: chunk.name,
            outcome,
        };
        if outcome.outcome == TrackOutcome::Stored {
            state.receipt(device, ReceiptOf::Chunk(outcome.clone()));
        }
        outcomes.push(outcome);
    }
    let receipt = state.end(StreamKey::Receipts(device));
    json(&TracksResponse { outcomes, receipt })
}

pub(super) fn create_upload(state: &mut State, device: DeviceId, request: &Request) -> Response {
    let metadata = request.header("upload-metadata").expect("metadata");
    let hex = metadata.strip_prefix("sha256 ").expect("the hash");
    let hex = base64::engine::general_purpose::STANDARD
        .decode(hex)
        .expect("base64");
    let sha256: Sha256 = String::from_utf8(hex)
        .expect("text")
        .parse()
        .expect("a hash");
    if state.purged.contains(&sha256) {
        return error(410, "purged");
    }
    if state.locked.contains(&sha256) {
        return error(423, "unshown");
    }
    let len: usize = request
        .header("upload-length")
        .expect("a length")
        .parse()
        .expect("a number");
    let path = format!("/v1/blobs/{}", state.uploads.len());
    if state.blobs.contains_key(&sha256) {
        let receipt = state.sent(device, sha256);
        let headers = [
            ("location", path),
            ("upload-offset", len.to_string()),
            ("gridwalk-receipt", receipt.to_string()),
        ];
        return status(201, &headers);
    }
    state.uploads.insert(path.clone(), (sha256, len, vec![]));
    status(
        201,
        &[
            ("location", format!("https://elsewhere{path}")),
            ("upload-offset", "0".into()),
        ],
    )
}

pub(super) fn patch(
    state: &mut State,
    device: DeviceId,
    request: &Request,
    body: &[u8],
) -> Response {
    assert_eq!(
        request.header("content-type"),
        Some("application/offset+octet-stream")
    );
    let Some((sha256, len, got)) = state.uploads.get_mut(&request.path) else {
        return error(404, "not_found");
    };
    let offset: usize = request
        .header("upload-offset")
        .expect("an offset")
        .parse()
        .expect("a number");
    if offset != got.len() {
        return error(409, "wrong_offset");
    }
    got.extend(body);
    let got = got.clone();
    let (sha256, whole) = (*sha256, got.len() == *len);
    state.patched += body.len();
    let mut headers = vec![("Upload-Offset", (offset + body.len()).to_string())];
    if whole {
        if Sha256::of(&got) != sha256 {
            state.uploads.remove(&request.path);
            return error(460, "hash_mismatch");
        }
        state.blobs.insert(sha256, got);
        let receipt = state.sent(device, sha256);
        headers.push(("Gridwalk-Receipt", receipt.to_string()));
    }
    status(204, &headers)
}
