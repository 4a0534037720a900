//! `GET /api/v1/exceptions/{id}/past` and `GET /api/v1/pictures`.

use axum::Json;
use axum::extract::{Path, Query, State};
use proviso_api::past::{PastReply, PicturesReply};
use serde::Deserialize;

use crate::http::caller::Person;
use crate::http::problem::Refused;
use crate::http::site::Site;

/// Of how many days.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct Days {
    days: Option<u32>,
}

/// What became of the like.
pub(in crate::http) async fn past(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Json<PastReply>, Refused> {
    Ok(Json(site.app().past(&person.session, &id).await?))
}

/// The counts of the last days.
pub(in crate::http) async fn pictures(
    State(site): State<Site>,
    person: Person,
    Query(Days { days }): Query<Days>,
) -> Result<Json<PicturesReply>, Refused> {
    Ok(Json(site.app().pictures(&person.session, days).await?))
}
