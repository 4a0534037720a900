//! The module's bytes and the bundle that it loads, both by digest.

use gloo_net::http::Request;
use policy_core::digest::Digest;
use proviso_api::exceptions::BundleReply;

use super::{get, refusal};
use crate::view_model::problem::ApiError;

/// The bytes under a module's digest. Whether they have it is for the caller to check.
///
/// # Errors
/// As the gate refuses.
pub async fn module(digest: Digest) -> Result<Vec<u8>, ApiError> {
    let response = Request::get(&format!("/policy/{digest}.wasm")).send().await.map_err(|_| ApiError::Unreachable)?;
    if !response.ok() {
        let status = response.status();
        let text = response.text().await.map_err(|_| ApiError::Unreachable)?;
        return Err(refusal(status, &text));
    }
    response.binary().await.map_err(|_| ApiError::Unreachable)
}

/// A bundle's policies.
///
/// # Errors
/// As the gate refuses.
pub async fn bundle(digest: Digest) -> Result<BundleReply, ApiError> {
    get(&format!("/api/v1/bundles/{digest}")).await
}
