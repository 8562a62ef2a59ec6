//! What is stored, row by row. A row carries no tenant where the call that
//! stores or reads it names one.

use gridwalk_domain::wire::{ChunkName, Outcome, ReceiptOf, TrackOutcome, Unsent};
use gridwalk_domain::{
    BootId, DepartmentId, DeviceId, EntityId, GridCode, GridId, GridLevel, OpId, Position, RunId,
    Sha256, StreamDigest, StreamKey, TeamId, TenantId, Text, UserId, WorkerId,
};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::str::FromStr;

/// A district, and what is set for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TenantRow {
    /// Its identity.
    pub id: TenantId,
    /// Minutes that its clocks are ahead of UTC.
    pub utc_offset_min: i32,
    /// What the page shows to everybody (that data is synthetic, say).
    pub notice: Option<Text>,
    /// Drawn anew whenever a grid of it changes, so that caches know: one that
    /// was kept of a transaction which failed fits no later one.
    pub grids_version: u64,
    /// The same for its catalogues and calendars.
    pub law_version: u64,
}

/// What a district has imported of its law.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LawSort {
    /// What can be reported, and how.
    Catalogue,
    /// Working time.
    Calendar,
}

/// A version of a catalogue or calendar that was imported. Never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LawRow {
    /// Which of both.
    pub sort: LawSort,
    /// Its version.
    pub version: u32,
    /// When it was imported.
    pub at_ms: i64,
    /// It: JSON.
    pub text: String,
}

/// A grid without its boundary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GridRow {
    /// Its identity.
    pub id: GridId,
    /// Its code today; no two open grids of a tenant bear the same.
    pub code: GridCode,
    /// The grid it stands under.
    pub parent: Option<GridId>,
    /// How high it stands.
    pub level: GridLevel,
    /// Its name today.
    pub name: String,
    /// Whether its boundary was made up.
    pub synthetic: bool,
    /// When it was split or merged; nothing begins in it since.
    pub closed_ms: Option<i64>,
}

/// What a grid was called and where it stood from a time on: never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GridChangeRow {
    /// Which grid.
    pub grid: GridId,
    /// From when on.
    pub at_ms: i64,
    /// Its code.
    pub code: GridCode,
    /// The grid it stood under.
    pub parent: Option<GridId>,
    /// Its name.
    pub name: String,
    /// Whether it was closed by then.
    pub closed: bool,
}

/// That a grid was split or merged, and what took its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SuccessionRow {
    /// The grid that was closed.
    pub grid: GridId,
    /// One of those that took its place.
    pub successor: GridId,
    /// When.
    pub at_ms: i64,
}

/// A gridworker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WorkerRow {
    /// Who.
    pub id: WorkerId,
    /// Their name.
    pub name: String,
}

/// A worker's grid, for a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct AssignmentRow {
    /// Whose.
    pub worker: WorkerId,
    /// Which grid.
    pub grid: GridId,
    /// From when on.
    pub from_ms: i64,
    /// Until when; none while it lasts.
    pub until_ms: Option<i64>,
}

impl AssignmentRow {
    /// Whether it holds at `at_ms`.
    #[must_use]
    pub fn holds_at(&self, at_ms: i64) -> bool {
        self.from_ms <= at_ms && self.until_ms.is_none_or(|until| at_ms < until)
    }
}

/// What a user may do on their grid and all below it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// 社区
    Community,
    /// 镇街
    Town,
    /// 区
    District,
    /// 部门
    Department(DepartmentId),
    /// 队伍
    Team(TeamId),
    /// 外部系统
    System,
    /// 管理员
    Administrator,
}

impl Role {
    /// The word alone, as the page shows it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Community => "community",
            Self::Town => "town",
            Self::District => "district",
            Self::Department(_) => "department",
            Self::Team(_) => "team",
            Self::System => "system",
            Self::Administrator => "administrator",
        }
    }

    /// The level of grid that the role is given on; none where it is given on any.
    #[must_use]
    pub const fn level(self) -> Option<GridLevel> {
        match self {
            Self::Community => Some(GridLevel::Community),
            Self::Town => Some(GridLevel::Town),
            Self::District | Self::Administrator => Some(GridLevel::District),
            Self::Department(_) | Self::Team(_) | Self::System => None,
        }
    }
}

/// A text that names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "not a role: expected community, town, district, department/ID, team/ID, system or administrator"
)]
pub struct BadRole;

