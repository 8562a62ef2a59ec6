//! The seam.

use gridwalk_domain::{
    BootId, DeviceId, EntityId, Epoch, GridCode, GridId, OpId, Sha256, StreamKey, TenantId, UserId,
    WorkerId,
};
use std::any::Any;
use std::path::Path;
use std::sync::Arc;

use crate::StoreError;
use crate::rows::{
    AssignmentRow, AuditRow, BlobRow, BootRow, ChunkRow, ChunkSpan, CodeRow, ContactRow, DeviceRow,
    EntityFilter, EntityRow, EntryRow, GridChangeRow, GridRow, HeldChunkRow, HolderRow, LawRow,
    LawSort, OpRow, OpSummary, PageRow, PositionRow, Purged, ReadingRow, ReceiptRow, SessionRow,
    StreamHead, SuccessionRow, Tag, TagRow, TenantRow, TrackVersion, UploadRow, UserRow, Wait,
    WorkerRow,
};

type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Where the server's data is.
///
/// **Atomic**: a transaction is stored whole or not at all. When `write` has
/// returned `Ok`, what it wrote survives a power cut.
///
/// **At once**: any number of `read`s and `write`s from any thread. A `read`
/// sees one committed state throughout, never a part of a transaction. A
/// `write` sees the last committed state and its own writes, and the result of
/// several is that of some order of them (serialisable): a store that runs them
/// at once answers [`StoreError::Conflict`] where they got in each other's way.
///
/// **Errors**: a `write` whose closure returns an error stores nothing. An error
/// of a single call for which [`StoreError::ends_transaction`] is false may leave
/// a part of that call written: roll back to a savepoint that was opened before
/// it, and the transaction can be used on. A savepoint costs a copy of every page
/// that changes under it, so calls open none of their own.
///
/// **Copies**: [`Store::copy`] and [`Store::replace`] are how backups are made
/// and restored; another process may replace the data while this one serves, so
/// nothing of it is to be believed beyond a transaction.
///
/// Numbers from 0 to 2⁶³−1 are kept; tags keep all 64 bits.
pub trait Store: Send + Sync {
    /// Runs `run` on one committed state.
    ///
    /// # Errors
    /// The closure's, or the store's own.
    fn read(&self, run: &mut dyn FnMut(&dyn Read) -> Result<()>) -> Result<()>;

    /// Runs `run` and commits what it wrote; durable on return.
    ///
    /// # Errors
    /// The closure's, or the store's own; nothing is stored then.
    fn write(&self, run: &mut dyn FnMut(&mut dyn Write) -> Result<()>) -> Result<()>;

    /// Copies one committed state while reads and writes go on. The copy is a
    /// store of its own, durable on return; its files, where it has any, are in
    /// `folder`, which is made where it is missing and must hold no store yet.
    ///
    /// # Errors
    /// The store's; what was begun in `folder` may be left there.
    fn copy(&self, folder: &Path) -> Result<Arc<dyn Store>>;

    /// Becomes what a copy of this sort of store holds, in one transaction:
    /// before it every read sees the old state, after it the new one. Durable on
    /// return.
    ///
    /// # Errors
    /// [`StoreError::Refused`] where `copy` is of another sort, or the store's;
    /// nothing is changed then.
    fn replace(&self, copy: &dyn Store) -> Result<()>;

    /// Whether what is stored can be read whole.
    ///
    /// # Errors
    /// [`StoreError::Damaged`] where it cannot.
    fn check(&self) -> Result<()>;

    /// Makes sure that nothing of what was deleted or overwritten is left in any
    /// file of the store. It may take long, and writes wait for it.
    ///
    /// # Errors
    /// The store's; it can be called again.
    fn scrub(&self) -> Result<()>;

    /// Itself, for [`Store::replace`].
    fn as_any(&self) -> &dyn Any;
}

