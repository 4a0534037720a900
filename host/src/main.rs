//! `proviso`: the one binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    proviso::heap::keep_little();
    proviso::cli::main()
}
