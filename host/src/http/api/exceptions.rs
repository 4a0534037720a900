//! `GET /api/v1/exceptions` and `GET /api/v1/exceptions/{id}`.

use axum::Json;
use axum::extract::{Path, Query, State};
use proviso_api::exceptions::{ExceptionDetail, ExceptionList};
use serde::Deserialize;

use crate::app::{ExceptionsWanted, PageWanted};
use crate::http::caller::Person;
use crate::http::problem::Refused;
use crate::http::site::Site;

/// What the queue is narrowed to.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct Filter {
    state: Option<String>,
    stage: Option<String>,
    disposition: Option<Missing>,
    since: Option<u64>,
    limit: Option<u32>,
    page: Option<String>,
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
    Query(Filter { state, stage, disposition, since, limit, page }): Query<Filter>,
) -> Result<Json<ExceptionList>, Refused> {
    let wanted = ExceptionsWanted { state, stage, undisposed: disposition.is_some(), since, subject: None };
    let page = PageWanted { limit, token: page };
    Ok(Json(site.app().exceptions(&person.session, &wanted, &page).await?))
}

/// One exception, with its history.
pub(in crate::http) async fn get(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Json<ExceptionDetail>, Refused> {
    Ok(Json(site.app().exception(&person.session, &id).await?))
}
