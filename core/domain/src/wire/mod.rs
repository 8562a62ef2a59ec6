//! The messages between phone and server (docs/protocol.md).
//!
//! JSON, zstd-compressed where the client can; chunks of tracks travel as the
//! binary block of [`tracks`]. Fields that a side does not know are ignored
//! here: what must round-trip (ops, entities) keeps its own bytes or its own
//! `unknown` map.

pub mod tracks;

use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use crate::{
    BootId, Calendar, Catalogue, DeviceId, Entity, EntityId, Epoch, Grid, Moment, OpId, RunId,
    SealedOp, Sha256, Sort, StreamDigest, StreamKey, TenantId, WorkerId,
};

/// The version of the protocol.
pub const PROTOCOL_VERSION: u32 = 1;
/// The most ops of one push.
pub const MAX_PUSH_OPS: usize = 200;
/// The most bytes of one push, uncompressed.
pub const MAX_PUSH_BYTES: usize = 256 * 1024;
/// The most bytes of one `tracks` request.
pub const MAX_TRACKS_BYTES: usize = 1024 * 1024;
/// The most bytes of one attachment.
pub const MAX_BLOB_BYTES: u64 = Sort::MOST_BYTES;
/// The most ops, chunks and attachments together of one `have`.
pub const MAX_HAVE: usize = 500;
/// The most boots of one `hello`.
pub const MAX_BOOTS: usize = 200;
/// The header with which every request names the highest receipt that the phone
/// has seen, as [`Cursor`] writes itself.
pub const RECEIPT_HEADER: &str = "gridwalk-receipt";

/// What a phone still has to send.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unsent {
    /// Ops without an outcome.
    pub ops: u64,
    /// Sealed chunks without an outcome.
    pub chunks: u64,
    /// Attachments that the server does not have whole.
    pub blobs: u64,
    /// When the oldest of them was saved, by the phone's wall clock.
    #[serde(default)]
    pub oldest_ms: Option<i64>,
}

/// A place in a stream. `tag` is random, one for each number, so that a server
/// that went back in time and gave the number again is found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The server's time line.
    pub epoch: Epoch,
    /// The number of the last change that was read.
    pub seq: u64,
    /// That number's tag.
    pub tag: u64,
}

/// A text that should have been a cursor and is not.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a cursor: expected <epoch>/<number>/<tag>")]
pub struct BadCursor;

impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.epoch, self.seq, self.tag)
    }
}

impl FromStr for Cursor {
    type Err = BadCursor;

    fn from_str(text: &str) -> Result<Self, BadCursor> {
        let mut parts = text.split('/');
        let (Some(epoch), Some(seq), Some(tag), None) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(BadCursor);
        };
        Ok(Self {
            epoch: epoch.parse().map_err(|_| BadCursor)?,
            seq: seq.parse().map_err(|_| BadCursor)?,
            tag: tag.parse().map_err(|_| BadCursor)?,
        })
    }
}

/// What a phone's place in its receipts and streams comes to, in one hash:
/// where server and phone agree on it there is nothing to pull. Over each
/// stream's name, a space, its cursor and a line feed, in the order of names; a
/// stream without a change is left out.
#[must_use]
pub fn place_of(cursors: &BTreeMap<StreamKey, Cursor>) -> Sha256 {
    let mut lines: Vec<String> = cursors
        .iter()
        .map(|(stream, cursor)| format!("{stream} {cursor}\n"))
        .collect();
    lines.sort_unstable();
    Sha256::of(lines.concat().as_bytes())
}

/// `POST /v1/enrol`: makes the phone known. The phone draws its identity and
/// its token, so that a repeated request is the same request.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnrolRequest {
    /// [`PROTOCOL_VERSION`].
    pub v: u32,
    /// The one-time code.
    pub code: String,
    /// The phone's identity.
    pub device: DeviceId,
    /// 64 hex digits, drawn by the phone; the server keeps its hash alone.
    pub token: String,
    /// Another one, which can send and nothing else: what is left on the phone
    /// of somebody who logged out still goes with it.
    pub send_token: String,
    /// What it is: `android`, `ios`, `terminal` …
    pub platform: String,
    /// Whose phone it is, where it was enrolled before and goes on with what it
    /// holds; a code for anybody else is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<WorkerId>,
}

