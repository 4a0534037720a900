//! `/api/v1/session` and, in a demo, `/demo/…`.

use gloo_net::http::Request;
use policy_core::entity::EntityRef;
use proviso_api::session::{DemoPeople, DemoSignIn, Session, SignIn};
use proviso_api::sessions::SignedOut;
use proviso_api::sign_in::{BeginSignIn, FinishSignIn, SignInBegun, SignInFinished, SignInWays};

use super::{get, key, keyed, post, read};
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

/// The ways in besides links.
///
/// # Errors
/// When the gate does not answer.
pub async fn sign_in_ways() -> Result<SignInWays, ApiError> {
    get("/api/v1/sign-in").await
}

/// Begins to sign in by a provider: where the browser goes.
///
/// # Errors
/// When the provider does not answer.
pub async fn begin_sign_in(provider: String, return_to: String) -> Result<String, ApiError> {
    let body = BeginSignIn { provider, return_to: Some(return_to) };
    let begun: SignInBegun = post("/api/v1/sign-in/begin", &body).await?;
    Ok(begun.location)
}

/// Ends a sign-in by a provider: the page that is opened now.
///
/// # Errors
/// When the answer is not one to what this browser began, or the account is nobody's.
pub async fn finish_sign_in(answer: FinishSignIn) -> Result<String, ApiError> {
    let finished: SignInFinished = post("/api/v1/sign-in/finish", &answer).await?;
    key::hold(finished.session.key.as_deref());
    Ok(finished.return_to)
}

/// Ends the session: where one signs out of the provider, too, where it has such a place.
///
/// # Errors
/// When the gate does not answer.
pub async fn sign_out() -> Result<Option<String>, ApiError> {
    let request = keyed(Request::post("/api/v1/session/sign_out"));
    let done: SignedOut = read(request.send().await.map_err(|_| ApiError::Unreachable)?).await?;
    key::hold(None);
    Ok(done.location)
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
