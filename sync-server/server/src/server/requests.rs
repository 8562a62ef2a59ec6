//! Requests: from the socket to the service and back, attachments piece by
//! piece.

use axum::Extension;
use axum::body::Body as HttpBody;
use axum::extract::{Request as HttpRequest, State};
use axum::http::header::{HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response as HttpResponse;
use bytes::{Bytes, BytesMut};
use http_body_util::BodyExt as _;
use std::io::Read as _;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::mpsc;

use super::assets;
use super::connection::Peer;
use crate::error::Fault;
use crate::http::{Body, METHOD_OVERRIDE, Request, Response};
use crate::service::Service;

/// A request's bytes as they come, compressed or not; attachments apart.
const MOST_BODY: usize = 1024 * 1024 + 64 * 1024;
/// The bytes of an attachment that are written at a time.
const PIECE: usize = 256 * 1024;
/// The bytes of an attachment that are read at a time.
const READ: usize = 64 * 1024;
/// How long a body may take that is not an attachment's: the largest, at some
/// 10 kbit a second.
const WHOLE_BODY: Duration = Duration::from_secs(15 * 60);
/// How long a peer may be silent within a body.
const SILENCE: Duration = Duration::from_secs(60);

/// Everything but an attachment's bytes.
pub(super) async fn any(
    State(service): State<Arc<Service>>,
    Extension(peer): Extension<Peer>,
    request: HttpRequest,
) -> HttpResponse {
    let (mut head, body) = plain(&peer, request);
    match tokio::time::timeout(WHOLE_BODY, collect(body)).await {
        Ok(Ok(body)) => head.body = body,
        Ok(Err(fault)) => return closing(answer(fault.into())),
        Err(_) => {
            return closing(answer(
                Fault::bad_request("The body came too slowly.").into(),
            ));
        }
    }
    let is_ours = ["/v1/", "/api/", "/healthz", "/readyz"];
    let is_ours = is_ours.iter().any(|prefix| head.path.starts_with(prefix));
    let work = move || {
        if is_ours {
            service.handle(&head)
        } else {
            assets::answer(&head)
        }
    };
    answer(
        tokio::task::spawn_blocking(work)
            .await
            .unwrap_or_else(|_| fallen()),
    )
}

/// Answers before the body has come. What is left of it is read and dropped, so
/// that the connection can go on; where it is too much or takes too long, it ends
/// here, and the peer is told so.
async fn refuse(response: Response, body: HttpBody) -> HttpResponse {
    let drained = tokio::time::timeout(SILENCE, drain(body)).await;
    let response = answer(response);
    if drained == Ok(true) {
        response
    } else {
        closing(response)
    }
}

/// Reads a body to its end, where that is not too far.
async fn drain(mut body: HttpBody) -> bool {
    let mut left = MOST_BODY;
    while let Some(frame) = body.frame().await {
        let Ok(frame) = frame else { return false };
        let length = frame.data_ref().map_or(0, Bytes::len);
        match left.checked_sub(length) {
            Some(rest) => left = rest,
            None => return false,
        }
    }
    true
}

/// Tells the peer that this connection ends here.
fn closing(mut response: HttpResponse) -> HttpResponse {
    let close = HeaderValue::from_static("close");
    response.headers_mut().insert("connection", close);
    response
}

/// A body of at most [`MOST_BODY`]; a slow line may take its time, a silent one
/// not.
async fn collect(mut body: HttpBody) -> Result<Vec<u8>, Fault> {
    let mut whole = Vec::new();
    loop {
        match tokio::time::timeout(SILENCE, body.frame()).await {
            Ok(None) => return Ok(whole),
            Ok(Some(Ok(frame))) => {
                if let Some(data) = frame.data_ref() {
                    whole.extend_from_slice(data);
                }
                if whole.len() > MOST_BODY {
                    return Err(Fault::too_large(MOST_BODY));
                }
            }
            Ok(Some(Err(_))) | Err(_) => {
                return Err(Fault::bad_request("The body did not come whole."));
            }
        }
    }
}

/// The bytes of an attachment, written as they come: what came before a cut is
/// kept.
pub(super) async fn patch_blob(
    State(service): State<Arc<Service>>,
    Extension(peer): Extension<Peer>,
    request: HttpRequest,
) -> HttpResponse {
    let (head, mut body) = plain(&peer, request);
    let head = Arc::new(head);
    let (for_begin, beginner) = (Arc::clone(&head), Arc::clone(&service));
    let begun = tokio::task::spawn_blocking(move || beginner.patch_begin(&for_begin)).await;
    let mut patch = match begun {
        Ok(Ok(patch)) => patch,
        Ok(Err(response)) => return refuse(response, body).await,
        Err(_) => return refuse(fallen(), body).await,
    };
    let mut piece = BytesMut::new();
    let mut result = Ok(());
    let mut more = true;
    while more && result.is_ok() {
        match tokio::time::timeout(SILENCE, body.frame()).await {
            Ok(Some(Ok(frame))) => {
                if let Ok(data) = frame.into_data() {
                    piece.extend_from_slice(&data);
                }
                if piece.len() < PIECE {
                    continue;
                }
            }
            Ok(None) => more = false,
            Ok(Some(Err(_))) | Err(_) => {
                more = false;
                result = Err(Fault::bad_request("The body did not come whole.").into());
            }
        }
        let bytes = piece.split().freeze();
        let written = tokio::task::spawn_blocking(move || {
            let written = patch.write(&bytes);
            (patch, written)
        });
        match written.await {
            Ok((same, written)) => {
                patch = same;
                result = result.and(written);
            }
            Err(_) => return answer(fallen()),
        }
    }
    let end = tokio::task::spawn_blocking(move || Service::patch_end(&head, patch, result));
    let response = end.await.unwrap_or_else(|_| fallen());
    if more {
        refuse(response, body).await
    } else {
        answer(response)
    }
}

/// A POST to an upload is what it says it stands for, where a proxy lets no PATCH
/// through.
pub(super) async fn post_blob(
    state: State<Arc<Service>>,
    peer: Extension<Peer>,
    request: HttpRequest,
) -> HttpResponse {
    let meant = request.headers().get(METHOD_OVERRIDE);
    if meant.is_some_and(|meant| meant == "PATCH") {
        patch_blob(state, peer, request).await
    } else {
        any(state, peer, request).await
    }
}

/// A request of the socket as a plain value, its body apart.
fn plain(peer: &Peer, request: HttpRequest) -> (Request, HttpBody) {
    let (parts, body) = request.into_parts();
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let headers = parts.headers.iter();
    let head = Request {
        method: parts.method.as_str().to_owned(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: headers
            .map(|(name, value)| (name.as_str().to_owned(), text(value)))
            .collect(),
        body: Vec::new(),
        peer: peer.address.ip().to_string(),
        secure: peer.secure,
    };
    (head, body)
}

fn fallen() -> Response {
    Fault::new(500, "internal", "The server failed. Try again later.").into()
}

pub(super) fn answer(response: Response) -> HttpResponse {
    let mut headers = HeaderMap::new();
    for (name, value) in response.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    let body = match response.body {
        Body::Bytes(bytes) => HttpBody::from(bytes),
        Body::Stream { length, bytes } => {
            headers.insert("content-length", HeaderValue::from(length));
            stream(bytes)
        }
    };
    let mut out = HttpResponse::new(body);
    *out.status_mut() =
        StatusCode::from_u16(response.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    *out.headers_mut() = headers;
    out
}

/// Reads an attachment piece by piece. A thread is taken for a piece alone, and a
/// peer that takes nothing for [`SILENCE`] gets no more: the body ends short of
/// the length that was announced.
fn stream(mut bytes: Box<dyn std::io::Read + Send>) -> HttpBody {
    let (send, receive) = mpsc::channel::<std::io::Result<Bytes>>(1);
    tokio::spawn(async move {
        loop {
            let reading = tokio::task::spawn_blocking(move || {
                let mut piece = vec![0; READ];
                let read = bytes.read(&mut piece);
                piece.truncate(*read.as_ref().unwrap_or(&0));
                (bytes, read.map(|_| Bytes::from(piece)))
            });
            let Ok((rest, piece)) = reading.await else {
                return;
            };
            bytes = rest;
            let failed = piece.is_err();
            if piece.as_ref().is_ok_and(Bytes::is_empty) {
                return;
            }
            // The browser may have gone away.
            let taken = tokio::time::timeout(SILENCE, send.send(piece)).await;
            if failed || !matches!(taken, Ok(Ok(()))) {
                return;
            }
        }
    });
    HttpBody::new(http_body_util::StreamBody::new(Pieces(receive)))
}

struct Pieces(mpsc::Receiver<std::io::Result<Bytes>>);

impl futures_core::Stream for Pieces {
    type Item = std::io::Result<hyper::body::Frame<Bytes>>;

    fn poll_next(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Option<Self::Item>> {
        let next = self.0.poll_recv(context);
        next.map(|piece| piece.map(|piece| piece.map(hyper::body::Frame::data)))
    }
}
