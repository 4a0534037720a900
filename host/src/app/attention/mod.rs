//! How many requests a person is to decide in a day, and where the further ones go.
//!
//! Nobody's vote is refused here, and no rule of R1 to R11 hangs on it: who looks at the fortieth request of a day looks
//! badly, so the forty-first is told to somebody else who may decide it, as long as there is one.

mod book;
mod route;

pub use book::Book;

use policy_core::lifecycle::{Event, Exception};

use super::state::State;

impl State {
    /// What is counted of an exception's events, besides the exception itself.
    pub(super) fn follow(&mut self, id: &str, exception: &Exception, event: &Event) {
        self.measures.follow(id, exception, event);
        self.routing.attention.follow(id, event);
    }
}
