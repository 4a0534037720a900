//! `GET /api/v1/exceptions/{id}/sheet` and `/questions`, both `?as_of=`: what an approver is shown, and what the
//! preview evaluates, at one ledger position.

use axum::Json;
use axum::extract::{Path, Query, State};
use proviso_api::exceptions::{QuestionsReply, SheetReply};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::http::caller::Person;
use crate::http::problem::Refused;
use crate::http::site::Site;

/// The ledger position; absent: the newest.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct At {
    as_of: Option<u64>,
}

/// The decision sheet.
pub(in crate::http) async fn get(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
    Query(at): Query<At>,
) -> Result<Json<SheetReply>, Refused> {
    Ok(Json(site.app().sheet(&person.session, &id, at.as_of).await?))
}

/// The sealed questions.
pub(in crate::http) async fn questions(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
    Query(at): Query<At>,
) -> Result<Json<QuestionsReply<Box<RawValue>>>, Refused> {
    Ok(Json(site.app().questions(&person.session, &id, at.as_of).await?))
}
