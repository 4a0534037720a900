//! Who has what, what somebody leaves behind, and handing it over.

use proviso_api::ownership::{Departure, HandOwnerRequest, OwnerReply, OwnershipReply};
use proviso_api::routing::DeputyList;

use super::{get, post, remove, segment};
use crate::view_model::problem::ApiError;

/// Who has what, and where bundle and log disagree.
///
/// # Errors
/// As the gate refuses.
pub async fn ownership() -> Result<OwnershipReply, ApiError> {
    get("/api/v1/ownership").await
}

/// What a person leaves behind.
///
/// # Errors
/// As the gate refuses: `unknown_person`.
pub async fn departure(person: &str) -> Result<Departure, ApiError> {
    get(&format!("/api/v1/people/{}/departure", segment(person))).await
}

/// Who stands in for whom.
///
/// # Errors
/// As the gate refuses.
pub async fn deputies() -> Result<DeputyList, ApiError> {
    get("/api/v1/deputies").await
}

/// Ends a deputyship before its time.
///
/// # Errors
/// As the gate refuses.
pub async fn end_deputy(id: &str) -> Result<(), ApiError> {
    remove(&format!("/api/v1/deputies/{}", segment(id))).await
}

/// Hands over what the person who is signed in owns.
///
/// # Errors
/// As the gate refuses: `not_yours`, `unknown_person`, `departed_person`, `owns_already`, `voted_already`, …
pub async fn hand_over(request: &HandOwnerRequest) -> Result<OwnerReply, ApiError> {
    post("/api/v1/owners/handover", request).await
}
