//! `/api/v1/exceptions` and `/api/v1/grants`.

use policy_core::entity::EntityRef;
use proviso_api::exceptions::{ExceptionDetail, ExceptionList, QuestionsReply, SheetReply, VoteReply};
use proviso_api::passkeys::CastVote;
use proviso_api::routing::HandoverRequest;
use proviso_api::stops::{RevokeReply, RevokeRequest};

use super::{get, post, post_only, segment};
use crate::view_model::problem::ApiError;

/// What is open or live, of what this person may see; a page of it.
///
/// # Errors
/// As the gate refuses.
pub async fn current_exceptions(page: Option<&str>) -> Result<ExceptionList, ApiError> {
    list("stage=current", page).await
}

/// What is over; a page of it, newest first.
///
/// # Errors
/// As the gate refuses.
pub async fn exceptions_over(page: Option<&str>) -> Result<ExceptionList, ApiError> {
    list("stage=over", page).await
}

/// What something happened to from a ledger position on; a page of it.
///
/// # Errors
/// As the gate refuses.
pub async fn exceptions_since(position: u64, page: Option<&str>) -> Result<ExceptionList, ApiError> {
    list(&format!("since={position}"), page).await
}

async fn list(narrowed: &str, page: Option<&str>) -> Result<ExceptionList, ApiError> {
    let page = page.map(|page| format!("&page={}", segment(page))).unwrap_or_default();
    get(&format!("/api/v1/exceptions?{narrowed}{page}")).await
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
pub async fn vote(id: &str, vote: &CastVote) -> Result<VoteReply, ApiError> {
    post(&format!("/api/v1/exceptions/{}/votes", segment(id)), vote).await
}

/// Hands an open request to another person.
///
/// # Errors
/// As the gate refuses.
pub async fn hand_request_over(id: &str, to: EntityRef, reason: String) -> Result<(), ApiError> {
    post_only(&format!("/api/v1/exceptions/{}/handover", segment(id)), &HandoverRequest { to, reason }).await
}

/// Takes a grant away.
///
/// # Errors
/// As the gate refuses.
pub async fn revoke(grant: &str, reason: String) -> Result<RevokeReply, ApiError> {
    post(&format!("/api/v1/grants/{}/revoke", segment(grant)), &RevokeRequest { reason }).await
}
