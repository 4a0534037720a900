//! A sign-in begins: the browser is told where to go, and holds what binds the answer to it.

use policy_core::time::{Span, Timestamp};
use proviso_api::sign_in::{BeginSignIn, ProviderLine, SignInWays};

use super::attempt::Attempt;
use super::ways::{ProviderFault, Way};
use crate::app::App;
use crate::app::identities::no_randomness;
use crate::app::refusal::{Refusal, RefusalKind};
use crate::app::state::State;
use crate::identity::PersonSession;
use crate::random;

/// How long a sign-in may take.
pub const FLOW_LIFE: Span = Span::from_seconds(10 * 60);
/// The longest address of a page that is opened afterwards.
const LONGEST_RETURN: usize = 300;

/// A sign-in that has begun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begun {
    /// What the browser holds it under: the beginning of the state.
    pub name: String,
    /// What the browser holds.
    pub held: String,
    /// Where it goes.
    pub location: String,
}

impl App {
    /// The ways in that a sign-in page offers.
    pub fn sign_in_ways(&self) -> SignInWays {
        let line = |way: &Way| ProviderLine { name: way.name.clone(), label: way.label.clone() };
        SignInWays { providers: self.ways().providers.iter().map(line).collect(), passkeys: self.takes_passkeys() }
    }

    /// Begins a sign-in by a provider.
    ///
    /// # Errors
    /// `unknown_provider`; `bad_return_to`; `provider_unavailable`; `sign_in_busy`.
    pub async fn begin_sign_in(&self, wanted: &BeginSignIn) -> Result<Begun, Refusal> {
        let way = self.way(&wanted.provider)?;
        let return_to = wanted.return_to.as_deref().unwrap_or("/");
        hold_return(return_to)?;
        self.begin(way, return_to, None).await
    }

    /// Begins to authenticate anew, in the same session.
    ///
    /// # Errors
    /// `no_step_up` for a session by a link, or by a provider of which no `acr` is worth more; those of
    /// [`Self::begin_sign_in`].
    pub async fn begin_step_up(&self, person: &PersonSession, return_to: Option<&str>) -> Result<Begun, Refusal> {
        let way = self.stepping_up(&self.state(), person, self.now()).map(|way| way.name.clone());
        let name = way.ok_or_else(|| {
            Refusal::conflict(
                "no_step_up",
                "nothing that this session was signed in by is worth more when it is done anew",
            )
        })?;
        let return_to = return_to.unwrap_or("/");
        hold_return(return_to)?;
        self.begin(self.way(&name)?, return_to, Some(person.id.clone())).await
    }

    /// The provider that a session was signed in by, where authenticating anew there is worth more.
    fn stepping_up(&self, state: &State, person: &PersonSession, now: Timestamp) -> Option<&Way> {
        let account = state.registry.open_session(&person.id, now)?.facts.account.as_ref()?;
        let way = self.ways().find(&account.provider)?;
        (way.issuer == account.issuer && !way.step_up.is_empty()).then_some(way)
    }

    /// How strongly authenticating anew signs in, where that is more than what there is.
    pub(in crate::app) fn step_up_of(&self, state: &State, person: &PersonSession, now: Timestamp) -> Option<String> {
        let step_ups = self.policy().step_ups();
        let rank = |word: &str| step_ups.iter().position(|known| known == word);
        let best = self.stepping_up(state, person, now)?.step_up.values().max_by_key(|word| rank(word))?;
        (rank(best) > rank(&person.assurance)).then(|| best.clone())
    }

    /// By which `acr` this person could authenticate anew at their provider, sorted.
    pub fn step_up_values(&self, person: &PersonSession) -> Vec<String> {
        let state = self.state();
        let way = self.stepping_up(&state, person, self.now());
        way.map(|way| way.step_up.keys().cloned().collect()).unwrap_or_default()
    }

