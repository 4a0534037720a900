//! The log as a list for people: narrowed, newest first, in bounded pages, each line as its reader may see it.
//!
//! What may be told is found in memory by kind, time and stream (the store's outline) and read from the disk, verified,
//! before a word of it is told. No HTTP, no SQL, no rule about who may see what: that is `console/`'s.

mod walk;
mod wanted;

pub use wanted::LinesWanted;