/// The answer to [`EnrolRequest`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct EnrolResponse {
    /// The district.
    pub tenant: TenantId,
    /// Whose phone it is.
    pub worker: WorkerRef,
}

/// A worker and their name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WorkerRef {
    /// Who.
    pub id: WorkerId,
    /// Their name.
    pub name: String,
}

/// `POST /v1/hello`: the first request of a sync.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HelloRequest {
    /// [`PROTOCOL_VERSION`].
    pub v: u32,
    /// The app's version.
    pub app: String,
    /// The phone's clocks.
    pub at: Moment,
    /// What it has to send.
    pub unsent: Unsent,
    /// The `scope_tag` that it has; the scope is sent again only where it
    /// differs.
    #[serde(default)]
    pub scope_tag: Option<Sha256>,
    /// [`place_of`] its cursors; none before its first pull.
    #[serde(default)]
    pub place: Option<Sha256>,
    /// Starts of its system that it has not told this time line of, in their
    /// order, the running one last: at most [`MAX_BOOTS`].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub boots: Vec<BootSpan>,
    /// How often since the last hello a stream had to be read again because
    /// count or hash differed.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub rereads: u64,
}

fn is_zero(n: &u64) -> bool {
    *n == 0
}

/// One start of a phone's system, as far as the app saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BootSpan {
    /// Which.
    pub boot: BootId,
    /// The clocks when the app first ran in it.
    pub first: Reading,
    /// The clocks when the app last saved something in it.
    pub last: Reading,
}

/// Both clocks of a phone, read at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The wall clock: milliseconds since 1970 (UTC).
    pub wall_ms: i64,
    /// The monotonic clock, counting sleep: milliseconds since the start.
    pub mono_ms: i64,
}

/// What a phone may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    /// Send what it holds, and nothing else: its worker logged out, left or has
    /// another phone.
    SendOnly,
    /// It was stolen: it sends what this contact allows, then destroys its key.
    Wipe,
    /// All that its worker may; so too for a word that this version does not
    /// know, since the server holds every phone to what it may.
    #[default]
    #[serde(other)]
    Active,
}

/// The answer to [`HelloRequest`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HelloResponse {
    /// The oldest version of the protocol that is taken.
    pub min_v: u32,
    /// The newest one.
    pub max_v: u32,
    /// The server's time: milliseconds since 1970 (UTC).
    pub server_ms: i64,
    /// The server's time line.
    pub epoch: Epoch,
    /// The server's version.
    pub server: String,
    /// What the phone may do.
    #[serde(default)]
    pub standing: Standing,
    /// The highest receipt that every backup which can be restored covers: what
    /// it is for may go from the phone.
    #[serde(default)]
    pub watermark: u64,
    /// Whether there is something to pull; false where the phone's `place` is
    /// the server's.
    pub news: bool,
    /// Names the scope below.
    pub scope_tag: Sha256,
    /// What the worker may see and write; absent where the phone has it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
    /// What one request may hold.
    pub limits: Limits,
}

/// What one request may hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// Ops of one push.
    pub push_ops: usize,
    /// Bytes of one push, uncompressed.
    pub push_bytes: usize,
    /// Bytes of one `tracks` request.
    pub tracks_bytes: usize,
    /// Bytes of one attachment.
    pub blob_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            push_ops: MAX_PUSH_OPS,
            push_bytes: MAX_PUSH_BYTES,
            tracks_bytes: MAX_TRACKS_BYTES,
            blob_bytes: MAX_BLOB_BYTES,
        }
    }
}

