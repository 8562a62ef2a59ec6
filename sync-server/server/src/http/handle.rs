//! What answers a request.

use gridwalk_domain::wire::{
    BadCursor, EnrolRequest, HaveRequest, HelloRequest, MAX_PUSH_BYTES, MAX_TRACKS_BYTES,
    PullRequest, PushRequest, RECEIPT_HEADER, tracks,
};
use gridwalk_store::BlobRow;
use serde::Serialize;
use std::sync::Arc;

use super::coding;
use super::message::{Body, Request, Response};
use crate::blobs::Bytes;
use crate::error::{Error, Fault};
use crate::page::{Answer, COOKIE};
use crate::service::Service;
use crate::sync::Phone;

/// The bytes of a small request.
const SMALL: usize = 64 * 1024;
/// A push's bytes: its ops are texts within a text, whose quotes are escaped.
const PUSH: usize = 2 * MAX_PUSH_BYTES;
/// A `have`'s bytes: some 120 for each thing that is asked for.
const HAVE: usize = 128 * 1024;
/// A pull's bytes: a cursor for each of many streams.
const PULL: usize = 256 * 1024;

impl Service {
    /// Answers a request to `/v1/…`, `/api/…`, `/healthz` or `/readyz`.
    #[must_use]
    pub fn handle(self: &Arc<Self>, request: &Request) -> Response {
        let path: Vec<&str> = request.path.trim_start_matches('/').split('/').collect();
        match path.as_slice() {
            ["v1", "blobs", sha256] if request.method == "GET" => {
                self.download(request, sha256).unwrap_or_else(refusal)
            }
            ["v1", "blobs", rest @ ..] => super::tus::answer(self, request, rest),
            ["v1", call] => packed(
                request,
                self.answer_phone(request, call).unwrap_or_else(refusal),
            ),
            ["api", rest @ ..] => self.show(request, rest).unwrap_or_else(refusal),
            ["healthz"] => text(200, "ok\n"),
            ["readyz"] => self.ready(),
            _ => Fault::not_found().into(),
        }
    }

    fn download(&self, request: &Request, sha256: &str) -> Result<Response, Error> {
        let phone = self.who_asks(request)?;
        let sha256 = sha256.parse().map_err(|_| Fault::not_found())?;
        let (row, bytes) = self.blob_of(&phone, sha256)?;
        media(request, &row, bytes)
    }

    fn answer_phone(&self, request: &Request, call: &str) -> Result<Response, Error> {
        let known = ["enrol", "hello", "push", "pull", "tracks", "have"].contains(&call);
        if !known {
            return Err(Fault::not_found().into());
        }
        if request.method != "POST" {
            return Err(Fault::new(405, "bad_request", "This is asked with POST.").into());
        }
        if call == "enrol" {
            let enrolment: EnrolRequest = request.json(SMALL)?;
            return json(&self.enrol(&enrolment, &request.peer)?);
        }
        let phone = self.who_asks(request)?;
        match call {
            "hello" => json(&self.hello(&phone, &request.json::<HelloRequest>(SMALL)?)?),
            "push" => json(&self.push(&phone, request.json::<PushRequest>(PUSH)?)?),
            "have" => json(&self.have(&phone, &request.json::<HaveRequest>(HAVE)?)?),
            "pull" => json(&self.pull(&phone, &request.json::<PullRequest>(PULL)?)?),
            _ => {
                let kind = request.header("content-type").unwrap_or_default();
                if kind != tracks::CONTENT_TYPE {
                    let text = format!("Content-Type: expected {}.", tracks::CONTENT_TYPE);
                    return Err(Fault::new(415, "bad_type", text).into());
                }
                json(&self.tracks(&phone, &request.plain(MAX_TRACKS_BYTES)?)?)
            }
        }
    }

