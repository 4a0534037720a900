//! A sign-in under way. The gate keeps none of them: the browser that began it holds all of it, under a code that only this
//! gate makes, so a flood of beginnings fills nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use policy_core::digest::Digest;
use policy_core::json;
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use super::ways::Asked;
use crate::store::Keys;

/// How many codes are redeemed at once; others are told to come again.
const MOST_AT_ONCE: usize = 16;
/// How many logout tokens are looked at at once; others wait, and nobody who signs in waits behind them.
const MOST_LOGOUTS: usize = 8;
/// How many attempts that were made are remembered one by one.
const MOST_REMEMBERED: usize = 16_384;
const SEAL: &[u8] = b"proviso-sign-in-v1\0";
const STATE: &[u8] = b"proviso-sign-in-state-v1\0";
const NONCE: &[u8] = b"proviso-sign-in-nonce-v1\0";
const VERIFIER: &[u8] = b"proviso-sign-in-pkce-v1\0";

/// A sign-in under way, as its browser holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Attempt {
    /// Which run of the gate began it: another remembers nothing of what this one has seen.
    pub(super) run: String,
    /// What nobody can guess.
    pub(super) secret: String,
    /// The provider's name.
    pub(super) provider: String,
    /// Which page is opened afterwards.
    pub(super) return_to: String,
    /// When it began.
    pub(super) begun_at: Timestamp,
    /// The session that is to become stronger.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) step_up: Option<String>,
    /// That the person authenticates anew, by one of these `acr`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) afresh: Option<Vec<String>>,
}

impl Attempt {
    /// As the browser holds it: the facts and the gate's code over them.
    pub(super) fn seal(&self, keys: &Keys) -> Option<String> {
        let body = json::to_canonical_bytes(self).ok()?;
        Some(format!("{}.{}", URL_SAFE_NO_PAD.encode(&body), keys.code(SEAL, &body)))
    }

    /// Reads what a browser holds. Nothing of another gate's, and nothing that anybody has touched.
    pub(super) fn open(sealed: &str, keys: &Keys) -> Option<Self> {
        let (body, code) = sealed.split_once('.')?;
        let body = URL_SAFE_NO_PAD.decode(body).ok()?;
        let code: Digest = code.parse().ok()?;
        if !same(&code, &keys.code(SEAL, &body)) {
            return None;
        }
        json::read_as(&body, json::Limits::DEFAULT).ok()
    }

    /// What the browser brings back from the provider: made of what the browser holds, and telling nothing of it.
    pub(super) fn state(&self, keys: &Keys) -> Digest {
        self.derived(keys, STATE)
    }

    /// What the provider is asked. No part of it is ever sent to the browser but in the provider's address.
    pub(super) fn asked(&self, keys: &Keys, redirect: String) -> Asked {
        Asked {
            state: self.state(keys).to_string(),
            nonce: self.derived(keys, NONCE).to_string(),
            verifier: self.derived(keys, VERIFIER).to_string(),
            redirect,
            begun_at: self.begun_at,
            afresh: self.afresh.clone(),
        }
    }

    fn derived(&self, keys: &Keys, domain: &[u8]) -> Digest {
        // What was read has the one canonical form that was sealed.
        keys.code(domain, &json::to_canonical_bytes(self).unwrap_or_default())
    }
}

/// Whether two codes are the same. How long the answer takes tells nothing of them.
pub(in crate::app) fn same(a: &Digest, b: &Digest) -> bool {
    a.as_bytes().iter().zip(b.as_bytes()).fold(0, |odd, (a, b)| odd | (a ^ b)) == 0
}

/// The attempts that were made.
#[derive(Debug)]
pub(in crate::app) struct Attempts {
    run: OnceLock<String>,
    made: Mutex<Made>,
    turns: Semaphore,
    logouts: Arc<Semaphore>,
}

