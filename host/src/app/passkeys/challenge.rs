//! Challenges. The gate keeps none of them: who asked for one holds it, under a code that only this gate makes, so a flood
//! of them fills nothing. What was answered is remembered for as long as it could be answered again.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use policy_core::digest::Digest;
use policy_core::json;
use policy_core::presence::SignedAct;
use policy_core::sabotaged;
use policy_core::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};

use crate::app::App;
use crate::app::identities::no_randomness;
use crate::app::refusal::{Refusal, RefusalKind};
use crate::random;

/// How long a challenge can be answered.
pub(super) const LIFE: Span = Span::from_seconds(5 * 60);
/// The longest that is read.
const LONGEST: usize = 2_048;
const SEAL: &[u8] = b"proviso-passkey-challenge-v1\0";
const ADD: &[u8] = b"proviso-passkey-add-v1\0";
const SIGN_IN: &[u8] = b"proviso-passkey-sign-in-v1\0";

/// What a challenge is for: an answer to one is none to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Purpose {
    /// Adding a passkey, in this session.
    Add(String),
    /// Signing in.
    SignIn,
    /// A vote on this exception, in this session.
    Vote {
        /// The session.
        session: String,
        /// The exception.
        exception: String,
    },
    /// Another act, about this, in this session.
    Act {
        /// The session.
        session: String,
        /// What is decided.
        act: SignedAct,
        /// About what.
        about: String,
    },
}

/// A challenge, as whoever asked for it holds it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Challenge {
    /// Which run of the gate made it: another remembers nothing of what this one has seen.
    run: String,
    /// What nobody can foresee.
    pub(super) nonce: Digest,
    /// For what.
    purpose: Purpose,
    /// When it was made.
    at: Timestamp,
}

impl Challenge {
    /// When it was made.
    pub(super) const fn at(&self) -> Timestamp {
        self.at
    }

    /// Until when it can be answered.
    pub(super) fn expires_at(&self) -> Timestamp {
        self.at.plus(LIFE)
    }

    /// What an authenticator signs that adds a passkey or signs in. A vote's is made of the vote.
    pub(super) fn plain(&self) -> Digest {
        let domain = if matches!(self.purpose, Purpose::SignIn) { SIGN_IN } else { ADD };
        Digest::of(&[domain, self.nonce.as_bytes()].concat())
    }
}

impl App {
    /// Makes a challenge: it, and what is held of it.
    pub(super) fn challenge(&self, purpose: Purpose, now: Timestamp) -> Result<(Challenge, String), Refusal> {
        let run = random::id(self.random(), "run").map_err(|_| no_randomness())?;
        let nonce = Digest::from_bytes(random::key(self.random()).map_err(|_| no_randomness())?);
        let run = self.challenges().run_or(run).to_owned();
        let challenge = Challenge { run, nonce, purpose, at: now };
        let body = json::to_canonical_bytes(&challenge).map_err(|_| no_randomness())?;
        let held = format!("{}.{}", URL_SAFE_NO_PAD.encode(&body), self.keys().code(SEAL, &body));
        Ok((challenge, held))
    }

    /// The challenge that is answered, where it is this gate's, for this purpose, and in time.
    ///
    /// # Errors
    /// `challenge_over`; `other_challenge`.
    pub(super) fn challenged(&self, held: &str, purpose: &Purpose, now: Timestamp) -> Result<Challenge, Refusal> {
        let challenge = self.unsealed(held).ok_or_else(other)?;
        // INVARIANT (R4): what was asked in one session, for one thing, is answered in that session and for that thing.
        if challenge.purpose != *purpose {
            return Err(other());
        }
        let seen = self.challenges();
        let lasts = challenge.at <= now && now < challenge.expires_at() && seen.is_run(&challenge.run);
        let fresh = !seen.has_made(challenge.at, challenge.nonce) || sabotaged!("r4_challenge_again");
        if !fresh {
            return Err(over());
        }
        if lasts || sabotaged!("r6_late_challenge") { Ok(challenge) } else { Err(over()) }
    }

    fn unsealed(&self, held: &str) -> Option<Challenge> {
        let (body, code) = held.split_once('.').filter(|_| held.len() <= LONGEST)?;
        let body = URL_SAFE_NO_PAD.decode(body).ok()?;
        let code: Digest = code.parse().ok()?;
        if !crate::app::sign_in::same(&code, &self.keys().code(SEAL, &body)) {
            return None;
        }
        json::read_as(&body, json::Limits::DEFAULT).ok()
    }

    /// Takes note that a challenge was answered, by whoever could.
    ///
    /// INVARIANT (R4): one challenge, one answer.
    pub(super) fn answered(&self, challenge: &Challenge) -> Result<(), Refusal> {
        let first = self.challenges().make(challenge.at, challenge.nonce);
        if first || sabotaged!("r4_challenge_again") { Ok(()) } else { Err(over()) }
    }
}

pub(super) fn over() -> Refusal {
    let what = "the challenge is too old, or was answered already";
    Refusal::new(RefusalKind::Conflict, "challenge_over", what)
}

fn other() -> Refusal {
    Refusal::conflict("other_challenge", "that answers no challenge of this gate, for this, in this session")
}