/// Reads, giving the closure's value; any error that a store's error turns into.
///
/// # Errors
/// The closure's, or the store's own.
pub fn read<T, E: From<StoreError>>(
    store: &dyn Store,
    mut run: impl FnMut(&dyn Read) -> Result<T, E>,
) -> Result<T, E> {
    let mut out: Option<Result<T, E>> = None;
    store.read(&mut |tx| {
        out = Some(run(tx));
        Ok(())
    })?;
    out.unwrap_or_else(|| Err(StoreError::Failed("the transaction did not run".into()).into()))
}

/// Writes, giving the closure's value; runs again where others got in the way.
///
/// # Errors
/// The closure's (nothing is stored then), or the store's own.
pub fn write<T, E: From<StoreError>>(
    store: &dyn Store,
    mut run: impl FnMut(&mut dyn Write) -> Result<T, E>,
) -> Result<T, E> {
    loop {
        let mut out: Option<Result<T, E>> = None;
        let committed = store.write(&mut |tx| {
            let result = run(tx);
            let failed = result.is_err();
            out = Some(result);
            if failed {
                return Err(StoreError::Refused("the closure refused".into()));
            }
            Ok(())
        });
        match (committed, out) {
            (Err(StoreError::Conflict), _) => {}
            (_, Some(Err(error))) => return Err(error),
            (Err(error), _) => return Err(error.into()),
            (Ok(()), Some(out)) => return out,
            (Ok(()), None) => {
                return Err(StoreError::Failed("the transaction did not run".into()).into());
            }
        }
    }
}

/// Runs `run` in a savepoint: what it wrote is undone where it fails, and the
/// transaction goes on.
///
/// # Errors
/// The closure's, or the store's own.
pub fn nested<T, E: From<StoreError>>(
    tx: &mut dyn Write,
    run: impl FnOnce(&mut dyn Write) -> Result<T, E>,
) -> Result<T, E> {
    tx.savepoint()?;
    match run(tx) {
        Ok(value) => {
            tx.release()?;
            Ok(value)
        }
        Err(error) => {
            tx.rollback()?;
            Err(error)
        }
    }
}

/// What can be read. Lists come in a fixed order: where none is said, in that
/// of their ids. What is asked for by a list and is not there is left out.
///
/// # Errors
/// Every call: [`StoreError`], where the store fails or holds what it cannot
/// read.
#[expect(clippy::missing_errors_doc, reason = "said once, above")]
pub trait Read {
    /// The time line of the data; none in a new store.
    fn epoch(&self) -> Result<Option<Epoch>>;
    /// A short text that the server keeps under a name.
    fn note(&self, name: &str) -> Result<Option<String>>;

    /// All districts.
    fn tenants(&self) -> Result<Vec<TenantRow>>;
    /// One district.
    fn tenant(&self, tenant: TenantId) -> Result<Option<TenantRow>>;

    /// The catalogues or calendars that a district imported, by version.
    fn laws(&self, tenant: TenantId, sort: LawSort) -> Result<Vec<LawRow>>;

    /// A district's grids, in the order of level and code.
    fn grids(&self, tenant: TenantId) -> Result<Vec<GridRow>>;
    /// The open grids of this code, whatever their district.
    fn grids_by_code(&self, code: &GridCode) -> Result<Vec<(TenantId, GridRow)>>;
    /// The boundaries, as JSON, of these grids or of all.
    fn boundaries(
        &self,
        tenant: TenantId,
        grids: Option<&[GridId]>,
    ) -> Result<Vec<(GridId, String)>>;

    /// What took the place of which grid, in the order of grids and successors.
    fn successions(&self, tenant: TenantId) -> Result<Vec<SuccessionRow>>;
    /// A grid's names, codes and parents, oldest first.
    fn grid_changes(&self, tenant: TenantId, grid: GridId) -> Result<Vec<GridChangeRow>>;

