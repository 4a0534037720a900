//! `/access/v1/requests`: asking for an exception, looking how it stands, taking it back; and what an asker needs for
//! it: the schema of a request and the public keys of its token.

use std::time::Duration;

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse, Response};
use proviso_api::access_request::{AccessRequest, CancelRequest, TaskReply};
use serde::Deserialize;

use crate::app::{LONGEST_WAIT, Standing};
use crate::http::access::evaluation::all_named;
use crate::http::body::Body;
use crate::http::caller::{Caller, single};
use crate::http::problem::Refused;
use crate::http::router::finish;
use crate::http::site::Site;

/// `POST /access/v1/requests`: 201, and where to look.
pub(in crate::http) async fn post(
    State(site): State<Site>,
    caller: Caller,
    headers: HeaderMap,
    Body(body): Body<AccessRequest>,
) -> Result<impl IntoResponse, Refused> {
    all_named(&body.subject, &body.action, &body.resource)?;
    let key = single(&headers, "idempotency-key")?;
    let app = site.app().clone();
    let reply =
        finish(async move { app.request(&caller.credential, caller.subject.as_ref(), key.as_deref(), body).await })
            .await?;
    let location = AppendHeaders([(header::LOCATION, reply.task.status_endpoint.clone())]);
    Ok((StatusCode::CREATED, location, Json(reply)))
}

/// `GET /access/v1/requests/{id}`.
pub(in crate::http) async fn get(
    State(site): State<Site>,
    caller: Caller,
    Path(id): Path<String>,
    Query(query): Query<Wait>,
) -> Result<Response, Refused> {
    let wait = query.read()?;
    let mut stopping = site.stopping();
    let status = site.app().request_status(&caller.credential, caller.subject.as_ref(), &id, wait);
    let Standing { reply, retry_after } = tokio::select! {
        standing = status => standing?,
        // A gate that stops keeps nobody waiting.
        () = async { drop(stopping.wait_for(|stop| *stop).await) } => {
            site.app().request_status(&caller.credential, caller.subject.as_ref(), &id, Duration::ZERO).await?
        }
    };
    let mut response = Json(reply).into_response();
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    Ok(response)
}

/// How long an answer may wait for a decision.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct Wait {
    wait: Option<String>,
}

impl Wait {
    fn read(&self) -> Result<Duration, Refused> {
        let Some(text) = &self.wait else { return Ok(Duration::ZERO) };
        match text.parse::<u64>() {
            Ok(seconds @ 0..=LONGEST_WAIT) => Ok(Duration::from_secs(seconds)),
            _ => {
                let detail = format!("`wait` is a whole number of seconds from 0 to {LONGEST_WAIT}");
                Err(Refused::new(StatusCode::BAD_REQUEST, "bad_wait", detail).help("ask again when that time is over"))
            }
        }
    }
}

/// `GET /access/v1/denials/{evaluation}/schema`: the JSON Schema of the smallest request that can succeed.
pub(in crate::http) async fn schema(
    State(site): State<Site>,
    caller: Caller,
    Path(evaluation): Path<String>,
) -> Result<impl IntoResponse, Refused> {
    let schema = site.app().request_schema(&caller.credential, caller.subject.as_ref(), &evaluation)?;
    Ok(([(header::CONTENT_TYPE, "application/schema+json")], Json(schema)))
}

/// `GET /access/v1/jwks`: the public keys of what this gate signs.
pub(in crate::http) async fn jwks(State(site): State<Site>) -> impl IntoResponse {
    ([(header::CACHE_CONTROL, "public, max-age=60")], Json(site.app().jwks()))
}

/// `POST /access/v1/requests/{id}/cancel`.
pub(in crate::http) async fn cancel(
    State(site): State<Site>,
    caller: Caller,
    Path(id): Path<String>,
    Body(body): Body<CancelRequest>,
) -> Result<Json<TaskReply>, Refused> {
    let app = site.app().clone();
    finish(async move { app.cancel(&caller.credential, caller.subject.as_ref(), &id, &body.reason).await })
        .await
        .map(Json)
}
