//! A credential of this gate's own, as it was minted. Persisted and hashed: every member is for ever.

use policy_core::digest::Digest;
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::{AgentCredential, Credential, EMBEDDED, PointCredential, TokenFacts, vouched_by};

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
    /// Whether it is handed out as a text that the gate signs: an agent's and an enforcement point's since there are such.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub signed: bool,
}

impl Token {
    /// Whom a signed one is for, as it says so itself.
    pub fn subject(&self) -> String {
        match &self.facts {
            TokenFacts::Agent { subject, .. } => subject.to_string(),
            TokenFacts::EnforcementPoint { name, .. } => vouched_by(name),
            TokenFacts::Approver { person, .. } => person.to_string(),
        }
    }

    /// The one resource that it is to be shown to; absent: the gate itself, which an enforcement point always shows its
    /// own to.
    pub fn resource(&self) -> Option<&str> {
        match &self.facts {
            TokenFacts::Agent { resource, .. } => resource.as_deref(),
            TokenFacts::EnforcementPoint { .. } | TokenFacts::Approver { .. } => None,
        }
    }

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
