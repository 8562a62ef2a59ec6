//! gridwalk: a thin terminal over the engine's facade.
//!
//! A tool for demos, tests, support and rescue. One data file is one phone;
//! every call opens it, does one thing and closes it. There is no logic here:
//! arguments become calls, answers become text, Chinese first with English
//! beside it (or one of them, by `--lang`).

mod args;
mod attach;
mod catalogue;
mod conflict;
mod edit;
mod find;
mod incident;
mod key;
mod leave;
mod life;
mod mediation;
mod problem;
mod record;
mod run;
mod show;
mod sites;
mod sync;
mod text;
mod work;

use clap::Parser as _;
use std::io::Write as _;
use std::process::ExitCode;

use args::Args;
use text::Texts;

/// Runs the program with the arguments of this process.
///
/// The exit status is 0 where it was done, 1 where it was not (one line on the
/// standard error says what, where and what to do), 2 for wrong arguments.
#[must_use]
pub fn main() -> ExitCode {
    let args = Args::parse();
    let texts = Texts::new(args.lang);
    match run::run(&args, &texts) {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) if problem.is_broken_pipe() => ExitCode::SUCCESS,
        Err(problem) => {
            // Where even the standard error is closed nobody listens.
            let _ = writeln!(std::io::stderr(), "gridwalk: {}", problem.line(&texts));
            ExitCode::FAILURE
        }
    }
}
