//! `gridwalk`, by its own main.

use std::process::ExitCode;

fn main() -> ExitCode {
    gridwalk_cli::main()
}
