//! `/api/v1/locks`: stops, at once and above everything.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use proviso_api::operations::{LockList, LockRequest, Locked};

use crate::http::body::Body;
use crate::http::caller::Person;
use crate::http::problem::Refused;
use crate::http::router::finish;
use crate::http::site::Site;

/// The locks in force.
pub(in crate::http) async fn list(State(site): State<Site>, _: Person) -> Json<LockList> {
    Json(site.app().locks())
}

/// Sets a lock.
pub(in crate::http) async fn post(
    State(site): State<Site>,
    person: Person,
    Body(body): Body<LockRequest>,
) -> Result<impl IntoResponse, Refused> {
    let app = site.app().clone();
    let id = finish(async move { app.lock(&person.session, body.target, &body.reason).await }).await?;
    Ok((StatusCode::CREATED, Json(Locked { id })))
}

/// Takes a lock away. Locks stack: another on the same target stays.
pub(in crate::http) async fn delete(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
) -> Result<StatusCode, Refused> {
    let app = site.app().clone();
    finish(async move { app.unlock(&person.session, &id).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}
