//! `/api/v1/session` and, in a demo, `/demo/…`.

use gloo_net::http::Request;
use policy_core::entity::EntityRef;
use proviso_api::session::{DemoPeople, DemoSignIn, Session, SignIn};

use super::{accepted, get, key, keyed, post};
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
    let session: Session = post("/api/v1/session", &SignIn { link }).await?;
    key::hold(session.key.as_deref());
    Ok(())
}

/// Ends the session.
///
/// # Errors
/// When the gate does not answer.
pub async fn sign_out() -> Result<(), ApiError> {
    let request = keyed(Request::delete("/api/v1/session"));
    accepted(request.send().await.map_err(|_| ApiError::Unreachable)?).await?;
    key::hold(None);
    Ok(())
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
    let session: Session = post("/demo/session", &DemoSignIn { person }).await?;
    key::hold(session.key.as_deref());
    Ok(())
}
