//! The candidates of questions by the text that they stand in: an agent has the same grants in question after question.
//!
//! All of a question's together are found by their text while no counter in it has moved; where one has, each grant is,
//! since it never changes.
//!
//! INVARIANT (R3): what is found is what this very text says, byte for byte, and the text is the question's own: no grant
//! is a candidate of a question that does not hold it.

use std::cell::RefCell;
use std::sync::Arc;

use policy_core::grant::Grant;
use policy_core::json::{Raw, read_plain};
use policy_core::question::Candidate;
use serde::Deserialize;

use super::LIMITS;
use super::by_text::{Bounds, ByText};

/// What is made of a text takes three to seven times as much.
const ALL: Bounds = Bounds { most: 128, bytes: 256 * 1024, longest: 32 * 1024 };
const EACH: Bounds = Bounds { most: 512, bytes: 256 * 1024, longest: 16 * 1024 };

/// Candidates by the text of all of one question's, and grants by theirs.
#[derive(Debug)]
pub(crate) struct KeptCandidates {
    all: ByText<Vec<Candidate>>,
    grants: ByText<Grant>,
}

impl Default for KeptCandidates {
    fn default() -> Self {
        Self { all: ByText::new(ALL), grants: ByText::new(EACH) }
    }
}

/// [`Candidate`], member by member and in their order, which is that of one that is written as an array.
#[derive(Deserialize)]
struct Sent<'a> {
    #[serde(borrow)]
    grant: Raw<'a>,
    uses_left: u32,
    #[serde(default)]
    budgets_left: Vec<i64>,
    #[serde(default)]
    rate_left: Option<u32>,
}

impl KeptCandidates {
    /// The known candidates whose text `rest` begins with, and how long that is.
    pub(crate) fn at(&self, rest: &str) -> Option<(usize, Arc<Vec<Candidate>>)> {
        self.all.at(rest)
    }

    /// The candidates of this text; nothing where it is not plain, or no list of candidates.
    pub(crate) fn of(&self, text: &str) -> Option<Arc<Vec<Candidate>>> {
        if let Some(known) = self.all.of(text) {
            return Some(known);
        }
        // The grants that were known, in their order, by where their texts stand.
        let found = RefCell::new(Vec::new());
        let known = |rest: &str| {
            let (length, grant) = self.grants.at(rest)?;
            found.borrow_mut().push((rest.as_ptr(), length, grant));
            Some(length)
        };
        let sent: Vec<Sent<'_>> = read_plain(text.as_bytes(), LIMITS, &known)?;
        let mut found = found.into_inner().into_iter().peekable();
        let candidates = sent.into_iter().map(|sent| {
            let Sent { grant: Raw(text), uses_left, budgets_left, rate_left } = sent;
            let here = found.next_if(|(at, length, _)| (*at, *length) == (text.as_ptr(), text.len()));
            let grant = match here {
                Some((_, _, grant)) => grant,
                None => self.grant(text)?,
            };
            Some(Candidate { grant: grant.into(), uses_left, budgets_left, rate_left })
        });
        let made = Arc::new(candidates.collect::<Option<Vec<_>>>()?);
        self.all.keep(text, &made);
        Some(made)
    }

    /// The grant of this text, read now.
    fn grant(&self, text: &str) -> Option<Arc<Grant>> {
        let grant = Arc::new(read_plain(text.as_bytes(), LIMITS, &|_| None)?);
        self.grants.keep(text, &grant);
        Some(grant)
    }
}

#[cfg(test)]
mod tests;
