//! Who is told of an exception, when, and who stands in for whom.
//!
//! Who is told comes from `approval/`: the groups that the terms notify, else the groups that must vote, else whoever
//! `approval/approve/` lets approve. What is due is a comparison of the log with the clock, and that it was told is a
//! record: a restart forgets nothing and tells nothing twice. Nothing here is on the way of a decision.

mod deliveries;
mod deputies;
mod due;
mod event;
mod handover;
mod history;
mod message;
mod restored;
mod seats;
mod standing;
mod told;

pub use event::RoutingEvent;
pub(super) use history::history;
pub use message::Message;
pub use standing::Routing;
