//! tus 1.0 over HTTP: core, creation, checksum and expiration.

use base64::Engine as _;
use chrono::DateTime;
use gridwalk_domain::Sha256;
use gridwalk_domain::wire::{MAX_BLOB_BYTES, RECEIPT_HEADER};
use gridwalk_store::UploadRow;
use std::sync::Arc;

use super::message::{Head, Request, Response};
use crate::blobs::{ALGORITHMS, Checksum, Patch, Standing};
use crate::error::{Error, Fault};
use crate::service::{Service, UPLOADS_KEPT_MS};

const VERSION: &str = "1.0.0";

/// Names the method that a POST stands for.
pub(crate) const METHOD_OVERRIDE: &str = "x-http-method-override";

fn method(request: &Request) -> &str {
    match request.header(METHOD_OVERRIDE) {
        Some(meant) if request.method == "POST" => meant,
        _ => &request.method,
    }
}

/// Answers a request under `/v1/blobs`, its body included.
pub(super) fn answer(service: &Arc<Service>, request: &Request, path: &[&str]) -> Response {
    let result = match (method(request), path) {
        ("OPTIONS", _) => Ok(Response::empty(204)),
        ("POST", []) => create(service, request),
        ("HEAD", [id]) => state(service, request, id),
        ("PATCH", [_]) => service.begin(request).and_then(|mut patch| {
            let written = patch.write(&request.body);
            finish(patch, written)
        }),
        _ => Err(Fault::not_found().into()),
    };
    dressed(request, result)
}

/// What every answer bears.
fn dressed(request: &Request, result: Result<Response, Error>) -> Response {
    let response = result.unwrap_or_else(|error| Fault::from(error).into());
    let response = response
        .with("tus-resumable", VERSION)
        .with("cache-control", "no-store");
    if request.method == "OPTIONS" || response.status == 412 {
        return response
            .with("tus-version", VERSION)
            .with("tus-extension", "creation,checksum,expiration")
            .with("tus-checksum-algorithm", ALGORITHMS)
            .with("tus-max-size", MAX_BLOB_BYTES.to_string());
    }
    response
}

fn check_version(request: &Request) -> Result<(), Fault> {
    if request.header("tus-resumable") == Some(VERSION) {
        return Ok(());
    }
    Err(Fault::new(
        412,
        "tus_version",
        "Tus-Resumable: this server speaks 1.0.0.",
    ))
}

fn number(request: &Request, name: &str) -> Result<u64, Fault> {
    let value = request
        .header(name)
        .and_then(|value| value.trim().parse().ok());
    value.ok_or_else(|| Fault::bad_request(format!("{name}: expected a number of bytes")))
}

/// The hash under which the content is announced.
fn announced(request: &Request) -> Result<Sha256, Fault> {
    let expected =
        || Fault::bad_request("Upload-Metadata: expected sha256 <base64 of 64 hex digits>");
    let pairs = request
        .header("upload-metadata")
        .ok_or_else(expected)?
        .split(',');
    let mut pairs = pairs.filter_map(|pair| pair.trim().split_once(' '));
    let (_, value) = pairs
        .find(|(name, _)| *name == "sha256")
        .ok_or_else(expected)?;
    let bytes = base64::engine::general_purpose::STANDARD.decode(value.trim());
    let text = bytes.ok().and_then(|bytes| String::from_utf8(bytes).ok());
    text.and_then(|text| text.parse().ok()).ok_or_else(expected)
}

fn create(service: &Arc<Service>, request: &Request) -> Result<Response, Error> {
    let phone = service.who_asks(request)?;
    check_version(request)?;
    let (length, sha256) = (number(request, "upload-length")?, announced(request)?);
    let standing = service.create_upload(&phone, sha256, length)?;
    let location = format!("/v1/blobs/{}", standing.upload.id);
    Ok(told(201, &standing).with("location", location))
}

/// Tells where an upload stands, and the phone's highest receipt.
fn told(status: u16, standing: &Standing) -> Response {
    let Standing { upload, receipt } = standing;
    let response = Response::empty(status).with("upload-offset", upload.offset.to_string());
    let response = match receipt {
        Some(cursor) => response.with(RECEIPT_HEADER, cursor.to_string()),
        None => response,
    };
    match expires(upload) {
        Some(when) => response.with("upload-expires", when),
        None => response,
    }
}

/// When an upload is forgotten that is not whole, unless bytes come.
fn expires(upload: &UploadRow) -> Option<String> {
    if upload.offset == upload.length {
        return None;
    }
    let when = DateTime::from_timestamp_millis(upload.at_ms + UPLOADS_KEPT_MS)?;
    Some(when.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

fn state(service: &Arc<Service>, request: &Request, id: &str) -> Result<Response, Error> {
    let phone = service.who_asks(request)?;
    check_version(request)?;
    let standing = service.upload_standing(&phone, id)?;
    let length = standing.upload.length.to_string();
    Ok(told(200, &standing).with("upload-length", length))
}

fn finish(patch: Patch, written: Result<(), Error>) -> Result<Response, Error> {
    // What came before a cut is kept, so that nothing is sent twice.
    let standing = patch.end(written.is_ok())?;
    written?;
    Ok(told(204, &standing))
}

impl Service {
    fn begin(self: &Arc<Self>, head: &Head) -> Result<Patch, Error> {
        let phone = self.who_asks(head)?;
        check_version(head)?;
        if head.header("content-type") != Some("application/offset+octet-stream") {
            let text = "Content-Type: expected application/offset+octet-stream.";
            return Err(Fault::new(415, "bad_type", text).into());
        }
        let id = head.path.rsplit('/').next().unwrap_or_default();
        let checksum = head.header("upload-checksum").map(Checksum::read);
        let offset = number(head, "upload-offset")?;
        self.begin_patch(&phone, id, offset, checksum.transpose()?)
    }

    /// Begins a PATCH whose body comes piece by piece.
    pub(crate) fn patch_begin(self: &Arc<Self>, head: &Head) -> Result<Patch, Response> {
        self.begin(head).map_err(|error| dressed(head, Err(error)))
    }

    /// Ends it, with what became of its last piece.
    pub(crate) fn patch_end(head: &Head, patch: Patch, written: Result<(), Error>) -> Response {
        dressed(head, finish(patch, written))
    }
}
