//! Who owns what, where bundle and log disagree on it, and what somebody who leaves leaves behind.

mod departure;
mod list;
mod rows;

pub use departure::Departure;
pub use list::Ownership;
