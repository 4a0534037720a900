//! `/api/v1/retention` and `/api/v1/erasures`, and the record as a file.

use gloo_net::http::Request;
use proviso_api::erasures::{ConfirmErasure, ErasurePreview, ErasureReply, ErasureWhat, ProposeErasure};
use proviso_api::retention::RetentionReply;
use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::JsFuture;

use super::{body, get, keyed, post, remove, segment};
use crate::view_model::problem::ApiError;

/// What is kept, held and erased.
///
/// # Errors
/// As the gate refuses.
pub async fn retention() -> Result<RetentionReply, ApiError> {
    get("/api/v1/retention").await
}

/// What an erasure would come to.
///
/// # Errors
/// As the gate refuses: `own_person`, `never_erased`, …
pub async fn preview_erasure(what: &ErasureWhat) -> Result<ErasurePreview, ApiError> {
    post("/api/v1/erasures/preview", what).await
}

/// Proposes one.
///
/// # Errors
/// As the gate refuses: `on_hold`, `nothing_to_erase`, `presence_needed`, …
pub async fn propose_erasure(body: &ProposeErasure) -> Result<ErasureReply, ApiError> {
    post("/api/v1/erasures", body).await
}

/// Confirms what another proposed.
///
/// # Errors
/// As the gate refuses: `same_person`, `other_erasure`, `erasure_over`, …
pub async fn confirm_erasure(id: &str, body: &ConfirmErasure) -> Result<ErasureReply, ApiError> {
    post(&format!("/api/v1/erasures/{}/confirm", segment(id)), body).await
}

/// Takes one back, or refuses it.
///
/// # Errors
/// As the gate refuses: `erasure_over`.
pub async fn withdraw_erasure(id: &str) -> Result<(), ApiError> {
    remove(&format!("/api/v1/erasures/{}", segment(id))).await
}

/// The record, or a part of it, as the address says. The browser may keep it on disk: it can be long.
///
/// # Errors
/// As the gate refuses; [`ApiError::CutOff`] where it ends before its end.
pub async fn export(address: &str) -> Result<web_sys::Blob, ApiError> {
    let response = keyed(Request::get(address)).send().await.map_err(|_| ApiError::Unreachable)?;
    if !response.ok() {
        return Err(body(response).await.err().unwrap_or(ApiError::CutOff));
    }
    let response: web_sys::Response = response.into();
    let whole = response.blob().map_err(|_| ApiError::CutOff)?;
    let whole = JsFuture::from(whole).await.map_err(|_| ApiError::CutOff)?;
    whole.dyn_into().map_err(|_| ApiError::CutOff)
}
