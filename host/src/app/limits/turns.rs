//! Fair queueing: each subject waits behind its own, and takes at most a few places of what all share; so does each person
//! with looks that cost much.
//!
//! What is asked for no subject is an enforcement point's own, under a name that no bundle can give a subject.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use policy_core::entity::EntityRef;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::app::sweep::Sweep;

/// How many of a subject's questions are with the module and the record at once. What others wait for is never more than
/// this of each.
pub(in crate::app) const MOST_AT_ONCE: usize = 16;
/// How many of a subject's questions wait for a turn.
const MOST_WAITING: usize = 256;
/// How many of a subject's looks at its requests wait for a decision at once.
pub(in crate::app) const MOST_LOOKS: usize = 16;
/// How many of a person's looks that cost much are under way at once, and how many with those that wait.
const MOST_DEAR: usize = 2;
const MOST_DEAR_WAITING: usize = 16;
/// How many subjects are remembered at least before those that ask nothing are forgotten.
const MOST_SUBJECTS: usize = 1_000;

/// A turn. It ends when it is dropped.
#[derive(Debug)]
pub(in crate::app) struct Turn {
    _at_once: OwnedSemaphorePermit,
    _waiting: OwnedSemaphorePermit,
}

#[derive(Debug)]
struct Lane {
    at_once: Arc<Semaphore>,
    /// Those with a turn count as well.
    waiting: Arc<Semaphore>,
    looks: Arc<Semaphore>,
}

impl Lane {
    fn new(at_once: usize, waiting: usize) -> Self {
        let semaphore = |places| Arc::new(Semaphore::new(places));
        Self { at_once: semaphore(at_once), waiting: semaphore(waiting), looks: semaphore(MOST_LOOKS) }
    }

    fn is_in_use(&self, most_waiting: usize) -> bool {
        self.waiting.available_permits() < most_waiting || self.looks.available_permits() < MOST_LOOKS
    }
}

/// Whose look it is, of people.
#[derive(Debug, Default)]
pub(super) struct Looks(Lanes);

impl Looks {
    /// A turn, in the order of asking. Nothing where too many of this person's wait already.
    pub(super) async fn take(&self, person: &EntityRef) -> Option<Turn> {
        self.0.take(person, MOST_DEAR, MOST_DEAR_WAITING).await
    }
}

/// Whose turn it is.
#[derive(Debug, Default)]
pub(super) struct Turns(Lanes);

impl Turns {
    /// A turn, in the order of asking. Nothing where too many of this subject's wait already.
    pub(super) async fn take(&self, subject: &EntityRef) -> Option<Turn> {
        self.0.take(subject, MOST_AT_ONCE, MOST_WAITING).await
    }

    /// A place to wait for a decision at; it is given up when it is dropped. Nothing where this subject has them all.
    pub(super) fn look(&self, subject: &EntityRef) -> Option<OwnedSemaphorePermit> {
        let of = (MOST_AT_ONCE, MOST_WAITING);
        self.0.lane(subject, of, |lane| Arc::clone(&lane.looks).try_acquire_owned().ok())
    }
}

/// A lane for each.
#[derive(Debug, Default)]
struct Lanes(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    lanes: BTreeMap<EntityRef, Lane>,
    swept: Sweep,
}

impl Lanes {
    async fn take(&self, of: &EntityRef, at_once: usize, waiting: usize) -> Option<Turn> {
        let (at_once, waiting) = self.lane(of, (at_once, waiting), |lane| {
            let waiting = Arc::clone(&lane.waiting).try_acquire_owned().ok()?;
            Some((Arc::clone(&lane.at_once), waiting))
        })?;
        // A semaphore that nobody closes gives.
        at_once.acquire_owned().await.ok().map(|at_once| Turn { _at_once: at_once, _waiting: waiting })
    }

    fn lane<T>(&self, of: &EntityRef, (at_once, waiting): (usize, usize), take: impl FnOnce(&Lane) -> T) -> T {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Kept { lanes, swept } = &mut *kept;
        if swept.is_due(lanes.len(), MOST_SUBJECTS) {
            lanes.retain(|_, lane| lane.is_in_use(waiting));
            swept.done(lanes.len());
        }
        take(lanes.entry(of.clone()).or_insert_with(|| Lane::new(at_once, waiting)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn one_that_asks_much_waits_behind_its_own_and_nobody_else_does() {
        let turns = Turns::default();
        let (noisy, quiet) = (EntityRef::new("Agent", "noisy"), EntityRef::new("Agent", "quiet"));
        let mut held = Vec::new();
        for _ in 0..MOST_AT_ONCE {
            held.push(turns.take(&noisy).await.unwrap());
        }
        let mut next = Box::pin(turns.take(&noisy));
        assert!(futures::poll!(&mut next).is_pending());
        assert!(turns.take(&quiet).await.is_some());
        let waiting: Vec<_> = (0..MOST_WAITING - MOST_AT_ONCE - 1)
            .map(|_| {
                let mut waiting = Box::pin(turns.take(&noisy));
                assert!(futures::FutureExt::now_or_never(&mut waiting).is_none());
                waiting
            })
            .collect();
        assert!(turns.take(&noisy).await.is_none(), "who waits is bounded, too");
        held.pop();
        assert!(next.await.is_some());
        drop(waiting);
        assert!(turns.take(&noisy).await.is_some());
    }

    #[tokio::test]
    async fn a_person_s_dear_looks_are_few_at_once_and_do_not_wait_without_bound() {
        let (looks, mara, ola) = (Looks::default(), EntityRef::new("User", "mara"), EntityRef::new("User", "ola"));
        let held = (looks.take(&mara).await.unwrap(), looks.take(&mara).await.unwrap());
        let mut waiting: Vec<_> = (0..MOST_DEAR_WAITING - MOST_DEAR).map(|_| Box::pin(looks.take(&mara))).collect();
        assert!(waiting.iter_mut().all(|one| futures::FutureExt::now_or_never(one).is_none()));
        assert!(looks.take(&mara).await.is_none());
        assert!(looks.take(&ola).await.is_some(), "nobody else waits");
        drop(held);
        assert!(waiting.remove(0).await.is_some());
    }

    #[test]
    fn looks_are_bounded_for_each_and_given_back() {
        let turns = Turns::default();
        let (noisy, quiet) = (EntityRef::new("Agent", "noisy"), EntityRef::new("Agent", "quiet"));
        let mut held: Vec<_> = (0..MOST_LOOKS).map(|_| turns.look(&noisy).unwrap()).collect();
        assert!(turns.look(&noisy).is_none());
        assert!(turns.look(&quiet).is_some());
        held.pop();
        assert!(turns.look(&noisy).is_some());
    }
}
