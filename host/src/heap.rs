//! What the C library's allocator keeps of what was given back to it. Elsewhere than on Linux with glibc nothing is to be done.

/// Has it stay with the bounds that it begins with. Left to itself it raises them with the largest block that was ever given
/// back, and keeps twice that for each thread: of one preview on a thousand recorded questions, say. Of use before there is
/// a second thread.
pub fn keep_little() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    glibc::keep_little();
}

/// Gives the system back what is free between what is in use: a state that was folded aside leaves as much as is believed.
/// Takes some milliseconds, in which whoever allocates may wait.
pub(crate) fn give_back() {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    glibc::give_back();
}

#[cfg(all(target_os = "linux", target_env = "gnu"))]
#[expect(unsafe_code, reason = "the allocator is told in no other way")]
mod glibc {
    use libc::{M_MMAP_THRESHOLD, M_TRIM_THRESHOLD, c_int, malloc_trim, mallopt};

    /// Its own first bound, in bytes. That it is set at all is what keeps it.
    const BOUND: c_int = 128 << 10;

    pub(super) fn keep_little() {
        for bound in [M_MMAP_THRESHOLD, M_TRIM_THRESHOLD] {
            // SAFETY: it sets a number of the allocator, from any thread. What it cannot set it leaves as it was.
            let _ = unsafe { mallopt(bound, BOUND) };
        }
    }

    pub(super) fn give_back() {
        // SAFETY: it takes the allocator's own locks, and touches nothing that is in use.
        let _ = unsafe { malloc_trim(0) };
    }
}
