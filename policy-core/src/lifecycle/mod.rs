//! The exception, from request to closing, as a functional core.
//!
//! ```text
//! decide(state, command, context) -> Result<Vec<Event>, Rejection>   pure, total; empty = already done
//! evolve(state, event)            -> Result<Option<Exception>, CorruptHistory>
//! allowed(state, actor, now)      -> what this actor may do now; server and dashboard call the same
//! ```
//!
//! Events are the truth. `decide` may get stricter between releases; `evolve` accepts every event ever written and
//! refuses none on policy grounds. Time, ids and what policy says arrive as arguments.

mod afterwards;
mod allowed;
mod asked;
mod command;
mod confirm;
mod consume;
mod decide;
mod emergency;
mod event;
mod evolve;
mod grant;
mod judge;
mod rejection;
mod renewal;
mod request;
mod review;
mod state;
mod strictest;
mod uses;
mod vote;
mod withdraw;

#[cfg(test)]
mod tests;

pub use allowed::{Actor, Allowed, May, allowed};
pub use command::{Command, Context, VoteDecision};
pub use confirm::{Confirmation, Unconfirmed};
pub use decide::decide;
pub use emergency::EmergencyBlocked;
pub use event::{Counted, Event};
pub use evolve::{CorruptHistory, evolve};
pub use judge::{approvals_that_count, is_strong_enough, is_there};
pub use rejection::Rejection;
pub use renewal::renewal_of;
pub use request::{Answer, Emergency, Renewal, Repeat, RequestFacts};
pub use review::{Disposed, Disposition, Review, ReviewClosing, ReviewKind, ReviewOutcome};
pub use state::{EffectiveState, Exception, Phase, Version, Vote, effective_state};
pub use strictest::strictest;
pub use uses::{GivenBack, GrantState, Taken};
