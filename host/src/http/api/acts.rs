//! `/api/v1/exceptions/{id}/…`: what people and agents do to an exception besides voting.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse};
use proviso_api::acts::{AnswerRequest, DispositionRequest, Reason, RenewRequest, ShownReason};
use proviso_api::exceptions::{UndoReply, VoteReply};

use crate::http::body::Body;
use crate::http::caller::{Known, Person};
use crate::http::problem::Refused;
use crate::http::router::finish;
use crate::http::site::Site;

/// `POST …/answer`: to a vote that asks, by the agent, who stands behind it, or its owner.
pub(in crate::http) async fn answer(
    State(site): State<Site>,
    known: Known,
    Path(id): Path<String>,
    Body(body): Body<AnswerRequest>,
) -> Result<Json<VoteReply>, Refused> {
    let app = site.app().clone();
    finish(async move {
        match known {
            Known::Person(person) => app.answer(&person.session, &id, body).await,
            Known::Caller(caller) => app.answer_as_agent(&caller.credential, caller.subject.as_ref(), &id, body).await,
        }
    })
    .await
    .map(Json)
}

/// `POST …/renew`: 201, and where the renewal stands.
pub(in crate::http) async fn renew(
    State(site): State<Site>,
    known: Known,
    Path(id): Path<String>,
    Body(body): Body<RenewRequest>,
) -> Result<impl IntoResponse, Refused> {
    let app = site.app().clone();
    let reply = finish(async move {
        match known {
            Known::Person(person) => app.renew(&person.session, &id, body).await,
            Known::Caller(caller) => app.renew_as_agent(&caller.credential, caller.subject.as_ref(), &id, body).await,
        }
    })
    .await?;
    let location = AppendHeaders([(header::LOCATION, reply.task.status_endpoint.clone())]);
    Ok((StatusCode::CREATED, location, Json(reply)))
}

/// `POST …/emergency`.
pub(in crate::http) async fn emergency(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
    Body(body): Body<ShownReason>,
) -> Result<Json<VoteReply>, Refused> {
    let (app, session) = (site.app().clone(), person.session.clone());
    let done = finish(async move { app.declare_emergency(&person.session, &id, body).await }).await;
    done.map(Json).map_err(|refused| refused.step_up(&site.app().step_up_values(&session)))
}

/// `POST …/confirm`: after a restore, that it still stands.
pub(in crate::http) async fn confirm(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
    Body(body): Body<ShownReason>,
) -> Result<Json<VoteReply>, Refused> {
    let (app, session) = (site.app().clone(), person.session.clone());
    let done = finish(async move { app.confirm(&person.session, &id, body).await }).await;
    done.map(Json).map_err(|refused| refused.step_up(&site.app().step_up_values(&session)))
}

/// `POST …/disposition`.
pub(in crate::http) async fn disposition(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
    Body(body): Body<DispositionRequest>,
) -> Result<Json<VoteReply>, Refused> {
    let app = site.app().clone();
    finish(async move { app.dispose(&person.session, &id, body).await }).await.map(Json)
}

/// `POST …/uses/{evaluation}/give_back`.
pub(in crate::http) async fn give_back(
    State(site): State<Site>,
    person: Person,
    Path((id, evaluation)): Path<(String, String)>,
    Body(body): Body<Reason>,
) -> Result<Json<VoteReply>, Refused> {
    let (app, session) = (site.app().clone(), person.session.clone());
    let done = finish(async move { app.give_back(&person.session, &id, &evaluation, &body.reason).await }).await;
    done.map(Json).map_err(|refused| refused.step_up(&site.app().step_up_values(&session)))
}

/// `POST …/undo`: within a minute an approval becomes a revoke, and a refusal opens the request again.
pub(in crate::http) async fn undo(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Json<UndoReply>, Refused> {
    let app = site.app().clone();
    finish(async move { app.undo(&person.session, &id).await }).await.map(Json)
}
