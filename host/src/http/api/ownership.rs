//! Who owns what, handing it over, and what somebody who leaves leaves behind.

use axum::Json;
use axum::extract::{Path, Query, State};
use policy_core::entity::EntityRef;
use proviso_api::ownership::{Departure, HandOwnerRequest, Owned, OwnerReply, OwnershipReply};
use serde::Deserialize;

use crate::app::Refusal;
use crate::http::body::Body;
use crate::http::caller::Person;
use crate::http::problem::Refused;
use crate::http::router::finish;
use crate::http::site::Site;

/// What is asked about: an agent by type and id, or an exception.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct Of {
    agent_type: Option<String>,
    agent: Option<String>,
    exception: Option<String>,
}

/// Who owns it, from where that is known.
pub(in crate::http) async fn get(
    State(site): State<Site>,
    person: Person,
    Query(of): Query<Of>,
) -> Result<Json<OwnerReply>, Refused> {
    let owned = match (of.agent, of.exception) {
        (Some(id), None) => Owned::Agent(EntityRef::new(of.agent_type.unwrap_or_else(|| "Agent".to_owned()), id)),
        (None, Some(id)) => Owned::Exception(id),
        _ => return Err(Refusal::bad("bad_target", "the owner of one thing at a time: `agent` or `exception`").into()),
    };
    Ok(Json(site.app().owner_seen_by(&person.session, &owned).await?))
}

/// Who has what, and where bundle and log disagree.
pub(in crate::http) async fn all(State(site): State<Site>, person: Person) -> Result<Json<OwnershipReply>, Refused> {
    Ok(Json(site.app().ownership_seen_by(&person.session).await?))
}

/// Hands over what the person owns.
pub(in crate::http) async fn hand_over(
    State(site): State<Site>,
    person: Person,
    Body(body): Body<HandOwnerRequest>,
) -> Result<Json<OwnerReply>, Refused> {
    let app = site.app().clone();
    finish(async move { app.hand_over_owner(&person.session, body).await }).await.map(Json)
}

/// What somebody leaves behind.
pub(in crate::http) async fn departure(
    State(site): State<Site>,
    person: Person,
    Path(user): Path<String>,
) -> Result<Json<Departure>, Refused> {
    Ok(Json(site.app().departure_seen_by(&person.session, &user).await?))
}
