//! What every request passes through: a place among others, headers, a line in
//! the log.

use axum::Extension;
use axum::extract::{Request as HttpRequest, State};
use axum::http::header::{HeaderName, HeaderValue};
use axum::middleware::Next;
use axum::response::Response as HttpResponse;
use std::sync::Arc;
use tokio::sync::Semaphore;

use super::connection::Peer;
use super::requests::answer;
use crate::error::Fault;
use crate::service::Service;

/// Requests that may be under way; more are sent away for a while.
const MOST_AT_ONCE: usize = 1024;
/// How long they are sent away, in seconds.
const AWAY_S: u64 = 5;

/// What the page may load: its own files and nothing else, no inline style or
/// script, no worker made from a blob.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
    connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; \
    frame-ancestors 'none'";

/// What every answer to a browser bears; phones need none of it, and each byte
/// costs them.
const HEADERS: [(&str, &str); 5] = [
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
];

/// The places for [`crowd`].
pub(super) fn places() -> Arc<Semaphore> {
    Arc::new(Semaphore::new(MOST_AT_ONCE))
}

/// Sends away who comes when too many are here.
pub(super) async fn crowd(
    State(places): State<Arc<Semaphore>>,
    request: HttpRequest,
    next: Next,
) -> HttpResponse {
    let Ok(_place) = places.try_acquire() else {
        let text = "Too many requests are under way. Wait, then try again.";
        let mut fault = Fault::new(503, "busy", text);
        fault.retry_after_s = Some(AWAY_S);
        return answer(fault.into());
    };
    next.run(request).await
}

pub(super) async fn headers(
    Extension(peer): Extension<Peer>,
    request: HttpRequest,
    next: Next,
) -> HttpResponse {
    let from_phone = request.uri().path().starts_with("/v1/");
    let mut response = next.run(request).await;
    if from_phone {
        return response;
    }
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
pub(super) async fn log(
    State(service): State<Arc<Service>>,
    request: HttpRequest,
    next: Next,
) -> HttpResponse {
    let method = request.method().clone();
    let call = call(request.uri().path());
    let begun = service.tools.clock.now().mono_ms;
    let response = next.run(request).await;
    let ms = service.tools.clock.now().mono_ms - begun;
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
    const CALLS: [(&str, &str); 19] = [
        ("/v1/enrol", "enrol"),
        ("/v1/hello", "hello"),
        ("/v1/push", "push"),
        ("/v1/pull", "pull"),
        ("/v1/tracks", "tracks"),
        ("/v1/have", "have"),
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
