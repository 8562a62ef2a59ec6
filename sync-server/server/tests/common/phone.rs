//! A phone that speaks the protocol: it makes ops, chunks and attachments, and
//! keeps nothing.

use base64::Engine as _;
use gridwalk_domain::wire::tracks::{CONTENT_TYPE, NamedChunk, encode};
use gridwalk_domain::wire::{
    ChunkName, Cursor, EnrolRequest, EnrolResponse, ErrorResponse, HaveRequest, HaveResponse,
    HelloRequest, HelloResponse, OpOutcome, OpRef, Outcome, PullRequest, PullResponse, PushRequest,
    PushResponse, RECEIPT_HEADER, Receipt, ReceiptOf, Revised, TrackOutcome, TracksResponse,
    Unsent,
};
use gridwalk_domain::{
    Author, BootId, Change, Clock as _, DeviceId, Entity, EntityId, Fix, GridId, Intent, Moment,
    OP_VERSION, OpBody, OpId, Position, Rng, RunId, SealedOp, Sha256, StreamDigest, StreamKey,
    TenantId, WorkerId,
};
use gridwalk_server::Service;
use gridwalk_server::http::Request;
use gridwalk_track::{StoredFix, codec, quantise};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::socket::Socket;
use super::{HOUR, MORNING, TestClock, TestRng};

static SEEDS: AtomicU64 = AtomicU64::new(1000);

/// How a phone reaches the server.
#[derive(Clone)]
pub enum Line {
    InProcess(Arc<Service>),
    Socket(Socket),
}

pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        headers
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    pub fn code(&self) -> String {
        let error: ErrorResponse = serde_json::from_slice(&self.body).expect("an error");
        error.error.code
    }

    pub fn offset(&self) -> u64 {
        self.header("upload-offset")
            .expect("an offset")
            .parse()
            .expect("a number")
    }
}

impl Line {
    pub fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
        match self {
            Self::Socket(socket) => socket.send(method, path, headers, body),
            Self::InProcess(service) => {
                let headers = headers
                    .iter()
                    .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
                let response = service.handle(&Request {
                    method: method.into(),
                    path: path.into(),
                    headers: headers.collect(),
                    body: body.to_vec(),
                    peer: "10.0.0.1".into(),
                    ..Request::default()
                });
                let headers = response.headers.iter();
                Answer {
                    status: response.status,
                    headers: headers.map(|(n, v)| ((*n).to_owned(), v.clone())).collect(),
                    body: response.body.into_bytes().expect("reads"),
                }
            }
        }
    }
}

#[derive(Clone)]
pub struct Phone {
    pub line: Line,
    pub clock: Arc<TestClock>,
    pub rng: Arc<TestRng>,
    pub device: DeviceId,
    pub worker: WorkerId,
    pub tenant: TenantId,
    pub token: String,
    /// The highest receipt that it has seen; shared by its clones.
    pub seen: Arc<Mutex<Option<Cursor>>>,
    pub send_token: String,
    pub grid: GridId,
    /// What its wall clock is wrong by.
    pub wrong_ms: i64,
    pub boot: BootId,
    pub lanes: BTreeMap<EntityId, OpId>,
}

impl Phone {
    pub fn new(line: Line, clock: Arc<TestClock>, grid: GridId) -> Self {
        let rng = TestRng::new(SEEDS.fetch_add(1, Ordering::Relaxed));
        let draw: &dyn Rng = &*rng;
        Self {
            line,
            clock,
            device: DeviceId::draw(draw),
            worker: WorkerId::from_bytes([0; 16]),
            tenant: TenantId::from_bytes([0; 16]),
            token: hex::encode(draw.bytes::<32>()),
            send_token: hex::encode(draw.bytes::<32>()),
            seen: Arc::default(),
            grid,
            wrong_ms: 0,
            boot: BootId::draw(draw),
            lanes: BTreeMap::new(),
            rng,
        }
    }

    pub fn enrolment(&self, code: &str) -> EnrolRequest {
        EnrolRequest {
            v: 1,
            code: code.into(),
            device: self.device,
            token: self.token.clone(),
            send_token: self.send_token.clone(),
            platform: "test".into(),
            worker: None,
        }
    }

