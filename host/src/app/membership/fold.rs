//! Folding who signed in and who came how: credentials and members know of each other.

use policy_core::time::Timestamp;

use super::event::MembershipEvent;
use crate::app::state::{Entry, State};
use crate::identity::IdentityEvent;

impl State {
    /// Folds an event of credentials and sessions. It is about no exception.
    pub(in crate::app) fn apply_identity(&mut self, event: &IdentityEvent) -> Option<String> {
        if let IdentityEvent::SignedIn { session, at, .. } = event {
            self.members.signed_in(&session.person, *at);
        }
        self.registry.apply(event);
        if let IdentityEvent::SignInUsed { at, .. } = event {
            let open = |about: &str| self.exceptions.get(about).is_some_and(|entry| is_judged_again(entry, *at));
            self.registry.forget_brought(open);
        }
        None
    }

    /// Folds an event of members. It is about no exception.
    pub(in crate::app) fn apply_membership(&mut self, event: MembershipEvent) -> Option<String> {
        // INVARIANT (R4): an account that was linked is its person's for good, whatever becomes of the link.
        if let Some((issuer, subject, person)) = self.members.apply(event) {
            self.registry.bind_account(issuer, subject, person);
        }
        None
    }
}

/// Whether an exception may be judged again by the votes that it has.
fn is_judged_again(entry: &Entry, now: Timestamp) -> bool {
    let exception = &entry.exception;
    State::is_open(entry) && !exception.is_over(now) || exception.may_be_used_again(now)
}
