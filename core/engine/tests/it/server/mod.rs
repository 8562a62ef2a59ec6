//! A server of some 700 lines: no disk, one district; the outcomes, receipts,
//! streams, time lines and purges as the real one promises them. And faults.

mod give;
mod take;

use gridwalk_domain::wire::*;
use gridwalk_domain::*;
use gridwalk_engine::{Method, Request, Response, Transport, TransportError};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::ops::{Deref, DerefMut};
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
    /// The answer has this header too.
    Also(String, String),
}

/// An entity in its home stream.
#[derive(Clone, Debug)]
pub(crate) struct Listed {
    pub(crate) home: StreamKey,
    pub(crate) seq: u64,
    pub(crate) rev: u64,
    /// None once it was purged.
    pub(crate) state: Option<Entity>,
}

/// What a backup holds.
#[derive(Clone, Default)]
pub(crate) struct World {
    pub(crate) epoch: u8,
    pub(crate) entities: BTreeMap<EntityId, Listed>,
    pub(crate) ops: BTreeMap<OpId, (SealedOp, Outcome)>,
    pub(crate) chunks: BTreeMap<ChunkName, Vec<u8>>,
    pub(crate) blobs: BTreeMap<Sha256, Vec<u8>>,
    pub(crate) purged: BTreeSet<Sha256>,
    pub(crate) watermark: BTreeMap<DeviceId, u64>,
    uploads: BTreeMap<String, (Sha256, usize, Vec<u8>)>,
    /// The tags of a stream's numbers, from 1.
    tags: BTreeMap<StreamKey, Vec<u64>>,
    receipts: BTreeMap<DeviceId, Vec<ReceiptOf>>,
}

/// An enrolled phone.
pub(crate) struct Device {
    pub(crate) worker: WorkerId,
    token: String,
    send_token: String,
    pub(crate) standing: Standing,
}

impl Device {
    pub(crate) fn tokens(&self) -> (&str, &str) {
        (&self.token, &self.send_token)
    }
}

#[derive(Default)]
pub(crate) struct State {
    pub(crate) world: World,
    pub(crate) devices: BTreeMap<DeviceId, Device>,
    /// For whom a code is.
    pub(crate) codes: BTreeMap<String, WorkerId>,
    used: BTreeMap<String, DeviceId>,
    pub(crate) assigned: BTreeMap<WorkerId, Vec<Grid>>,
    /// Drawn so far: never goes back.
    draws: u64,
    epochs: u8,
    pub(crate) requests: Vec<(Method, String)>,
    pub(crate) hellos: Vec<HelloRequest>,
    pub(crate) haves: Vec<HaveRequest>,
    pub(crate) faults: VecDeque<(String, Fault)>,
    /// Outcomes to give instead of judging, by title of a created incident.
    pub(crate) refuse: BTreeMap<String, Outcome>,
    /// What a request holds that is refused as a whole, and how.
    pub(crate) poison: Option<(String, u16)>,
    pub(crate) page: usize,
    pub(crate) lie_about_count: bool,
    pub(crate) version: String,
    pub(crate) min_v: u32,
    pub(crate) purged_entities: BTreeSet<EntityId>,
    /// It minted an epoch for this phone today: it only says that something does
    /// not fit.
    pub(crate) minted: bool,
    /// Attachments that wait for an op that shows them.
    pub(crate) locked: BTreeSet<Sha256>,
    /// Bytes of attachments that were taken, however often.
    pub(crate) patched: usize,
    /// How far ahead of the first phone's clock the server's is.
    pub(crate) ahead_ms: i64,
    /// Whether phones follow inboxes and notices too.
    pub(crate) inboxes: bool,
    /// Bytes of attachments that were given.
    pub(crate) given: usize,
    /// A proxy in between knows no ranges.
    pub(crate) no_ranges: bool,
    /// The catalogue in force, where it is not the one that ships, and those
    /// before it that phones are given.
    pub(crate) catalogue: Option<Catalogue>,
    pub(crate) older_catalogues: Vec<Catalogue>,
}

