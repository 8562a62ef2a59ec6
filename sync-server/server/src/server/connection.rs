//! Connections, and what each request passes through: limits, headers, a line
//! in the log.

use axum::body::Body as HttpBody;
use axum::extract::{Request as HttpRequest, State};
use axum::http::header::{HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode};
use axum::middleware::{self, Next};
use axum::response::Response as HttpResponse;
use axum::routing::patch;
use axum::{Extension, Router};
use bytes::{Bytes, BytesMut};
use http_body_util::{BodyExt as _, Limited};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::io::Read as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{mpsc, watch};
use tokio_rustls::TlsAcceptor;
use tower_http::compression::CompressionLayer;

use super::assets;
use crate::error::Fault;
use crate::http::{Body, Request, Response};
use crate::service::Service;

/// A request's bytes as they come, compressed or not; attachments apart.
const MOST_BODY: usize = 1024 * 1024 + 64 * 1024;
/// The bytes of an attachment that are written at a time.
const PIECE: usize = 256 * 1024;
/// How long a peer may take for its request's head, and for a TLS handshake.
const HEAD_TIME: Duration = Duration::from_secs(30);
/// How long a peer may be silent within a body.
const SILENCE: Duration = Duration::from_secs(60);

/// What the page may load: its own files and nothing else, no inline style or
/// script, no worker made from a blob.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

const HEADERS: [(&str, &str); 5] = [
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
];

/// Whose connection it is.
#[derive(Clone)]
struct Peer {
    address: SocketAddr,
    secure: bool,
}

fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/v1/blobs/{id}", patch(patch_blob).fallback(any))
        .fallback(any)
        .layer(CompressionLayer::new())
        .layer(middleware::from_fn(headers))
        .layer(middleware::from_fn_with_state(Arc::clone(&service), log))
        .with_state(service)
}

/// Serves until `stopped`, then lets what is under way end, for at most `drain`.
pub(super) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    service: Arc<Service>,
    mut stopped: watch::Receiver<bool>,
    drain: Duration,
) {
    let router = router(service);
    let graceful = GracefulShutdown::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.changed() => break,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file handles, perhaps: let some connections end first.
                tracing::error!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let peer = Peer {
            address,
            secure: tls.is_some(),
        };
        let (router, watcher, tls) = (router.clone(), graceful.watcher(), tls.clone());
        tokio::spawn(async move {
            let _ = stream.set_nodelay(true);
            match tls {
                None => speak(stream, peer, router, watcher).await,
                Some(tls) => {
                    if let Some(stream) = shake(tls, stream).await {
                        speak(stream, peer, router, watcher).await;
                    }
                }
            }
        });
    }
    drop(listener);
    if tokio::time::timeout(drain, graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some requests did not end in time");
    }
}

async fn shake(tls: TlsAcceptor, stream: TcpStream) -> Option<impl AsyncRead + AsyncWrite + Unpin> {
    match tokio::time::timeout(HEAD_TIME, tls.accept(stream)).await {
        Ok(Ok(stream)) => Some(stream),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a TLS handshake failed");
            None
        }
        Err(_) => None,
    }
}

async fn speak<S>(
    stream: S,
    peer: Peer,
    router: Router,
    watcher: hyper_util::server::graceful::Watcher,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let service = TowerToHyperService::new(router.layer(Extension(peer)));
    let connection = hyper::server::conn::http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIME)
        .serve_connection(TokioIo::new(stream), service);
    if let Err(error) = watcher.watch(connection).await {
        tracing::debug!(%error, "a connection broke");
    }
}

/// Everything but an attachment's bytes.
async fn any(
    State(service): State<Arc<Service>>,
    Extension(peer): Extension<Peer>,
    request: HttpRequest,
) -> HttpResponse {
    let (mut head, body) = plain(&peer, request);
    let read = Limited::new(body, MOST_BODY).collect();
    match tokio::time::timeout(2 * SILENCE, read).await {
        Ok(Ok(body)) => head.body = body.to_bytes().to_vec(),
        Ok(Err(error)) if error.is::<http_body_util::LengthLimitError>() => {
            return answer(Fault::too_large(MOST_BODY).into());
        }
        _ => return answer(Fault::bad_request("The body did not come whole.").into()),
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

/// The bytes of an attachment, written as they come: what came before a cut is
/// kept.
async fn patch_blob(
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
        Ok(Err(response)) => return answer(response),
        Err(_) => return answer(fallen()),
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
    answer(end.await.unwrap_or_else(|_| fallen()))
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

fn answer(response: Response) -> HttpResponse {
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

/// Reads an attachment piece by piece on a thread that may block.
fn stream(mut bytes: crate::blobs::Bytes) -> HttpBody {
    let (send, receive) = mpsc::channel::<std::io::Result<Bytes>>(2);
    tokio::task::spawn_blocking(move || {
        let mut piece = vec![0; 64 * 1024];
        loop {
            let read = match bytes.read(&mut piece) {
                Ok(0) => return,
                Ok(length) => Ok(Bytes::copy_from_slice(&piece[..length])),
                Err(error) => Err(error),
            };
            // The browser may have gone away.
            if send.blocking_send(read).is_err() {
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

async fn headers(
    Extension(peer): Extension<Peer>,
    request: HttpRequest,
    next: Next,
) -> HttpResponse {
    let mut response = next.run(request).await;
    for (name, value) in HEADERS {
        let value = HeaderValue::from_static(value);
        response
            .headers_mut()
            .insert(HeaderName::from_static(name), value);
    }
    if peer.secure {
        let value = HeaderValue::from_static("max-age=31536000");
        response
            .headers_mut()
            .insert("strict-transport-security", value);
    }
    response
}

/// One line for each request: no ids, no names, no tokens.
async fn log(
    State(service): State<Arc<Service>>,
    request: HttpRequest,
    next: Next,
) -> HttpResponse {
    let method = request.method().clone();
    let call = call(request.uri().path());
    let begun = service.clock.now().mono_ms;
    let response = next.run(request).await;
    let ms = service.clock.now().mono_ms - begun;
    let status = response.status().as_u16();
    if call == "page" || call == "health" {
        tracing::debug!(%method, call, status, ms, "answered");
    } else {
        tracing::info!(%method, call, status, ms, "answered");
    }
    response
}

/// What is asked for, without whom it is about.
fn call(path: &str) -> &'static str {
    const CALLS: [(&str, &str); 18] = [
        ("/v1/enrol", "enrol"),
        ("/v1/hello", "hello"),
        ("/v1/push", "push"),
        ("/v1/pull", "pull"),
        ("/v1/tracks", "tracks"),
        ("/v1/blobs", "blobs"),
        ("/api/login", "login"),
        ("/api/logout", "logout"),
        ("/api/me", "me"),
        ("/api/catalogue", "catalogue"),
        ("/api/grids", "grids"),
        ("/api/day", "day"),
        ("/api/patrols", "patrol"),
        ("/api/incidents", "incident"),
        ("/api/workers", "workers"),
        ("/api/blobs", "photo"),
        ("/api/holdings", "holdings"),
        ("/healthz", "health"),
    ];
    let known = CALLS.iter().find(|(prefix, _)| path.starts_with(prefix));
    known.map_or("page", |(_, call)| call)
}
