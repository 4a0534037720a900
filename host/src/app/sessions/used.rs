//! What a vote takes of its person's sign-in: a fresh authentication, once; and the groups that it brought.

use policy_core::lifecycle::{Event, VoteDecision};
use policy_core::time::Timestamp;

use crate::app::App;
use crate::app::event::LedgerEvent;
use crate::app::refusal::{Refusal, RefusalKind};
use crate::identity::{IdentityEvent, PersonSession};
use crate::store::NewRecord;

impl App {
    /// A session as it stands at this moment.
    pub(in crate::app) fn as_it_stands(
        &self,
        person: &PersonSession,
        now: Timestamp,
    ) -> Result<PersonSession, Refusal> {
        let state = self.state();
        let open = state.registry.open_session(&person.id, now).map(|open| open.facts.session(now));
        open.ok_or_else(|| Refusal::new(RefusalKind::Unauthenticated, "signed_out", "you are not signed in"))
    }

    /// The record of what a vote takes of its sign-in. None where it takes nothing.
    ///
    /// INVARIANT (R4): it is of one transaction with the vote, so that one authentication never makes two.
    pub(in crate::app) fn sign_in_used(
        &self,
        person: &PersonSession,
        exception: &str,
        (decision, events): (VoteDecision, &[Event]),
        now: Timestamp,
    ) -> Result<Option<NewRecord>, Refusal> {
        let spent = person.is_fresh && decision == VoteDecision::Approve;
        if events.is_empty() || (!spent && person.groups.is_empty()) {
            return Ok(None);
        }
        let event = IdentityEvent::SignInUsed {
            session: person.id.clone(),
            person: person.person.clone(),
            exception: exception.to_owned(),
            spent,
            groups: person.groups.clone(),
            at: now,
        };
        self.ledger(now, &LedgerEvent::Identity(event)).map(Some)
    }
}
