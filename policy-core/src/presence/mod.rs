//! How it is shown that a person was there when a vote was cast.
//!
//! Terms demand a [`Presence`], a vote carries a [`Proof`], and a signed one is of a [`Statement`]. What a signature is
//! worth is no business of this crate: whoever verifies it says so by the proof that comes with the vote.

mod act;
mod proof;
mod statement;

pub use act::{ACT_DOMAIN, ActStatement, SignedAct, act_challenge};
pub use proof::{Authentication, Proof, Signature};
pub use statement::{CHALLENGE_DOMAIN, STATEMENT_VERSION, Statement, challenge};

use serde::{Deserialize, Serialize};

/// What a vote must at least be cast with, from weakest to strongest. Persisted in terms: every word is for ever.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Presence {
    /// A session, however long ago it began. What terms of earlier releases demanded, which do not say.
    #[default]
    Session,
    /// An authentication at a provider just now.
    Authentication,
    /// A signature of the vote itself, by a passkey of the voter's.
    Signature,
}

impl Presence {
    /// All of them, from weakest to strongest.
    pub const ALL: [Self; 3] = [Self::Session, Self::Authentication, Self::Signature];

    /// The word, as in `@presence("…")` and in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Session => "session",
            Self::Authentication => "authentication",
            Self::Signature => "signature",
        }
    }

    /// The presence of that word.
    pub fn of(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|presence| presence.word() == word)
    }

    /// Whether nothing but a session is meant: what is left out where it is written down.
    pub const fn is_session(&self) -> bool {
        matches!(self, Self::Session)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_json_and_the_order_is_that_of_strength() {
        for presence in Presence::ALL {
            assert_eq!(serde_json::to_value(presence).unwrap(), presence.word());
            assert_eq!(Presence::of(presence.word()), Some(presence));
        }
        assert!(Presence::ALL.is_sorted());
        assert_eq!(Presence::of("Session"), None);
    }
}
