//! `/api/v1/passkeys`: the passkeys of whoever is signed in, signing in by one, and the signature of a vote. Bytes are
//! base64url without padding, as browsers give them; digests are hexadecimal.

use policy_core::digest::Digest;
use policy_core::presence::SignedAct;
use policy_core::sheet::Ballot;
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// `GET /api/v1/passkeys`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasskeyList {
    /// The gate's time.
    pub now: Timestamp,
    /// The name that passkeys are for here. Absent: the gate's address is none that a browser makes passkeys for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rp_id: Option<String>,
    /// The own ones that nobody has ended, oldest first.
    pub passkeys: Vec<PasskeyLine>,
}

/// A passkey.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasskeyLine {
    /// Its public id.
    pub id: String,
    /// What its person calls it.
    pub label: String,
    /// `ES256` or `EdDSA`.
    pub algorithm: String,
    /// `live`, `suspended` where its counter showed that there is a copy, or `earlier_epoch` where it was added before
    /// the gate was restored.
    pub state: String,
    /// Whether it may be in several places.
    pub synced: bool,
    /// When it was added.
    pub added_at: Timestamp,
    /// When it was last used, as far as that was written down: only those that count are.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub used_at: Option<Timestamp>,
    /// From when on it counts for votes of every tier; until then for those of the lowest.
    pub counts_from: Timestamp,
}

/// `POST /api/v1/passkeys/challenge`: what `navigator.credentials.create` is asked with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasskeyChallenge {
    /// The challenge.
    pub challenge: Digest,
    /// What is sent back with the answer.
    pub held: String,
    /// Until when.
    pub expires_at: Timestamp,
    /// For which name.
    pub rp_id: String,
    /// What the authenticator knows the person by: it tells nothing of them.
    pub user: String,
    /// What the authenticator shows.
    pub name: String,
    /// The credentials that the person has: an authenticator that holds one makes no second.
    pub exclude: Vec<String>,
}

/// `POST /api/v1/passkeys`: what the authenticator answered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddPasskey {
    /// As the challenge came with it.
    pub held: String,
    /// What the person calls it: 1 to 64 characters.
    pub label: String,
    /// `response.attestationObject`.
    pub attestation_object: String,
    /// `response.clientDataJSON`.
    pub client_data: String,
}

/// `POST /api/v1/passkeys/sign_in/challenge`: what `navigator.credentials.get` is asked with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasskeySignInChallenge {
    /// The challenge.
    pub challenge: Digest,
    /// What is sent back with the answer.
    pub held: String,
    /// Until when.
    pub expires_at: Timestamp,
    /// For which name.
    pub rp_id: String,
}

/// `POST /api/v1/passkeys/sign_in`: what the authenticator answered. Who it is, it says itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasskeySignIn {
    /// As the challenge came with it.
    pub held: String,
    /// `response.userHandle`.
    pub user: String,
    /// The assertion.
    pub assertion: PasskeyAssertion,
}

/// An assertion.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PasskeyAssertion {
    /// `rawId`.
    pub credential: String,
    /// `response.authenticatorData`.
    pub authenticator_data: String,
    /// `response.clientDataJSON`.
    pub client_data: String,
    /// `response.signature`.
    pub signature: String,
}

/// `POST /api/v1/exceptions/{id}/votes/challenge`: of what the page makes the challenge itself, from what it shows:
/// `SHA-256("proviso-vote-v1\0" || nonce || SHA-256(statement))`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoteChallenge {
    /// The nonce.
    pub nonce: Digest,
    /// What is sent back with the vote.
    pub held: String,
    /// Until when.
    pub expires_at: Timestamp,
    /// For which name.
    pub rp_id: String,
    /// The credentials of the voter that sign.
    pub credentials: Vec<String>,
}

/// `POST /api/v1/exceptions/{id}/votes`: a ballot, and its signature where the terms demand one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CastVote {
    /// What the vote says.
    #[serde(flatten)]
    pub ballot: Ballot,
    /// The signature.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signature: Option<VoteSignature>,
}

/// A signature of a vote.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct VoteSignature {
    /// As the challenge came with it.
    pub held: String,
    /// The assertion.
    pub assertion: PasskeyAssertion,
}

/// `POST /api/v1/acts/challenge`: of what the page makes the challenge of another act than a vote on a request, from
/// what it shows: `SHA-256("proviso-act-v1\0" || nonce || SHA-256(statement))`. Answered by a [`VoteChallenge`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActChallengeRequest {
    /// What is decided.
    pub act: SignedAct,
    /// About what: the digest of a bundle or module, the id of an exception or of a lock.
    pub about: String,
}
