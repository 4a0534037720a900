//! `POST /api/v1/revocations`: every live grant of a task, a subject, a person, an approver or a credential.

use axum::Json;
use axum::extract::State;
use proviso_api::stops::{RevocationReply, RevocationRequest};

use crate::http::body::Body;
use crate::http::caller::Person;
use crate::http::problem::Refused;
use crate::http::router::finish;
use crate::http::site::Site;

/// Takes them away.
pub(in crate::http) async fn post(
    State(site): State<Site>,
    person: Person,
    Body(body): Body<RevocationRequest>,
) -> Result<Json<RevocationReply>, Refused> {
    let app = site.app().clone();
    finish(async move { app.revoke_all(&person.session, body.target, &body.reason).await }).await.map(Json)
}
