//! `/api/v1/sign-in`: signing in by a provider of OpenID Connect.

use serde::{Deserialize, Serialize};

use crate::session::Session;

/// `GET /api/v1/sign-in`: the ways in besides links.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInWays {
    /// Providers, in the operator's order.
    pub providers: Vec<ProviderLine>,
    /// Whether people can have passkeys here.
    #[serde(default)]
    pub passkeys: bool,
}

/// A provider.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProviderLine {
    /// Its name, in addresses.
    pub name: String,
    /// Its name, on the page.
    pub label: String,
}

/// `POST /api/v1/sign-in/begin`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeginSignIn {
    /// The provider's name.
    pub provider: String,
    /// The page that is opened afterwards: a path of this gate. Absent: the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_to: Option<String>,
}

/// The reply: the browser goes there. What binds the answer to it comes as a cookie.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignInBegun {
    /// The provider's address.
    pub location: String,
}

/// `POST /api/v1/sign-in/finish`: what the provider sent the browser back with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FinishSignIn {
    /// The provider at whose address the browser arrived.
    pub provider: String,
    /// The state.
    pub state: String,
    /// The code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// The issuer (RFC 9207).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub iss: Option<String>,
    /// The provider's error, where it signed nobody in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The reply.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SignInFinished {
    /// The session, with its `key`.
    pub session: Session,
    /// The page that is opened now: a path of this gate.
    pub return_to: String,
}
