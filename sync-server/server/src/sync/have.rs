//! `have`: which of a phone's records the server holds.

use gridwalk_domain::wire::{
    BlobState, ChunkName, HaveRequest, HaveResponse, MAX_HAVE, OpRef, Outcome, TrackOutcome,
};
use gridwalk_domain::{OpId, Sha256};
use gridwalk_store::{ChunkSpan, OpSummary, Purged, Read};
use std::collections::BTreeMap;

use super::line::check_receipt;
use super::{Phone, Service};
use crate::blobs::note_sender;
use crate::error::{Error, Fault};
use crate::service::Tools;

impl Service {
    /// Says what the server holds, each list in the order asked.
    ///
    /// # Errors
    /// 413 for too many, 409 for a phone of another time line.
    pub fn have(&self, phone: &Phone, request: &HaveRequest) -> Result<HaveResponse, Error> {
        let asked = request.ops.len() + request.chunks.len() + request.blobs.len();
        if asked > MAX_HAVE {
            let text = format!("At most {MAX_HAVE} can be asked for at a time.");
            return Err(Fault::new(413, "too_large", text).into());
        }
        self.on_this_line(phone, || {
            let (said, noted) = self.read(|tx| {
                let said = says(tx, &self.tools, phone, request)?;
                let noted = unnoted(tx, phone, request, &said)?.is_empty();
                Ok((said, noted))
            })?;
            if noted {
                return Ok(said);
            }
            // What this phone need not send counts as sent by it: it hears what
            // becomes of it.
            let (phone, request) = (phone.clone(), request.clone());
            self.commit_with(move |tx, tools| {
                let said = says(tx, tools, &phone, &request)?;
                for sha256 in unnoted(tx, &phone, &request, &said)? {
                    note_sender(tx, tools, &phone, sha256)?;
                }
                Ok(said)
            })
        })
    }
}

fn says(
    tx: &dyn Read,
    tools: &Tools,
    phone: &Phone,
    request: &HaveRequest,
) -> Result<HaveResponse, Error> {
    check_receipt(tx, phone, phone.seen)?;
    let chunks = request.chunks.iter();
    Ok(HaveResponse {
        ops: ops(tx, phone, &request.ops)?,
        chunks: chunks
            .map(|chunk| held(tx, phone, *chunk))
            .collect::<Result<_, _>>()?,
        blobs: blobs(tx, tools, phone, &request.blobs)?,
    })
}

/// The attachments that are here and that this phone did not send: it did before
/// the data went back, and somebody else has since.
fn unnoted(
    tx: &dyn Read,
    phone: &Phone,
    request: &HaveRequest,
    said: &HaveResponse,
) -> Result<Vec<Sha256>, Error> {
    let mut unnoted = Vec::new();
    for (sha256, said) in request.blobs.iter().zip(&said.blobs) {
        if *said == Some(BlobState::Whole)
            && !tx.blob_senders(phone.tenant, *sha256)?.contains(&phone.id)
        {
            unnoted.push(*sha256);
        }
    }
    Ok(unnoted)
}

fn ops(tx: &dyn Read, phone: &Phone, asked: &[OpRef]) -> Result<Vec<Option<Outcome>>, Error> {
    let ids: Vec<OpId> = asked.iter().map(|op| op.id).collect();
    let rows = tx.ops(phone.tenant, &ids)?;
    let known: BTreeMap<(OpId, Sha256), OpSummary> = rows
        .into_iter()
        .map(|row| ((row.id, row.sha256), row))
        .collect();
    let outcome = |op: &OpRef| {
        known
            .get(&(op.id, op.sha256))
            .map(|row| row.outcome.clone())
    };
    Ok(asked.iter().map(outcome).collect())
}

fn held(tx: &dyn Read, phone: &Phone, chunk: ChunkName) -> Result<Option<TrackOutcome>, Error> {
    let span = ChunkSpan::from(chunk);
    let purged = tx.purged(phone.tenant, &[Purged::Entity(chunk.patrol)])?;
    if !purged.is_empty() {
        return Ok(Some(TrackOutcome::Purged));
    }
    // What is stored of a run never overlaps: gaps show between neighbours.
    let mut next = u64::from(span.first);
    for row in tx.spans_over(phone.tenant, span)? {
        if u64::from(row.first) <= next {
            next = next.max(row.end());
        }
    }
    if span.count > 0 && next >= span.end() {
        return Ok(Some(TrackOutcome::Stored));
    }
    let aside = tx.held_chunks(phone.tenant, Some(chunk.patrol))?;
    let aside = aside
        .into_iter()
        .find(|row| row.span == span && row.device == phone.id);
    Ok(aside.map(|row| row.outcome))
}

fn blobs(
    tx: &dyn Read,
    tools: &Tools,
    phone: &Phone,
    asked: &[Sha256],
) -> Result<Vec<Option<BlobState>>, Error> {
    let here = tx.blobs(phone.tenant, asked)?;
    let purged: Vec<Purged> = asked.iter().map(|hash| Purged::Blob(*hash)).collect();
    let purged = tx.purged(phone.tenant, &purged)?;
    let state = |hash: &Sha256| -> Result<Option<BlobState>, Error> {
        if purged.contains(&Purged::Blob(*hash)) {
            return Ok(Some(BlobState::Purged));
        }
        // A row whose bytes were lost does not count: the phone may have them.
        let whole = here.iter().any(|row| row.sha256 == *hash) && tools.blobs.has(*hash)?;
        Ok(whole.then_some(BlobState::Whole))
    };
    asked.iter().map(state).collect()
}
