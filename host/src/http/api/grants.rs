//! `POST /api/v1/grants/{id}/revoke`.

use axum::Json;
use axum::extract::{Path, State};
use proviso_api::stops::{RevokeReply, RevokeRequest};

use crate::http::body::Body;
use crate::http::caller::Person;
use crate::http::problem::Refused;
use crate::http::router::finish;
use crate::http::site::Site;

/// Takes a grant away.
pub(in crate::http) async fn revoke(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
    Body(body): Body<RevokeRequest>,
) -> Result<Json<RevokeReply>, Refused> {
    let app = site.app().clone();
    finish(async move { app.revoke(&person.session, &id, &body.reason).await }).await.map(Json)
}
