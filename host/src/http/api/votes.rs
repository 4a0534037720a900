//! `POST /api/v1/exceptions/{id}/votes`: one person's approve, refuse or ask, bound to what they were shown, and signed
//! where the terms demand it.

use axum::Json;
use axum::extract::{Path, State};
use proviso_api::exceptions::VoteReply;
use proviso_api::passkeys::CastVote;

use crate::http::body::Body;
use crate::http::caller::Person;
use crate::http::problem::Refused;
use crate::http::router::finish;
use crate::http::site::Site;

/// Votes.
pub(in crate::http) async fn post(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
    Body(cast): Body<CastVote>,
) -> Result<Json<VoteReply>, Refused> {
    let (app, session) = (site.app().clone(), person.session.clone());
    let voted = finish(async move { app.vote(&person.session, &id, cast).await }).await;
    voted.map(Json).map_err(|refused| refused.step_up(&site.app().step_up_values(&session)))
}
