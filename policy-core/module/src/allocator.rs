//! The module's memory: small blocks by their size, taken back for the next one of that size.
//!
//! A question makes hundreds of small blocks and gives them all back. The standard library's allocator looks for room and
//! joins neighbours each time, which is much of what such a question costs. Blocks of up to 512 bytes come from lists
//! here, one for each size, and go back to them; larger ones are the standard library's. What a list holds is never given
//! back, so it is as much as was in use at once: the host bounds the memory, and drops an instance that wants more.

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ptr;

/// Sizes are multiples of this, and so are addresses.
const STEP: usize = 16;
/// How many sizes have a list.
const LISTS: usize = 32;
/// What is taken at once where a list is empty.
const CHUNK: usize = 64 * 1024;

/// A block that nobody has.
struct Free {
    next: *mut Free,
}

/// Where new blocks are cut from.
struct Chunk {
    at: *mut u8,
    left: usize,
}

/// The lists, and the chunk that they are filled from.
pub struct Blocks {
    lists: UnsafeCell<[*mut Free; LISTS]>,
    chunk: UnsafeCell<Chunk>,
}

// SAFETY: the module has one thread and calls nobody, so there is never a second caller.
unsafe impl Sync for Blocks {}

impl Blocks {
    /// No block yet.
    pub const fn new() -> Self {
        let chunk = Chunk { at: ptr::null_mut(), left: 0 };
        Self { lists: UnsafeCell::new([ptr::null_mut(); LISTS]), chunk: UnsafeCell::new(chunk) }
    }

    /// Where the list of blocks for this layout begins, and its number; nothing for what is large.
    fn list(&self, layout: Layout) -> Option<(*mut *mut Free, usize)> {
        let number = layout.size().saturating_sub(1) / STEP;
        if layout.align() > STEP || number >= LISTS {
            return None;
        }
        let lists: *mut *mut Free = self.lists.get().cast();
        // SAFETY: there are so many lists.
        Some((unsafe { lists.add(number) }, number))
    }

    /// A new block, of this number's size.
    fn cut(&self, number: usize) -> *mut u8 {
        let size = (number + 1) * STEP;
        // SAFETY: nobody else has a reference to the chunk: there is one thread, and none is kept.
        let chunk = unsafe { &mut *self.chunk.get() };
        if chunk.left < size {
            let Ok(layout) = Layout::from_size_align(CHUNK, STEP) else { return ptr::null_mut() };
            // SAFETY: the layout is not empty.
            let at = unsafe { System.alloc(layout) };
            if at.is_null() {
                return at;
            }
            *chunk = Chunk { at, left: CHUNK };
        }
        let block = chunk.at;
        // SAFETY: so much is left of the chunk.
        chunk.at = unsafe { chunk.at.add(size) };
        chunk.left -= size;
        block
    }
}

// SAFETY: a block is handed out once until it comes back, has at least the size that was asked for, and is aligned as
// every chunk and every size are. What is large goes to the standard library and comes back to it, by the same rule.
unsafe impl GlobalAlloc for Blocks {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some((list, number)) = self.list(layout) else {
            // SAFETY: by the caller's promise.
            return unsafe { System.alloc(layout) };
        };
        // SAFETY: nobody else reads or writes the lists meanwhile; what is on one is a free block, which holds the next
        // one's address.
        unsafe {
            let block = *list;
            if block.is_null() {
                return self.cut(number);
            }
            *list = (*block).next;
            block.cast()
        }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        let Some((list, _)) = self.list(layout) else {
            // SAFETY: by the caller's promise.
            return unsafe { System.dealloc(at, layout) };
        };
        let block: *mut Free = at.cast();
        // SAFETY: the block is the caller's no more, is aligned, and has room for an address.
        unsafe {
            block.write(Free { next: *list });
            *list = block;
        }
    }

    unsafe fn realloc(&self, at: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Ok(wanted) = Layout::from_size_align(size, layout.align()) else { return ptr::null_mut() };
        let number = |layout| self.list(layout).map(|(_, number)| number);
        match (number(layout), number(wanted)) {
            // SAFETY: by the caller's promise.
            (None, None) => unsafe { System.realloc(at, layout, size) },
            (had, wants) if had == wants => at,
            _ => {
                // SAFETY: both blocks have the bytes that are copied, and are not the same.
                unsafe {
                    let new = self.alloc(wanted);
                    if !new.is_null() {
                        ptr::copy_nonoverlapping(at, new, layout.size().min(size));
                        self.dealloc(at, layout);
                    }
                    new
                }
            }
        }
    }
}
