//! Accounts at providers. Persisted and hashed: every member is for ever.

use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// An account at a provider, as it signed in. It is `issuer` and `subject`; no e-mail and no name is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The provider's name in the operator's file.
    pub provider: String,
    /// The issuer.
    pub issuer: String,
    /// The subject at this issuer.
    pub subject: String,
    /// In which way the person authenticated, as the provider says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// When, as the provider says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<Timestamp>,
    /// The provider's own session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}

/// An authentication that is worth more than the session's, for a while.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stronger {
    /// How strong.
    pub assurance: String,
    /// Until when it counts.
    pub until: Timestamp,
}
