//! Who decides instead, who stands in, and what became of what was sent.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use proviso_api::routing::{DeliveryList, DeputyList, DeputyRequest, HandoverReply, HandoverRequest};
use serde::Deserialize;

use crate::http::body::Body;
use crate::http::caller::Person;
use crate::http::problem::Refused;
use crate::http::router::finish;
use crate::http::site::Site;

/// Hands a request to somebody else who may decide it.
pub(in crate::http) async fn hand_over(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
    Body(body): Body<HandoverRequest>,
) -> Result<Json<HandoverReply>, Refused> {
    let app = site.app().clone();
    finish(async move { app.hand_over(&person.session, &id, body).await }).await.map(Json)
}

/// Who stands in for whom, now and later.
pub(in crate::http) async fn deputies(State(site): State<Site>, person: Person) -> Result<Json<DeputyList>, Refused> {
    Ok(Json(site.app().deputies_seen_by(&person.session).await?))
}

/// Names who stands in for the person who is signed in.
pub(in crate::http) async fn appoint(
    State(site): State<Site>,
    person: Person,
    Body(body): Body<DeputyRequest>,
) -> Result<impl IntoResponse, Refused> {
    let app = site.app().clone();
    let line = finish(async move { app.appoint(&person.session, body).await }).await?;
    Ok((StatusCode::CREATED, Json(line)))
}

/// Ends a deputyship before its time.
pub(in crate::http) async fn end_deputy(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
) -> Result<StatusCode, Refused> {
    let app = site.app().clone();
    finish(async move { app.end_deputy(&person.session, &id).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// What the list of deliveries is narrowed to.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct Filter {
    state: Option<String>,
}

/// What is or was to be sent, newest first.
pub(in crate::http) async fn deliveries(
    State(site): State<Site>,
    person: Person,
    Query(filter): Query<Filter>,
) -> Result<Json<DeliveryList>, Refused> {
    Ok(Json(site.app().deliveries_seen_by(&person.session, filter.state.as_deref()).await?))
}

/// Has a delivery that was given up tried again.
pub(in crate::http) async fn retry(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
) -> Result<StatusCode, Refused> {
    site.app().retry_delivery_by(&person.session, id).await?;
    Ok(StatusCode::ACCEPTED)
}
