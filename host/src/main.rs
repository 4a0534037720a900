//! `proviso`: the one binary.

use std::process::ExitCode;

fn main() -> ExitCode {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    keep_little();
    proviso::cli::main()
}

/// Has the C library's allocator stay with the bounds that it begins with. Left to itself it raises them with the largest
/// block that was ever given back, and keeps twice that for each thread: of one preview on a thousand recorded questions,
/// or of one snapshot.
#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "the allocator is told in no other way")]
fn keep_little() {
    /// Its own first bound, in bytes. That it is set at all is what keeps it.
    const BOUND: libc::c_int = 128 << 10;
    for bound in [libc::M_MMAP_THRESHOLD, libc::M_TRIM_THRESHOLD] {
        // SAFETY: it sets a number of the allocator, and no other thread runs yet. What it cannot set it leaves as it was.
        let _ = unsafe { libc::mallopt(bound, BOUND) };
    }
}
