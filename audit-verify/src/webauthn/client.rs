//! What the browser says: `clientDataJSON`.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::{AssertionFault, Expected, LONGEST_CLIENT_DATA};

/// The members that are looked at. Browsers may add others; one of these twice is none.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ClientData {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(default)]
    cross_origin: bool,
    #[serde(default)]
    top_origin: Option<String>,
}

impl ClientData {
    /// Reads it.
    pub(super) fn read(bytes: &[u8]) -> Result<Self, AssertionFault> {
        if bytes.len() > LONGEST_CLIENT_DATA {
            return Err(AssertionFault::TooLong);
        }
        serde_json::from_slice(bytes).map_err(|_| AssertionFault::ClientData)
    }

    /// Holds it against what was meant.
    pub(super) fn hold(&self, kind: &str, expected: &Expected<'_>) -> Result<(), AssertionFault> {
        if self.kind != kind {
            return Err(AssertionFault::Type);
        }
        // One form alone: base64url without padding, as the standard has it.
        if self.challenge != URL_SAFE_NO_PAD.encode(expected.challenge) {
            return Err(AssertionFault::Challenge);
        }
        if self.origin != expected.origin {
            return Err(AssertionFault::Origin);
        }
        if self.cross_origin || self.top_origin.is_some() {
            return Err(AssertionFault::CrossOrigin);
        }
        Ok(())
    }
}