/// What a worker may see and write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Scope {
    /// Whose phone it is.
    pub worker: WorkerRef,
    /// The grids, with their boundaries.
    pub grids: Vec<Grid>,
    /// The streams to pull.
    pub streams: Vec<StreamKey>,
    /// The catalogue in force.
    pub catalogue: Catalogue,
    /// The catalogues that were in force before: a report keeps the meaning of
    /// the one that it names.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub older_catalogues: Vec<Catalogue>,
    /// The district's working time; none from a server that tells none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub calendar: Option<Calendar>,
    /// Minutes that the district's clocks are ahead of UTC.
    pub utc_offset_min: i32,
}

/// `POST /v1/push`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushRequest {
    /// [`PROTOCOL_VERSION`].
    pub v: u32,
    /// The ops, in the order in which they were saved.
    pub ops: Vec<SealedOp>,
}

/// The answer to [`PushRequest`], given after the commit is durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PushResponse {
    /// One for each op, in the order of the request.
    pub outcomes: Vec<OpOutcome>,
    /// The phone's highest receipt now.
    #[serde(default)]
    pub receipt: Option<Cursor>,
}

/// What became of an op.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpOutcome {
    /// The op; none where not even its head could be read.
    pub op: Option<OpId>,
    /// The hash that was sent.
    pub sha256: Sha256,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: Outcome,
}

/// What became of an op.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// All of it stands.
    Applied {
        /// The entity's home stream.
        stream: StreamKey,
        /// The number of the change there.
        seq: u64,
    },
    /// It stands, some of it beside what others wrote.
    ConflictKept {
        /// The entity's home stream.
        stream: StreamKey,
        /// The number of the change there.
        seq: u64,
    },
    /// It had been stored before; the first outcome again.
    Duplicate {
        /// The first outcome.
        first: Box<Outcome>,
    },
    /// It breaks a rule and never will be taken.
    Rejected {
        /// Why.
        reason: Reason,
    },
    /// Not stored: something that must come before it is missing. Send it
    /// again after that.
    Deferred {
        /// The ops that are missing.
        missing: Vec<OpId>,
    },
    /// Stored, to be judged again or by a person.
    Quarantined {
        /// Why.
        reason: Reason,
    },
    /// Stored nowhere: what it is about was purged. The phone erases it too.
    Purged,
    /// A word that this version does not know: the op stays as it was.
    #[serde(other)]
    Unknown,
}

/// Why something was not taken: a word for programs, a sentence for people.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// A stable word.
    pub code: String,
    /// A sentence without personal data.
    pub text: String,
}

/// The name of a chunk: fixes `first` to `first + count - 1` of a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ChunkName {
    /// The patrol.
    pub patrol: EntityId,
    /// The recorder's run.
    pub run: RunId,
    /// The ordinal of its first fix in the run, from 0.
    pub first: u32,
    /// How many fixes it holds.
    pub count: u32,
}

/// The answer to `POST /v1/tracks`, given after the commit is durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TracksResponse {
    /// One for each chunk, in the order of the request.
    pub outcomes: Vec<ChunkOutcome>,
    /// The phone's highest receipt now.
    #[serde(default)]
    pub receipt: Option<Cursor>,
}

/// What became of a chunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChunkOutcome {
    /// Which.
    #[serde(flatten)]
    pub chunk: ChunkName,
    /// What became of it.
    #[serde(flatten)]
    pub outcome: TrackOutcome,
}

/// What became of a chunk.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum TrackOutcome {
    /// Its fixes are stored.
    Stored,
    /// All its fixes had been stored before, with the same content.
    Duplicate,
    /// Not stored: the patrol is not known yet.
    Deferred,
    /// Stored aside: a fix of that name with another content is here already,
    /// or the chunk cannot be read by this version.
    Quarantined {
        /// Why.
        reason: Reason,
    },
    /// It breaks a rule and never will be taken.
    Rejected {
        /// Why.
        reason: Reason,
    },
    /// Stored nowhere: its patrol was purged. The phone erases it too.
    Purged,
    /// A word that this version does not know: the chunk stays as it was.
    #[serde(other)]
    Unknown,
}

