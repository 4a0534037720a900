//! Sessions of people: how one begins, whatever way in there was.

mod open;

pub(in crate::app) use open::Entry;
pub use open::Whence;
