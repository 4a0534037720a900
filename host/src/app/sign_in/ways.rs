//! Which ways in there are besides links, and what is asked of a provider.

use std::collections::BTreeMap;
use std::sync::Arc;

use futures::future::BoxFuture;
use policy_core::entity::EntityRef;
use policy_core::sabotaged;
use policy_core::time::{Span, Timestamp};

use crate::app::sessions::SessionLimits;

/// The ways in besides links. None where the operator names none.
#[derive(Clone, Default)]
pub struct Ways {
    /// Providers, in the order of the page.
    pub providers: Vec<Way>,
    /// How long sessions last, whatever way in there was.
    pub sessions: SessionLimits,
}

/// A provider that people sign in by.
#[derive(Clone)]
pub struct Way {
    /// Its name, in addresses.
    pub name: String,
    /// Its name, on the page.
    pub label: String,
    /// Its issuer identifier. An account is this and a `sub`, never an e-mail.
    pub issuer: String,
    /// Whose account each `sub` is: the id of an entity of the bundle's person type.
    pub people: BTreeMap<String, String>,
    /// Which groups of the bundle its claim of groups stands for. Absent: it brings none.
    pub groups: Option<GroupClaim>,
    /// How strongly it signs in.
    pub assurance: String,
    /// What an `acr` is worth, for a while after the authentication.
    pub step_up: BTreeMap<String, String>,
    /// For how long.
    pub step_up_for: Span,
    /// The provider.
    pub provider: Arc<dyn IdentityProvider>,
}

/// A provider's claim of groups, and what each of its values is in the bundle. What is not mapped is no group here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GroupClaim {
    /// The claim's name.
    pub claim: String,
    /// The bundle's group that each value is.
    pub groups: BTreeMap<String, EntityRef>,
}

impl GroupClaim {
    /// The bundle's groups for these values, sorted.
    pub fn mapped(&self, said: &[String]) -> Vec<EntityRef> {
        let own = |value: &String| sabotaged!("r4_unmapped_group").then(|| EntityRef::new("Group", value.clone()));
        let of = |value: &String| self.groups.get(value).cloned().or_else(|| own(value));
        // INVARIANT (R4): the operator's file says what a value is, never its name.
        let mut groups: Vec<EntityRef> = said.iter().filter_map(of).collect();
        groups.sort();
        groups.dedup();
        groups
    }
}

impl Ways {
    /// A provider by its name.
    pub fn find(&self, name: &str) -> Option<&Way> {
        self.providers.iter().find(|way| way.name == name)
    }

    /// How strongly one can sign in, by all of the ways.
    pub fn assurances(&self) -> impl Iterator<Item = &str> {
        self.providers
            .iter()
            .flat_map(|way| std::iter::once(&way.assurance).chain(way.step_up.values()))
            .map(String::as_str)
    }
}

/// A sign-in as a provider is asked for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asked {
    /// What the browser brings back.
    pub state: String,
    /// What stands in the ID token.
    pub nonce: String,
    /// What proves that whoever redeems the code is who asked for it (RFC 7636).
    pub verifier: String,
    /// Where the browser is sent back to: exactly this.
    pub redirect: String,
    /// When the sign-in began.
    pub begun_at: Timestamp,
    /// That the person authenticates anew, by one of these `acr`.
    pub afresh: Option<Vec<String>>,
}

/// What a browser brought back from a provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderAnswer {
    /// Which issuer answered, where it says so (RFC 9207).
    pub iss: Option<String>,
    /// The code, or the provider's error.
    pub code: Result<String, String>,
}

/// Who signed in, as a verified ID token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authenticated {
    /// The account at this issuer.
    pub subject: String,
    /// In which way.
    pub acr: Option<String>,
    /// When.
    pub auth_time: Option<Timestamp>,
    /// The provider's own session.
    pub sid: Option<String>,
    /// The values of its claim of groups; none where it is absent, too large or no list of texts.
    pub groups: Vec<String>,
}

/// Whom a provider signed out, as a verified logout token says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoggedOut {
    /// The account at this issuer.
    pub subject: String,
    /// The provider's own session. Absent: all of the account.
    pub sid: Option<String>,
    /// When it said so.
    pub at: Timestamp,
}

/// Why a provider signed nobody in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ProviderFault {
    /// It does not answer, or with what is none of the protocol.
    Unavailable,
    /// It refused, with its own code, made visible.
    Refused(String),
    /// The answer names another issuer, or none where it must name one.
    OtherIssuer,
    /// Its token does not hold: which check failed, in one word.
    BadToken(&'static str),
}

/// A provider of OpenID Connect.
pub trait IdentityProvider: Send + Sync + 'static {
    /// Where a browser goes to sign in.
    fn authorize<'a>(&'a self, asked: &'a Asked, now: Timestamp) -> BoxFuture<'a, Result<String, ProviderFault>>;

    /// Who signed in, by what the browser brought back.
    fn redeem<'a>(
        &'a self,
        answer: ProviderAnswer,
        asked: &'a Asked,
        now: Timestamp,
    ) -> BoxFuture<'a, Result<Authenticated, ProviderFault>>;

    /// Whom it signed out, by the token that it sent.
    fn logged_out(&self, token: String, now: Timestamp) -> BoxFuture<'_, Result<LoggedOut, ProviderFault>>;

    /// Where a browser goes to sign out of the provider, too, and comes `back` from. Absent where it has no such place.
    fn end_session(&self, back: String, now: Timestamp) -> BoxFuture<'_, Option<String>>;
}
