//! `/api/v1/reviews`: what is looked at afterwards.

use axum::Json;
use axum::extract::{Path, Query, State};
use proviso_api::reviews::{CloseReview, ReviewLine, ReviewList};
use serde::Deserialize;

use crate::app::PageWanted;
use crate::http::body::Body;
use crate::http::caller::Person;
use crate::http::problem::Refused;
use crate::http::router::finish;
use crate::http::site::Site;

/// What the list is narrowed to.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct Filter {
    state: Option<String>,
    limit: Option<u32>,
    page: Option<String>,
}

/// The work list, the one that is due first at the top.
pub(in crate::http) async fn list(
    State(site): State<Site>,
    person: Person,
    Query(Filter { state, limit, page }): Query<Filter>,
) -> Result<Json<ReviewList>, Refused> {
    let page = PageWanted { limit, token: page };
    Ok(Json(site.app().reviews(&person.session, state.as_deref(), &page).await?))
}

/// Closes a review.
pub(in crate::http) async fn close(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
    Body(body): Body<CloseReview>,
) -> Result<Json<ReviewLine>, Refused> {
    let app = site.app().clone();
    finish(async move { app.close_review(&person.session, &id, body).await }).await.map(Json)
}
