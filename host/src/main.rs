//! `proviso`: the one binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    proviso::cli::main()
}
