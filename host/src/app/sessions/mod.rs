//! Sessions of people, whatever way in there was: how one begins, how long it lasts, and how it ends. No cookie here, and no
//! status code.

mod limits;
mod link;
mod list;
mod open;
mod used;

pub(in crate::app) use limits::Presence;
pub use limits::SessionLimits;
pub(in crate::app) use link::{Page, hold_own_page};
pub use list::Ending;
pub(in crate::app) use open::Entry;
pub use open::Whence;
pub(in crate::app) use used::{as_strong, hold_fresh, weighs};
