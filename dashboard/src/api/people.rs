//! Who is here, invitations, accounts, and what ends for others.

use gloo_net::http::Request;
use proviso_api::acts::Reason;
use proviso_api::people::{
    InviteRequest, LinkAccountRequest, MemberDetail, PeopleReply, ProposalReply, UnlinkAccountRequest,
};
use proviso_api::sessions::SessionsEnded;

use super::{get, keyed, post, post_only, read, remove, segment};
use crate::view_model::problem::ApiError;

/// Everybody, and what administrators have begun.
///
/// # Errors
/// As the gate refuses.
pub async fn people() -> Result<PeopleReply, ApiError> {
    get("/api/v1/people").await
}

/// One person.
///
/// # Errors
/// As the gate refuses: `unknown_person`.
pub async fn member(user: &str) -> Result<MemberDetail, ApiError> {
    get(&format!("/api/v1/people/{}", segment(user))).await
}

/// Invites somebody.
///
/// # Errors
/// As the gate refuses: `enrolled_already`, `own_person`, …
pub async fn invite(user: String, reason: String) -> Result<ProposalReply, ApiError> {
    post("/api/v1/people/invitations", &InviteRequest { user, reason }).await
}

/// Agrees to what another administrator began.
///
/// # Errors
/// As the gate refuses: `same_person`, `proposal_over`, …
pub async fn agree(id: &str) -> Result<ProposalReply, ApiError> {
    let request = keyed(Request::post(&format!("/api/v1/people/proposals/{}/agree", segment(id))));
    read(request.send().await.map_err(|_| ApiError::Unreachable)?).await
}

/// Takes it back, or refuses it.
///
/// # Errors
/// As the gate refuses: `proposal_over`.
pub async fn withdraw(id: &str) -> Result<(), ApiError> {
    remove(&format!("/api/v1/people/proposals/{}", segment(id))).await
}

/// Proposes an account as a person's way in.
///
/// # Errors
/// As the gate refuses: `account_of_another`, `own_person`, …
pub async fn link_account(user: &str, request: &LinkAccountRequest) -> Result<ProposalReply, ApiError> {
    post(&format!("/api/v1/people/{}/accounts", segment(user)), request).await
}

/// Takes one away again: how many sessions that ended.
///
/// # Errors
/// As the gate refuses.
pub async fn unlink_account(user: &str, request: &UnlinkAccountRequest) -> Result<usize, ApiError> {
    let ended: SessionsEnded = post(&format!("/api/v1/people/{}/accounts/unlink", segment(user)), request).await?;
    Ok(ended.ended)
}

/// Ends all sessions of somebody else: how many there were.
///
/// # Errors
/// As the gate refuses: `own_person`.
pub async fn end_sessions_of(user: &str) -> Result<usize, ApiError> {
    let request = keyed(Request::delete(&format!("/api/v1/people/{}/sessions", segment(user))));
    let ended: SessionsEnded = read(request.send().await.map_err(|_| ApiError::Unreachable)?).await?;
    Ok(ended.ended)
}

/// Says that somebody else has left.
///
/// # Errors
/// As the gate refuses: `own_person`, `reason_needed`.
pub async fn end_person(user: &str, reason: String) -> Result<(), ApiError> {
    post_only(&format!("/api/v1/people/{}/end", segment(user)), &Reason { reason }).await
}

/// Stops a recovery.
///
/// # Errors
/// As the gate refuses: `no_recovery`, `reason_needed`.
pub async fn stop_recovery(reason: String) -> Result<(), ApiError> {
    post_only("/api/v1/people/recovery/stop", &Reason { reason }).await
}
