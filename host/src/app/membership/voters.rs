//! What members do not decide yet: who is new, and what takes two approvers before there are two administrators.

use policy_core::entity::EntityRef;
use policy_core::lifecycle::{Allowed, Exception, May, Rejection, VoteDecision};
use policy_core::sabotaged;
use policy_core::time::Timestamp;

use crate::app::App;
use crate::app::console::deciding;
use crate::app::people::{rejected, unknown_exception};
use crate::app::refusal::Refusal;
use crate::app::state::State;
use crate::identity::PersonSession;

impl App {
    /// Whether this vote is one that the person may cast as a member, whatever policy says of it.
    pub(in crate::app) fn hold_member(
        &self,
        state: &State,
        exception: &Exception,
        (person, decision): (&EntityRef, VoteDecision),
        now: Timestamp,
    ) -> Result<(), Rejection> {
        self.hold_old_enough(state, exception, person, now)?;
        if decision == VoteDecision::Approve { self.hold_two_administrators(state, exception) } else { Ok(()) }
    }

    /// INVARIANT (R4): whoever was let in by an invitation is known to others for a day before they decide on more than
    /// the lightest.
    fn hold_old_enough(
        &self,
        state: &State,
        exception: &Exception,
        person: &EntityRef,
        now: Timestamp,
    ) -> Result<(), Rejection> {
        let tiers = self.policy().tiers();
        let lowest = tiers.first().is_some_and(|lowest| *lowest == exception.terms.tier);
        if lowest || state.members.new_until(person, now).is_none() { Ok(()) } else { Err(Rejection::NewPerson) }
    }

    /// INVARIANT (R4): one administrator alone could have let in both approvers. A bundle without `console/` has none, and
    /// its people come in by the host's operator alone.
    fn hold_two_administrators(&self, state: &State, exception: &Exception) -> Result<(), Rejection> {
        let takes_two = exception.terms.approvals > 1 && self.policy().has_console();
        if takes_two && self.administrators_here(state).len() < 2 && !sabotaged!("r4_one_administrator") {
            return Err(Rejection::OneAdministrator);
        }
        Ok(())
    }

    /// What a person may do with an exception, without what they may not do as a member.
    pub(in crate::app) fn limit_member(
        &self,
        allowed: &mut Allowed,
        exception: &Exception,
        person: &EntityRef,
        now: Timestamp,
    ) {
        let state = self.state();
        let limit = |of: &mut May, held: Result<(), Rejection>| {
            if let Err(rejection) = held
                && of.is_yes()
            {
                *of = May::No(rejection);
            }
        };
        let settled = self.hold_old_enough(&state, exception, person, now);
        for of in deciding(allowed) {
            limit(of, settled);
        }
        if allowed.approve.is_yes() {
            limit(&mut allowed.approve, self.hold_two_administrators(&state, exception));
        }
    }

    /// Refuses a decision of whoever is new.
    ///
    /// # Errors
    /// `new_person`; `unknown_exception`.
    pub(in crate::app) fn hold_settled(&self, person: &PersonSession, exception: &str) -> Result<(), Refusal> {
        let now = self.now();
        let state = self.state();
        let entry = state.exceptions.get(exception).ok_or_else(unknown_exception)?;
        self.hold_old_enough(&state, &entry.exception, &person.person, now).map_err(rejected)
    }
}
