//! `POST /access/v1/evaluations`: several questions in one message. HTTP 200 also where items are denied or wrong.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use policy_core::json;
use proviso_api::authzen::{
    EvaluationReply, EvaluationRequest, EvaluationsReply, EvaluationsRequest, ItemContext, ItemError, ItemReply,
};
use serde_json::{Map, Value};

use crate::app::{Batch, MOST_ITEMS, Refusal};
use crate::http::access::evaluation::named;
use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::problem::{Refused, status_of};
use crate::http::router::finish;
use crate::http::site::Site;

/// Evaluates a batch.
pub(in crate::http) async fn post(
    State(site): State<Site>,
    caller: Caller,
    Body(body): Body<EvaluationsRequest>,
) -> Result<Response, Refused> {
    if body.evaluations.len() > MOST_ITEMS {
        let detail = format!("a batch has at most {MOST_ITEMS} evaluations");
        return Err(Refused::new(StatusCode::BAD_REQUEST, "batch_too_large", detail).help("send several batches"));
    }
    let (app, place) = (site.app().clone(), site.room().enter(&caller)?);
    let done = finish(async move {
        let _place = place;
        app.evaluate_all(&caller.credential, caller.subject.as_ref(), body, read).await
    });
    Ok(match done.await? {
        Batch::Single(reply) => Json(*reply).into_response(),
        Batch::Several(items) => {
            Json(EvaluationsReply { evaluations: items.into_iter().map(reply).collect() }).into_response()
        }
    })
}

/// An item as an evaluation, or what is wrong with it.
fn read(item: Map<String, Value>) -> Result<EvaluationRequest, Refusal> {
    let body: EvaluationRequest = json::object_as(Value::Object(item), &EvaluationRequest::OBJECTS)
        .map_err(|error| Refusal::bad(error.code(), error.to_string()))?;
    named(&body.subject, &body.action, &body.resource)
        .map_err(|member| Refusal::bad("bad_shape", format!("`{member}` is empty")))?;
    Ok(body)
}

/// An item's decision: a refusal is none, with the status that it would have had alone.
fn reply(item: Result<EvaluationReply, Refusal>) -> ItemReply {
    match item {
        Ok(reply) => ItemReply { decision: reply.decision, context: ItemContext::Judged(Box::new(reply.context)) },
        Err(refusal) => {
            let status = status_of(&refusal).as_u16();
            let Refusal { code, detail: message, help, .. } = refusal;
            let error = ItemError { status, code: code.to_owned(), message, help };
            ItemReply { decision: false, context: ItemContext::Failed { error } }
        }
    }
}
