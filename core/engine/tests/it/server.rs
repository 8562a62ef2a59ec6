//! A server of some 250 lines: no rights, no disk, one tenant; the wire, the
//! outcomes and the streams as the real one promises them. And faults.

use base64::Engine as _;
use gridwalk_domain::wire::tracks::{NamedChunk, decode};
use gridwalk_domain::wire::*;
use gridwalk_domain::*;
use gridwalk_engine::{Method, Request, Response, Transport, TransportError};
use std::collections::{BTreeMap, VecDeque};
use std::sync::Mutex;

/// What goes wrong with one request.
#[derive(Clone, Debug)]
pub(crate) enum Fault {
    /// It never gets there.
    Unreachable,
    /// It is carried out and the answer is lost.
    AnswerLost,
    /// This status, with these headers, instead of an answer.
    Status(u16, Vec<(String, String)>),
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) entities: BTreeMap<EntityId, Revised>,
    /// How often an entity was applied to, whoever asked.
    pub(crate) ops: BTreeMap<OpId, (Sha256, Outcome)>,
    pub(crate) chunks: BTreeMap<ChunkName, Vec<u8>>,
    pub(crate) blobs: BTreeMap<Sha256, Vec<u8>>,
    uploads: BTreeMap<String, (Sha256, usize, Vec<u8>)>,
    receipts: Vec<ReceiptOf>,
    seq: u64,
    device: Option<(DeviceId, String)>,
    pub(crate) requests: Vec<(Method, String)>,
    pub(crate) faults: VecDeque<(String, Fault)>,
    /// Outcomes to give instead of judging, by title of a created incident.
    pub(crate) refuse: BTreeMap<String, Outcome>,
    /// Every push of more than this many ops is refused as a whole.
    pub(crate) poison: Option<String>,
    pub(crate) page: usize,
    /// A cursor of another tag is of no use.
    pub(crate) tag: u64,
    pub(crate) lie_about_count: bool,
    /// The grid was taken away from the worker.
    pub(crate) grid_taken: bool,
}

pub(crate) struct FakeServer {
    pub(crate) state: Mutex<State>,
    pub(crate) grid: Grid,
    pub(crate) worker: WorkerRef,
    pub(crate) tenant: TenantId,
    pub(crate) epoch: Epoch,
    pub(crate) upgrade: bool,
}

impl FakeServer {
    pub(crate) fn new() -> Self {
        let grid = Grid {
            id: GridId::from_bytes([0x11; 16]),
            code: "371302001201003".parse().expect("a code"),
            parent: None,
            level: GridLevel::Base,
            name: "第三网格".into(),
            synthetic: true,
            boundary: None,
        };
        Self {
            state: Mutex::new(State {
                page: 100,
                tag: 7,
                ..State::default()
            }),
            grid,
            worker: WorkerRef {
                id: WorkerId::from_bytes([0x22; 16]),
                name: "王芳".into(),
            },
            tenant: TenantId::from_bytes([0x33; 16]),
            epoch: Epoch::from_bytes([0x44; 16]),
            upgrade: false,
        }
    }

    pub(crate) fn stream(&self) -> StreamKey {
        StreamKey::Records(self.grid.id)
    }

