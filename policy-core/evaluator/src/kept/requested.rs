//! What a question says of a request, by its text: an agent that asks for nothing yet says the same in question after
//! question.

use std::sync::Arc;

use policy_core::json::read_plain;
use policy_core::question::Requested;

use super::LIMITS;
use super::by_text::{Bounds, ByText};

const BOUNDS: Bounds = Bounds { most: 64, bytes: 16 * 1024, longest: 512 };

/// What is requested, by its text.
#[derive(Debug)]
pub(crate) struct KeptRequested(ByText<Requested>);

impl Default for KeptRequested {
    fn default() -> Self {
        Self(ByText::new(BOUNDS))
    }
}

impl KeptRequested {
    /// What is known of the text that `rest` begins with, and how long that is.
    pub(crate) fn at(&self, rest: &str) -> Option<(usize, Arc<Requested>)> {
        self.0.at(rest)
    }

    /// What this text says; nothing where it is not plain.
    pub(crate) fn of(&self, text: &str) -> Option<Arc<Requested>> {
        if let Some(known) = self.0.of(text) {
            return Some(known);
        }
        let made = Arc::new(read_plain(text.as_bytes(), LIMITS, &|_| None)?);
        self.0.keep(text, &made);
        Some(made)
    }
}
