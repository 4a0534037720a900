//! `/api/v1/bundles`: what is active and proposed, and the votes on it.

use policy_core::digest::Digest;
use proviso_api::activation::{ActivationReply, BundleList, BundleVoteRequest, ProposalReply, ProposeRequest};

use super::{get, post, segment};
use crate::view_model::problem::ApiError;

/// What is active, was, and is proposed.
///
/// # Errors
/// As the gate refuses.
pub async fn bundles() -> Result<BundleList, ApiError> {
    get("/api/v1/bundles").await
}

/// A proposal with what it changes.
///
/// # Errors
/// As the gate refuses.
pub async fn proposal(bundle: &str) -> Result<ProposalReply, ApiError> {
    get(&format!("/api/v1/bundles/{}/proposal", segment(bundle))).await
}

/// Proposes a bundle that was active before.
///
/// # Errors
/// As the gate refuses.
pub async fn propose_earlier(bundle: Digest, reason: String) -> Result<ProposalReply, ApiError> {
    let body = ProposeRequest { files: std::collections::BTreeMap::new(), revert_to: Some(bundle), reason };
    post("/api/v1/bundles", &body).await
}

/// Votes on a proposal, by the list that was looked at.
///
/// # Errors
/// As the gate refuses.
pub async fn vote_on_bundle(
    bundle: &str,
    activates: bool,
    body: &BundleVoteRequest,
) -> Result<ActivationReply, ApiError> {
    let act = if activates { "activate" } else { "refuse" };
    post(&format!("/api/v1/bundles/{}/{act}", segment(bundle)), body).await
}
