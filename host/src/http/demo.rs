//! `/demo/*`: sign in as anybody. Only under `proviso demo`; the app of any other gate refuses.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{AppendHeaders, IntoResponse};
use proviso_api::session::{DemoPeople, DemoSignIn};

use super::body::Body;
use super::cookie;
use super::problem::Refused;
use super::site::Site;

/// Whom one can sign in as.
pub(super) async fn people(State(site): State<Site>) -> Result<Json<DemoPeople>, Refused> {
    Ok(Json(site.app().demo_people()?))
}

/// Signs in.
pub(super) async fn sign_in(
    State(site): State<Site>,
    Body(body): Body<DemoSignIn>,
) -> Result<impl IntoResponse, Refused> {
    let (secret, session) = site.app().demo_sign_in(&body.person).await?;
    Ok((AppendHeaders([(header::SET_COOKIE, cookie::set(&site, &secret))]), Json(session)))
}