    /// The phone that asks, with what it says it has seen.
    pub(super) fn who_asks(&self, request: &Request) -> Result<Phone, Error> {
        let seen = request.header(RECEIPT_HEADER).map(str::parse).transpose();
        let bad = |why| Fault::bad_request(format!("Gridwalk-Receipt: {why}"));
        let seen = seen.map_err(|why: BadCursor| bad(why))?;
        self.phone(request.bearer(), seen)
    }

    fn show(&self, request: &Request, path: &[&str]) -> Result<Response, Error> {
        Ok(match self.look(request, path)? {
            Answer::Json(json) => Response::json(200, json),
            Answer::Tagged { tag, json } => {
                let response = match json {
                    Some(json) => Response::json(200, json),
                    None => Response::empty(304),
                };
                response
                    .with("etag", tag)
                    .with("cache-control", "private, no-cache")
            }
            Answer::LoggedIn(json, token) => {
                let cookie = cookie(&token, "", request.secure);
                Response::json(200, json).with("set-cookie", cookie)
            }
            Answer::LoggedOut => {
                let cookie = cookie("", "; Max-Age=0", request.secure);
                Response::empty(204).with("set-cookie", cookie)
            }
            Answer::Blob(row, bytes) => media(request, &row, bytes)?,
        })
    }

    fn ready(&self) -> Response {
        match self.read(|tx| Ok(tx.epoch()?)) {
            Ok(Some(_)) => text(200, "ready\n"),
            _ => text(503, "not ready\n"),
        }
    }
}

/// An attachment, or a range of it.
fn media(request: &Request, row: &BlobRow, bytes: Bytes) -> Result<Response, Error> {
    Ok(super::range::answer(request, row, bytes)?
        .with("content-type", shown(&row.mime))
        .with("content-disposition", disposition(&row.mime)))
}

fn refusal(error: Error) -> Response {
    Fault::from(error).into()
}

fn text(status: u16, text: &str) -> Response {
    let mut response = Response::empty(status).with("content-type", "text/plain; charset=utf-8");
    response.body = Body::Bytes(text.as_bytes().to_vec());
    response.with("cache-control", "no-store")
}

fn json(value: &impl Serialize) -> Result<Response, Error> {
    let json = serde_json::to_vec(value)
        .map_err(|why| gridwalk_store::StoreError::Failed(format!("an answer: {why}")))?;
    Ok(Response::json(200, json))
}

/// Compresses an answer to a phone, where it takes that.
fn packed(request: &Request, mut response: Response) -> Response {
    if let Body::Bytes(body) = &response.body
        && let Some(packed) = coding::encode(request.header("accept-encoding"), body)
    {
        response.body = Body::Bytes(packed);
        return response.with("content-encoding", "zstd");
    }
    response
}

fn cookie(token: &str, more: &str, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    format!("{COOKIE}={token}; Path=/; HttpOnly; SameSite=Strict{secure}{more}")
}

/// Only what a browser merely shows is called by its type: a page or a script
/// that somebody uploaded must not run as ours.
fn is_shown(mime: &str) -> bool {
    let kind = mime.split('/').next();
    mime != "image/svg+xml" && matches!(kind, Some("image" | "audio" | "video"))
}

fn shown(mime: &str) -> &str {
    if is_shown(mime) {
        mime
    } else {
        "application/octet-stream"
    }
}

fn disposition(mime: &str) -> &'static str {
    if is_shown(mime) {
        "inline"
    } else {
        "attachment"
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_media_are_shown() {
        assert_eq!(shown("image/jpeg"), "image/jpeg");
        for strange in [
            "text/html",
            "image/svg+xml",
            "application/javascript",
            "application/pdf",
        ] {
            assert_eq!(shown(strange), "application/octet-stream");
            assert_eq!(disposition(strange), "attachment");
        }
    }

    #[test]
    fn the_cookie_is_out_of_reach() {
        let plain = cookie("abc", "", false);
        assert_eq!(plain, "gridwalk=abc; Path=/; HttpOnly; SameSite=Strict");
        assert!(cookie("abc", "", true).ends_with("; Secure"));
    }
}
