//! `GET /policy/{sha256}.wasm`: the very bytes that the gate runs, for whoever wants to run them too.

use axum::extract::{Path, State};
use axum::http::header;
use axum::response::{IntoResponse as _, Response};

use super::problem::Refused;
use super::site::Site;

/// A module is its digest: what stands at this address never changes.
pub(super) async fn get(State(site): State<Site>, Path(file): Path<String>) -> Result<Response, Refused> {
    let module = site.module();
    if file.strip_suffix(".wasm") != Some(module.digest.to_string().as_str()) {
        return Err(Refused::nothing_here());
    }
    let headers =
        [(header::CONTENT_TYPE, "application/wasm"), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, module.bytes.to_vec()).into_response())
}