impl Deref for State {
    type Target = World;
    fn deref(&self) -> &World {
        &self.world
    }
}

impl DerefMut for State {
    fn deref_mut(&mut self) -> &mut World {
        &mut self.world
    }
}

pub(crate) struct FakeServer {
    pub(crate) state: Mutex<State>,
    pub(crate) grid: Grid,
    pub(crate) worker: WorkerRef,
    pub(crate) tenant: TenantId,
}

/// Who asks.
#[derive(Clone, Copy)]
pub(crate) struct Asking {
    device: DeviceId,
    worker: WorkerId,
    standing: Standing,
}

/// The community that all grids stand in.
pub(crate) const COMMUNITY: GridId = GridId::from_bytes([0x10; 16]);

pub(crate) fn grid(n: u8) -> Grid {
    Grid {
        id: GridId::from_bytes([n; 16]),
        code: format!("3713020012010{n:02}").parse().expect("a code"),
        parent: Some(COMMUNITY),
        level: GridLevel::Base,
        name: format!("第{n}网格"),
        synthetic: true,
        boundary: None,
    }
}

impl FakeServer {
    /// One worker, whose code is `CODE`, and one grid.
    pub(crate) fn new() -> Self {
        let grid = Grid {
            code: "371302001201003".parse().expect("a code"),
            name: "第三网格".into(),
            ..grid(0x11)
        };
        let worker = WorkerRef {
            id: WorkerId::from_bytes([0x22; 16]),
            name: "01 号网格员".into(),
        };
        let state = State {
            page: 100,
            min_v: 1,
            epochs: 1,
            ahead_ms: 5000,
            version: "1".into(),
            world: World {
                epoch: 1,
                ..World::default()
            },
            codes: [("CODE".to_owned(), worker.id)].into(),
            assigned: [(worker.id, vec![grid.clone()])].into(),
            ..State::default()
        };
        Self {
            state: Mutex::new(state),
            grid,
            worker,
            tenant: TenantId::from_bytes([0x33; 16]),
        }
    }

    /// Another worker of the same grid, and their code.
    pub(crate) fn hire(&self, n: u8, code: &str) -> WorkerId {
        let worker = WorkerId::from_bytes([n; 16]);
        self.with(|state| {
            state.codes.insert(code.to_owned(), worker);
            state.assigned.insert(worker, vec![self.grid.clone()]);
        });
        worker
    }

