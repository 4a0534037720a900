//! The recorded denials of a preview by the text that they stand in: an approver tries one grant after another on the same
//! thousand.

use std::sync::{Arc, Mutex, PoisonError};

use policy_core::question::SealedQuestion;

use super::Facts;

/// Of how many slices the entities are kept with the denials. The others are made anew for each trial.
const MOST_SLICES: usize = 64;

/// A recorded denial, with its entities where they are kept.
#[derive(Debug)]
pub(crate) struct Recorded {
    pub(crate) question: SealedQuestion,
    pub(crate) facts: Option<Arc<Facts>>,
}

/// The denials that were tried twice in a row: no more than one input holds.
#[derive(Debug, Default)]
pub(crate) struct KeptDenials(Mutex<Tried>);

#[derive(Debug, Default)]
struct Tried {
    /// How long the last text was. A vote tries its denials once, and nothing is kept of them.
    last: usize,
    kept: Option<(Box<str>, Arc<[Recorded]>)>,
}

impl KeptDenials {
    /// How long the known text is that `rest` begins with.
    pub(crate) fn known(&self, rest: &str) -> Option<usize> {
        let tried = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (text, _) = tried.kept.as_ref()?;
        rest.starts_with(&**text).then_some(text.len())
    }

    /// The denials of this text; nothing where `read` makes nothing of it.
    pub(crate) fn of(
        &self,
        text: &str,
        read: impl FnOnce() -> Option<Vec<(SealedQuestion, Arc<Facts>)>>,
    ) -> Option<Arc<[Recorded]>> {
        let mut tried = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = tried.kept.as_ref().filter(|(kept, _)| **kept == *text);
        if let Some((_, denials)) = kept {
            return Some(Arc::clone(denials));
        }
        // Room first: with those of before beside them an instance could come to its bound where a fresh one does not.
        tried.kept = None;
        let denials: Arc<[Recorded]> = bounded(read()?).into();
        if tried.last == text.len() {
            tried.kept = Some((text.into(), Arc::clone(&denials)));
        }
        tried.last = text.len();
        Some(denials)
    }
}

/// Each with its entities, while few slices hold those of all.
fn bounded(read: Vec<(SealedQuestion, Arc<Facts>)>) -> Vec<Recorded> {
    let mut slices: Vec<Arc<Facts>> = Vec::new();
    let denials = read.into_iter().map(|(question, facts)| {
        let known = slices.iter().any(|slice| Arc::ptr_eq(slice, &facts));
        if !known && slices.len() < MOST_SLICES {
            slices.push(Arc::clone(&facts));
        }
        let facts = (known || slices.len() < MOST_SLICES).then_some(facts);
        Recorded { question, facts }
    });
    denials.collect()
}
