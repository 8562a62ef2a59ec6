//! Sending attachments: tus 1.0, resumed by the byte.
//!
//! An upload is created with the content's hash, its path is kept, and each
//! piece says where it goes. After a break the server is asked how far it got.
//! The server checks the hash when all is there; where it differs (460) the
//! upload begins anew. What cannot be sent, here or there, rests, and holds up
//! nothing else.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gridwalk_domain::wire::{Cursor, ErrorResponse, RECEIPT_HEADER};
use rusqlite::Transaction;
use std::io::ErrorKind;

use super::call::{Halt, Step, accepted, header};
use super::pace::{Pace, TRIES};
use super::{Phase, Run};
use crate::attachments::{self, Due, PIECE, UNREADABLE, Which};
use crate::core::begin;
use crate::error::{EngineError, Fault, Inner};
use crate::observe::Touched;
use crate::outbox::Word;
use crate::{Method, Response, purge, view};

const TUS: &str = "1.0.0";
const LOCKED: u16 = 423;
const CHECKSUM_MISMATCH: u16 = 460;
/// How often one attachment begins anew within a sync.
const ANEW: usize = 3;

/// What one try of an upload came to.
enum Sent {
    Whole,
    /// The server has it from another record or phone; this phone's highest receipt.
    Had(Option<u64>),
    /// The server lost the upload or read other bytes.
    Again,
    /// It was purged.
    Purged,
    /// It was purged with the last record that showed it.
    Unshown,
    /// Its file could not be read; whether that is for good.
    Unread {
        damaged: bool,
    },
}

/// What the server failed at, before it took or failed at another one.
struct Suspect {
    due: Due,
    code: String,
    text: String,
    halt: Halt,
}

impl Suspect {
    /// Whether it failed at it so often that its own bad day is no reason.
    fn is_clear(&self) -> bool {
        self.due.tries >= TRIES
    }
}

/// Where an upload goes.
enum Place {
    /// At this path, from this byte on.
    At(String, u64),
    /// Nowhere.
    None(Sent),
}