    /// These workers, or all.
    fn workers(&self, tenant: TenantId, workers: Option<&[WorkerId]>) -> Result<Vec<WorkerRow>>;
    /// The assignments of a worker, or all.
    fn assignments(&self, tenant: TenantId, worker: Option<WorkerId>)
    -> Result<Vec<AssignmentRow>>;

    /// The user who logs in with this name.
    fn user_by_name(&self, name: &str) -> Result<Option<UserRow>>;
    /// The user with this id, whatever their district.
    fn user(&self, user: UserId) -> Result<Option<UserRow>>;
    /// These users.
    fn users(&self, tenant: TenantId, users: &[UserId]) -> Result<Vec<UserRow>>;
    /// The session of this token's hash.
    fn session(&self, token: Sha256) -> Result<Option<SessionRow>>;

    /// The phone with this id, whatever its district.
    fn device(&self, device: DeviceId) -> Result<Option<DeviceRow>>;
    /// The phone of this token's hash, be it the one for all or the one that can
    /// only send.
    fn device_by_token(&self, token: Sha256) -> Result<Option<DeviceRow>>;
    /// The phones of a worker, or all.
    fn devices(&self, tenant: TenantId, worker: Option<WorkerId>) -> Result<Vec<DeviceRow>>;
    /// When the district's phones were heard from; those never heard from are
    /// not in it.
    fn contacts(&self, tenant: TenantId) -> Result<Vec<ContactRow>>;
    /// When this phone was heard from.
    fn contact(&self, tenant: TenantId, device: DeviceId) -> Result<Option<ContactRow>>;
    /// These starts of a phone.
    fn boots(&self, tenant: TenantId, device: DeviceId, boots: &[BootId]) -> Result<Vec<BootRow>>;
    /// The one-time code of this hash.
    fn code(&self, code: Sha256) -> Result<Option<CodeRow>>;

    /// All bodies stored under these ids: for each id the first one first.
    fn ops(&self, tenant: TenantId, ops: &[OpId]) -> Result<Vec<OpSummary>>;
    /// All ids of stored ops.
    fn op_ids(&self, tenant: TenantId) -> Result<Vec<OpId>>;
    /// The ops of this id with their bodies, the first one first.
    fn op_rows(&self, tenant: TenantId, op: OpId) -> Result<Vec<OpRow>>;
    /// All ops on an entity, in the order in which they were stored. It may look
    /// at every op there is.
    fn ops_on(&self, tenant: TenantId, entity: EntityId) -> Result<Vec<OpRow>>;
    /// The held ops ([`OpSummary::is_held`]) on an entity, or all, in the order
    /// in which they were stored.
    fn held_ops(&self, tenant: TenantId, entity: Option<EntityId>) -> Result<Vec<OpRow>>;
    /// The ops that wait for one of these, in the order in which they were
    /// stored.
    fn waiting_ops(&self, tenant: TenantId, waits: &[Wait]) -> Result<Vec<OpRow>>;

