//! `/api/v1/record` and `/api/v1/logs`.

use proviso_api::operations::{ConsistencyReply, RecordReply};

use super::{get, get_text};
use crate::view_model::problem::ApiError;

/// Where the logs stand.
///
/// # Errors
/// As the gate refuses.
pub async fn record() -> Result<RecordReply, ApiError> {
    get("/api/v1/record").await
}

/// A log's newest head, and that its first `from` records are its beginning.
///
/// # Errors
/// As the gate refuses: `log_shorter` where there are fewer.
pub async fn consistency(log: &str, from: u64) -> Result<ConsistencyReply, ApiError> {
    get(&format!("/api/v1/logs/{log}/consistency?from={from}")).await
}

/// The receipt of one record.
///
/// # Errors
/// As the gate refuses.
pub async fn receipt(log: &str, seq: u64) -> Result<String, ApiError> {
    get_text(&format!("/api/v1/logs/{log}/records/{seq}/proof")).await
}
