//! `POST /api/v1/what-if`: a made-up question, sealed. The page evaluates it.

use axum::Json;
use axum::extract::State;
use proviso_api::what_if::{WhatIf, WhatIfReply};

use crate::http::body::Body;
use crate::http::caller::Person;
use crate::http::problem::Refused;
use crate::http::router::finish;
use crate::http::site::Site;

/// Seals it.
pub(in crate::http) async fn post(
    State(site): State<Site>,
    person: Person,
    Body(asked): Body<WhatIf>,
) -> Result<Json<WhatIfReply>, Refused> {
    let app = site.app().clone();
    finish(async move { app.what_if(&person.session, asked).await }).await.map(Json)
}
