//! What a voter signs. Hashed and kept: every member is for ever.

use serde::{Deserialize, Serialize};

use crate::digest::Digest;
use crate::entity::EntityRef;
use crate::grant::Scope;
use crate::json::{self, CanonicalError};
use crate::lifecycle::VoteDecision;
use crate::sheet::Ballot;

/// The version of [`Statement`] that this build makes.
pub const STATEMENT_VERSION: u32 = 1;

/// What stands before nonce and digest in what the challenge is the SHA-256 of.
pub const CHALLENGE_DOMAIN: &[u8] = b"proviso-vote-v1\0";

/// What a vote says, in one canonical document. The digest of the decision sheet in it commits to everything that the
/// voter was shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Statement {
    /// [`STATEMENT_VERSION`].
    pub v: u32,
    /// The exception's id.
    pub exception: String,
    /// Who votes.
    pub person: EntityRef,
    /// What.
    pub decision: VoteDecision,
    /// The digest of decision sheet, grant and preview.
    pub sheet: Digest,
    /// The ledger position that the sheet was rendered at.
    pub as_of: u64,
    /// The scope that is voted on.
    pub grant: Scope,
    /// Whether it is of whatever lies inside that scope, too.
    pub inside: bool,
    /// Why.
    pub reason: String,
}

impl Statement {
    /// What this ballot of this person says.
    pub fn of(exception: &str, person: &EntityRef, ballot: &Ballot) -> Self {
        Self {
            v: STATEMENT_VERSION,
            exception: exception.to_owned(),
            person: person.clone(),
            decision: ballot.decision,
            sheet: ballot.sheet,
            as_of: ballot.as_of,
            grant: ballot.grant.clone(),
            inside: ballot.inside,
            reason: ballot.reason.clone(),
        }
    }

    /// The text that is signed and kept.
    ///
    /// # Errors
    /// When it has no canonical form.
    pub fn text(&self) -> Result<String, CanonicalError> {
        text_of(self)
    }
}

/// A statement as it is signed and kept.
pub(super) fn text_of(statement: &impl Serialize) -> Result<String, CanonicalError> {
    let bytes = json::to_canonical_bytes(statement)?;
    // Canonical JSON is text.
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// The challenge of a vote: nobody can foresee it, and it commits to every word of the statement.
/// `SHA-256(CHALLENGE_DOMAIN || nonce || SHA-256(statement))`.
pub fn challenge(nonce: &Digest, statement: &str) -> Digest {
    let digest = Digest::of(statement.as_bytes());
    Digest::of(&[CHALLENGE_DOMAIN, nonce.as_bytes(), digest.as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{exact, user};

    fn ballot() -> Ballot {
        let (decision, sheet) = (VoteDecision::Approve, Digest::of(b"sheet"));
        Ballot { decision, as_of: 3, sheet, reason: "seen".into(), grant: exact(), inside: false, confirm: None }
    }

    #[test]
    fn each_word_of_a_vote_changes_its_challenge() {
        let nonce = Digest::of(b"nonce");
        let of = |exception: &str, person: &str, ballot: &Ballot| {
            challenge(&nonce, &Statement::of(exception, &user(person), ballot).text().unwrap())
        };
        let one = of("e1", "bob", &ballot());
        assert_eq!(one, of("e1", "bob", &ballot()));
        let mut wider = ballot();
        wider.grant.max_uses += 1;
        for other in [
            of("e2", "bob", &ballot()),
            of("e1", "carol", &ballot()),
            of("e1", "bob", &Ballot { decision: VoteDecision::Refuse, ..ballot() }),
            of("e1", "bob", &Ballot { as_of: 4, ..ballot() }),
            of("e1", "bob", &Ballot { sheet: Digest::of(b"other"), ..ballot() }),
            of("e1", "bob", &Ballot { reason: "Seen".into(), ..ballot() }),
            of("e1", "bob", &Ballot { inside: true, ..ballot() }),
            of("e1", "bob", &wider),
            challenge(&Digest::of(b"another"), &Statement::of("e1", &user("bob"), &ballot()).text().unwrap()),
        ] {
            assert_ne!(one, other);
        }
    }
}
