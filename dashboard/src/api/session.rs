//! `/api/v1/session` and, in a demo, `/demo/…`.

use gloo_net::http::Request;
use policy_core::entity::EntityRef;
use proviso_api::session::{DemoPeople, DemoSignIn, Session, SignIn};

use super::{accepted, get, post_only};
use crate::view_model::problem::ApiError;

/// Who is signed in.
///
/// # Errors
/// With status 401 when nobody is.
pub async fn session() -> Result<Session, ApiError> {
    get("/api/v1/session").await
}

/// Signs in with a one-time link's secret.
///
/// # Errors
/// When the link is unknown, used or over.
pub async fn sign_in(link: String) -> Result<(), ApiError> {
    post_only("/api/v1/session", &SignIn { link }).await
}

/// Ends the session.
///
/// # Errors
/// When the gate does not answer.
pub async fn sign_out() -> Result<(), ApiError> {
    let response = Request::delete("/api/v1/session").send().await.map_err(|_| ApiError::Unreachable)?;
    accepted(response).await
}

/// Whom one can sign in as, in a demo.
///
/// # Errors
/// With status 404 where this is no demo.
pub async fn demo_people() -> Result<DemoPeople, ApiError> {
    get("/demo/people").await
}

/// Signs in as somebody, in a demo.
///
/// # Errors
/// When there is no such person.
pub async fn demo_sign_in(person: EntityRef) -> Result<(), ApiError> {
    post_only("/demo/session", &DemoSignIn { person }).await
}
