//! Connections: accepted, spoken with, and ended in peace.

use axum::http::{Extensions, HeaderMap, StatusCode, Version};
use axum::routing::patch;
use axum::{Extension, Router, middleware};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio_rustls::TlsAcceptor;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, Predicate as _};

use super::{layers, requests};
use crate::service::Service;

/// How long a peer may take for its request's head, and for a TLS handshake.
const HEAD_TIME: Duration = Duration::from_secs(30);

/// Whose connection it is.
#[derive(Clone)]
pub(super) struct Peer {
    pub(super) address: SocketAddr,
    /// Whether browsers reach us by TLS, here or at a proxy before us.
    pub(super) secure: bool,
}

/// What can be asked for by range goes as it is: a range counts its bytes.
fn has_no_ranges(_: StatusCode, _: Version, headers: &HeaderMap, _: &Extensions) -> bool {
    !headers.contains_key("accept-ranges")
}

fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route(
            "/v1/blobs/{id}",
            patch(requests::patch_blob)
                .post(requests::post_blob)
                .fallback(requests::any),
        )
        .fallback(requests::any)
        .layer(CompressionLayer::new().compress_when(DefaultPredicate::new().and(has_no_ranges)))
        .layer(middleware::from_fn_with_state(
            layers::places(),
            layers::crowd,
        ))
        .layer(middleware::from_fn(layers::headers))
        .layer(middleware::from_fn_with_state(
            Arc::clone(&service),
            layers::log,
        ))
        .with_state(service)
}

/// Serves until `stopped`, then lets what is under way end, for at most `drain`.
pub(super) async fn serve(
    listener: TcpListener,
    tls: Option<TlsAcceptor>,
    secure: bool,
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
        let peer = Peer { address, secure };
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
