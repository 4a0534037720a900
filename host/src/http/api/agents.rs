//! `/api/v1/agents` and `/api/v1/agent`: who acts, and what one may do today.

use axum::Json;
use axum::extract::{Query, State};
use policy_core::entity::EntityRef;
use proviso_api::agents::{AgentList, AgentReply};
use serde::Deserialize;

use crate::app::PageWanted;
use crate::http::caller::Person;
use crate::http::problem::Refused;
use crate::http::site::Site;

/// Which page.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct Page {
    limit: Option<u32>,
    page: Option<String>,
}

/// Which agent. An id has slashes, so that it is no part of the path. Whoever names none asks for nobody that is known.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(in crate::http) struct Which {
    #[serde(rename = "type")]
    kind: String,
    id: String,
}

/// The agents, by id.
pub(in crate::http) async fn list(
    State(site): State<Site>,
    person: Person,
    Query(Page { limit, page }): Query<Page>,
) -> Result<Json<AgentList>, Refused> {
    Ok(Json(site.app().agents(&person.session, &PageWanted { limit, token: page }).await?))
}

/// One agent.
pub(in crate::http) async fn get(
    State(site): State<Site>,
    person: Person,
    Query(Which { kind, id }): Query<Which>,
) -> Result<Json<AgentReply>, Refused> {
    Ok(Json(site.app().agent(&person.session, &EntityRef::new(kind, id)).await?))
}