    /// These entities, deleted and purged ones too.
    fn entities(&self, tenant: TenantId, entities: &[EntityId]) -> Result<Vec<EntityRow>>;
    /// The entities that fit and are not deleted, in the order of time and id.
    fn find(&self, tenant: TenantId, filter: &EntityFilter<'_>) -> Result<Vec<EntityRow>>;
    /// The entities that the server's clock is to look at by `at_ms`, the longest
    /// due first, at most `limit`; deleted ones are not in it.
    fn due(&self, tenant: TenantId, at_ms: i64, limit: usize) -> Result<Vec<EntityRow>>;
    /// The days that have entities of these kinds in these grids (or in any)
    /// that are not deleted: the newest `limit`, newest first.
    fn days(
        &self,
        tenant: TenantId,
        grids: Option<&[GridId]>,
        kinds: &[&str],
        limit: usize,
    ) -> Result<Vec<i32>>;
    /// Which entities refer to this attachment.
    fn holders(&self, tenant: TenantId, blob: Sha256) -> Result<Vec<HolderRow>>;
    /// Which of these were purged.
    fn purged(&self, tenant: TenantId, what: &[Purged]) -> Result<Vec<Purged>>;

    /// Where these streams stand, in the order asked; a stream that never had
    /// a change stands at 0.
    fn heads(&self, tenant: TenantId, streams: &[StreamKey]) -> Result<Vec<StreamHead>>;
    /// All streams that had a change, and where they stand.
    fn streams(&self, tenant: TenantId) -> Result<Vec<(StreamKey, StreamHead)>>;
    /// All entities that a stream lists, with their revisions, in the order of
    /// their last change.
    fn listed(&self, tenant: TenantId, stream: StreamKey) -> Result<Vec<(EntityId, u64)>>;
    /// The entities of a stream changed after `after`, in the order of their
    /// last change: at most `max_bytes` of states, each counted with 64 bytes
    /// besides, but always one.
    fn page(
        &self,
        tenant: TenantId,
        stream: StreamKey,
        after: u64,
        max_bytes: usize,
    ) -> Result<Vec<PageRow>>;
    /// The tag of a number that the stream gave; none where it gave none.
    fn tag(&self, tenant: TenantId, stream: StreamKey, seq: u64) -> Result<Option<Tag>>;
    /// A phone's receipts after `after`, at most `limit`.
    fn receipts(
        &self,
        tenant: TenantId,
        device: DeviceId,
        after: u64,
        limit: usize,
    ) -> Result<Vec<ReceiptRow>>;
    /// The tag of a phone's receipt, where it has that number.
    fn receipt_tag(&self, tenant: TenantId, device: DeviceId, n: u64) -> Result<Option<u64>>;
    /// A phone's highest receipt and its tag.
    fn last_receipt(&self, tenant: TenantId, device: DeviceId) -> Result<Option<(u64, u64)>>;

    /// The chunks of a run that overlap `span`, in the order of ordinals.
    fn chunks_over(&self, tenant: TenantId, span: ChunkSpan) -> Result<Vec<ChunkRow>>;
    /// Where the chunks of a run lie that overlap `span`, in the order of ordinals.
    fn spans_over(&self, tenant: TenantId, span: ChunkSpan) -> Result<Vec<ChunkSpan>>;
    /// The chunks of a patrol, in the order of runs and ordinals.
    fn chunks(&self, tenant: TenantId, patrol: EntityId) -> Result<Vec<ChunkRow>>;
    /// How much is stored of these patrols, in the order asked.
    fn track_versions(&self, tenant: TenantId, patrols: &[EntityId]) -> Result<Vec<TrackVersion>>;
    /// All spans that are stored, in the order of patrols, runs and ordinals.
    fn spans(&self, tenant: TenantId) -> Result<Vec<ChunkSpan>>;
    /// One chunk that is kept aside, by its span and hash.
    fn held_chunk(
        &self,
        tenant: TenantId,
        span: ChunkSpan,
        sha256: Sha256,
    ) -> Result<Option<HeldChunkRow>>;
    /// The chunks kept aside of one patrol, or all.
    fn held_chunks(&self, tenant: TenantId, patrol: Option<EntityId>) -> Result<Vec<HeldChunkRow>>;
    /// The chunks kept aside that wait for one of these.
    fn waiting_chunks(&self, tenant: TenantId, waits: &[Wait]) -> Result<Vec<HeldChunkRow>>;
    /// Where this worker was last.
    fn position(&self, tenant: TenantId, worker: WorkerId) -> Result<Option<PositionRow>>;
    /// Where the district's workers were last.
    fn positions(&self, tenant: TenantId) -> Result<Vec<PositionRow>>;

    /// These attachments, where they are whole.
    fn blobs(&self, tenant: TenantId, blobs: &[Sha256]) -> Result<Vec<BlobRow>>;
    /// All attachments that are whole.
    fn blob_hashes(&self, tenant: TenantId) -> Result<Vec<Sha256>>;
    /// The phones that an attachment was taken from.
    fn blob_senders(&self, tenant: TenantId, blob: Sha256) -> Result<Vec<DeviceId>>;
    /// An upload.
    fn upload(&self, id: &str) -> Result<Option<UploadRow>>;
    /// A phone's upload of this content.
    fn upload_of(
        &self,
        tenant: TenantId,
        device: DeviceId,
        sha256: Sha256,
    ) -> Result<Option<UploadRow>>;
    /// All uploads of this content.
    fn uploads_of(&self, tenant: TenantId, sha256: Sha256) -> Result<Vec<UploadRow>>;
    /// The uploads to which no byte came since `before_ms`.
    fn stale_uploads(&self, before_ms: i64) -> Result<Vec<UploadRow>>;

    /// Who was shown this record, or any, in the order in which it was written
    /// down.
    fn readings(&self, tenant: TenantId, entity: Option<EntityId>) -> Result<Vec<ReadingRow>>;
    /// The newest `limit` lines of the audit log, oldest first.
    fn audit(&self, tenant: TenantId, limit: usize) -> Result<Vec<AuditRow>>;
}

/// What can be written. `put_…` writes the row whole, new or not, unless said
/// otherwise.
///
/// # Errors
/// Every call: [`StoreError`], [`StoreError::Refused`] where two rows would
/// bear a name that only one may.
#[expect(clippy::missing_errors_doc, reason = "said once, above")]
pub trait Write: Read {
    /// Opens a savepoint; they nest.
    fn savepoint(&mut self) -> Result<()>;
    /// Closes the innermost one and keeps what was written in it.
    fn release(&mut self) -> Result<()>;
    /// Closes the innermost one and undoes what was written in it.
    fn rollback(&mut self) -> Result<()>;

