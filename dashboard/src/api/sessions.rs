//! `/api/v1/sessions`.

use gloo_net::http::Request;
use proviso_api::sessions::{LinkMade, SessionList, SessionsEnded, StepUp};
use proviso_api::sign_in::SignInBegun;

use super::{accepted, get, keyed, post, read, segment};
use crate::view_model::problem::ApiError;

/// Where one is signed in.
///
/// # Errors
/// When the gate does not answer.
pub async fn sessions() -> Result<SessionList, ApiError> {
    get("/api/v1/sessions").await
}

/// Makes a link for the command line.
///
/// # Errors
/// As the gate refuses: `own_page_needed`, `too_many_links`, `too_often`.
pub async fn make_link() -> Result<LinkMade, ApiError> {
    let request = keyed(Request::post("/api/v1/sessions/links"));
    read(request.send().await.map_err(|_| ApiError::Unreachable)?).await
}

/// Ends one of the own sessions, or of the own links for the command line.
///
/// # Errors
/// When it is over already.
pub async fn end_session(id: String) -> Result<(), ApiError> {
    let request = keyed(Request::delete(&format!("/api/v1/sessions/{}", segment(&id))));
    accepted(request.send().await.map_err(|_| ApiError::Unreachable)?).await
}

/// Ends all other own sessions: how many there were.
///
/// # Errors
/// When the gate does not answer.
pub async fn end_other_sessions() -> Result<usize, ApiError> {
    let request = keyed(Request::delete("/api/v1/sessions"));
    let ended: SessionsEnded = read(request.send().await.map_err(|_| ApiError::Unreachable)?).await?;
    Ok(ended.ended)
}

/// Begins to authenticate anew: where the browser goes.
///
/// # Errors
/// When the provider does not answer.
pub async fn begin_step_up(return_to: String) -> Result<String, ApiError> {
    let begun: SignInBegun = post("/api/v1/session/step_up", &StepUp { return_to: Some(return_to) }).await?;
    Ok(begun.location)
}
