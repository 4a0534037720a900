//! `/api/v1/exceptions/{id}/…`: what people and agents do to an exception besides voting.

use policy_core::grant::Scope;
use policy_core::lifecycle::Disposition;
use serde::{Deserialize, Serialize};

use crate::passkeys::VoteSignature;

/// `POST /api/v1/exceptions/{id}/answer`: an answer to a vote that asks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AnswerRequest {
    /// Which vote asked, by its place among the votes, from 0.
    pub vote: u32,
    /// The answer, at most 2,000 characters. Shown as what the answerer claims.
    pub words: String,
}

/// `POST /api/v1/exceptions/{id}/emergency` and `…/confirm`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShownReason {
    /// Why, at most 2,000 characters.
    pub reason: String,
    /// What it is signed with, where the terms demand that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub signed: Option<SignedSheet>,
}

/// A signature over a decision sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SignedSheet {
    /// The ledger position of the sheet that was shown.
    pub as_of: u64,
    /// The signature.
    pub signature: VoteSignature,
}

/// `POST /api/v1/exceptions/{id}/uses/{evaluation}/give_back`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reason {
    /// Why, at most 2,000 characters.
    pub reason: String,
}

/// `POST /api/v1/exceptions/{id}/disposition`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DispositionRequest {
    /// How the closed exception is judged.
    pub disposition: Disposition,
    /// Why; may be empty.
    #[serde(default)]
    pub note: String,
}

/// `POST /api/v1/exceptions/{id}/renew`: asks for the same again, under today's policy and with fresh votes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenewRequest {
    /// Why, at most 2,000 characters.
    pub justification: String,
    /// The scope; absent: what was granted before. Never wider.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scope: Option<Scope>,
}
