//! Whom the bundle lets look after people, as it was last worked out. That takes seconds where there are many people
//! and rules on the hour, and it is asked while the state is held, so it is worked out beforehand and by nobody who
//! waits.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, PoisonError};

use policy_core::entity::EntityRef;
use policy_core::time::{Span, Timestamp};

/// How long it is known: a rule may look at the hour.
const KNOWN_FOR: Span = Span::from_seconds(3_600);
/// After how long it is worked out anew.
const RENEWED_AFTER: Span = Span::from_seconds(1_800);

/// Who looks after people, and when that was worked out.
#[derive(Debug, Default)]
pub(super) struct Administrators(Mutex<Option<(Timestamp, Arc<BTreeSet<EntityRef>>)>>);

impl Administrators {
    /// Who they are: worked out here only where nobody did so within the hour.
    pub fn get(&self, now: Timestamp, work: impl FnOnce() -> BTreeSet<EntityRef>) -> Arc<BTreeSet<EntityRef>> {
        self.known(now, KNOWN_FOR).unwrap_or_else(|| self.keep(now, work()))
    }

    /// Works out who they are, where that is not known or is soon known no more.
    pub fn renew(&self, now: Timestamp, work: impl FnOnce() -> BTreeSet<EntityRef>) {
        if self.known(now, RENEWED_AFTER).is_none() {
            self.keep(now, work());
        }
    }

    fn known(&self, now: Timestamp, within: Span) -> Option<Arc<BTreeSet<EntityRef>>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = known.as_ref().filter(|(at, _)| *at <= now && now < at.plus(within));
        fresh.map(|(_, who)| Arc::clone(who))
    }

    /// INVARIANT (R7): the lock is held to write it down and not to work it out, so that whoever holds the state waits
    /// for nothing.
    fn keep(&self, now: Timestamp, who: BTreeSet<EntityRef>) -> Arc<BTreeSet<EntityRef>> {
        let who = Arc::new(who);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some((now, Arc::clone(&who)));
        who
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_asks_does_not_wait_for_what_is_worked_out_beforehand() {
        let at = |minute: i64| Timestamp::from_millis(minute * 60_000);
        let one = |id: &str| BTreeSet::from([EntityRef::new("User", id)]);
        let never = || -> BTreeSet<EntityRef> { panic!("it is known") };
        let known = Administrators::default();
        known.renew(at(0), || one("mara"));
        assert_eq!(*known.get(at(0), never), one("mara"));
        known.renew(at(29), never);
        known.renew(at(30), || {
            // While it is worked out anew, everybody is told what was known.
            assert_eq!(*known.get(at(30), never), one("mara"));
            one("tom")
        });
        assert_eq!(*known.get(at(89), never), one("tom"));
        assert_eq!(*known.get(at(90), || one("jun")), one("jun"), "nobody worked it out in time");
        assert_eq!(*known.get(at(1), || one("ola")), one("ola"), "a clock that ran back knows nothing");
    }
}
