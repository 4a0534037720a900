//! `proviso`: the one binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    give_back();
    proviso::cli::main()
}

/// Has the C library's allocator give back what a large piece of work took, such as a preview on a thousand recorded
/// questions or the folding of a snapshot. Left to itself it keeps, for each thread, twice the largest block that was ever
/// given back.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "the allocator is told in no other way")]
fn give_back() {
    const KEPT: libc::c_int = 1 << 20;
    for of in [libc::M_MMAP_THRESHOLD, libc::M_TRIM_THRESHOLD] {
        // SAFETY: it sets a number of the allocator, and no other thread runs yet. What it cannot set it leaves as it was.
        let _ = unsafe { libc::mallopt(of, KEPT) };
    }
}
