//! `POST /api/v1/what-if`.

use proviso_api::what_if::{WhatIf, WhatIfReply};

use super::post;
use crate::view_model::problem::ApiError;

/// Has a made-up question sealed.
///
/// # Errors
/// As the gate refuses.
pub async fn what_if(asked: &WhatIf) -> Result<WhatIfReply, ApiError> {
    post("/api/v1/what-if", asked).await
}
