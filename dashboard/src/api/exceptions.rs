//! `/api/v1/exceptions` and `/api/v1/grants`.

use policy_core::sheet::Ballot;
use proviso_api::exceptions::{ExceptionDetail, ExceptionList, QuestionsReply, SheetReply, VoteReply};
use proviso_api::stops::RevokeRequest;

use super::{get, post, post_only, segment};
use crate::view_model::problem::ApiError;

/// All exceptions that this person may see.
///
/// # Errors
/// As the gate refuses.
pub async fn exceptions() -> Result<ExceptionList, ApiError> {
    get("/api/v1/exceptions").await
}

/// One exception.
///
/// # Errors
/// As the gate refuses.
pub async fn exception(id: &str) -> Result<ExceptionDetail, ApiError> {
    get(&format!("/api/v1/exceptions/{}", segment(id))).await
}

/// The decision sheet at a ledger position.
///
/// # Errors
/// As the gate refuses.
pub async fn sheet(id: &str, as_of: u64) -> Result<SheetReply, ApiError> {
    get(&format!("/api/v1/exceptions/{}/sheet?as_of={as_of}", segment(id))).await
}

/// What the preview evaluates, at a ledger position.
///
/// # Errors
/// As the gate refuses.
pub async fn questions(id: &str, as_of: u64) -> Result<QuestionsReply, ApiError> {
    get(&format!("/api/v1/exceptions/{}/questions?as_of={as_of}", segment(id))).await
}

/// Votes.
///
/// # Errors
/// With code `stale_sheet` when what was shown is not what stands.
pub async fn vote(id: &str, ballot: &Ballot) -> Result<VoteReply, ApiError> {
    post(&format!("/api/v1/exceptions/{}/votes", segment(id)), ballot).await
}

/// Takes a grant away.
///
/// # Errors
/// As the gate refuses.
pub async fn revoke(grant: &str, reason: String) -> Result<(), ApiError> {
    post_only(&format!("/api/v1/grants/{}/revoke", segment(grant)), &RevokeRequest { reason }).await
}
