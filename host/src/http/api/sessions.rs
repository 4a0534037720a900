//! `/api/v1/sessions`: where a person is signed in; ending one session, or all others; authenticating anew.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse};
use proviso_api::sessions::{LinkMade, SessionList, SessionsEnded, SignedOut, StepUp};
use proviso_api::sign_in::SignInBegun;

use crate::http::body::Body;
use crate::http::caller::Person;
use crate::http::cookie;
use crate::http::problem::Refused;
use crate::http::router::finish;
use crate::http::site::Site;

/// The own ones.
pub(in crate::http) async fn list(State(site): State<Site>, person: Person) -> Json<SessionList> {
    Json(site.app().sessions(&person.session))
}

/// Makes a link for the command line.
pub(in crate::http) async fn make_link(
    State(site): State<Site>,
    person: Person,
) -> Result<(StatusCode, Json<LinkMade>), Refused> {
    let app = site.app().clone();
    let made = finish(async move { app.make_link(&person.session).await }).await?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Ends one.
pub(in crate::http) async fn end(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
) -> Result<StatusCode, Refused> {
    let app = site.app().clone();
    finish(async move { app.end_session(&person.session, &id).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Ends all others.
pub(in crate::http) async fn end_others(
    State(site): State<Site>,
    person: Person,
) -> Result<Json<SessionsEnded>, Refused> {
    let app = site.app().clone();
    Ok(Json(finish(async move { app.end_other_sessions(&person.session).await }).await?))
}

/// Begins to authenticate anew: where the browser goes.
pub(in crate::http) async fn step_up(
    State(site): State<Site>,
    person: Person,
    Body(body): Body<StepUp>,
) -> Result<impl IntoResponse, Refused> {
    let begun = site.app().begin_step_up(&person.session, body.return_to.as_deref()).await?;
    let held = cookie::hold_sign_in(&site, &begun.name, &begun.held);
    Ok((AppendHeaders([(header::SET_COOKIE, held)]), Json(SignInBegun { location: begun.location })))
}

/// Signs out, and tells where one signs out of the provider.
pub(in crate::http) async fn sign_out(State(site): State<Site>, person: Person) -> Result<impl IntoResponse, Refused> {
    let app = site.app().clone();
    let location = finish(async move { app.leave(&person.session).await }).await?;
    Ok((AppendHeaders([(header::SET_COOKIE, cookie::clear(&site))]), Json(SignedOut { location })))
}