impl Run<'_> {
    /// Sends what is due: thumbnails first, then the oldest.
    pub(super) fn blobs(&mut self, which: Which) -> Step<()> {
        let account = self.me.account;
        let unsent = self
            .shared
            .with(|core| view::amount(&core.conn, account, which))?;
        self.meter
            .plan(Phase::Blobs, unsent.blobs.items, unsent.blobs.bytes);
        let mut pace = self.pace(PIECE);
        let (mut after, mut suspect) = (None, None);
        while let Some(due) = self.next(which, after.as_ref())? {
            after = Some(due.clone());
            match self.upload(&due, &mut pace) {
                Ok(sent @ (Sent::Whole | Sent::Had(_))) => {
                    self.report.blobs_sent += u64::from(!due.thumb);
                    self.news = true;
                    self.settle(&due, None, |tx, word| {
                        attachments::take(tx, word, due.sha256)?;
                        match sent {
                            Sent::Had(Some(n)) => {
                                attachments::receipt_by(tx, word.account, due.sha256, n)
                            }
                            _ => Ok(()),
                        }
                    })?;
                    // It takes others: what it failed at often is at fault.
                    if let Some(suspect) = suspect.take().filter(Suspect::is_clear) {
                        self.park_blob(&suspect.due, &suspect.code, &suspect.text)?;
                    }
                }
                Ok(Sent::Purged) => {
                    self.settle(&due, None, |tx, _| purge::blob(tx, due.sha256))?;
                }
                Ok(Sent::Unshown) => self.settle(&due, None, |tx, _| {
                    // What showed it was let go of here: nothing will show it.
                    if attachments::is_in_outbox(tx, due.sha256)? {
                        return Ok(());
                    }
                    purge::with_its_records(tx, due.sha256)
                })?,
                Ok(Sent::Again) => self.begun_too_often(&due)?,
                Ok(Sent::Unread { damaged }) => {
                    if damaged || due.tries >= TRIES {
                        self.park_unreadable(&due)?;
                    }
                }
                // Another request writes it: the next sync goes on.
                Err(halt) if matches!(fault_of(&halt), Some((LOCKED, ..))) => {}
                Err(halt) => match fault_of(&halt) {
                    Some((500, code, text)) if suspect.is_none() => {
                        let (code, text) = (code.to_owned(), text.to_owned());
                        suspect = Some(Suspect {
                            due,
                            code,
                            text,
                            halt,
                        });
                    }
                    Some((400 | 413 | 415 | 422, code, text)) => {
                        self.park_blob(&due, code, text)?;
                    }
                    // At two in a row the server has a fault of its own.
                    _ => return Err(halt),
                },
            }
        }
        match suspect {
            Some(suspect) if suspect.is_clear() => {
                self.park_blob(&suspect.due, &suspect.code, &suspect.text)
            }
            Some(suspect) => Err(suspect.halt),
            None => Ok(()),
        }
    }

    /// The next attachment that is due, counted as tried.
    fn next(&self, which: Which, after: Option<&Due>) -> Step<Option<Due>> {
        let (account, server_ms) = (self.me.account, self.server_ms());
        Ok(self.shared.with(|core| {
            let due = attachments::due(&core.conn, account, server_ms, which, after)?;
            if let Some(due) = &due {
                let tx = begin(&mut core.conn)?;
                attachments::tried(&tx, due)?;
                tx.commit()?;
            }
            Ok(due)
        })?)
    }

    /// It cannot be sent: it rests, and is listed.
    fn park_blob(&mut self, due: &Due, code: &str, why: &str) -> Step<()> {
        self.report.refused += 1;
        let server_ms = self.server_ms();
        self.settle(due, None, |tx, word| {
            attachments::park(tx, word.account, due.sha256, server_ms, code, why)
        })
    }

    fn park_unreadable(&mut self, due: &Due) -> Step<()> {
        let why = "its file on this phone does not read as it was written; attach the same file again where it is elsewhere still";
        self.park_blob(due, UNREADABLE, why)
    }

    /// The server does not come to hold it, however often it is sent: the file
    /// is at fault, or something on the way.
    fn begun_too_often(&mut self, due: &Due) -> Step<()> {
        let len = usize::try_from(due.bytes).unwrap_or(usize::MAX);
        if !self.shared.vault.reads(due.sha256, len) {
            return self.park_unreadable(due);
        }
        let why =
            "it was sent again and again, and each time the server lost it or read other bytes";
        self.park_blob(due, "unfinished", why)
    }

    fn settle(
        &mut self,
        due: &Due,
        receipt: Option<Cursor>,
        write: impl FnOnce(&Transaction<'_>, &Word) -> Inner<()>,
    ) -> Step<()> {
        self.keep(receipt, |tx, word| {
            let shown_by = attachments::shown_by(tx, word.account, due.sha256)?;
            write(tx, word)?;
            Ok(((), Touched::records(shown_by)))
        })
    }

    fn upload(&mut self, due: &Due, pace: &mut Pace) -> Step<Sent> {
        let mut begun = due.upload.clone();
        for _ in 0..ANEW {
            let (path, offset) = match begun.take() {
                Some(path) => match self.offset(&path)? {
                    Some(offset) => (path, offset),
                    None => continue,
                },
                None => match self.create(due)? {
                    Place::At(path, offset) => (path, offset),
                    Place::None(why) => return Ok(why),
                },
            };
            self.settle(due, None, |tx, word| {
                attachments::begun(tx, word.account, due.sha256, Some(&path))
            })?;
            match self.pieces(due, &path, offset, pace)? {
                Sent::Again => self.settle(due, None, |tx, word| {
                    attachments::begun(tx, word.account, due.sha256, None)
                })?,
                done => return Ok(done),
            }
        }
        Ok(Sent::Again)
    }

    /// Where the upload goes, and how far the server has it.
    fn create(&mut self, due: &Due) -> Step<Place> {
        let metadata = format!("sha256 {}", STANDARD.encode(due.sha256.to_string()));
        let headers = vec![
            header("tus-resumable", TUS),
            header("upload-length", &due.bytes.to_string()),
            header("upload-metadata", &metadata),
        ];
        let response = self.line.send(Method::Post, "/v1/blobs", headers, vec![])?;
        if is_purged(&response) {
            return Ok(Place::None(Sent::Purged));
        }
        if response.status == LOCKED && word_of(&response).as_deref() == Some("unshown") {
            return Ok(Place::None(Sent::Unshown));
        }
        let response = accepted(response)?;
        let offset = upload_offset(&response).unwrap_or(0);
        if offset == due.bytes && due.bytes > 0 {
            self.meter.did(Phase::Blobs, 1, due.bytes);
            self.tell(Phase::Blobs);
            return Ok(Place::None(Sent::Had(self.see(&response)?)));
        }
        let path = response.header("location").and_then(path_of);
        let path = path.ok_or_else(|| EngineError::BadAnswer {
            message: "expected a location".to_owned(),
        })?;
        Ok(Place::At(path, offset))
    }

    /// Notes the receipt that an answer names; gives its number.
    fn see(&mut self, response: &Response) -> Step<Option<u64>> {
        let receipt = response.header(RECEIPT_HEADER);
        let receipt: Option<Cursor> = receipt.and_then(|text| text.parse().ok());
        if receipt.is_some() {
            self.keep(receipt, |_, _| Ok(((), Touched::default())))?;
        }
        Ok(receipt.map(|receipt| receipt.seq))
    }

    /// How far the server got; none where it does not know the upload any more.
    fn offset(&mut self, path: &str) -> Step<Option<u64>> {
        let response = self.line.send(
            Method::Head,
            path,
            vec![header("tus-resumable", TUS)],
            vec![],
        )?;
        if matches!(response.status, 404 | 410) {
            return Ok(None);
        }
        let response = accepted(response)?;
        self.see(&response)?;
        Ok(Some(told_offset(&response)?))
    }

    fn pieces(&mut self, due: &Due, path: &str, mut offset: u64, pace: &mut Pace) -> Step<Sent> {
        let too_large = |_| Halt::Failed(EngineError::NotFound);
        let len = usize::try_from(due.bytes).map_err(too_large)?;
        // What an earlier sync got through is done.
        self.meter.did(Phase::Blobs, 0, offset.min(due.bytes));
        while offset < due.bytes {
            self.tell(Phase::Blobs);
            let at = usize::try_from(offset).map_err(too_large)?;
            let mut piece = match self.shared.vault.piece(due.sha256, len, at / PIECE) {
                Ok(piece) => piece,
                Err(fault) => {
                    let damaged = is_damage(&fault);
                    return Ok(Sent::Unread { damaged });
                }
            };
            // Where the server stopped within a piece, its rest goes.
            piece.drain(..at % PIECE);
            piece.truncate(pace.bytes().min(self.line.room()).max(1));
            let headers = vec![
                header("tus-resumable", TUS),
                header("content-type", "application/offset+octet-stream"),
                header("upload-offset", &offset.to_string()),
            ];
            let carried = piece.len();
            let since = self.shared.now().mono_ms;
            let response = self
                .line
                .send(Method::Patch, path, headers, piece)
                .inspect_err(|halt| self.broke(halt, carried))?;
            pace.took(carried, self.shared.now().mono_ms - since);
            if is_purged(&response) {
                return Ok(Sent::Purged);
            }
            offset = match response.status {
                CHECKSUM_MISMATCH | 404 | 410 => return Ok(Sent::Again),
                409 if !is_about_the_offset(&response) => {
                    accepted(response)?;
                    return Ok(Sent::Again);
                }
                // Another offset is right: an answer was lost.
                409 => match self.offset(path)? {
                    Some(right) if right != offset => right,
                    _ => return Ok(Sent::Again),
                },
                _ => {
                    let response = accepted(response)?;
                    self.meter.did(Phase::Blobs, 0, carried as u64);
                    self.see(&response)?;
                    // A hotel's login page says 200 too.
                    let told = told_offset(&response)?;
                    if told <= offset || told > due.bytes {
                        let message = "expected a larger upload-offset".to_owned();
                        return Err(EngineError::BadAnswer { message }.into());
                    }
                    told
                }
            };
        }
        self.meter.did(Phase::Blobs, 1, 0);
        self.tell(Phase::Blobs);
        Ok(Sent::Whole)
    }
}