    pub(crate) fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().expect("no panic"))
    }

    /// The next request whose path begins so goes wrong like this.
    pub(crate) fn fail(&self, path: &str, fault: Fault) {
        self.with(|state| state.faults.push_back((path.to_owned(), fault)));
    }

    pub(crate) fn fixes(&self) -> usize {
        self.with(|state| state.chunks.keys().map(|name| name.count as usize).sum())
    }

    fn route(&self, state: &mut State, request: &Request) -> Response {
        let body = match request.header("content-encoding") {
            Some("zstd") => zstd::stream::decode_all(request.body.as_slice()).expect("zstd"),
            _ => request.body.clone(),
        };
        if request.path != "/v1/enrol" {
            let expected = state
                .device
                .as_ref()
                .map(|(_, token)| format!("Bearer {token}"));
            if request.header("authorization") != expected.as_deref() {
                return error(401, "unknown_device");
            }
        }
        let path = request.path.as_str();
        match (request.method, path) {
            (Method::Post, "/v1/enrol") => self.enrol(state, &read(&body)),
            (Method::Post, "/v1/hello") => json(&self.hello(state, &read(&body))),
            (Method::Post, "/v1/push") => self.push(state, &read(&body)),
            (Method::Post, "/v1/tracks") => json(&tracks(state, decode(&body).expect("a block"))),
            (Method::Post, "/v1/pull") => json(&self.pull(state, &read(&body))),
            (Method::Post, "/v1/blobs") => create_upload(state, request),
            (Method::Head, _) => match state.uploads.get(path) {
                Some((_, _, got)) => status(200, &[("upload-offset", got.len().to_string())]),
                None => error(404, "no_upload"),
            },
            (Method::Patch, _) => patch(state, request, &body),
            _ => error(404, "no_such_path"),
        }
    }

    fn enrol(&self, state: &mut State, request: &EnrolRequest) -> Response {
        if request.code != "CODE" {
            return error(403, "wrong_code");
        }
        let asked = (request.device, request.token.clone());
        if state.device.get_or_insert(asked.clone()) != &asked {
            return error(409, "code_used");
        }
        json(&EnrolResponse {
            tenant: self.tenant,
            worker: self.worker.clone(),
        })
    }

    fn hello(&self, state: &State, request: &HelloRequest) -> HelloResponse {
        let grids = usize::from(!state.grid_taken);
        let scope = Scope {
            worker: self.worker.clone(),
            grids: vec![self.grid.clone(); grids],
            streams: vec![self.stream(); grids],
            catalogue: Catalogue::shipped(),
            utc_offset_min: 480,
        };
        let scope_tag = Sha256::of(&serde_json::to_vec(&scope).expect("writes"));
        HelloResponse {
            min_v: if self.upgrade { 2 } else { 1 },
            max_v: 2,
            server_ms: request.at.wall_ms + 5000,
            epoch: self.epoch,
            scope_tag,
            scope: (request.scope_tag != Some(scope_tag)).then_some(scope),
            limits: Limits {
                push_ops: 20,
                ..Limits::default()
            },
        }
    }

    fn push(&self, state: &mut State, request: &PushRequest) -> Response {
        if let Some(poison) = &state.poison
            && request
                .ops
                .iter()
                .any(|op| op.body.contains(poison.as_str()))
        {
            return error(422, "cannot_read");
        }
        let outcomes = request.ops.iter().map(|sealed| {
            let body = sealed.open().expect("an op");
            let outcome = self.judge(state, sealed.sha256, &body);
            OpOutcome {
                op: Some(body.id),
                sha256: sealed.sha256,
                outcome,
            }
        });
        let outcomes = outcomes.collect();
        json(&PushResponse { outcomes })
    }

    pub(crate) fn judge(&self, state: &mut State, sha256: Sha256, body: &OpBody) -> Outcome {
        if let Some((known, first)) = state.ops.get(&body.id) {
            assert_eq!(*known, sha256, "an op's bytes never change");
            return Outcome::Duplicate {
                first: Box::new(first.clone()),
            };
        }
        let missing: Vec<OpId> = body
            .prev
            .iter()
            .chain(&body.needs)
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
            None => self.take(state, body),
        };
        state.ops.insert(body.id, (sha256, outcome.clone()));
        state.receipts.push(ReceiptOf::Op(OpOutcome {
            op: Some(body.id),
            sha256,
            outcome: outcome.clone(),
        }));
        outcome
    }

    fn take(&self, state: &mut State, body: &OpBody) -> Outcome {
        let mut entity = state
            .entities
            .get(&body.entity)
            .map(|revised| revised.state.clone());
        let rev = state
            .entities
            .get(&body.entity)
            .map_or(0, |revised| revised.rev);
        match apply(&mut entity, body, body.at.wall_ms + 5000) {
            Err(refusal) => {
                let reason = Reason {
                    code: refusal.code().into(),
                    text: refusal.to_string(),
                };
                Outcome::Rejected { reason }
            }
            Ok(effect) => {
                state.seq += 1;
                let entity = entity.expect("applied");
                state.entities.insert(
                    body.entity,
                    Revised {
                        seq: state.seq,
                        rev: rev + 1,
                        state: entity,
                    },
                );
                let (stream, seq) = (self.stream(), state.seq);
                match effect {
                    Effect::ConflictKept => Outcome::ConflictKept { stream, seq },
                    _ => Outcome::Applied { stream, seq },
                }
            }
        }
    }

    fn pull(&self, state: &mut State, request: &PullRequest) -> PullResponse {
        let cursor = |seq: u64| {
            Some(Cursor {
                epoch: self.epoch,
                seq,
                tag: state.tag,
            })
        };
        let good = |cursor: &Cursor| cursor.tag == state.tag && cursor.epoch == self.epoch;
        let after = request.receipts.filter(good).map_or(0, |cursor| cursor.seq);
        let from = usize::try_from(after)
            .expect("small")
            .min(state.receipts.len());
        let items: Vec<Receipt> = (after + 1..)
            .zip(&state.receipts[from..])
            .take(state.page)
            .map(|(n, of)| Receipt { n, of: of.clone() })
            .collect();
        let to = after + items.len() as u64;
        let receipts = ReceiptPage {
            more: to < state.receipts.len() as u64,
            cursor: (to > 0).then(|| cursor(to)).flatten(),
            items,
        };
        let page = |asked: &Option<Cursor>| {
            let known = asked.filter(good);
            let after = known.map_or(0, |cursor| cursor.seq);
            let mut all: Vec<&Revised> = state
                .entities
                .values()
                .filter(|revised| revised.seq > after)
                .collect();
            all.sort_by_key(|revised| revised.seq);
            let more = all.len() > state.page;
            all.truncate(state.page);
            let to = if more {
                all.last().map_or(after, |revised| revised.seq)
            } else {
                state.seq
            };
            let mut hash = StreamDigest::default();
            state
                .entities
                .values()
                .for_each(|revised| hash.add(revised.state.id, revised.rev));
            let count = state.entities.len() as u64 + u64::from(state.lie_about_count);
            StreamPage {
                entities: all.into_iter().cloned().collect(),
                cursor: (to > 0).then(|| cursor(to)).flatten(),
                more,
                reset: known.is_none(),
                end: (!more).then_some(StreamEnd { count, hash }),
            }
        };
        let streams = request
            .streams
            .iter()
            .map(|(key, asked)| (*key, page(asked)))
            .collect();
        PullResponse { receipts, streams }
    }
}