impl FromStr for Role {
    type Err = BadRole;

    fn from_str(text: &str) -> Result<Self, BadRole> {
        let bad = |_| BadRole;
        match text.split_once('/') {
            Some(("department", id)) => Ok(Self::Department(id.parse().map_err(bad)?)),
            Some(("team", id)) => Ok(Self::Team(id.parse().map_err(bad)?)),
            Some(_) => Err(BadRole),
            None => [
                Self::Community,
                Self::Town,
                Self::District,
                Self::System,
                Self::Administrator,
            ]
            .into_iter()
            .find(|role| role.word() == text)
            .ok_or(BadRole),
        }
    }
}

/// As it is stored and given on the command line: a department or team with its
/// id, `department/<id>`.
impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        match self {
            Self::Department(id) => write!(f, "/{id}"),
            Self::Team(id) => write!(f, "/{id}"),
            _ => Ok(()),
        }
    }
}

/// Somebody who logs in to the page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserRow {
    /// Who.
    pub id: UserId,
    /// The district.
    pub tenant: TenantId,
    /// The name they log in with; no two users bear the same.
    pub name: String,
    /// Argon2id, as a PHC string.
    pub password: String,
    /// What they may do …
    pub role: Role,
    /// … on which grid.
    pub grid: GridId,
}

/// A user who is logged in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionRow {
    /// The hash of the token in the cookie.
    pub token: Sha256,
    /// Whose.
    pub user: UserId,
    /// The district.
    pub tenant: TenantId,
    /// When it was last used.
    pub used_ms: i64,
}

/// What a phone may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DeviceStanding {
    /// All that its worker may.
    #[default]
    Active,
    /// Send what it holds.
    SendOnly,
    /// It was stolen: what it sends goes into quarantine.
    Stolen,
}

/// A phone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceRow {
    /// Its identity.
    pub id: DeviceId,
    /// The district.
    pub tenant: TenantId,
    /// Whose it is.
    pub worker: WorkerId,
    /// The hash of its token.
    pub token: Sha256,
    /// The hash of the token that can only send.
    pub send_token: Sha256,
    /// What it may do.
    pub standing: DeviceStanding,
    /// The highest of its receipts that every backup which can be restored has.
    pub watermark: u64,
    /// What it is: `android`, `ios`, `terminal` …
    pub platform: String,
    /// When it was enrolled.
    pub enrolled_ms: i64,
}

/// When a phone was last heard from and what it said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContactRow {
    /// Which.
    pub device: DeviceId,
    /// Whose.
    pub worker: WorkerId,
    /// When it was last heard from.
    pub last_ms: i64,
    /// What it then had to send.
    pub unsent: Option<Unsent>,
    /// When it said so.
    pub reported_ms: Option<i64>,
    /// The app's version.
    pub app: Option<String>,
    /// How often it had to read a stream again because count or hash differed.
    pub rereads: u64,
}

/// One start of a phone's system, on the server's time line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootRow {
    /// Which.
    pub boot: BootId,
    /// When its monotonic clock was 0: milliseconds since 1970 (UTC).
    pub start_ms: i64,
}

/// A one-time code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CodeRow {
    /// Its hash.
    pub code: Sha256,
    /// The district.
    pub tenant: TenantId,
    /// For whom.
    pub worker: WorkerId,
    /// Until when it can be used.
    pub expires_ms: i64,
    /// The phone that used it.
    pub used_by: Option<DeviceId>,
}

/// What something in quarantine waits for, to be judged again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Wait {
    /// Another op.
    Op(OpId),
    /// A record.
    Entity(EntityId),
    /// An assignment of this worker.
    Assignment(WorkerId),
    /// A newer version of this phone's app.
    App(DeviceId),
    /// That the server knows more: a newer version of it, another catalogue.
    Upgrade,
}

/// What is known of a stored op, short of its body.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpSummary {
    /// Which.
    pub id: OpId,
    /// The hash of its body.
    pub sha256: Sha256,
    /// The entity it is about.
    pub entity: EntityId,
    /// Whether it makes the entity.
    pub creates: bool,
    /// What became of it.
    pub outcome: Outcome,
    /// What it waits for, where it is in quarantine and not for a person.
    pub wait: Option<Wait>,
    /// The op that says the same in its place, where a person let it in beside
    /// another one of its id.
    pub reissued: Option<OpId>,
}

