//! `POST /access/v1/evaluations`: several questions in one message. HTTP 200 also where items are denied or wrong.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Response};
use proviso_api::authzen::{EvaluationRequest, EvaluationsRequest, ItemError};
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
    let app = site.app().clone();
    let done =
        finish(async move { app.evaluate_all(&caller.credential, caller.subject.as_ref(), body, read, status).await });
    match done.await? {
        Ok(Batch::Single(reply)) => Ok(Json(*reply).into_response()),
        Ok(Batch::Several(reply)) => Ok(Json(reply).into_response()),
        Err(error) => Err(Refused::new(StatusCode::BAD_REQUEST, "bad_shape", error.message)),
    }
}

/// An item as an evaluation, or what is wrong with it.
fn read(item: Map<String, Value>) -> Result<EvaluationRequest, ItemError> {
    let wrong = |message: String| ItemError { status: 400, code: "bad_shape".to_owned(), message };
    for name in ["subject", "action", "resource", "context"] {
        if item.get(name).is_some_and(|member| !member.is_object()) {
            return Err(wrong(format!("`{name}` is not an object")));
        }
    }
    let body: EvaluationRequest =
        serde_json::from_value(Value::Object(item)).map_err(|error| wrong(error.to_string()))?;
    named(&body.subject, &body.action, &body.resource).map_err(|member| wrong(format!("`{member}` is empty")))?;
    Ok(body)
}

fn status(refusal: &Refusal) -> u16 {
    status_of(refusal).as_u16()
}
