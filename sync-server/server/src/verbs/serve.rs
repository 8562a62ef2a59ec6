//! `serve`.

use gridwalk_server::{Config, Server, StartError, TlsFiles};
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::say::Say;
use super::{Done, Failure, Place, Serve, seams};

fn failed(why: &dyn std::fmt::Display) -> Failure {
    Failure::Said("serve.failed", vec![("why", why.to_string())])
}

/// Serves until SIGTERM or SIGINT. The line with the address comes once the
/// server accepts.
pub(super) fn run(place: &Place, options: Serve, say: &Say) -> Done {
    let filter = EnvFilter::try_from_env("GRIDWALK_LOG").unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt()
        .json()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .init();
    let (clock, rng) = seams()?;
    let tls = options.tls_cert.zip(options.tls_key);
    let config = Config {
        data: place.folders.data.clone(),
        journal: place.folders.journal.clone(),
        settings: place.settings.clone(),
        listen: options.listen,
        public_url: options.public_url,
        tls: tls.map(|(cert, key)| TlsFiles { cert, key }),
    };
    // The handlers stand before anybody is told that the server is there.
    let waiting = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()
        .map_err(|why| failed(&why))?;
    let signals = waiting.block_on(async {
        Ok::<_, std::io::Error>((
            signal(SignalKind::terminate())?,
            signal(SignalKind::interrupt())?,
        ))
    });
    let (mut terminate, mut interrupt) = signals.map_err(|why| failed(&why))?;
    let server = Server::start(&config, clock, rng).map_err(|error| match error {
        StartError::Data(error) => Failure::Admin(error),
        other => failed(&other),
    })?;
    let empty = server.service().admin().tenants()?.is_empty();
    say.line(
        "serve.data",
        &[("data", &config.data.display().to_string())],
    );
    if empty {
        say.line("serve.empty", &[]);
    }
    say.line("serve.ready", &[("url", server.url())]);
    waiting.block_on(async {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    });
    say.line("serve.stopping", &[]);
    server.stop();
    say.line("serve.stopped", &[]);
    Ok(())
}
