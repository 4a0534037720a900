//! `policy.wasm`: the raw boundary over the evaluator, and nothing else. `policy-core/ABI.md` describes it.
//!
//! INVARIANT (R10): the module imports nothing, so that an answer depends on its input and the loaded bundle alone.
//! This is the only crate of the core with `unsafe` code: it turns numbers from outside into slices, and hands out memory.
#![cfg(target_arch = "wasm32")]
#![expect(unsafe_code, reason = "the boundary is made of addresses and lengths, and so is memory")]

mod allocator;

use std::cell::RefCell;
use std::{ptr, slice};

use policy_evaluator::abi::Instance;

#[global_allocator]
static BLOCKS: allocator::Blocks = allocator::Blocks::new();

thread_local! {
    static INSTANCE: RefCell<Instance> = RefCell::default();
}

/// The version of this boundary.
#[unsafe(no_mangle)]
pub extern "C" fn abi() -> i32 {
    policy_core::abi::ABI_VERSION.cast_signed()
}

/// A buffer of this many bytes for an input. The caller gives it back with [`free`].
#[unsafe(no_mangle)]
pub extern "C" fn alloc(length: usize) -> *mut u8 {
    hand_out(vec![0; length])
}

/// Takes a buffer back: one from [`alloc`], or an answer, with exactly its length.
///
/// # Safety
/// The caller has it from this instance and gives it back once.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn free(at: *mut u8, length: usize) {
    // SAFETY: `hand_out` made it from a box of a slice of this length, by the caller's promise.
    drop(unsafe { Box::from_raw(ptr::slice_from_raw_parts_mut(at, length)) });
}

/// One operation: the answer's address in the upper half and its length in the lower. Both buffers stay the caller's.
///
/// # Safety
/// `at` is from [`alloc`] with this length, and not given back yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn call(op: i32, at: *const u8, length: usize) -> i64 {
    // SAFETY: it is a live buffer of this length, by the caller's promise, and nobody writes to it meanwhile: the
    // instance has one thread and calls nobody.
    let input = unsafe { slice::from_raw_parts(at, length) };
    let answer = INSTANCE.with_borrow_mut(|instance| instance.call(op, input));
    let length = answer.len();
    ((hand_out(answer) as u64) << 32 | length as u64).cast_signed()
}

/// Plants the fault at this position: in test builds alone.
#[cfg(saboteur)]
#[unsafe(no_mangle)]
pub extern "C" fn sabotage(position: usize) {
    policy_core::saboteur::choose(position);
}

/// Gives bytes to the caller, capacity and length the same, so that [`free`] can take them back.
fn hand_out(bytes: Vec<u8>) -> *mut u8 {
    Box::into_raw(bytes.into_boxed_slice()).cast()
}
