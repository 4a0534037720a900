//! `/api/v1/record` and `/api/v1/logs`.

use proviso_api::operations::{ConsistencyReply, RecordReply};
use proviso_api::record::RecordLines;

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

/// The same under the head over so many records, which this browser holds.
///
/// # Errors
/// As the gate refuses: `no_such_head` where it signed none.
pub async fn receipt_under(log: &str, seq: u64, size: u64) -> Result<String, ApiError> {
    get_text(&format!("/api/v1/logs/{log}/records/{seq}/proof?size={size}")).await
}

/// Lines of the log, as this address narrows them.
///
/// # Errors
/// As the gate refuses.
pub async fn record_lines(address: &str) -> Result<RecordLines, ApiError> {
    get(address).await
}