impl Transport for FakeServer {
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        let mut state = self.state.lock().expect("no panic");
        state.requests.push((request.method, request.path.clone()));
        let due = state
            .faults
            .iter()
            .position(|(path, _)| request.path.starts_with(path.as_str()));
        match due.and_then(|at| state.faults.remove(at)) {
            Some((_, Fault::Unreachable)) => Err(TransportError::Unreachable {
                message: "no route".into(),
            }),
            Some((_, Fault::Status(status, headers))) => Ok(Response {
                status,
                headers,
                body: vec![],
            }),
            Some((_, Fault::AnswerLost)) => {
                self.route(&mut state, request);
                Err(TransportError::Interrupted {
                    message: "reset".into(),
                })
            }
            None => Ok(self.route(&mut state, request)),
        }
    }
}

fn tracks(state: &mut State, chunks: Vec<NamedChunk>) -> TracksResponse {
    let outcomes = chunks.into_iter().map(|chunk| {
        let outcome = if !state.entities.contains_key(&chunk.name.patrol) {
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
        if !matches!(outcome.outcome, TrackOutcome::Deferred) {
            state.receipts.push(ReceiptOf::Chunk(outcome.clone()));
        }
        outcome
    });
    let outcomes = outcomes.collect();
    TracksResponse { outcomes }
}

fn create_upload(state: &mut State, request: &Request) -> Response {
    let metadata = request.header("upload-metadata").expect("metadata");
    let hex = metadata.strip_prefix("sha256 ").expect("the hash");
    let hex = base64::engine::general_purpose::STANDARD
        .decode(hex)
        .expect("base64");
    let sha256: Sha256 = String::from_utf8(hex)
        .expect("text")
        .parse()
        .expect("a hash");
    let len: usize = request
        .header("upload-length")
        .expect("a length")
        .parse()
        .expect("a number");
    let path = format!("/v1/blobs/{}", state.uploads.len());
    if state.blobs.contains_key(&sha256) {
        return status(
            201,
            &[("location", path), ("upload-offset", len.to_string())],
        );
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

fn patch(state: &mut State, request: &Request, body: &[u8]) -> Response {
    assert_eq!(
        request.header("content-type"),
        Some("application/offset+octet-stream")
    );
    let Some((sha256, len, got)) = state.uploads.get_mut(&request.path) else {
        return error(404, "no_upload");
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
    if got.len() == *len {
        if Sha256::of(got) != *sha256 {
            state.uploads.remove(&request.path);
            return error(460, "checksum_mismatch");
        }
        let sha256 = *sha256;
        state.blobs.insert(sha256, got.clone());
        state.receipts.push(ReceiptOf::Blob { sha256 });
    }
    status(204, &[("Upload-Offset", (offset + body.len()).to_string())])
}

fn read<T: serde::de::DeserializeOwned>(body: &[u8]) -> T {
    serde_json::from_slice(body).expect("a message")
}

fn status(status: u16, headers: &[(&str, String)]) -> Response {
    let headers = headers
        .iter()
        .map(|(name, value)| ((*name).to_owned(), value.clone()))
        .collect();
    Response {
        status,
        headers,
        body: vec![],
    }
}

fn error(code: u16, word: &str) -> Response {
    let reason = Reason {
        code: word.into(),
        text: "as the test asked".into(),
    };
    let body = serde_json::to_vec(&ErrorResponse { error: reason }).expect("writes");
    Response {
        body,
        ..status(code, &[])
    }
}

/// Compressed, as the real one does.
fn json(message: &impl serde::Serialize) -> Response {
    let body = serde_json::to_vec(message).expect("writes");
    let body = zstd::bulk::compress(&body, 1).expect("packs");
    Response {
        body,
        ..status(200, &[("Content-Encoding", "zstd".into())])
    }
}
