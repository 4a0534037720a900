//! `/api/v1/passkeys`: adding, listing and ending the own ones; signing in by one; the challenge of a vote.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse};
use proviso_api::passkeys::{
    ActChallengeRequest, AddPasskey, PasskeyChallenge, PasskeyList, PasskeySignIn, PasskeySignInChallenge,
    VoteChallenge,
};

use super::sign_in::whence;
use crate::http::body::Body;
use crate::http::caller::Person;
use crate::http::cookie;
use crate::http::problem::Refused;
use crate::http::router::finish;
use crate::http::site::Site;

/// The own ones.
pub(in crate::http) async fn list(State(site): State<Site>, person: Person) -> Json<PasskeyList> {
    Json(site.app().passkeys(&person.session))
}

/// What the browser asks the authenticator with, to add one.
pub(in crate::http) async fn begin(
    State(site): State<Site>,
    person: Person,
) -> Result<Json<PasskeyChallenge>, Refused> {
    Ok(Json(site.app().begin_passkey(&person.session)?))
}

/// Adds one.
pub(in crate::http) async fn add(
    State(site): State<Site>,
    person: Person,
    Body(body): Body<AddPasskey>,
) -> Result<impl IntoResponse, Refused> {
    let app = site.app().clone();
    let list = finish(async move { app.add_passkey(&person.session, body).await }).await?;
    Ok((StatusCode::CREATED, Json(list)))
}

/// Ends one.
pub(in crate::http) async fn end(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
) -> Result<StatusCode, Refused> {
    let app = site.app().clone();
    finish(async move { app.end_passkey(&person.session, &id).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the browser asks any authenticator with, to sign in.
pub(in crate::http) async fn begin_sign_in(State(site): State<Site>) -> Result<Json<PasskeySignInChallenge>, Refused> {
    Ok(Json(site.app().begin_passkey_sign_in()?))
}

/// Signs in.
pub(in crate::http) async fn sign_in(
    State(site): State<Site>,
    headers: HeaderMap,
    Body(body): Body<PasskeySignIn>,
) -> Result<impl IntoResponse, Refused> {
    let app = site.app().clone();
    let whence = whence(&site, &headers);
    let (secret, session) = finish(async move { app.sign_in_by_passkey(body, whence).await }).await?;
    Ok((AppendHeaders([(header::SET_COOKIE, cookie::set(&site, &secret))]), Json(session)))
}

/// What the page makes the challenge of a vote of.
pub(in crate::http) async fn vote(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Json<VoteChallenge>, Refused> {
    Ok(Json(site.app().vote_challenge(&person.session, &id).await?))
}

/// What the page makes the challenge of another act of.
pub(in crate::http) async fn act(
    State(site): State<Site>,
    person: Person,
    Body(body): Body<ActChallengeRequest>,
) -> Result<Json<VoteChallenge>, Refused> {
    Ok(Json(site.app().act_challenge(&person.session, body)?))
}
