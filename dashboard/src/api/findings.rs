//! Findings: what ran otherwise than it was approved, and what is done about it.

use policy_core::entity::EntityRef;
use proviso_api::findings::{
    AssignRequest, CommentRequest, FindingActRequest, FindingDetail, FindingLine, FindingList, FindingStateRequest,
};

use super::{get, post, segment};
use crate::view_model::problem::ApiError;

/// The findings, as this query narrows them.
///
/// # Errors
/// As the gate refuses.
pub async fn findings(query: &str) -> Result<FindingList, ApiError> {
    get(&format!("/api/v1/findings{query}")).await
}

/// One finding.
///
/// # Errors
/// As the gate refuses.
pub async fn finding(id: &str) -> Result<FindingDetail, ApiError> {
    get(&format!("/api/v1/findings/{}", segment(id))).await
}

/// Says something of a finding.
///
/// # Errors
/// As the gate refuses.
pub async fn comment_finding(id: &str, words: String) -> Result<FindingLine, ApiError> {
    post(&format!("/api/v1/findings/{}/comments", segment(id)), &CommentRequest { words }).await
}

/// Hands a finding to a person.
///
/// # Errors
/// As the gate refuses.
pub async fn assign_finding(id: &str, to: EntityRef, reason: String) -> Result<FindingLine, ApiError> {
    post(&format!("/api/v1/findings/{}/assign", segment(id)), &AssignRequest { to, reason }).await
}

/// Says how a finding stands.
///
/// # Errors
/// As the gate refuses.
pub async fn set_finding_state(id: &str, body: FindingStateRequest) -> Result<FindingLine, ApiError> {
    post(&format!("/api/v1/findings/{}/state", segment(id)), &body).await
}

/// Takes the grant away that a finding is about, or locks who acted.
///
/// # Errors
/// As the gate refuses.
pub async fn act_on_finding(id: &str, act: &'static str, reason: String) -> Result<FindingLine, ApiError> {
    post(&format!("/api/v1/findings/{}/{act}", segment(id)), &FindingActRequest { reason }).await
}