impl OpSummary {
    /// Whether it was not taken as it came: it was refused, is in quarantine, or
    /// stands under another id.
    #[must_use]
    pub const fn is_held(&self) -> bool {
        self.reissued.is_some()
            || matches!(
                self.outcome,
                Outcome::Rejected { .. } | Outcome::Quarantined { .. }
            )
    }
}

/// An op, kept for ever. Named by id and hash: a second body under the id of
/// another is kept beside the first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpRow {
    /// All but its body.
    pub summary: OpSummary,
    /// The phone that sent it; none where the page made it.
    pub device: Option<DeviceId>,
    /// When the server took it.
    pub received_ms: i64,
    /// The body, byte for byte; empty where it was purged.
    pub body: String,
}

/// A stream that lists an entity, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Listing {
    /// The stream.
    pub stream: StreamKey,
    /// The number of the entity's last change there.
    pub seq: u64,
}

/// An entity, with what lists and rights ask for in columns of their own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EntityRow {
    /// Which.
    pub id: EntityId,
    /// What it is.
    pub kind: String,
    /// The stream it belongs to.
    pub home: StreamKey,
    /// How often it was changed, from 1.
    pub rev: u64,
    /// The grid it belongs to; none where it names none.
    pub grid: Option<GridId>,
    /// The worker it belongs to.
    pub worker: Option<WorkerId>,
    /// The record it belongs to (an incident's patrol).
    pub parent: Option<EntityId>,
    /// When it happened.
    pub at_ms: i64,
    /// The same as a day of the district, counted from 1970-01-01.
    pub day: i32,
    /// Its status.
    pub status: Option<String>,
    /// Whether it is deleted.
    pub deleted: bool,
    /// From when on the server's clock is to look at it; none where it has nothing
    /// to do with it.
    pub due_ms: Option<i64>,
    /// The streams that list it, its home first.
    pub listed: Vec<Listing>,
    /// The attachments it refers to, in their order.
    pub blobs: Vec<Sha256>,
    /// Its state: JSON; none where it was purged.
    pub state: Option<String>,
}

/// Which entities. What is none asks for nothing.
#[derive(Clone, Debug, Default)]
pub struct EntityFilter<'a> {
    /// Of this kind.
    pub kind: Option<&'a str>,
    /// Of one of these grids.
    pub grids: Option<&'a [GridId]>,
    /// Of this day.
    pub day: Option<i32>,
    /// With this status.
    pub status: Option<&'a str>,
    /// Belonging to this record.
    pub parent: Option<EntityId>,
}

/// A record that refers to an attachment.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HolderRow {
    /// Which.
    pub entity: EntityId,
    /// Its kind.
    pub kind: String,
    /// Its grid.
    pub grid: Option<GridId>,
    /// Whether it is deleted.
    pub deleted: bool,
}

/// Where a stream stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StreamHead {
    /// The number of its last change; 0 before the first.
    pub seq: u64,
    /// How many entities it lists.
    pub count: u64,
    /// Their digest.
    pub digest: StreamDigest,
    /// The tag of its last number.
    pub tag: u64,
}

/// An entity's place in a stream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EntryRow {
    /// The stream.
    pub stream: StreamKey,
    /// The entity.
    pub entity: EntityId,
    /// The number of its last change there.
    pub seq: u64,
    /// The number that it leaves; none where the stream did not list it.
    pub before: Option<u64>,
}

/// The tag of a run of numbers that were given at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TagRow {
    /// The stream.
    pub stream: StreamKey,
    /// The first of them; they end where the next tag begins.
    pub first: u64,
    /// Random.
    pub tag: u64,
    /// When it was drawn.
    pub at_ms: i64,
}

/// How a number's tag is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tag {
    /// The tag that was drawn for it.
    Own(u64),
    /// Its own is forgotten; this one stands for all numbers of which that is so.
    Common(u64),
}

impl Tag {
    /// What a cursor at the number bears.
    #[must_use]
    pub const fn value(self) -> u64 {
        match self {
            Self::Own(tag) | Self::Common(tag) => tag,
        }
    }
}

/// A changed entity of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PageRow {
    /// The number of its last change in this stream.
    pub seq: u64,
    /// Which.
    pub entity: EntityId,
    /// How often it was changed.
    pub rev: u64,
    /// Its state: JSON; none where it was purged.
    pub state: Option<String>,
}

