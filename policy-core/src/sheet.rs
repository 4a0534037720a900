//! The decision sheet: every fact that an approver is shown, in one canonical document that the server can rebuild byte
//! for byte, and the digest that a vote is bound to.

use serde::{Deserialize, Serialize};

use crate::abi::Previewed;
use crate::digest::Digest;
use crate::entity::EntityRef;
use crate::grant::Scope;
use crate::json::CanonicalError;
use crate::lifecycle::{Disposition, Exception, VoteDecision};
use crate::outcome::Evaluation;
use crate::time::Timestamp;

/// The version of [`DecisionSheet`] that this build renders.
pub const SHEET_VERSION: u32 = 1;

/// Every fact that an approver is shown, at one ledger position.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionSheet {
    /// [`SHEET_VERSION`].
    pub v: u32,
    /// The ledger position that it is rendered at.
    pub as_of: u64,
    /// The instant that the preview is evaluated for: that of the ledger record at `as_of`.
    pub at: Timestamp,
    /// The exception as it stood: request, terms, versions, votes.
    pub exception: Exception,
    /// What the gate answered when the call was refused.
    pub refused: Evaluation,
    /// What runs, in the bundle author's words with the arguments as quoted values (R11).
    pub says: String,
    /// The action's effects, as `@effect` and `@reversible` annotate it, sorted.
    pub effects: Vec<String>,
    /// The arguments, rendered as quoted values in canonical order: member path and text.
    pub arguments: Vec<Argument>,
    /// The active bundle and what changed with its last activation.
    pub bundle: BundleFact,
    /// The digest of `policy.wasm`.
    pub module: Digest,
    /// The positions in the log of decisions of the recorded denials that the preview tries, in order.
    pub tried: Vec<u64>,
    /// What it renews, as that stood, where it renews something.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub renews: Option<Predecessor>,
}

impl DecisionSheet {
    /// What a person signs of it who confirms it or declares an emergency. A vote's is [`binding`].
    ///
    /// # Errors
    /// When it has no canonical form.
    pub fn digest(&self) -> Result<Digest, CanonicalError> {
        Digest::of_json(self)
    }
}

/// The exception that a request renews: what was granted and what became of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Predecessor {
    /// The exception's id.
    pub id: String,
    /// Its state's word at the sheet's instant.
    pub state: String,
    /// What was granted.
    pub scope: Scope,
    /// When it was granted.
    pub granted_at: Timestamp,
    /// Uses consumed.
    pub uses: u32,
    /// How it was judged afterwards, if somebody has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disposition: Option<Disposition>,
}

/// One argument of the call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Argument {
    /// Member names from the top.
    pub at: Vec<String>,
    /// The value as canonical JSON, odd characters made visible; `@secret` ones as their length.
    pub text: String,
}

/// Which bundle judges, and how it came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BundleFact {
    /// Its digest.
    pub digest: Digest,
    /// Who activated it: the operating-system user or a person.
    pub activated_by: String,
    /// Why.
    pub reason: String,
    /// When.
    pub activated_at: Timestamp,
    /// How many files changed, by folder: `scope`, `guardrails`, `approval/request`, `approval/approve`, `entities`,
    /// `schema`, `bundle.toml`.
    pub changed: Vec<(String, u32)>,
}

/// What a vote says, as it is sent: `POST /api/v1/exceptions/{id}/votes`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ballot {
    /// What.
    pub decision: VoteDecision,
    /// The ledger position of the sheet.
    pub as_of: u64,
    /// [`binding`] of what was shown.
    pub sheet: Digest,
    /// Why.
    pub reason: String,
    /// The scope that is voted on.
    pub grant: Scope,
    /// Whether an approval is of whatever lies inside that scope, too: it counts on later, narrower versions.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inside: bool,
    /// For an approval of the strongest tier: the id of the resource, as the person typed it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub confirm: Option<String>,
}

/// What is hashed for [`Ballot::sheet`].
#[derive(Serialize)]
struct Binding<'a> {
    v: u32,
    person: &'a EntityRef,
    sheet: &'a DecisionSheet,
    grant: &'a Scope,
    preview: &'a Previewed,
}

/// The digest that a vote is bound to: of the decision sheet, the grant and the preview's outcomes, for this person.
///
/// # Errors
/// When a part has no canonical form.
pub fn binding(
    person: &EntityRef,
    sheet: &DecisionSheet,
    grant: &Scope,
    preview: &Previewed,
) -> Result<Digest, CanonicalError> {
    Digest::of_json(&Binding { v: SHEET_VERSION, person, sheet, grant, preview })
}