    /// Begins a time line.
    fn set_epoch(&mut self, epoch: Epoch) -> Result<()>;
    /// Keeps a short text under a name.
    fn put_note(&mut self, name: &str, text: &str) -> Result<()>;
    /// Stores a district.
    fn put_tenant(&mut self, row: &TenantRow) -> Result<()>;
    /// Stores a catalogue or calendar; refuses a version that is there.
    fn add_law(&mut self, tenant: TenantId, row: &LawRow) -> Result<()>;
    /// Stores a grid; its boundary stays where none is given. Refuses a code that
    /// another open grid of the district bears.
    fn put_grid(&mut self, tenant: TenantId, row: &GridRow, boundary: Option<&str>) -> Result<()>;
    /// Stores what took a grid's place.
    fn add_succession(&mut self, tenant: TenantId, row: SuccessionRow) -> Result<()>;
    /// Stores what a grid is called and where it stands from now on.
    fn add_grid_change(&mut self, tenant: TenantId, row: &GridChangeRow) -> Result<()>;
    /// Stores a worker.
    fn put_worker(&mut self, tenant: TenantId, row: &WorkerRow) -> Result<()>;
    /// Stores an assignment, named by worker, grid and beginning.
    fn put_assignment(&mut self, tenant: TenantId, row: &AssignmentRow) -> Result<()>;
    /// Stores a user; refuses a name that another one bears.
    fn put_user(&mut self, row: &UserRow) -> Result<()>;
    /// Stores a session.
    fn put_session(&mut self, row: &SessionRow) -> Result<()>;
    /// Ends a session.
    fn drop_session(&mut self, token: Sha256) -> Result<()>;
    /// Stores a phone; refuses a token that is given already.
    fn put_device(&mut self, row: &DeviceRow) -> Result<()>;
    /// Stores what a phone said.
    fn put_contact(&mut self, tenant: TenantId, row: &ContactRow) -> Result<()>;
    /// Stores a start of a phone.
    fn put_boot(&mut self, tenant: TenantId, device: DeviceId, row: BootRow) -> Result<()>;
    /// Stores a one-time code.
    fn put_code(&mut self, row: &CodeRow) -> Result<()>;