/// The status of a server's fault or refusal, and what it says of it.
fn fault_of(halt: &Halt) -> Option<(u16, &str, &str)> {
    match halt {
        Halt::Failed(EngineError::ServerError { status, code, text }) => {
            Some((*status, code, text))
        }
        _ => None,
    }
}

/// Whether a file is gone, short or changed; anything else may pass: an iPhone
/// gives no file while it is locked.
fn is_damage(fault: &Fault) -> bool {
    match fault {
        Fault::Row(_) => true,
        Fault::File(error) => {
            matches!(error.kind(), ErrorKind::NotFound | ErrorKind::UnexpectedEof)
        }
        Fault::Sql(_) | Fault::Said(_) => false,
    }
}

/// What a refusal says, in a word.
fn word_of(response: &Response) -> Option<String> {
    let said: ErrorResponse = serde_json::from_slice(&response.body).ok()?;
    Some(said.error.code)
}

fn is_purged(response: &Response) -> bool {
    response.status == 410 && word_of(response).as_deref() == Some("purged")
}

fn is_about_the_offset(response: &Response) -> bool {
    word_of(response).is_none_or(|word| word == "wrong_offset")
}

fn upload_offset(response: &Response) -> Option<u64> {
    response.header("upload-offset")?.trim().parse().ok()
}

fn told_offset(response: &Response) -> Result<u64, EngineError> {
    upload_offset(response).ok_or_else(|| EngineError::BadAnswer {
        message: "expected an upload-offset".to_owned(),
    })
}

/// The path of a location. Wherever it points, requests go to the one server
/// that this phone trusts.
fn path_of(location: &str) -> Option<String> {
    let path = match location.split_once("://") {
        Some((_, rest)) => &rest[rest.find('/')?..],
        None => location,
    };
    let fits = path.starts_with('/') && path.bytes().all(|byte| byte.is_ascii_graphic());
    fits.then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use super::path_of;

    #[test]
    fn a_location_is_a_path_whatever_host_it_names() {
        assert_eq!(path_of("/v1/blobs/1").as_deref(), Some("/v1/blobs/1"));
        assert_eq!(
            path_of("https://evil.example/v1/blobs/1").as_deref(),
            Some("/v1/blobs/1")
        );
        for bad in ["", "blobs/1", "https://host", "/a b", "/a\r\nx: y"] {
            assert_eq!(path_of(bad), None, "{bad}");
        }
    }
}
