//! `/api/v1/retention`, and the record as a file.

use gloo_net::http::Request;
use proviso_api::retention::RetentionReply;
use wasm_bindgen::JsCast as _;
use wasm_bindgen_futures::JsFuture;

use super::{body, get, keyed};
use crate::view_model::problem::ApiError;

/// What is kept, held and erased.
///
/// # Errors
/// As the gate refuses.
pub async fn retention() -> Result<RetentionReply, ApiError> {
    get("/api/v1/retention").await
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
