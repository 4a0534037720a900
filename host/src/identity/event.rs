//! What happens to credentials, links, sessions and passkeys.

use policy_core::entity::EntityRef;
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::passkey::Passkey;
use super::registry::PersonSessionFacts;
use super::token::Token;
use super::verified::{EndedParty, VerifiedCredential};

/// What happened to a credential. Persisted and hashed: every variant and member is for ever.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum IdentityEvent {
    /// It was minted.
    TokenMinted {
        /// The credential.
        token: Box<Token>,
    },
    /// It was revoked.
    TokenRevoked {
        /// Its public id.
        id: String,
        /// The operating-system user.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// Somebody showed a token of another issuer, and was believed.
    CredentialVerified {
        /// The credential.
        credential: Box<VerifiedCredential>,
    },
    /// Something of another issuer's was ended here, before its time.
    CredentialEnded {
        /// What.
        ended: EndedParty,
        /// The operating-system user.
        by: String,
        /// When.
        at: Timestamp,
    },
    /// A link was used, once, and made a session.
    SignedIn {
        /// The link's public id; absent on a demo's sign-in page.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        link: Option<String>,
        /// The session.
        session: Box<PersonSessionFacts>,
        /// The session that the browser had until then: it is over.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        replaces: Option<String>,
        /// When.
        at: Timestamp,
    },
    /// Somebody decided on an exception with what their sign-in brought.
    SignInUsed {
        /// The session's public id.
        session: String,
        /// Who.
        person: EntityRef,
        /// On which exception.
        exception: String,
        /// Whether it took the fresh authentication, which is spent by it.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        spent: bool,
        /// The groups that the sign-in brought.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        groups: Vec<EntityRef>,
        /// When.
        at: Timestamp,
    },
    /// A session was ended.
    SignedOut {
        /// The session's public id.
        session: String,
        /// Who of others did so: `operator::NAME` of the operating system. Absent: its person.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<EntityRef>,
        /// When.
        at: Timestamp,
    },
    /// Somebody added a passkey.
    PasskeyAdded {
        /// The passkey.
        passkey: Box<Passkey>,
    },
    /// A passkey that counts was used.
    PasskeyUsed {
        /// Its public id.
        id: String,
        /// What it counts now.
        counter: u32,
        /// When.
        at: Timestamp,
    },
    /// A passkey's counter had not grown: there is a copy of it, and neither signs any more.
    PasskeySuspended {
        /// Its public id.
        id: String,
        /// What it counted before.
        held: u32,
        /// What was shown.
        shown: u32,
        /// When.
        at: Timestamp,
    },
    /// A passkey was ended, by its person or by whoever ends their sessions.
    PasskeyEnded {
        /// Its public id.
        id: String,
        /// Who.
        by: EntityRef,
        /// When.
        at: Timestamp,
    },
}

impl IdentityEvent {
    /// The record's kind.
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::TokenMinted { .. } => "token_minted",
            Self::TokenRevoked { .. } => "token_revoked",
            Self::CredentialVerified { .. } => "credential_verified",
            Self::CredentialEnded { .. } => "credential_ended",
            Self::SignedIn { .. } => "signed_in",
            Self::SignInUsed { .. } => "sign_in_used",
            Self::SignedOut { .. } => "signed_out",
            Self::PasskeyAdded { .. } => "passkey_added",
            Self::PasskeyUsed { .. } => "passkey_used",
            Self::PasskeySuspended { .. } => "passkey_suspended",
            Self::PasskeyEnded { .. } => "passkey_ended",
        }
    }
}