/// `POST /v1/have`: which of these does the server hold? Asked after a new time
/// line began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HaveRequest {
    /// [`PROTOCOL_VERSION`].
    pub v: u32,
    /// Ops.
    #[serde(default)]
    pub ops: Vec<OpRef>,
    /// Chunks.
    #[serde(default)]
    pub chunks: Vec<ChunkName>,
    /// Attachments.
    #[serde(default)]
    pub blobs: Vec<Sha256>,
}

/// An op by its name and content.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpRef {
    /// Which.
    pub id: OpId,
    /// The hash of its body.
    pub sha256: Sha256,
}

/// The answer to [`HaveRequest`]: each list in the order asked, `null` for what
/// the server does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HaveResponse {
    /// What became of each op.
    pub ops: Vec<Option<Outcome>>,
    /// What became of each chunk; `stored` where all its fixes are here.
    pub chunks: Vec<Option<TrackOutcome>>,
    /// How it is with each attachment.
    pub blobs: Vec<Option<BlobState>>,
}

/// How it is with an attachment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlobState {
    /// The server has it.
    Whole,
    /// It was purged. The phone erases it too.
    Purged,
}

/// `POST /v1/pull`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PullRequest {
    /// [`PROTOCOL_VERSION`].
    pub v: u32,
    /// Where the phone stands in its receipts.
    #[serde(default)]
    pub receipts: Option<Cursor>,
    /// Where the phone stands in each stream that it follows.
    pub streams: BTreeMap<StreamKey, Option<Cursor>>,
    /// What it still has to send.
    pub unsent: Unsent,
}

/// The answer to [`PullRequest`]. `S` is how a state is held: parsed, or as the
/// text that came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PullResponse<S = Entity> {
    /// What became of what the phone sent.
    pub receipts: ReceiptPage,
    /// A page of each stream.
    pub streams: BTreeMap<StreamKey, StreamPage<S>>,
}

/// A page of receipts.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct ReceiptPage {
    /// In the order of their numbers.
    pub items: Vec<Receipt>,
    /// Where the page ends; none where there never was a receipt.
    pub cursor: Option<Cursor>,
    /// Whether there are more.
    pub more: bool,
}

/// A receipt: what became of something that this device sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Receipt {
    /// Its number.
    pub n: u64,
    /// What it is for.
    #[serde(flatten)]
    pub of: ReceiptOf,
}

/// What a receipt is for.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "of", rename_all = "snake_case")]
pub enum ReceiptOf {
    /// An op.
    Op(OpOutcome),
    /// A chunk.
    Chunk(ChunkOutcome),
    /// An attachment that is whole on the server.
    Blob {
        /// Its content.
        sha256: Sha256,
        /// Whether it was purged since: the phone erases it too.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        purged: bool,
    },
    /// A word that this version does not know.
    #[serde(other)]
    Unknown,
}

/// A page of a stream.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct StreamPage<S = Entity> {
    /// The changed entities, each once, in the order of their last change.
    pub entities: Vec<Revised<S>>,
    /// Where the page ends; none where the stream is empty.
    pub cursor: Option<Cursor>,
    /// Whether there are more.
    pub more: bool,
    /// Whether the phone's cursor was of no use, so that this page begins the
    /// stream from its start: what does not come again is not there.
    #[serde(default)]
    pub reset: bool,
    /// On the last page: what the phone must now hold.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end: Option<StreamEnd>,
}

/// An entity at a revision.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Revised<S = Entity> {
    /// Which.
    pub id: EntityId,
    /// The number of its last change in this stream.
    pub seq: u64,
    /// How often the server changed it, from 1.
    pub rev: u64,
    /// Its state; none where it was purged: whoever reads this erases it.
    #[serde(default = "none", skip_serializing_if = "Option::is_none")]
    pub state: Option<S>,
}

/// Unlike `Default`, asks nothing of `S`.
fn none<S>() -> Option<S> {
    None
}

/// What a stream holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreamEnd {
    /// How many entities.
    pub count: u64,
    /// Their digest.
    pub hash: StreamDigest,
}

/// The body of every answer with a status of 400 or above.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorResponse {
    /// What is wrong.
    pub error: Reason,
}
