//! Which exceptions may count among what is held already, found by action and subject, and by when and where they count:
//! what others hold, and what ended long ago, costs a decision nothing.
//!
//! An exception never changes its action, subject or task. Whose the subject is changes, and stands elsewhere.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use policy_core::lifecycle::Exception;
use policy_core::time::Timestamp;
use smol_str::SmolStr;

use super::REMEMBERED;

/// All of them: by action, by the subject's type, by its id.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::app) struct Book(BTreeMap<SmolStr, ByType>);

/// Those of one action.
pub(super) type ByType = BTreeMap<SmolStr, BTreeMap<SmolStr, Held>>;

/// Those of one subject. Whether one counts is a comparison with the time, so none leaves because time has passed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Held {
    /// What is open, live or suspended, by when time ends it.
    standing: BTreeSet<(Timestamp, Arc<str>)>,
    /// What was used, by when it last was.
    used: BTreeSet<(Timestamp, Arc<str>)>,
    /// The same by task.
    used_in: BTreeSet<(SmolStr, Arc<str>)>,
}

/// When time ends it, and when it was last used. Uses that were all given back are none.
fn counts(exception: &Exception) -> (Option<Timestamp>, Option<Timestamp>) {
    let held = exception.phase.grant().filter(|held| held.uses > 0);
    (exception.ends(), held.and_then(|held| held.taken.last()).map(|taken| taken.at))
}

impl Book {
    /// An exception is this from here on.
    pub fn follow(&mut self, before: Option<&Exception>, after: &Exception) {
        if before.map(counts) != Some(counts(after)) {
            before.into_iter().for_each(|before| self.remove(before));
            self.insert(after);
        }
    }

    fn insert(&mut self, exception: &Exception) {
        let (ends, used) = counts(exception);
        if ends.is_none() && used.is_none() {
            return;
        }
        let question = &exception.request.question;
        let subject = question.call.subject.clone();
        let of_action = self.0.entry(question.call.action.clone()).or_default();
        let held = of_action.entry(subject.kind).or_default().entry(subject.id).or_default();
        let id: Arc<str> = exception.request.id.as_str().into();
        held.standing.extend(ends.map(|ends| (ends, Arc::clone(&id))));
        held.used.extend(used.map(|used| (used, Arc::clone(&id))));
        held.used_in.extend(used.map(|_| (question.task.clone(), id)));
    }

    /// An exception is no more. It is named as it was.
    pub fn remove(&mut self, exception: &Exception) {
        let (ends, used) = counts(exception);
        let question = &exception.request.question;
        let (action, subject) = (&question.call.action, &question.call.subject);
        let Some(of_action) = self.0.get_mut(action) else { return };
        let Some(of_type) = of_action.get_mut(&subject.kind) else { return };
        let Some(held) = of_type.get_mut(&subject.id) else { return };
        let id: Arc<str> = exception.request.id.as_str().into();
        if let Some(ends) = ends {
            held.standing.remove(&(ends, Arc::clone(&id)));
        }
        if let Some(used) = used {
            held.used.remove(&(used, Arc::clone(&id)));
            held.used_in.remove(&(question.task.clone(), id));
        }
        if *held == Held::default() {
            of_type.remove(&subject.id);
        }
        if of_type.is_empty() {
            of_action.remove(&subject.kind);
        }
        if of_action.is_empty() {
            self.0.remove(action);
        }
    }

    /// What may count of one action.
    pub(super) fn of(&self, action: &str) -> Option<&ByType> {
        self.0.get(action)
    }
}

impl Held {
    /// The ids of those that count at this instant: what is not over; where a sum is wanted, also what was used within a
    /// day, and in this task ever. One may be named twice.
    pub fn counting(&self, task: &str, now: Timestamp, summed: bool) -> impl Iterator<Item = &str> {
        let standing = self.standing.iter().rev().take_while(move |(ends, _)| now < *ends);
        let used = self.used.iter().rev().take_while(move |(last, _)| now < last.plus(REMEMBERED));
        let used_in = self.used_in.range((task.into(), Arc::from(""))..).take_while(move |(of, _)| of == task);
        let used = used.map(|(_, id)| id).chain(used_in.map(|(_, id)| id)).take_while(move |_| summed);
        standing.map(|(_, id)| id).chain(used).map(AsRef::as_ref)
    }
}
