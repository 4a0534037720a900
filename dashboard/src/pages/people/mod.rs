//! The people of the gate: everybody, one of them, and what administrators have begun.

mod list;
mod person;
mod proposals;
mod recovery;

pub use list::People;
pub use person::Person;
pub(super) use recovery::Recovery;
