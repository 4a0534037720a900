//! Who may do what in Proviso itself: what `console/` of the active bundle permits a signed-in person, asked of the module
//! before each act and each look (docs/console.md).
//!
//! What the lifecycle refuses (R4) is refused besides. No rule stands here, and no status code.

mod about;
mod blank;
mod event;
mod hold;
mod look;
mod record;
mod seen;
mod told;

pub(in crate::app) use about::About;
pub(in crate::app) use blank::{blank, without_arguments};
pub use event::ConsoleEvent;
#[cfg(test)]
pub(in crate::app) use hold::LOOKED_UP_AT_ONCE;
pub(in crate::app) use hold::Refusals;
pub(in crate::app) use record::Reading;
pub use seen::Seen;
pub(in crate::app) use told::{Rights, deciding};
