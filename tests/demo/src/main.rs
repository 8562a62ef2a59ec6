//! `./dev demo`: one day of twelve gridworkers, from their phones to the
//! supervisor's page.
//!
//! The server, the phones' engines, their databases and the line between them
//! are the real ones. Simulated are the workers, and the time: a past day is
//! replayed in seconds, on one clock for all, and then goes on as the present.

mod clock;
mod ledger;
mod line;
mod office;
mod phone;
mod photo;
mod plan;
mod puppet;
mod say;
mod show;
mod sites;
mod story;

use clap::{Parser, Subcommand};
use std::path::PathBuf;
use std::process::ExitCode;

/// Replays a day of twelve gridworkers against the real server.
#[derive(Parser)]
struct Args {
    /// Do not stay up: print what the server holds and end.
    #[arg(long)]
    once: bool,
    /// Where the page is served.
    #[arg(long, default_value = "127.0.0.1:8765")]
    listen: std::net::SocketAddr,
    /// Where the demo keeps its data; made anew at every start.
    #[arg(long, default_value = ".gridwalk/demo")]
    data: PathBuf,
    /// Write address and logins to this file once the page can be opened, for
    /// tests that drive a browser.
    #[arg(long)]
    ready_file: Option<PathBuf>,
    #[command(subcommand)]
    part: Option<Part>,
}

#[derive(Subcommand)]
enum Part {
    /// One phone in a process of its own; the demo starts it.
    #[command(hide = true)]
    Phone { setup: PathBuf, minute: u32 },
}

fn main() -> ExitCode {
    let args = Args::parse();
    let outcome = match &args.part {
        Some(Part::Phone { setup, minute }) => puppet::main(setup, *minute),
        None => show::run(&show::Options {
            once: args.once,
            listen: args.listen,
            data: args.data,
            ready_file: args.ready_file,
        }),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say::failed(&error);
            ExitCode::FAILURE
        }
    }
}
