//! `/api/v1/session`: who is signed in.

use policy_core::console::Act;
use policy_core::entity::{EntityRef, Hop};
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use crate::people::RecoveryLine;

/// `POST /api/v1/session`: signs in with a one-time link's secret.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignIn {
    /// The part of the link behind `#`.
    pub link: String,
}

/// `GET /api/v1/session`, and the reply to signing in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Who.
    pub person: EntityRef,
    /// How strongly they signed in: `link`.
    pub assurance: String,
    /// Until when.
    pub expires_at: Timestamp,
    /// The gate's time.
    pub now: Timestamp,
    /// Whether this is a demo: every page says so.
    pub demo: bool,
    /// Whether agents and gate may share an operating-system user: every page says so.
    pub single_user: bool,
    /// What was minted in this person's name since their last sign-in.
    pub minted: Vec<Minted>,
    /// What this person may do about the gate or about any agent, by the bundle's `console/`. About one agent or one
    /// exception it may be less.
    #[serde(default)]
    pub may: Vec<Act>,
    /// The bundle's groups that the sign-in brought, besides those that the bundle says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<EntityRef>,
    /// How strongly authenticating anew at the provider signs in, where that is more than what there is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_up: Option<String>,
    /// The last administrator is said to be lost, and another is let in unless somebody stops it: every page says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery: Option<RecoveryLine>,
    /// What the page sends as `Proviso-Session-Key` with every request: 64 hexadecimal digits. Only in the reply to signing
    /// in, and only the page of the gate's own origin reads that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
}

/// A credential that was minted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Minted {
    /// The credential's public id.
    pub id: String,
    /// `agent`, `enforcement_point` or `approver`.
    pub kind: String,
    /// When.
    pub at: Timestamp,
    /// The operating-system user that asked for it.
    pub by: String,
    /// For whom or what, in one line.
    pub what: String,
}

/// `GET /demo/people`, only under `proviso demo`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DemoPeople {
    /// Whom one can sign in as, with one line about each.
    pub people: Vec<DemoPerson>,
}

/// A person of the demo.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DemoPerson {
    /// Who.
    pub person: EntityRef,
    /// The groups that the person is in.
    pub groups: Vec<String>,
}

/// `POST /demo/session`, only under `proviso demo`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DemoSignIn {
    /// Who.
    pub person: EntityRef,
}

/// `GET /api/v1/whoami`: what the gate makes of the tokens that were sent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhoAmI {
    /// `agent` or `enforcement_point`.
    pub caller: String,
    /// The enforcement point's name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The resource that the enforcement point is: whom agents' tokens must be for that are shown to it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource: Option<String>,
    /// Whom the agent's token is bound to: the subject token's where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<EntityRef>,
    /// Which task it is bound to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// On whose behalf it acts, from the current actor inward.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub chain: Vec<Hop>,
    /// What the agent is built of, where its issuer says so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub build: Option<String>,
}