    async fn begin(&self, way: &Way, return_to: &str, step_up: Option<String>) -> Result<Begun, Refusal> {
        let now = self.now();
        let run = random::id(self.random(), "run").map_err(|_| no_randomness())?;
        let secret = random::key(self.random()).map_err(|_| no_randomness())?;
        let attempt = Attempt {
            run: self.attempts().run_or(run).to_owned(),
            secret: policy_core::digest::Digest::from_bytes(secret).to_string(),
            provider: way.name.clone(),
            return_to: return_to.to_owned(),
            begun_at: now,
            afresh: step_up.as_ref().map(|_| way.step_up.keys().cloned().collect()),
            step_up,
        };
        let asked = attempt.asked(self.keys(), self.redirect(way));
        let turn = self.attempts().turn().ok_or_else(busy)?;
        let location = way.provider.authorize(&asked, now).await.map_err(|fault| faulty(way, fault))?;
        drop(turn);
        let held = attempt.seal(self.keys()).ok_or_else(no_randomness)?;
        Ok(Begun { name: short(&asked.state), held, location })
    }

    pub(super) fn way(&self, name: &str) -> Result<&Way, Refusal> {
        self.ways().find(name).ok_or_else(|| Refusal::not_found("unknown_provider", "this gate knows no such provider"))
    }

    /// Where a provider sends browsers back to: an address of its own, so that an answer tells by where it arrives whose it
    /// is.
    pub(super) fn redirect(&self, way: &Way) -> String {
        format!("{}/sign-in/{}/callback", self.settings().public_url, way.name)
    }
}

/// The part of a state that the browser holds its sign-in under.
pub(super) fn short(state: &str) -> String {
    state.chars().take(16).collect()
}

/// INVARIANT (R11): a page of this gate and nothing else: whoever can make somebody sign in cannot lead them elsewhere.
fn hold_return(address: &str) -> Result<(), Refusal> {
    let mut characters = address.chars();
    let inside = characters.next() == Some('/') && !matches!(characters.next(), Some('/' | '\\'));
    let plain = address.chars().all(|c| c.is_ascii_graphic() && c != '\\' && c != '#');
    if inside && plain && address.len() <= LONGEST_RETURN && !address.starts_with("/sign-in") {
        return Ok(());
    }
    Err(Refusal::bad("bad_return_to", "that is no page of this gate"))
}

pub(super) fn busy() -> Refusal {
    Refusal::new(RefusalKind::TooMany, "sign_in_busy", "too many people sign in at this moment")
}

/// What went wrong at the provider, as a refusal.
pub(super) fn faulty(way: &Way, fault: ProviderFault) -> Refusal {
    let unauthenticated = |code, detail| Refusal::new(RefusalKind::Unauthenticated, code, detail);
    match fault {
        ProviderFault::Unavailable => {
            let detail = format!("`{}` does not answer as a provider does", way.label);
            Refusal::new(RefusalKind::Unavailable, "provider_unavailable", detail)
        }
        ProviderFault::Refused(said) => {
            unauthenticated("sign_in_refused", format!("`{}` signed nobody in: `{said}`", way.label))
        }
        ProviderFault::OtherIssuer => {
            unauthenticated("other_issuer", format!("the answer is not that of `{}`", way.label))
        }
        ProviderFault::BadToken(word) => {
            tracing::warn!(provider = way.name, check = word, "an ID token does not hold");
            unauthenticated("bad_id_token", format!("the ID token of `{}` does not hold: `{word}`", way.label))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_comes_back_to_a_page_of_this_gate_alone() {
        for inside in ["/", "/exceptions/exc_1", "/?tab=history", "/findings?state=open&kind=never_ran"] {
            assert!(hold_return(inside).is_ok(), "{inside}");
        }
        let long = format!("/{}", "x".repeat(LONGEST_RETURN));
        for outside in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "javascript:alert(1)",
            "exceptions",
            "/a b",
            "/\u{202e}x",
            "/\n/x",
            "/sign-in/acme/callback?code=x",
            "/\t/evil.example",
            "/x\\y",
            "/#pvl_x",
            &long,
        ] {
            assert_eq!(hold_return(outside).err().map(|refusal| refusal.code), Some("bad_return_to"), "{outside}");
        }
    }
}
