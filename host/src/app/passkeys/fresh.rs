//! An authentication at a provider just now: what counts where policy takes it for a signature, and is worth less.

use policy_core::presence::Authentication;
use policy_core::time::Timestamp;

use crate::app::App;
use crate::app::state::State;
use crate::identity::PersonSession;

impl App {
    /// How this person has just authenticated at the provider that they are signed in by, by an `acr` that the operator's
    /// file says is worth more. Nothing once that has lasted for as long as the file says.
    pub(in crate::app) fn fresh_authentication(
        &self,
        state: &State,
        person: &PersonSession,
        now: Timestamp,
    ) -> Option<Authentication> {
        let facts = &state.registry.open_session(&person.id, now)?.facts;
        facts.stronger.as_ref().filter(|stronger| now < stronger.until)?;
        let account = facts.account.as_ref()?;
        Some(Authentication { issuer: account.issuer.clone(), acr: account.acr.clone(), at: account.auth_time? })
    }
}