    /// A phone that was enrolled once, in a test long ago.
    pub(crate) fn adopt(&self, device: DeviceId, worker: WorkerId, token: &str, send_token: &str) {
        let known = Device {
            worker,
            token: token.to_owned(),
            send_token: send_token.to_owned(),
            standing: Standing::Active,
        };
        self.with(|state| state.devices.insert(device, known));
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

    /// Holds an attachment that somebody else sent.
    pub(crate) fn hold(&self, bytes: &[u8]) -> Sha256 {
        let sha256 = Sha256::of(bytes);
        self.with(|state| state.blobs.insert(sha256, bytes.to_vec()));
        sha256
    }

    pub(crate) fn fixes(&self) -> usize {
        self.with(|state| state.chunks.keys().map(|name| name.count as usize).sum())
    }

    /// The only phone.
    pub(crate) fn device(&self) -> DeviceId {
        self.with(|state| *state.devices.keys().next().expect("enrolled"))
    }

    pub(crate) fn back_up(&self) -> World {
        self.with(|state| state.world.clone())
    }

    /// A backup of now was checked: it is the oldest that can be restored.
    pub(crate) fn verify_backup(&self) {
        self.with(|state| {
            let highest: Vec<_> = state
                .receipts
                .iter()
                .map(|(device, all)| (*device, all.len() as u64))
                .collect();
            state.watermark.extend(highest);
        });
    }

    /// Goes back to a backup; `told`: an epoch is minted at once.
    pub(crate) fn restore(&self, backup: World, told: bool) {
        self.with(|state| {
            state.world = backup;
            if told {
                state.new_epoch();
            }
        });
    }

    fn route(&self, state: &mut State, request: &Request) -> Response {
        let body = match request.header("content-encoding") {
            Some("zstd") => zstd::stream::decode_all(request.body.as_slice()).expect("zstd"),
            _ => request.body.clone(),
        };
        let path = request.path.as_str();
        if path == "/v1/enrol" {
            return self.enrol(state, &read(&body));
        }
        let Some(asking) = state.asking(request) else {
            return error(401, "signed_out");
        };
        if path == "/v1/hello" {
            return json(&self.hello(state, asking, read(&body)));
        }
        if !state.same_time_line(asking.device, request.header(RECEIPT_HEADER)) {
            return error(409, "epoch");
        }
        match (request.method, path) {
            (Method::Post, "/v1/push") => self.push(state, asking, &read(&body)),
            (Method::Post, "/v1/have") => state.have(read(&body)),
            (Method::Post, "/v1/tracks") => take::tracks(state, asking.device, &body),
            (Method::Post, "/v1/pull") => self.pull(state, asking, &read(&body)),
            (Method::Post, "/v1/blobs") => take::create_upload(state, asking.device, request),
            (Method::Head, _) => match state.uploads.get(path) {
                Some((_, _, got)) => status(200, &[("upload-offset", got.len().to_string())]),
                None => error(404, "not_found"),
            },
            (Method::Patch, _) => take::patch(state, asking.device, request, &body),
            (Method::Get, _) => state.attachment(request),
            _ => error(404, "not_found"),
        }
    }

    fn enrol(&self, state: &mut State, request: &EnrolRequest) -> Response {
        let Some(worker) = state.codes.get(&request.code).copied() else {
            return error(403, "wrong_code");
        };
        let used = *state
            .used
            .entry(request.code.clone())
            .or_insert(request.device);
        let known = state.devices.get(&request.device);
        if request.worker.is_some_and(|mine| mine != worker) {
            state.used.remove(&request.code);
            return error(409, "other_worker");
        }
        if known.is_some_and(|known| known.worker != worker) {
            state.used.remove(&request.code);
            return error(409, "device_known");
        }
        if used != request.device {
            return error(403, "wrong_code");
        }
        for (id, other) in &mut state.devices {
            if other.worker == worker && *id != request.device {
                other.standing = Standing::SendOnly;
            }
        }
        let device = Device {
            worker,
            token: request.token.clone(),
            send_token: request.send_token.clone(),
            standing: Standing::Active,
        };
        state.devices.insert(request.device, device);
        json(&EnrolResponse {
            tenant: self.tenant,
            worker: self.named(worker),
        })
    }

    fn named(&self, worker: WorkerId) -> WorkerRef {
        match worker == self.worker.id {
            true => self.worker.clone(),
            false => WorkerRef {
                id: worker,
                name: format!("{} 号网格员", worker.as_bytes()[0]),
            },
        }
    }
}

impl State {
    fn asking(&self, request: &Request) -> Option<Asking> {
        let token = request.header("authorization")?.strip_prefix("Bearer ")?;
        self.devices.iter().find_map(|(device, known)| {
            let standing = match token {
                _ if token == known.token => known.standing,
                _ if token == known.send_token && known.standing == Standing::Wipe => {
                    Standing::Wipe
                }
                _ if token == known.send_token => Standing::SendOnly,
                _ => return None,
            };
            Some(Asking {
                device: *device,
                worker: known.worker,
                standing,
            })
        })
    }

    pub(crate) fn epoch(&self) -> Epoch {
        Epoch::from_bytes([self.world.epoch; 16])
    }

    fn new_epoch(&mut self) {
        self.epochs += 1;
        self.world.epoch = self.epochs;
    }

