//! The `gridwalk` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    gridwalk_cli::main()
}
