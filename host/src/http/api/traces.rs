//! `POST /v1/traces`: OpenTelemetry's traces over HTTP (OTLP), in JSON or protocol buffers. The word of whoever was
//! traced, and no more.

use axum::Json;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::evidence::otlp;
use crate::http::body::Raw;
use crate::http::caller::Caller;
use crate::http::problem::Refused;
use crate::http::router::finish;
use crate::http::site::Site;

/// OTLP's own name for protocol buffers.
const PROTOBUF: &str = "application/x-protobuf";

/// Takes the spans that execute tools, and passes the others over.
pub(in crate::http) async fn post(
    State(site): State<Site>,
    caller: Caller,
    Raw { essence, bytes }: Raw,
) -> Result<Response, Refused> {
    let is_protobuf = essence == PROTOBUF;
    let pieces = if is_protobuf {
        let refuse =
            |error: &dyn std::error::Error| Refused::new(StatusCode::BAD_REQUEST, "bad_shape", error.to_string());
        otlp::read_protobuf(&bytes).map_err(|error| refuse(&error))?
    } else if essence == "application/json" {
        otlp::read_json(&bytes).map_err(crate::http::body::unreadable)?
    } else {
        let detail = format!("traces come as `application/json` or `{PROTOBUF}`, uncompressed");
        return Err(Refused::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type", detail)
            .help("set the exporter's protocol to `http/protobuf` or `http/json`, and its compression to none"));
    };
    let app = site.app().clone();
    let taken =
        finish(async move { app.take_traces(&caller.credential, caller.subject.as_ref(), pieces).await }).await?;
    if is_protobuf {
        let answer = otlp::answer_protobuf(taken.rejected, &taken.why);
        return Ok(([(header::CONTENT_TYPE, PROTOBUF)], answer).into_response());
    }
    Ok(Json(otlp::answer_json(taken.rejected, &taken.why)).into_response())
}
