//! `GET /api/v1/exceptions` and `GET /api/v1/exceptions/{id}`.

use axum::Json;
use axum::extract::{Path, Query, State};
use proviso_api::exceptions::{ExceptionDetail, ExceptionList};
use serde::Deserialize;

use crate::http::caller::Person;
use crate::http::problem::Refused;
use crate::http::site::Site;

/// What the queue is narrowed to.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct Filter {
    state: Option<String>,
    disposition: Option<Missing>,
}

/// `missing`: closed, and nobody has judged it yet.
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Missing {
    Missing,
}

/// The queue, newest first.
pub(in crate::http) async fn list(
    State(site): State<Site>,
    person: Person,
    Query(filter): Query<Filter>,
) -> Result<Json<ExceptionList>, Refused> {
    Ok(Json(site.app().exceptions(&person.session, filter.state.as_deref(), filter.disposition.is_some()).await?))
}

/// One exception, with its history.
pub(in crate::http) async fn get(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Json<ExceptionDetail>, Refused> {
    Ok(Json(site.app().exception(&person.session, &id).await?))
}