/// A turn to look at a logout token, as long as it lives.
#[derive(Debug)]
pub struct LogoutTurn(#[expect(dead_code, reason = "it is held, and never looked at")] OwnedSemaphorePermit);

#[derive(Debug)]
struct Made {
    /// By when they began.
    states: BTreeMap<(Timestamp, Digest), ()>,
    /// None that began by then is made any more.
    floor: Option<Timestamp>,
}

impl Default for Attempts {
    fn default() -> Self {
        let made = Mutex::new(Made { states: BTreeMap::new(), floor: None });
        let (turns, logouts) = (Semaphore::new(MOST_AT_ONCE), Arc::new(Semaphore::new(MOST_LOGOUTS)));
        Self { run: OnceLock::new(), made, turns, logouts }
    }
}

impl Attempts {
    /// This run of the gate, named by whoever needs the name first.
    pub(in crate::app) fn run_or(&self, name: String) -> &str {
        self.run.get_or_init(|| name)
    }

    /// Whether that is this run.
    pub(in crate::app) fn is_run(&self, name: &str) -> bool {
        self.run.get().is_some_and(|run| run == name)
    }

    /// Takes note that this attempt is made. Whether it is the first time.
    pub(in crate::app) fn make(&self, begun_at: Timestamp, state: Digest) -> bool {
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if made.floor.is_some_and(|floor| begun_at <= floor) || made.states.insert((begun_at, state), ()).is_some() {
            return false;
        }
        if made.states.len() > MOST_REMEMBERED
            && let Some(((oldest, _), ())) = made.states.pop_first()
        {
            // Whatever is forgotten can never be made again: no flood turns one attempt into two.
            made.floor = made.floor.max(Some(oldest));
        }
        true
    }

    /// Whether this attempt was made, or can be no more.
    pub(in crate::app) fn has_made(&self, begun_at: Timestamp, state: Digest) -> bool {
        let made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        made.floor.is_some_and(|floor| begun_at <= floor) || made.states.contains_key(&(begun_at, state))
    }

    /// A turn at the providers, where there is one.
    pub(super) fn turn(&self) -> Option<SemaphorePermit<'_>> {
        self.turns.try_acquire().ok()
    }

    /// A turn to look at a logout token, behind those who came before. Whoever goes away meanwhile leaves nothing behind.
    pub(super) async fn logout_turn(&self) -> Option<LogoutTurn> {
        Arc::clone(&self.logouts).acquire_owned().await.ok().map(LogoutTurn)
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;
    use crate::random::SystemRandom;
    use crate::store::{DataFolder, DataKind};

    fn attempt() -> Attempt {
        Attempt {
            run: "run".to_owned(),
            secret: "0".repeat(64),
            provider: "acme".to_owned(),
            return_to: "/exceptions/x".to_owned(),
            begun_at: Timestamp::from_millis(1_000),
            step_up: None,
            afresh: None,
        }
    }

    fn keys() -> (tempfile::TempDir, Keys) {
        let folder = tempfile::tempdir().unwrap();
        let data = DataFolder::open(&folder.path().join("data"), DataKind::Gate).unwrap();
        let keys = Keys::open(&data, &SystemRandom).unwrap();
        (folder, keys)
    }

    #[test]
    fn what_a_browser_holds_is_this_gates_and_untouched() {
        let ((_a, here), (_b, there)) = (keys(), keys());
        let sealed = attempt().seal(&here).unwrap();
        assert_eq!(Attempt::open(&sealed, &here), Some(attempt()));
        assert_eq!(Attempt::open(&sealed, &there), None, "another gate's");
        let other = Attempt { return_to: "//evil.example".to_owned(), ..attempt() }.seal(&there).unwrap();
        let (body, _) = other.split_once('.').unwrap();
        let (_, code) = sealed.split_once('.').unwrap();
        for touched in [format!("{body}.{code}"), String::new(), ".".to_owned(), sealed.replacen('.', "", 1)] {
            assert_eq!(Attempt::open(&touched, &here), None, "{touched}");
        }
    }

    #[test]
    fn nothing_that_a_provider_sees_is_what_the_browser_holds() {
        let (_folder, keys) = keys();
        let sealed = attempt().seal(&keys).unwrap();
        let asked = attempt().asked(&keys, "https://gate.example/".to_owned());
        let parts = [asked.state, asked.nonce, asked.verifier];
        assert!(parts.iter().all(|part| !sealed.contains(part) && part.len() == 64));
        assert!(parts[0] != parts[1] && parts[1] != parts[2] && parts[0] != parts[2]);
        let other = Attempt { secret: "1".repeat(64), ..attempt() };
        assert_ne!(other.state(&keys), attempt().state(&keys));
    }

    #[test]
    fn an_attempt_is_made_once_also_under_a_flood() {
        let attempts = Attempts::default();
        let at = Timestamp::from_millis;
        let state = |number: usize| Digest::of(&number.to_be_bytes());
        assert!(attempts.make(at(5), state(0)));
        assert!(!attempts.make(at(5), state(0)));
        for number in 1..=MOST_REMEMBERED {
            assert!(attempts.make(at(10), state(number)), "{number}");
        }
        assert!(!attempts.make(at(5), state(0)), "forgotten, and made no second time");
        assert!(attempts.make(at(11), state(MOST_REMEMBERED + 1)));
    }

    #[tokio::test]
    async fn logouts_wait_for_a_turn_and_nobody_who_signs_in_does() {
        let attempts = Attempts::default();
        let mut turns = Vec::new();
        for _ in 0..MOST_LOGOUTS {
            turns.push(attempts.logout_turn().now_or_never().flatten().expect("a turn"));
        }
        assert!(attempts.logout_turn().now_or_never().is_none(), "one more waits");
        assert!(attempts.turn().is_some());
        turns.pop();
        assert!(attempts.logout_turn().now_or_never().flatten().is_some());
    }
}