    /// Stores ops that were not there (by id and hash); refuses one that was.
    fn add_ops(&mut self, tenant: TenantId, rows: &[OpRow]) -> Result<()>;
    /// Changes what became of a stored op, what it waits for, and what says the
    /// same in its place.
    fn set_outcome(&mut self, tenant: TenantId, summary: &OpSummary) -> Result<()>;
    /// Forgets the body of a stored op.
    fn drop_body(&mut self, tenant: TenantId, op: OpId, sha256: Sha256) -> Result<()>;
    /// Stores entities, and which attachments they refer to.
    fn put_entities(&mut self, tenant: TenantId, rows: &[EntityRow]) -> Result<()>;
    /// Stores from when on the server's clock is to look at an entity.
    fn set_due(&mut self, tenant: TenantId, entity: EntityId, due_ms: Option<i64>) -> Result<()>;
    /// Moves entities within streams, from the numbers that they leave.
    fn put_entries(&mut self, tenant: TenantId, rows: &[EntryRow]) -> Result<()>;
    /// Stores where streams stand.
    fn put_heads(&mut self, tenant: TenantId, rows: &[(StreamKey, StreamHead)]) -> Result<()>;
    /// Stores tags of streams.
    fn add_tags(&mut self, tenant: TenantId, rows: &[TagRow]) -> Result<()>;
    /// Stores receipts; refuses a number that is taken.
    fn add_receipts(
        &mut self,
        tenant: TenantId,
        device: DeviceId,
        rows: &[ReceiptRow],
    ) -> Result<()>;

    /// Stores a chunk; refuses one whose first ordinal is taken.
    fn add_chunk(&mut self, tenant: TenantId, row: &ChunkRow) -> Result<()>;
    /// Keeps a chunk aside, named by span and hash.
    fn hold_chunk(&mut self, tenant: TenantId, row: &HeldChunkRow) -> Result<()>;
    /// Forgets a chunk that was kept aside.
    fn drop_held_chunk(&mut self, tenant: TenantId, span: ChunkSpan, sha256: Sha256) -> Result<()>;
    /// Forgets all chunks of a patrol, those kept aside too, and where its worker
    /// was last if it was on that patrol.
    fn drop_chunks(&mut self, tenant: TenantId, patrol: EntityId) -> Result<()>;
    /// Stores where a worker was last.
    fn put_position(&mut self, tenant: TenantId, row: &PositionRow) -> Result<()>;

    /// Stores an attachment that is whole.
    fn put_blob(&mut self, tenant: TenantId, row: &BlobRow) -> Result<()>;
    /// Forgets an attachment and whom it was taken from.
    fn drop_blob(&mut self, tenant: TenantId, blob: Sha256) -> Result<()>;
    /// Stores that an attachment was taken from a phone.
    fn add_blob_sender(&mut self, tenant: TenantId, blob: Sha256, device: DeviceId) -> Result<()>;
    /// Stores what was purged.
    fn add_purged(&mut self, tenant: TenantId, what: Purged) -> Result<()>;
    /// Stores an upload.
    fn put_upload(&mut self, row: &UploadRow) -> Result<()>;
    /// Forgets an upload.
    fn drop_upload(&mut self, id: &str) -> Result<()>;

    /// Writes down that somebody was shown a record.
    fn add_reading(&mut self, tenant: TenantId, row: &ReadingRow) -> Result<()>;
    /// Adds a line to the audit log.
    fn add_audit(&mut self, tenant: TenantId, row: &AuditRow) -> Result<()>;

    /// Forgets each stream's tags up to the last one drawn before `before_ms`, its
    /// last tag excepted: from then on one of them, always the same, stands for
    /// all ([`Tag::Common`]).
    fn prune_tags(&mut self, before_ms: i64) -> Result<()>;
    /// Forgets sessions not used since `before_ms`, and codes that were not
    /// used and expired before it.
    fn prune_logins(&mut self, before_ms: i64) -> Result<()>;
}
