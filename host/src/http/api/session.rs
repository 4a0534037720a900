//! `/api/v1/session`: signing in with a one-time link, who is signed in, signing out.

use axum::Json;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse};
use proviso_api::session::{Session, SignIn};

use super::sign_in::whence;
use crate::http::body::Body;
use crate::http::caller::Person;
use crate::http::cookie;
use crate::http::problem::Refused;
use crate::http::router::finish;
use crate::http::site::Site;

/// Signs in. The link works once.
pub(in crate::http) async fn post(
    State(site): State<Site>,
    headers: HeaderMap,
    Body(body): Body<SignIn>,
) -> Result<impl IntoResponse, Refused> {
    let app = site.app().clone();
    let whence = whence(&site, &headers);
    let (secret, session) = finish(async move { app.sign_in(&body.link, whence).await }).await?;
    Ok((AppendHeaders([(header::SET_COOKIE, cookie::set(&site, &secret))]), Json(session)))
}

/// Who is signed in.
pub(in crate::http) async fn get(State(site): State<Site>, person: Person) -> Json<Session> {
    Json(site.app().session_reply(&person.session).await)
}

/// Signs out.
pub(in crate::http) async fn delete(State(site): State<Site>, person: Person) -> Result<impl IntoResponse, Refused> {
    let app = site.app().clone();
    finish(async move { app.sign_out(&person.session).await }).await?;
    Ok((StatusCode::NO_CONTENT, AppendHeaders([(header::SET_COOKIE, cookie::clear(&site))])))
}