/// A receipt.
#[derive(Clone, Debug, PartialEq)]
pub struct ReceiptRow {
    /// The phone's next number.
    pub n: u64,
    /// Random, like a stream's.
    pub tag: u64,
    /// What it is for.
    pub of: ReceiptOf,
}

/// A run of a patrol's recorder.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChunkKey {
    /// The patrol.
    pub patrol: EntityId,
    /// The run.
    pub run: RunId,
}

/// Which fixes of which run: `first` to `first + count - 1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChunkSpan {
    /// The run.
    pub key: ChunkKey,
    /// The ordinal of the first.
    pub first: u32,
    /// How many.
    pub count: u32,
}

impl ChunkSpan {
    /// The ordinal after the last.
    #[must_use]
    pub fn end(&self) -> u64 {
        u64::from(self.first) + u64::from(self.count)
    }
}

impl From<ChunkName> for ChunkSpan {
    fn from(name: ChunkName) -> Self {
        let key = ChunkKey {
            patrol: name.patrol,
            run: name.run,
        };
        Self {
            key,
            first: name.first,
            count: name.count,
        }
    }
}

/// A stored chunk. The spans of a run never overlap.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChunkRow {
    /// Which fixes.
    pub span: ChunkSpan,
    /// When the server took it.
    pub received_ms: i64,
    /// The sealed chunk.
    pub body: Vec<u8>,
}

/// A chunk that is kept aside.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeldChunkRow {
    /// Which fixes it says it holds.
    pub span: ChunkSpan,
    /// The hash of its body: several can say that they hold the same fixes.
    pub sha256: Sha256,
    /// The phone that sent it.
    pub device: DeviceId,
    /// When.
    pub received_ms: i64,
    /// Why it is aside: `quarantined`, or `rejected` by a person.
    pub outcome: TrackOutcome,
    /// What it waits for, where not for a person.
    pub wait: Option<Wait>,
    /// The sealed chunk.
    pub body: Vec<u8>,
}

/// How much is stored of a patrol; differs whenever its fixes do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct TrackVersion {
    /// Stored chunks.
    pub chunks: u64,
    /// Their fixes.
    pub fixes: u64,
}

/// Where a worker was last.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PositionRow {
    /// Who.
    pub worker: WorkerId,
    /// On which patrol.
    pub patrol: EntityId,
    /// When.
    pub at_ms: i64,
    /// Where.
    pub at: Position,
}

/// An attachment that is whole on the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BlobRow {
    /// Its content.
    pub sha256: Sha256,
    /// Its size.
    pub bytes: u64,
    /// Its type, as its first bytes tell.
    pub mime: String,
    /// When it was whole.
    pub received_ms: i64,
}

/// An attachment on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UploadRow {
    /// 32 random hex digits.
    pub id: String,
    /// The district.
    pub tenant: TenantId,
    /// The phone that sends it.
    pub device: DeviceId,
    /// The content it is to have.
    pub sha256: Sha256,
    /// The size it is to have.
    pub length: u64,
    /// How many bytes are on disk.
    pub offset: u64,
    /// When bytes last came.
    pub at_ms: i64,
}

/// What was purged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Purged {
    /// A record.
    Entity(EntityId),
    /// An attachment, by an order of its own: it is not taken again.
    Blob(Sha256),
    /// An attachment that went with the last record that showed it: it is taken
    /// again for another one.
    Unshown(Sha256),
}

/// That somebody was shown a record of narrow readers. Never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadingRow {
    /// Which record.
    pub entity: EntityId,
    /// When.
    pub at_ms: i64,
    /// Who: `user/<id>`, `worker/<id>`.
    pub who: String,
}

/// Who did what, and when. Never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditRow {
    /// When.
    pub at_ms: i64,
    /// Who: `user/<id>`, `device/<id>`, `operator`.
    pub who: String,
    /// What: a stable word.
    pub what: String,
    /// On what: an id, a code.
    pub on: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_role_reads_as_it_is_written() {
        let (department, team) = (
            DepartmentId::from_bytes([1; 16]),
            TeamId::from_bytes([2; 16]),
        );
        for role in [
            Role::Community,
            Role::Town,
            Role::District,
            Role::Department(department),
            Role::Team(team),
            Role::System,
            Role::Administrator,
        ] {
            assert_eq!(role.to_string().parse(), Ok(role));
        }
        for bad in ["", "department", "department/", "team/x", "town/1", "king"] {
            assert_eq!(bad.parse::<Role>(), Err(BadRole), "{bad}");
        }
    }
}
