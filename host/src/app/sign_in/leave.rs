//! Signing out: here, and where one signed in.

use policy_core::entity::EntityRef;
use policy_core::time::Span;

use super::attempt::LogoutTurn;
use super::ways::ProviderFault;
use crate::app::App;
use crate::app::refusal::Refusal;
use crate::identity::{OpenSession, PersonSession};

/// How far the provider's clock may be off.
const SKEW: Span = Span::from_seconds(60);

impl App {
    /// Ends the session; tells where one signs out of the provider, too, where it was signed in by one that has such a place.
    ///
    /// # Errors
    /// `record_unavailable`.
    pub async fn leave(&self, person: &PersonSession) -> Result<Option<String>, Refusal> {
        let now = self.now();
        let provider = {
            let state = self.state();
            let open = state.registry.open_session(&person.id, now);
            open.and_then(|open| open.facts.account.as_ref()).map(|account| account.provider.clone())
        };
        self.sign_out(person).await?;
        let Some(way) = provider.and_then(|name| self.ways().find(&name)) else { return Ok(None) };
        // Out is out, whether the provider answers or not.
        Ok(way.provider.end_session(format!("{}/", self.settings().public_url), now).await)
    }

    /// A turn to look at a logout token, for which one waits.
    ///
    /// # Errors
    /// `sign_in_busy`.
    pub async fn logout_turn(&self) -> Result<LogoutTurn, Refusal> {
        self.attempts().logout_turn().await.ok_or_else(super::begin::busy)
    }

    /// Ends the sessions of an account that its provider signed out. How many there were is nobody's to know.
    ///
    /// # Errors
    /// `unknown_provider`; `bad_logout_token`; `provider_unavailable`; `record_unavailable`.
    pub async fn logged_out(&self, _turn: LogoutTurn, provider: &str, token: String) -> Result<(), Refusal> {
        let way = self.way(provider)?;
        let said = way.provider.logged_out(token, self.now()).await.map_err(|fault| match fault {
            ProviderFault::BadToken(word) => {
                Refusal::bad("bad_logout_token", format!("the logout token does not hold: `{word}`"))
            }
            _ => super::begin::faulty(way, fault),
        })?;
        // INVARIANT (R7): whoever was signed out there is out here. Whoever has signed in since then stays: the same token
        // a second time ends nothing that came after it.
        let wanted = |open: &OpenSession| {
            let Some(account) = &open.facts.account else { return false };
            let same = account.issuer == way.issuer && account.subject == said.subject;
            // Of a session whose `sid` the provider never told, nobody knows that it was not meant.
            let meant = said.sid.is_none() || account.sid.is_none() || account.sid == said.sid;
            let before = open.at <= said.at.plus(SKEW);
            same && meant && before
        };
        self.end_sessions(Some(EntityRef::new("provider", way.name.clone())), wanted).await.map(drop)
    }
}
