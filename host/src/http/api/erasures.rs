//! `/api/v1/erasures`: what two people take out of the record. The list of them is part of `GET /api/v1/retention`.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use proviso_api::erasures::{ConfirmErasure, ErasurePreview, ErasureReply, ErasureWhat, ProposeErasure};

use crate::http::body::Body;
use crate::http::caller::Person;
use crate::http::problem::Refused;
use crate::http::router::finish;
use crate::http::site::Site;

/// What an erasure would come to.
pub(in crate::http) async fn preview(
    State(site): State<Site>,
    person: Person,
    Body(body): Body<ErasureWhat>,
) -> Result<Json<ErasurePreview>, Refused> {
    let app = site.app().clone();
    finish(async move { app.preview_erasure(&person.session, &body).await }).await.map(Json)
}

/// Proposes one.
pub(in crate::http) async fn propose(
    State(site): State<Site>,
    person: Person,
    Body(body): Body<ProposeErasure>,
) -> Result<(StatusCode, Json<ErasureReply>), Refused> {
    let (app, session) = (site.app().clone(), person.session.clone());
    let done = finish(async move { app.propose_erasure(&person.session, &body).await }).await;
    let reply = done.map_err(|refused| refused.step_up(&site.app().step_up_values(&session)))?;
    Ok((StatusCode::CREATED, Json(reply)))
}

/// Confirms one that another proposed: it is carried out.
pub(in crate::http) async fn confirm(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
    Body(body): Body<ConfirmErasure>,
) -> Result<Json<ErasureReply>, Refused> {
    let (app, session) = (site.app().clone(), person.session.clone());
    let done = finish(async move { app.confirm_erasure(&person.session, &id, &body).await }).await;
    done.map(Json).map_err(|refused| refused.step_up(&site.app().step_up_values(&session)))
}

/// Takes one back, or refuses it.
pub(in crate::http) async fn withdraw(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
) -> Result<StatusCode, Refused> {
    let app = site.app().clone();
    finish(async move { app.withdraw_erasure(&person.session, &id).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}
