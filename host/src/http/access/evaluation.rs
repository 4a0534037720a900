//! `POST /access/v1/evaluation`: may this call run? A denial is an answer, HTTP 200.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use proviso_api::authzen::{Action, Entity, EvaluationReply, EvaluationRequest};

use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::problem::Refused;
use crate::http::router::finish;
use crate::http::site::Site;

/// Evaluates one question or use.
pub(in crate::http) async fn post(
    State(site): State<Site>,
    caller: Caller,
    Body(body): Body<EvaluationRequest>,
) -> Result<Json<EvaluationReply>, Refused> {
    all_named(&body.subject, &body.action, &body.resource)?;
    let (app, place) = (site.app().clone(), site.room().enter(&caller)?);
    finish(async move {
        let _place = place;
        app.evaluate(&caller.credential, caller.subject.as_ref(), body).await
    })
    .await
    .map(Json)
}

/// AuthZEN: types, ids and the action's name are there and say something.
pub(in crate::http) fn all_named(subject: &Entity, action: &Action, resource: &Entity) -> Result<(), Refused> {
    named(subject, action, resource)
        .map_err(|member| Refused::new(StatusCode::BAD_REQUEST, "bad_shape", format!("`{member}` is empty")))
}

/// The first member that says nothing.
pub(in crate::http) fn named(subject: &Entity, action: &Action, resource: &Entity) -> Result<(), &'static str> {
    let members = [
        ("subject.type", &subject.kind),
        ("subject.id", &subject.id),
        ("action.name", &action.name),
        ("resource.type", &resource.kind),
        ("resource.id", &resource.id),
    ];
    members.iter().find(|(_, text)| text.is_empty()).map_or(Ok(()), |(member, _)| Err(*member))
}
