//! Sending attachments: tus 1.0, resumed by the byte.
//!
//! An upload is created with the content's hash, its path is kept, and each
//! piece says where it goes. After a break the server is asked how far it got.
//! The server checks the hash when all is there; where it differs (460) the
//! upload begins anew.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use gridwalk_domain::Sha256;

use super::call::{accepted, header};
use super::{Phase, Run, at_fault};
use crate::attachments::{self, Due, PIECE};
use crate::core::begin;
use crate::error::{EngineError, Result};
use crate::observe::Touched;
use crate::outbox::PARKED_MS;
use crate::{Method, Response};

const TUS: &str = "1.0.0";
const CHECKSUM_MISMATCH: u16 = 460;
/// How often one attachment begins anew within a sync.
const TRIES: usize = 3;

/// What one try of an upload came to.
enum Sent {
    Whole,
    /// The server lost the upload or read other bytes.
    Again,
}

impl Run<'_> {
    /// Sends what is due, oldest first.
    pub(super) fn blobs(&mut self) -> Result<()> {
        let mut seen: Vec<Sha256> = Vec::new();
        loop {
            let now_ms = self.shared.now().wall_ms;
            let Some(due) = self
                .shared
                .with(|core| attachments::due(&core.conn, &seen, now_ms))?
            else {
                return Ok(());
            };
            seen.push(due.sha256);
            match self.upload(&due) {
                Ok(true) => {
                    self.report.blobs_sent += 1;
                    self.settle(due.sha256, |tx| attachments::take(tx, due.sha256))?;
                }
                // Begun anew too often: the next sync goes on.
                Ok(false) => {}
                Err(error) => {
                    let Some((code, text)) = at_fault(&error) else {
                        return Err(error);
                    };
                    self.report.refused += 1;
                    let until_ms = self.shared.now().wall_ms + PARKED_MS;
                    self.settle(due.sha256, |tx| {
                        attachments::park(tx, due.sha256, until_ms, code, text)
                    })?;
                }
            }
        }
    }

    fn settle(
        &self,
        sha256: Sha256,
        write: impl FnOnce(&rusqlite::Transaction<'_>) -> crate::error::Inner<()>,
    ) -> Result<()> {
        self.shared.change(|core| {
            let tx = begin(&mut core.conn)?;
            write(&tx)?;
            let shown_by = attachments::shown_by(&tx, sha256)?;
            tx.commit()?;
            Ok(((), Touched::records(shown_by)))
        })
    }

    fn upload(&mut self, due: &Due) -> Result<bool> {
        let mut begun = due.upload.clone();
        for _ in 0..TRIES {
            let (path, offset) = match begun.take() {
                Some(path) => match self.offset(&path)? {
                    Some(offset) => (path, offset),
                    None => continue,
                },
                None => self.create(due)?,
            };
            let (sha256, place) = (
                due.sha256,
                Some(path.as_str()).filter(|path| !path.is_empty()),
            );
            self.settle(sha256, |tx| attachments::begun(tx, sha256, place))?;
            match self.pieces(due, &path, offset)? {
                Sent::Whole => return Ok(true),
                Sent::Again => self.settle(sha256, |tx| attachments::begun(tx, sha256, None))?,
            }
        }
        Ok(false)
    }

    fn create(&mut self, due: &Due) -> Result<(String, u64)> {
        let metadata = format!("sha256 {}", STANDARD.encode(due.sha256.to_string()));
        let headers = vec![
            header("tus-resumable", TUS),
            header("upload-length", &due.bytes.to_string()),
            header("upload-metadata", &metadata),
        ];
        let response = accepted(self.line.send(Method::Post, "/v1/blobs", headers, vec![])?)?;
        let offset = upload_offset(&response).unwrap_or(0);
        if offset == due.bytes && due.bytes > 0 {
            // The server has this content from another phone.
            return Ok((String::new(), offset));
        }
        let path = response.header("location").and_then(path_of);
        let path = path.ok_or_else(|| EngineError::BadAnswer {
            message: "expected a location".to_owned(),
        })?;
        Ok((path, offset))
    }

    /// How far the server got; none where it does not know the upload any more.
    fn offset(&mut self, path: &str) -> Result<Option<u64>> {
        let response = self.line.send(
            Method::Head,
            path,
            vec![header("tus-resumable", TUS)],
            vec![],
        )?;
        if matches!(response.status, 403 | 404 | 410) {
            return Ok(None);
        }
        let response = accepted(response)?;
        Ok(Some(told_offset(&response)?))
    }

    fn pieces(&mut self, due: &Due, path: &str, mut offset: u64) -> Result<Sent> {
        let too_large = |_| EngineError::NotFound;
        let len = usize::try_from(due.bytes).map_err(too_large)?;
        while offset < due.bytes {
            self.tell(Phase::Blobs, offset, due.bytes);
            let at = usize::try_from(offset).map_err(too_large)?;
            let mut piece = self.shared.vault.piece(due.sha256, len, at / PIECE)?;
            // Where the server stopped within a piece, its rest goes.
            piece.drain(..at % PIECE);
            let headers = vec![
                header("tus-resumable", TUS),
                header("content-type", "application/offset+octet-stream"),
                header("upload-offset", &offset.to_string()),
            ];
            let response = self.line.send(Method::Patch, path, headers, piece)?;
            offset = match response.status {
                CHECKSUM_MISMATCH | 404 | 410 => return Ok(Sent::Again),
                // Another offset is right: an answer was lost.
                409 => match self.offset(path)? {
                    Some(right) if right != offset => right,
                    _ => return Ok(Sent::Again),
                },
                // A hotel's login page says 200 too.
                _ => told_offset(&accepted(response)?)?,
            };
        }
        self.tell(Phase::Blobs, due.bytes, due.bytes);
        Ok(Sent::Whole)
    }
}

fn upload_offset(response: &Response) -> Option<u64> {
    response.header("upload-offset")?.trim().parse().ok()
}

fn told_offset(response: &Response) -> Result<u64> {
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
