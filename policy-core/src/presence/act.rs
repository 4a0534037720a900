//! What somebody signs who decides on something else than a request. Hashed and kept: every member and word is for
//! ever.

use serde::{Deserialize, Serialize};

use super::statement::text_of;
use crate::digest::Digest;
use crate::entity::EntityRef;
use crate::json::CanonicalError;

/// What stands before nonce and digest in what the challenge of an act is the SHA-256 of.
pub const ACT_DOMAIN: &[u8] = b"proviso-act-v1\0";

/// What is decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SignedAct {
    /// A vote for another bundle or policy module.
    Activate,
    /// That what was made before a restore still stands.
    Confirm,
    /// That it is an emergency.
    DeclareEmergency,
    /// That a lock is taken away.
    LiftLock,
    /// That texts are taken out of the record.
    Erase,
}

impl SignedAct {
    /// All of them.
    pub const ALL: [Self; 5] = [Self::Activate, Self::Confirm, Self::DeclareEmergency, Self::LiftLock, Self::Erase];

    /// The word, as in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Activate => "activate",
            Self::Confirm => "confirm",
            Self::DeclareEmergency => "declare_emergency",
            Self::LiftLock => "lift_lock",
            Self::Erase => "erase",
        }
    }
}

/// What an act says, in one canonical document.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActStatement {
    /// [`super::STATEMENT_VERSION`].
    pub v: u32,
    /// What.
    pub act: SignedAct,
    /// Who.
    pub person: EntityRef,
    /// About what: the digest of a bundle or module, the id of an exception or of a lock; of an erasure the digest of its
    /// plan where it is proposed, and the proposal's id where it is confirmed.
    pub about: String,
    /// The digest of what was shown: the list of what a bundle changes, an exception's decision sheet, a lock,
    /// an erasure's plan.
    pub shown: Digest,
    /// Why; empty where no reason is asked for.
    pub reason: String,
}

impl ActStatement {
    /// The text that is signed and kept.
    ///
    /// # Errors
    /// When it has no canonical form.
    pub fn text(&self) -> Result<String, CanonicalError> {
        text_of(self)
    }
}

/// The challenge of an act: `SHA-256(ACT_DOMAIN || nonce || SHA-256(statement))`. Of another beginning than a vote's,
/// so that no signature of one is one of the other.
pub fn act_challenge(nonce: &Digest, statement: &str) -> Digest {
    let digest = Digest::of(statement.as_bytes());
    Digest::of(&[ACT_DOMAIN, nonce.as_bytes(), digest.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::user;

    #[test]
    fn each_word_of_an_act_changes_its_challenge() {
        let nonce = Digest::of(b"nonce");
        let one = ActStatement {
            v: 1,
            act: SignedAct::Activate,
            person: user("bob"),
            about: "b".to_owned(),
            shown: Digest::of(b"list"),
            reason: "seen".to_owned(),
        };
        let of = |statement: &ActStatement| act_challenge(&nonce, &statement.text().unwrap());
        for other in [
            ActStatement { v: 2, ..one.clone() },
            ActStatement { act: SignedAct::Confirm, ..one.clone() },
            ActStatement { person: user("carol"), ..one.clone() },
            ActStatement { about: "c".to_owned(), ..one.clone() },
            ActStatement { shown: Digest::of(b"other"), ..one.clone() },
            ActStatement { reason: String::new(), ..one.clone() },
        ] {
            assert_ne!(of(&one), of(&other), "{other:?}");
        }
        assert_ne!(of(&one), super::super::challenge(&nonce, &one.text().unwrap()), "a vote is none");
        for act in SignedAct::ALL {
            assert_eq!(serde_json::to_value(act).unwrap(), act.word());
        }
    }
}
