//! Folding who signed in and who came how: credentials and members know of each other.

use super::event::MembershipEvent;
use crate::app::state::State;
use crate::identity::IdentityEvent;

impl State {
    /// Folds an event of credentials and sessions. It is about no exception.
    pub(in crate::app) fn apply_identity(&mut self, event: &IdentityEvent) -> Option<String> {
        if let IdentityEvent::SignedIn { session, at, .. } = event {
            self.members.signed_in(&session.person, *at);
        }
        self.registry.apply(event);
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
