//! `hello`: limits, times, where the phone stands, and what its worker may see
//! and write.

use gridwalk_domain::wire::{
    Cursor, HelloRequest, HelloResponse, MAX_BOOTS, PROTOCOL_VERSION, Scope, Standing, Unsent,
    WorkerRef, place_of,
};
use gridwalk_domain::{BootId, Boundary, Epoch, Grid, GridId, Sha256, StreamKey};
use gridwalk_store::{
    BootRow, ContactRow, DeviceRow, DeviceStanding, Read, StoreError, Wait, Write,
};
use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::boots::{self, Boots};
use super::line::current_epoch;
use super::{Phone, grids_at, last_receipt, readable, receipts_of};
use crate::batch::Batch;
use crate::error::{Error, Fault};
use crate::service::{Service, Tools};

/// The longest name of a version that is kept.
const MOST_APP: usize = 40;
/// A contact is written down again only after this long, where nothing else
/// changed: a sync with nothing to do costs no commit of its own.
const CONTACT_EVERY_MS: i64 = 60_000;

impl Service {
    /// Answers a phone's hello and writes down what it said, where that is news.
    ///
    /// # Errors
    /// Where the store fails, or 400 for what cannot be.
    pub fn hello(&self, phone: &Phone, request: &HelloRequest) -> Result<HelloResponse, Error> {
        if request.app.len() > MOST_APP || request.app.chars().any(char::is_control) {
            return Err(Fault::bad_request("app: at most 40 bytes of plain text").into());
        }
        if request.boots.len() > MAX_BOOTS {
            let text = format!("boots: at most {MAX_BOOTS}");
            return Err(Fault::bad_request(text).into());
        }
        let now_ms = self.now_ms();
        let said = self.read(|tx| Ok(Said::new(tx, &self.tools, phone, request, now_ms)?))?;
        if said.is_news() {
            let (phone, request) = (phone.clone(), request.clone());
            self.commit_with(move |tx, tools| {
                Said::new(tx, tools, &phone, &request, now_ms)?.write(tx, tools, &phone, now_ms)
            })?;
        }
        self.read(|tx| self.answer(tx, phone, request, now_ms))
    }

    fn answer(
        &self,
        tx: &dyn Read,
        phone: &Phone,
        request: &HelloRequest,
        now_ms: i64,
    ) -> Result<HelloResponse, Error> {
        let epoch = current_epoch(tx)?;
        let scope = self.scope(tx, phone, now_ms)?;
        let text = serde_json::to_string(&scope)
            .map_err(|why| StoreError::Failed(format!("the scope cannot be written: {why}")))?;
        let scope_tag = Sha256::of(text.as_bytes());
        let place = place(tx, phone, epoch, &scope.streams)?;
        let theirs = request.place.unwrap_or_else(|| place_of(&BTreeMap::new()));
        let device = tx.device(phone.id)?;
        Ok(HelloResponse {
            min_v: self.tools.settings.min_v,
            max_v: PROTOCOL_VERSION,
            server_ms: now_ms,
            epoch,
            server: self.tools.settings.version.clone(),
            standing: match phone.standing {
                DeviceStanding::Active => Standing::Active,
                DeviceStanding::SendOnly => Standing::SendOnly,
                DeviceStanding::Stolen => Standing::Wipe,
            },
            watermark: device.map_or(0, |row| row.watermark),
            news: theirs != place,
            scope_tag,
            scope: (request.scope_tag != Some(scope_tag)).then_some(scope),
            limits: self.tools.settings.sizes.limits,
        })
    }

    fn scope(&self, tx: &dyn Read, phone: &Phone, now_ms: i64) -> Result<Scope, Error> {
        let missing = || StoreError::Damaged("a phone without a worker or district".into());
        let tenant = tx.tenant(phone.tenant)?.ok_or_else(missing)?;
        let workers = tx.workers(phone.tenant, Some(&[phone.worker]))?;
        let worker = workers.into_iter().next().ok_or_else(missing)?;
        let ids = if phone.sends_only() {
            Vec::new()
        } else {
            grids_at(&tx.assignments(phone.tenant, Some(phone.worker))?, now_ms)
        };
        let tree = self.tools.trees.get(tx, &tenant)?;
        let law = self.tools.laws.get(tx, &tenant)?;
        let mut boundaries = tx
            .boundaries(phone.tenant, Some(&ids))?
            .into_iter()
            .collect();
        let grids = ids.iter().filter_map(|id| tree.get(*id));
        let grids = grids.map(|row| {
            let boundary = take_boundary(&mut boundaries, row.id)?;
            Ok(Grid {
                id: row.id,
                code: row.code.clone(),
                parent: row.parent,
                level: row.level,
                name: row.name.clone(),
                synthetic: row.synthetic,
                boundary,
            })
        });
        Ok(Scope {
            worker: WorkerRef {
                id: worker.id,
                name: worker.name,
            },
            grids: grids.collect::<Result<_, StoreError>>()?,
            streams: readable(&self.tools, tx, phone, now_ms)?,
            catalogue: law.catalogue.clone(),
            older_catalogues: law.older.clone(),
            calendar: Some(law.calendar.clone()),
            utc_offset_min: tenant.utc_offset_min,
        })
    }
}

