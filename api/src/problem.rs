//! Errors: `application/problem+json` (RFC 9457) with a stable code and a remedy.

use serde::{Deserialize, Serialize};

/// An error. The same codes stand in the command line's `--json` and on the page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// `about:blank`, or for ARAP's errors `urn:openid:authzen:access-request:error:CODE`.
    #[serde(rename = "type")]
    pub kind: String,
    /// The code in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What is wrong here.
    pub detail: String,
    /// A stable snake_case code.
    pub code: String,
    /// What to do about it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub help: Option<String>,
}
