//! A credential of this gate's own, as it was minted. Persisted and hashed: every member is for ever.

use policy_core::digest::Digest;
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AgentCredential, Credential, EMBEDDED, PointCredential, TokenFacts};

/// A credential as it was minted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Token {
    /// The public id.
    pub id: String,
    /// The secret's keyed hash.
    pub hash: Digest,
    /// What it is for.
    pub facts: TokenFacts,
    /// When.
    pub minted_at: Timestamp,
    /// Until when it works.
    pub expires_at: Timestamp,
    /// The operating-system user that asked for it.
    pub by: String,
    /// That user's number.
    pub uid: u32,
    /// Whether that was the gate's own user.
    pub same_user: bool,
}

impl Token {
    /// As use cases see a caller. A sign-in link is no caller.
    pub fn credential(&self) -> Option<Credential> {
        match self.facts.clone() {
            TokenFacts::Agent { subject, task, via, on_behalf, build, resource } => {
                let (token, issuer) = (self.id.clone(), EMBEDDED.to_owned());
                let agent =
                    AgentCredential { token, subject, task, via, on_behalf, build, resource, issuer, proof: None };
                Some(Credential::Agent(agent))
            }
            TokenFacts::EnforcementPoint { name, subjects, servers, vouches, resource } => {
                let token = self.id.clone();
                let point = PointCredential { token, name, subjects, servers, vouches, resource, proof: None };
                Some(Credential::EnforcementPoint(point))
            }
            TokenFacts::Approver { .. } => None,
        }
    }
}
