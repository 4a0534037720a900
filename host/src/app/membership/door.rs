//! What the links of the host's operator open, and what not: whoever has a way in of their own comes in by it, and
//! whoever was never here is invited. Else a link would give in a second what a recovery gives after a day.

use policy_core::entity::EntityRef;
use policy_core::sabotaged;
use policy_core::time::{Span, Timestamp};

use crate::app::App;
use crate::app::refusal::Refusal;
use crate::app::state::State;

/// How long a passkey that has ended keeps the operator's links from its person: as long as a recovery waits, so that
/// its person, whose sessions ended with it, notices first.
const STILL_THEIRS: Span = Span::from_seconds(86_400);

impl App {
    /// Refuses a link by the host's operator for whoever has another way in.
    ///
    /// # Errors
    /// `own_way_in`; `invitation_needed`.
    pub(in crate::app) fn hold_door(&self, state: &State, person: &EntityRef, now: Timestamp) -> Result<(), Refusal> {
        // All of such a gate is one user's anyway.
        let one_users = self.settings().single_user || self.settings().is_demo();
        if one_users || sabotaged!("r4_operators_door") {
            return Ok(());
        }
        // INVARIANT (R4): the operator comes in as nobody who can come in themselves.
        if self.has_own_way(state, person, now) {
            let what =
                "that person has a passkey or an account of their own, or had a passkey until less than a day ago";
            return Err(Refusal::conflict("own_way_in", what));
        }
        let invites = self.policy().has_console() && state.members.enrolled(person).is_none();
        if invites && !self.administrators_here(state).is_empty() {
            let what = "that person was never here, and administrators are, who invite them";
            return Err(Refusal::conflict("invitation_needed", what));
        }
        Ok(())
    }

    /// Whether somebody can come in without a link, or could until less than a day ago.
    fn has_own_way(&self, state: &State, person: &EntityRef, now: Timestamp) -> bool {
        let lately = |ended: Timestamp| now < ended.plus(STILL_THEIRS);
        let passkey = state.registry.passkeys().of(person).into_iter().any(|held| held.is_way_in(lately));
        let ways = &self.ways().providers;
        let listed = || ways.iter().any(|way| way.people.values().any(|user| *user == person.id));
        let linked = || {
            let mut accounts = state.members.accounts_of(person);
            accounts.any(|(issuer, ..)| ways.iter().any(|way| way.issuer == issuer))
        };
        passkey || listed() || linked()
    }
}