    /// Whether what the phone has seen was given in this time line; mints a new
    /// one where the server finds out that it went back.
    fn same_time_line(&mut self, device: DeviceId, seen: Option<&str>) -> bool {
        let Some(seen) = seen else { return true };
        let seen: Cursor = seen.parse().expect("a cursor");
        if seen.epoch != self.epoch() {
            return false;
        }
        let given = self.tag(StreamKey::Receipts(device), seen.seq) == Some(seen.tag);
        if !given && !self.minted {
            self.new_epoch();
        }
        given
    }

    fn tag(&self, stream: StreamKey, seq: u64) -> Option<u64> {
        let at = usize::try_from(seq.checked_sub(1)?).ok()?;
        self.tags.get(&stream)?.get(at).copied()
    }

    /// The next number of a stream.
    fn number(&mut self, stream: StreamKey) -> u64 {
        self.draws += 1;
        let tag = self.draws.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 1;
        let tags = self.tags.entry(stream).or_default();
        tags.push(tag);
        tags.len() as u64
    }

    /// Where a stream ends.
    fn end(&self, stream: StreamKey) -> Option<Cursor> {
        let seq = self.tags.get(&stream)?.len() as u64;
        self.cursor(stream, seq)
    }

    fn cursor(&self, stream: StreamKey, seq: u64) -> Option<Cursor> {
        Some(Cursor {
            epoch: self.epoch(),
            seq,
            tag: self.tag(stream, seq)?,
        })
    }

    /// No phone's cursor is of any use any more.
    pub(crate) fn forget_tags(&mut self) {
        for tags in self.world.tags.values_mut() {
            tags.iter_mut().for_each(|tag| *tag ^= 1);
        }
    }

    fn receipt(&mut self, device: DeviceId, of: ReceiptOf) {
        self.number(StreamKey::Receipts(device));
        self.receipts.entry(device).or_default().push(of);
    }

    /// An entity changed.
    fn list(&mut self, home: StreamKey, id: EntityId, state: Option<Entity>) -> u64 {
        let seq = self.number(home);
        let rev = self.entities.get(&id).map_or(0, |listed| listed.rev) + 1;
        self.entities.insert(
            id,
            Listed {
                home,
                seq,
                rev,
                state,
            },
        );
        seq
    }

    pub(crate) fn state(&self, id: EntityId) -> Option<&Entity> {
        self.entities.get(&id)?.state.as_ref()
    }

    pub(crate) fn states(&self) -> impl Iterator<Item = &Entity> {
        self.entities
            .values()
            .filter_map(|listed| listed.state.as_ref())
    }

    /// The purge of an entity, by order.
    pub(crate) fn purge(&mut self, id: EntityId) {
        self.purged_entities.insert(id);
        if let Some(home) = self.entities.get(&id).map(|listed| listed.home) {
            self.list(home, id, None);
        }
        self.world.chunks.retain(|name, _| name.patrol != id);
    }

    /// The purge of an attachment by itself, its thumbnails with it.
    pub(crate) fn purge_blob(&mut self, sha256: Sha256) {
        let thumbs: BTreeSet<Sha256> = self
            .states()
            .flat_map(|state| state.thumbs_of(sha256))
            .collect();
        for thumb in thumbs {
            self.purge_blob(thumb);
        }
        self.blobs.remove(&sha256);
        self.purged.insert(sha256);
        let struck: Vec<Entity> = self
            .states()
            .cloned()
            .filter_map(|mut state| state.strike_blob(sha256).then_some(state))
            .collect();
        for state in struck {
            self.list(state.home, state.id, Some(state));
        }
        let mut told = Vec::new();
        for (device, receipts) in &self.world.receipts {
            let sent =
                |of: &&ReceiptOf| matches!(of, ReceiptOf::Blob { sha256: of, .. } if *of == sha256);
            told.extend(receipts.iter().find(sent).map(|_| *device));
        }
        for device in told {
            let purged = true;
            self.receipt(device, ReceiptOf::Blob { sha256, purged });
        }
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
            Some((_, Fault::Also(name, value))) => {
                let mut response = self.route(&mut state, request);
                response.headers.push((name, value));
                Ok(response)
            }
            None => Ok(self.route(&mut state, request)),
        }
    }
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
