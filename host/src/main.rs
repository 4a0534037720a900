//! `proviso`: the one binary.

use std::process::ExitCode;

/// A gate runs for months, on many threads, and the C library's allocator keeps for each what its largest work once took.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    proviso::cli::main()
}