/// Where the phone would stand if it had pulled all.
fn place(
    tx: &dyn Read,
    phone: &Phone,
    epoch: Epoch,
    streams: &[StreamKey],
) -> Result<Sha256, StoreError> {
    let heads = tx.heads(phone.tenant, streams)?;
    let given = streams.iter().zip(heads).filter(|(_, head)| head.seq > 0);
    let mut cursors: BTreeMap<StreamKey, Cursor> = given
        .map(|(stream, head)| {
            let (seq, tag) = (head.seq, head.tag);
            (*stream, Cursor { epoch, seq, tag })
        })
        .collect();
    let receipts = last_receipt(tx, phone.tenant, phone.id)?;
    cursors.extend(receipts.map(|cursor| (receipts_of(phone.id), cursor)));
    Ok(place_of(&cursors))
}

/// What of a hello is to be written down.
struct Said {
    contact: Option<ContactRow>,
    boots: Vec<BootRow>,
    /// The phone may only send from now on.
    left: bool,
    /// What an older app of it sent waits to be judged.
    judges: bool,
}

impl Said {
    fn new(
        tx: &dyn Read,
        tools: &Tools,
        phone: &Phone,
        request: &HelloRequest,
        now_ms: i64,
    ) -> Result<Self, StoreError> {
        let known = tx.contact(phone.tenant, phone.id)?;
        let stored = tx.device(phone.id)?.map(|row| row.standing);
        let judges = request.v >= tools.settings.min_v
            && !tx
                .waiting_ops(phone.tenant, &[Wait::App(phone.id)])?
                .is_empty();
        Ok(Self {
            boots: fixed(tx, phone, request, known.as_ref(), now_ms)?,
            contact: contact_row(phone, known.as_ref(), request, now_ms),
            left: phone.standing == DeviceStanding::SendOnly
                && stored == Some(DeviceStanding::Active),
            judges,
        })
    }

    const fn is_news(&self) -> bool {
        self.contact.is_some() || !self.boots.is_empty() || self.left || self.judges
    }

    fn write(
        self,
        tx: &mut dyn Write,
        tools: &Tools,
        phone: &Phone,
        now_ms: i64,
    ) -> Result<(), Error> {
        let tenant = phone.tenant;
        if let Some(contact) = &self.contact {
            tx.put_contact(tenant, contact)?;
        }
        for boot in self.boots {
            tx.put_boot(tenant, phone.id, boot)?;
        }
        if self.left
            && let Some(row) = tx.device(phone.id)?
        {
            let standing = DeviceStanding::SendOnly;
            tx.put_device(&DeviceRow { standing, ..row })?;
        }
        if self.judges {
            let mut batch = Batch::open(tx, tools, tenant, now_ms)?;
            batch.has_come(Wait::App(phone.id));
            batch.store(tx)?;
        }
        Ok(())
    }
}

/// The boots that this hello fixes.
fn fixed(
    tx: &dyn Read,
    phone: &Phone,
    request: &HelloRequest,
    contact: Option<&ContactRow>,
    now_ms: i64,
) -> Result<Vec<BootRow>, StoreError> {
    let told = request.boots.iter().map(|span| span.boot);
    let told: BTreeSet<BootId> = told.chain([request.at.boot]).collect();
    let told: Vec<BootId> = told.into_iter().collect();
    let mut known = Boots::default();
    known.add(tx.boots(phone.tenant, phone.id, &told)?);
    Ok(boots::fix(
        &request.boots,
        &request.at,
        now_ms,
        contact.map(|row| row.last_ms),
        phone.enrolled_ms,
        &known,
    ))
}

/// What is written down of a contact by a hello; none where nothing is new.
fn contact_row(
    phone: &Phone,
    known: Option<&ContactRow>,
    request: &HelloRequest,
    now_ms: i64,
) -> Option<ContactRow> {
    if request.rereads > 0 {
        tracing::warn!(
            rereads = request.rereads,
            "a phone had to read streams again: count or hash differed"
        );
    }
    let app = Some(request.app.clone());
    let same = known.is_some_and(|row| {
        row.app == app && request.rereads == 0 && !is_news(row, request.unsent, now_ms)
    });
    let rereads = known.map_or(0, |row| row.rereads);
    (!same).then(|| ContactRow {
        device: phone.id,
        worker: phone.worker,
        last_ms: now_ms,
        unsent: Some(request.unsent),
        reported_ms: Some(now_ms),
        app,
        rereads: rereads.saturating_add(request.rereads).min(1 << 32),
    })
}

fn take_boundary(
    boundaries: &mut HashMap<GridId, String>,
    grid: GridId,
) -> Result<Option<Boundary>, StoreError> {
    let json = boundaries.remove(&grid);
    json.map(|json| serde_json::from_str(&json))
        .transpose()
        .map_err(|why| StoreError::Damaged(format!("a boundary cannot be read: {why}")))
}

/// Writes down that the phone was heard from, where that is news.
pub(super) fn contact(
    tx: &mut dyn Write,
    device: &DeviceRow,
    unsent: Unsent,
    now_ms: i64,
) -> Result<(), Error> {
    let known = tx.contact(device.tenant, device.id)?;
    if known
        .as_ref()
        .is_some_and(|row| !is_news(row, unsent, now_ms))
    {
        return Ok(());
    }
    let row = ContactRow {
        device: device.id,
        worker: device.worker,
        last_ms: now_ms,
        unsent: Some(unsent),
        reported_ms: Some(now_ms),
        rereads: known.as_ref().map_or(0, |row| row.rereads),
        app: known.and_then(|row| row.app),
    };
    Ok(tx.put_contact(device.tenant, &row)?)
}

pub(super) fn is_news(known: &ContactRow, unsent: Unsent, now_ms: i64) -> bool {
    known.unsent != Some(unsent) || (now_ms - known.last_ms).abs() >= CONTACT_EVERY_MS
}
