//! `/api/v1/exceptions/{id}/past` and `/api/v1/pictures`.

use proviso_api::past::{PastReply, PicturesReply};

use super::{get, segment};
use crate::view_model::problem::ApiError;

/// What became of the like.
///
/// # Errors
/// As the gate refuses.
pub async fn past(id: &str) -> Result<PastReply, ApiError> {
    get(&format!("/api/v1/exceptions/{}/past", segment(id))).await
}

/// The counts of the last days.
///
/// # Errors
/// As the gate refuses.
pub async fn pictures(days: u32) -> Result<PicturesReply, ApiError> {
    get(&format!("/api/v1/pictures?days={days}")).await
}
