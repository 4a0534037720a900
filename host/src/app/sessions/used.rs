//! What a decision takes of its person's sign-in: a fresh authentication, once; and the groups that it brought.

use policy_core::lifecycle::Command;
use policy_core::presence::Proof;
use policy_core::time::Timestamp;

use crate::app::App;
use crate::app::append::contended;
use crate::app::event::LedgerEvent;
use crate::app::refusal::{Refusal, RefusalKind};
use crate::app::state::State;
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

    /// The record of what a decision about an exception or a lock takes of its sign-in. None where it takes nothing.
    /// `weighs`: it is of those that a fresh authentication is demanded for.
    ///
    /// INVARIANT (R4): it is of one transaction with the decision, so that one authentication never makes two.
    pub(in crate::app) fn sign_in_used(
        &self,
        state: &State,
        person: &PersonSession,
        (about, weighs): (&str, bool),
        now: Timestamp,
    ) -> Result<Option<NewRecord>, Refusal> {
        let spent = person.is_fresh && weighs;
        // INVARIANT (R4): what was decided with other groups before counts for this decision no more.
        let told = !person.groups.is_empty() || state.registry.has_brought(about, &person.person);
        if !spent && !told {
            return Ok(None);
        }
        let event = IdentityEvent::SignInUsed {
            session: person.id.clone(),
            person: person.person.clone(),
            exception: about.to_owned(),
            spent,
            groups: person.groups.clone(),
            at: now,
        };
        self.ledger(now, &LedgerEvent::Identity(event)).map(Some)
    }
}

/// Whether a command is one of those that a fresh authentication is demanded for.
pub(in crate::app) const fn weighs(command: &Command) -> bool {
    matches!(command, Command::DeclareEmergency { .. } | Command::GiveBack { .. } | Command::Confirm { .. })
}

/// The command with the strength of the session as it stands now, and with what shows that its person is there.
pub(in crate::app) fn as_strong(command: &Command, person: &PersonSession, shown: impl FnOnce() -> Proof) -> Command {
    let mut command = command.clone();
    match &mut command {
        Command::DeclareEmergency { assurance, proof, .. } | Command::Confirm { assurance, proof, .. } => {
            assurance.clone_from(&person.assurance);
            *proof = shown();
        }
        Command::GiveBack { assurance, .. } => assurance.clone_from(&person.assurance),
        _ => {}
    }
    command
}

/// INVARIANT (R4): what was asked of policy with a fresh authentication is decided with it, or asked again.
pub(in crate::app) fn hold_fresh(state: &State, person: &PersonSession, now: Timestamp) -> Result<(), Refusal> {
    let fresh = state.registry.open_session(&person.id, now).is_some_and(|open| open.facts.session(now).is_fresh);
    if person.is_fresh && !fresh { Err(contended()) } else { Ok(()) }
}
