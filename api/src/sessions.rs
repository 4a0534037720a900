//! `/api/v1/sessions`: where a person is signed in.

use policy_core::entity::EntityRef;
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

/// `GET /api/v1/sessions`: the own sessions, the newest first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionList {
    /// The gate's time.
    pub now: Timestamp,
    /// One line each.
    pub sessions: Vec<SessionLine>,
    /// The own links for the command line that nobody has used yet, the newest first.
    #[serde(default)]
    pub links: Vec<LinkLine>,
}

/// A link for the command line that nobody has used yet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkLine {
    /// Its public id.
    pub id: String,
    /// When it was made.
    pub since: Timestamp,
    /// Until when it works, at most: it ends with the session that made it.
    pub expires_at: Timestamp,
    /// Whether it was made in the session that asks.
    pub here: bool,
}

/// `POST /api/v1/sessions/links`: a link for the command line. It is told here alone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LinkMade {
    /// Its public id.
    pub id: String,
    /// The whole link: it signs in once.
    pub link: String,
    /// Until when it works, at most.
    pub expires_at: Timestamp,
}

/// A session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionLine {
    /// Its public id.
    pub id: String,
    /// Whose.
    pub person: EntityRef,
    /// Since when.
    pub since: Timestamp,
    /// When it was last used, as far as this run of the gate knows.
    pub last_seen: Timestamp,
    /// When it ends, if nobody uses it until then.
    pub expires_at: Timestamp,
    /// How strongly the person is signed in now.
    pub assurance: String,
    /// By what: `link`, or a provider's name.
    pub by: String,
    /// What the browser said of itself. Anybody can say anything there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub browser: Option<String>,
    /// Whether it is the one that asks.
    pub current: bool,
    /// Whether it came by a link for the command line that its person made: it ends with the session that made it.
    #[serde(default)]
    pub for_command_line: bool,
}

/// `DELETE /api/v1/sessions`: how many were ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionsEnded {
    /// How many.
    pub ended: usize,
}

/// `POST /api/v1/session/step_up`: to authenticate anew, in the same session.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepUp {
    /// The page that is opened afterwards: a path of this gate. Absent: the queue.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub return_to: Option<String>,
}

/// `POST /api/v1/session/sign_out`: signed out here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedOut {
    /// Where one signs out of the provider, too, where it has such a place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}
