//! `/api/v1/record`.

use proviso_api::operations::RecordReply;

use super::get;
use crate::view_model::problem::ApiError;

/// Where the logs stand.
///
/// # Errors
/// As the gate refuses.
pub async fn record() -> Result<RecordReply, ApiError> {
    get("/api/v1/record").await
}
