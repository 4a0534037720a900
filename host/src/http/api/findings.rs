//! `/api/v1/findings`: what ran otherwise than it was approved.

use axum::Json;
use axum::extract::{Path, Query, State};
use proviso_api::findings::{
    AssignRequest, CommentRequest, FindingActRequest, FindingDetail, FindingLine, FindingList, FindingStateRequest,
};
use serde::Deserialize;

use crate::app::{FindingFilter, PageWanted};
use crate::http::body::Body;
use crate::http::caller::Person;
use crate::http::problem::Refused;
use crate::http::router::finish;
use crate::http::site::Site;

/// What the list is narrowed to.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct Filter {
    state: Option<String>,
    kind: Option<String>,
    owner: Option<String>,
    limit: Option<u32>,
    page: Option<String>,
}

/// The findings, newest first.
pub(in crate::http) async fn list(
    State(site): State<Site>,
    person: Person,
    Query(Filter { state, kind, owner, limit, page }): Query<Filter>,
) -> Result<Json<FindingList>, Refused> {
    let filter = FindingFilter { state, kind, owner };
    let page = PageWanted { limit, token: page };
    Ok(Json(site.app().findings_seen_by(&person.session, &filter, &page).await?))
}

/// One finding, with evidence and decisions side by side.
pub(in crate::http) async fn get(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Json<FindingDetail>, Refused> {
    Ok(Json(site.app().finding_seen_by(&person.session, &id).await?))
}

/// Says something of it.
pub(in crate::http) async fn comment(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
    Body(body): Body<CommentRequest>,
) -> Result<Json<FindingLine>, Refused> {
    let app = site.app().clone();
    finish(async move { app.comment_finding(&person.session, &id, body).await }).await.map(Json)
}

/// Hands it to somebody.
pub(in crate::http) async fn assign(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
    Body(body): Body<AssignRequest>,
) -> Result<Json<FindingLine>, Refused> {
    let app = site.app().clone();
    finish(async move { app.assign_finding(&person.session, &id, body).await }).await.map(Json)
}

/// Says how it stands.
pub(in crate::http) async fn state(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
    Body(body): Body<FindingStateRequest>,
) -> Result<Json<FindingLine>, Refused> {
    let app = site.app().clone();
    finish(async move { app.set_finding_state(&person.session, &id, body).await }).await.map(Json)
}

/// Takes away the grant that it is about.
pub(in crate::http) async fn revoke(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
    Body(body): Body<FindingActRequest>,
) -> Result<Json<FindingLine>, Refused> {
    let app = site.app().clone();
    finish(async move { app.revoke_for_finding(&person.session, &id, body).await }).await.map(Json)
}

/// Locks who acted.
pub(in crate::http) async fn lock(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
    Body(body): Body<FindingActRequest>,
) -> Result<Json<FindingLine>, Refused> {
    let app = site.app().clone();
    finish(async move { app.lock_for_finding(&person.session, &id, body).await }).await.map(Json)
}
