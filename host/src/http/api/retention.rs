//! `GET /api/v1/retention`: what is kept for how long, what is on hold, what was erased and what is proposed. Holds are
//! placed and lifted by the operator alone, over the socket, by `proviso hold`; erasures are in `erasures.rs`.

use axum::Json;
use axum::extract::State;
use proviso_api::retention::RetentionReply;

use crate::http::caller::Person;
use crate::http::problem::Refused;
use crate::http::site::Site;

/// All of it, in numbers.
pub(in crate::http) async fn get(State(site): State<Site>, person: Person) -> Result<Json<RetentionReply>, Refused> {
    Ok(Json(site.app().retention_seen_by(&person.session).await?))
}