    /// A request's headers: whose it is, and what the phone has seen.
    fn headers(&self, more: &[(&'static str, &str)]) -> Vec<(&'static str, String)> {
        let mut headers = vec![("authorization", format!("Bearer {}", self.token))];
        let seen = *self.seen.lock().expect("a lock");
        headers.extend(seen.map(|seen| (RECEIPT_HEADER, seen.to_string())));
        headers.extend(more.iter().map(|(n, v)| (*n, (*v).to_owned())));
        headers
    }

    pub fn send(
        &self,
        method: &str,
        path: &str,
        more: &[(&'static str, &str)],
        body: &[u8],
    ) -> Answer {
        let headers = self.headers(more);
        let headers: Vec<_> = headers.iter().map(|(n, v)| (*n, v.as_str())).collect();
        self.line.send(method, path, &headers, body)
    }

    /// Remembers the highest receipt.
    pub fn sees(&self, cursor: Option<Cursor>) {
        if cursor.is_some() {
            *self.seen.lock().expect("a lock") = cursor;
        }
    }

    /// Sends with the token that can only send.
    pub fn leaving(&self) -> Self {
        let token = self.send_token.clone();
        Self {
            token,
            ..self.clone()
        }
    }

    pub fn enrol(&mut self, code: &str) {
        let answer: EnrolResponse = self.ask("enrol", &self.enrolment(code));
        (self.tenant, self.worker) = (answer.tenant, answer.worker.id);
    }

    pub fn now(&self) -> Moment {
        let wall_ms = self.clock.now().wall_ms;
        Moment {
            wall_ms: wall_ms + self.wrong_ms,
            boot: self.boot,
            mono_ms: wall_ms - MORNING + 7 * HOUR,
        }
    }

    pub fn post(&self, call: &str, body: &impl Serialize) -> Answer {
        let body = serde_json::to_vec(body).expect("JSON");
        let json = [("content-type", "application/json")];
        self.send("POST", &format!("/v1/{call}"), &json, &body)
    }

    pub fn ask<T: DeserializeOwned>(&self, call: &str, body: &impl Serialize) -> T {
        let answer = self.post(call, body);
        let text = String::from_utf8_lossy(&answer.body);
        assert_eq!(answer.status, 200, "{call}: {text}");
        serde_json::from_str(&text).expect("reads")
    }

    pub fn greeting(&self) -> HelloRequest {
        HelloRequest {
            v: 1,
            app: "0.1.0".into(),
            at: self.now(),
            unsent: Unsent {
                ops: 2,
                ..Unsent::default()
            },
            scope_tag: None,
            place: None,
            boots: vec![],
            rereads: 0,
        }
    }

    pub fn hello(&self) -> HelloResponse {
        self.ask("hello", &self.greeting())
    }

    pub fn seal(&self, body: &OpBody) -> SealedOp {
        body.seal().expect("small")
    }

    /// An op; the next one of its lane names it.
    pub fn body(&mut self, kind: &str, entity: EntityId, intent: Intent) -> OpBody {
        let at = self.now();
        let id = OpId::draw(at.wall_ms, &*self.rng);
        OpBody {
            v: OP_VERSION,
            id,
            tenant: self.tenant,
            entity,
            kind: kind.into(),
            by: Author::Worker {
                worker: self.worker,
                device: self.device,
            },
            prev: self.lanes.insert(entity, id),
            needs: vec![],
            at,
            nonce: OpBody::draw_nonce(&*self.rng),
            intent,
        }
    }

    pub fn records(&self) -> StreamKey {
        StreamKey::Records(self.grid)
    }

    pub fn create(&mut self, kind: &str, fields: Value) -> OpBody {
        let entity = EntityId::draw(&*self.rng);
        let home = self.records();
        let fields = serde_json::from_value(fields).expect("an object");
        self.body(kind, entity, Intent::Create { home, fields })
    }

    pub fn incident(&mut self, title: &str) -> OpBody {
        let fields = json!({
            "grid": self.grid, "catalogue": 1, "category": "fire_safety", "title": title,
            "form.premises": "dwelling",
            "place": {"lat": 35.052, "lon": 118.302, "accuracy_m": 8.0},
        });
        self.create("incident", fields)
    }

    pub fn set_title(&mut self, entity: EntityId, title: &str, base: OpId) -> OpBody {
        let change = Change {
            value: json!(title),
            base: Some(base),
        };
        self.body(
            "incident",
            entity,
            Intent::Set([("title".to_owned(), change)].into()),
        )
    }

    pub fn append(&mut self, entity: EntityId, list: &str, value: Value) -> OpBody {
        self.body(
            "incident",
            entity,
            Intent::Append {
                list: list.into(),
                value,
            },
        )
    }

    /// A shift and a patrol, both begun; the patrol.
    pub fn patrol(&mut self) -> EntityId {
        let fields = json!({"worker": self.worker, "grid": self.grid});
        let shift = self.create("shift", fields);
        let fields = json!({"worker": self.worker, "grid": self.grid, "shift": shift.entity});
        let mut patrol = self.create("patrol", fields);
        patrol.needs = vec![shift.id];
        for outcome in self.push(&[shift, patrol.clone()]) {
            assert!(matches!(outcome, Outcome::Applied { .. }), "{outcome:?}");
        }
        patrol.entity
    }

    pub fn push_sealed(&self, ops: Vec<SealedOp>) -> Vec<OpOutcome> {
        let answer: PushResponse = self.ask("push", &PushRequest { v: 1, ops });
        self.sees(answer.receipt);
        answer.outcomes
    }

    pub fn push(&self, ops: &[OpBody]) -> Vec<Outcome> {
        let sealed = ops.iter().map(|op| self.seal(op)).collect();
        self.push_sealed(sealed)
            .into_iter()
            .map(|outcome| outcome.outcome)
            .collect()
    }

    pub fn push_one(&self, op: &OpBody) -> Outcome {
        self.push(std::slice::from_ref(op)).remove(0)
    }

    pub fn pull(
        &self,
        receipts: Option<Cursor>,
        streams: &[(StreamKey, Option<Cursor>)],
    ) -> PullResponse {
        let streams = streams.iter().copied().collect();
        self.ask(
            "pull",
            &PullRequest {
                v: 1,
                receipts,
                streams,
                unsent: Unsent::default(),
            },
        )
    }

    /// All receipts, from the first.
    pub fn receipts(&self) -> Vec<Receipt> {
        let (mut items, mut cursor) = (Vec::new(), None);
        loop {
            let page = self.pull(cursor, &[]).receipts;
            items.extend(page.items);
            cursor = page.cursor;
            if !page.more {
                self.sees(cursor);
                return items;
            }
        }
    }

    /// What the receipts say of an op, the last word last.
    pub fn told(&self, op: OpId) -> Vec<String> {
        let receipts = self.receipts();
        let of_op = receipts.iter().filter_map(|receipt| match &receipt.of {
            ReceiptOf::Op(outcome) if outcome.op == Some(op) => Some(reason(&outcome.outcome)),
            _ => None,
        });
        of_op.collect()
    }

    /// All that a stream lists, from its start, counted as the page says.
    pub fn read(&self, stream: StreamKey) -> BTreeMap<EntityId, Revised> {
        let (mut entities, mut cursor) = (BTreeMap::new(), None);
        loop {
            let mut answer = self.pull(None, &[(stream, cursor)]);
            let page = answer.streams.remove(&stream).expect("the stream");
            for entity in page.entities {
                assert!(
                    entities.insert(entity.id, entity).is_none(),
                    "each entity once"
                );
            }
            cursor = page.cursor;
            if let Some(end) = page.end {
                let mut digest = StreamDigest::default();
                for entity in entities.values() {
                    digest.add(entity.id, entity.rev);
                }
                assert_eq!((end.count, end.hash), (entities.len() as u64, digest));
                return entities;
            }
        }
    }

    /// A record of this phone's grid as the server has it.
    pub fn state(&self, entity: EntityId) -> Entity {
        let mut entities = self.read(self.records());
        let found = entities.remove(&entity).expect("it is listed");
        found.state.expect("a state")
    }

    pub fn have(&self, request: &HaveRequest) -> HaveResponse {
        self.ask("have", request)
    }

    /// Which outcome the server has for each op.
    pub fn have_ops(&self, ops: &[OpBody]) -> Vec<Option<Outcome>> {
        let name = |op: &OpBody| OpRef {
            id: op.id,
            sha256: self.seal(op).sha256,
        };
        let request = HaveRequest {
            v: 1,
            ops: ops.iter().map(name).collect(),
            chunks: vec![],
            blobs: vec![],
        };
        self.have(&request).ops
    }

    pub fn send_tracks(&self, chunks: &[NamedChunk]) -> Answer {
        let kind = [("content-type", CONTENT_TYPE)];
        self.send("POST", "/v1/tracks", &kind, &encode(chunks))
    }

    pub fn tracks(&self, chunks: &[NamedChunk]) -> Vec<TrackOutcome> {
        let answer = self.send_tracks(chunks);
        assert_eq!(
            answer.status,
            200,
            "{}",
            String::from_utf8_lossy(&answer.body)
        );
        let answer: TracksResponse = serde_json::from_slice(&answer.body).expect("reads");
        self.sees(answer.receipt);
        answer
            .outcomes
            .into_iter()
            .map(|outcome| outcome.outcome)
            .collect()
    }

    pub fn tus(
        &self,
        method: &str,
        path: &str,
        headers: &[(&'static str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut all = vec![("tus-resumable", "1.0.0")];
        all.extend_from_slice(headers);
        let answer = self.send(method, path, &all, body);
        let receipt = answer.header(RECEIPT_HEADER);
        self.sees(receipt.map(|text| text.parse().expect("a receipt")));
        answer
    }

    pub fn begin_upload(&self, sha256: Sha256, length: usize) -> Answer {
        let hash = base64::engine::general_purpose::STANDARD.encode(sha256.to_string());
        let (length, metadata) = (length.to_string(), format!("sha256 {hash}"));
        let headers = [
            ("upload-length", length.as_str()),
            ("upload-metadata", metadata.as_str()),
        ];
        self.tus("POST", "/v1/blobs", &headers, b"")
    }

    pub fn patch(&self, path: &str, offset: u64, bytes: &[u8]) -> Answer {
        let offset = offset.to_string();
        let headers = [
            ("content-type", "application/offset+octet-stream"),
            ("upload-offset", offset.as_str()),
        ];
        self.tus("PATCH", path, &headers, bytes)
    }

    /// Uploads an attachment whole.
    pub fn upload(&self, bytes: &[u8]) -> Sha256 {
        let sha256 = Sha256::of(bytes);
        let begun = self.begin_upload(sha256, bytes.len());
        assert_eq!(
            begun.status,
            201,
            "{}",
            String::from_utf8_lossy(&begun.body)
        );
        if begun.offset() == bytes.len() as u64 {
            return sha256;
        }
        let done = self.patch(begun.header("location").expect("a location"), 0, bytes);
        assert_eq!((done.status, done.offset()), (204, bytes.len() as u64));
        sha256
    }
}

/// A walk eastwards at 1 Hz and 1.2 m/s from 35.052 N, 118.301 E.
pub fn walk(from_ms: i64, seconds: u32) -> Vec<StoredFix> {
    let fix = |n: u32| Fix {
        time_ms: from_ms + i64::from(n) * 1000,
        position: Position {
            lat: 35.052,
            lon: 118.301 + f64::from(n) * 1.2 / 91_000.0,
        },
        accuracy_m: Some(5.0),
        altitude_m: None,
        speed_mps: Some(1.2),
        bearing_deg: None,
        mocked: false,
    };
    (0..seconds)
        .map(|n| StoredFix::used(quantise(&fix(n))))
        .collect()
}

pub fn chunk(patrol: EntityId, run: u64, first: u32, fixes: &[StoredFix]) -> NamedChunk {
    let count = u32::try_from(fixes.len()).expect("few");
    NamedChunk {
        name: ChunkName {
            patrol,
            run: RunId(run),
            first,
            count,
        },
        body: codec::encode(fixes).expect("encodes"),
    }
}

pub fn reason(outcome: &Outcome) -> String {
    match outcome {
        Outcome::Rejected { reason } => format!("rejected {}", reason.code),
        Outcome::Quarantined { reason } => format!("quarantined {}", reason.code),
        other => format!("{other:?}"),
    }
}

pub fn seq(outcome: &Outcome) -> u64 {
    match outcome {
        Outcome::Applied { seq, .. } | Outcome::ConflictKept { seq, .. } => *seq,
        other => panic!("not taken: {other:?}"),
    }
}

/// The state of an entity that was not purged.
pub fn state(entity: &Revised) -> &Entity {
    entity.state.as_ref().expect("a state")
}
