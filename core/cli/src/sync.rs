//! `sync`.

use gridwalk_engine::{
    Cut, Engine, EngineError, HttpTransport, Request, Response, ServerAddress, SyncOptions,
    SyncReport, Transport, TransportError,
};
use std::io::Write;

use crate::problem::{Outcome, Problem};
use crate::text::Texts;

/// The server named on the command line, whichever was enrolled with.
struct Instead(HttpTransport);

impl Transport for Instead {
    fn send(&self, request: &Request) -> Result<Response, TransportError> {
        self.0.send(request)
    }

    fn host(&self) -> String {
        self.0.host()
    }
}

pub(crate) fn run(
    server: Option<&str>,
    engine: &Engine,
    options: SyncOptions,
    texts: &Texts,
    out: &mut dyn Write,
) -> Outcome<()> {
    let known = engine.servers()?.into_iter().next();
    let known = known.ok_or(EngineError::NotEnrolled)?;
    let report = match server {
        None => engine
            .sync_over_http(&options)
            .map_err(|error| Problem::from(error).at(known.url))?,
        Some(url) => {
            let server = ServerAddress {
                ca: known.ca,
                ..ServerAddress::parse(url)?
            };
            let at_server = |error| Problem::from(error).at(server.url.clone());
            let transport = Instead(HttpTransport::new(&server).map_err(at_server)?);
            engine.sync(&transport, options).map_err(at_server)?
        }
    };
    tell(&report, texts, out)
}

fn tell(report: &SyncReport, texts: &Texts, out: &mut dyn Write) -> Outcome<()> {
    let values = [
        ("ops", report.ops_sent.to_string()),
        ("chunks", report.chunks_sent.to_string()),
        ("blobs", report.blobs_sent.to_string()),
        ("pulled", report.entities_pulled.to_string()),
        ("up", report.bytes_up.to_string()),
        ("down", report.bytes_down.to_string()),
    ];
    let mut line =
        |name: &str, values: &[(&str, String)]| writeln!(out, "{}", texts.say(name, values));
    line("synced", &values)?;
    if report.asked > 0 {
        line("sync.asked", &[("n", report.asked.to_string())])?;
    }
    if report.refused > 0 {
        line("sync.refused", &[("n", report.refused.to_string())])?;
    }
    if report.upgrade_needed {
        line("sync.upgrade", &[])?;
    }
    if report.left.is_some() {
        line("sync.left", &[])?;
    }
    match report.cut {
        None => {}
        Some(Cut::Budget) => line("sync.budget", &[])?,
        Some(Cut::RetryAfter { after_ms }) => {
            let seconds = (after_ms + 999) / 1000;
            line("sync.wait", &[("seconds", seconds.to_string())])?;
        }
    }
    Ok(())
}
