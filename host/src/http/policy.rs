//! `GET /policy/{sha256}.wasm`: the very bytes that the gate runs, for whoever wants to run them too.

use std::sync::Arc;

use axum::body::Bytes;
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
    Ok((headers, shared(&module.bytes)).into_response())
}

/// The bytes as a body, without a copy: the module is megabytes, and whoever is signed out may fetch it too.
fn shared(bytes: &Arc<[u8]>) -> Bytes {
    Bytes::from_owner(Arc::clone(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_the_same_memory() {
        let bytes: Arc<[u8]> = (*b"\0asm").into();
        let (first, second) = (shared(&bytes), shared(&bytes));
        assert_eq!((&*first, first.as_ptr(), second.as_ptr()), (&*bytes, bytes.as_ptr(), bytes.as_ptr()));
    }
}
