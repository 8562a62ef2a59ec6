//! `gridwalk-server`: the sync server, and what an operator asks of it.

mod verbs;

use clap::Parser as _;
use std::process::ExitCode;

fn main() -> ExitCode {
    verbs::run(verbs::Cli::parse())
}
