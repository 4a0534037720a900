//! `/access/v1/requests`: asking for an exception, looking how it stands, taking it back.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{AppendHeaders, IntoResponse};
use proviso_api::access_request::{AccessRequest, CancelRequest, TaskReply};

use crate::http::access::evaluation::named;
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
    named(&body.subject, &body.action, &body.resource)?;
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
) -> Result<Json<TaskReply>, Refused> {
    Ok(Json(site.app().request_status(&caller.credential, caller.subject.as_ref(), &id).await?))
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
