//! `/api/v1/locks`, and what a decision's undoing is.

use policy_core::digest::Digest;
use policy_core::question::LockTarget;
use proviso_api::exceptions::UndoReply;
use proviso_api::passkeys::VoteSignature;
use proviso_api::stops::{LiftRequest, Lifting, LockList, LockRequest, Locked, ReachReply, RenewLockRequest};

use super::{delete, get, post, segment};
use crate::view_model::problem::ApiError;
use crate::view_model::stops::query;

/// The locks in force.
///
/// # Errors
/// As the gate refuses.
pub async fn locks() -> Result<LockList, ApiError> {
    get("/api/v1/locks").await
}

/// What a lock would stop.
///
/// # Errors
/// As the gate refuses.
pub async fn reach(target: &LockTarget) -> Result<ReachReply, ApiError> {
    let members: Vec<String> =
        query(target).into_iter().map(|(name, value)| format!("{name}={}", segment(&value))).collect();
    get(&format!("/api/v1/locks/reach?{}", members.join("&"))).await
}

/// Sets a lock.
///
/// # Errors
/// As the gate refuses.
pub async fn lock(target: LockTarget, reason: String, reach: Option<Digest>) -> Result<Locked, ApiError> {
    post("/api/v1/locks", &LockRequest { target, reason, reach }).await
}

/// Lets a wide lock go on.
///
/// # Errors
/// As the gate refuses.
pub async fn renew_lock(id: &str, reason: String) -> Result<Locked, ApiError> {
    post(&format!("/api/v1/locks/{}/renew", segment(id)), &RenewLockRequest { reason }).await
}

/// Takes a lock away, or asks for it.
///
/// # Errors
/// As the gate refuses.
pub async fn unlock(id: &str, signature: Option<VoteSignature>) -> Result<Lifting, ApiError> {
    delete(&format!("/api/v1/locks/{}", segment(id)), &LiftRequest { signature }).await
}

/// Takes one's own decision back.
///
/// # Errors
/// As the gate refuses.
pub async fn undo(id: &str) -> Result<UndoReply, ApiError> {
    post(&format!("/api/v1/exceptions/{}/undo", segment(id)), &serde_json::json!({})).await
}
