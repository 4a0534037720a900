//! `GET /policy/{sha256}.wasm`: the very bytes that the gate runs, for whoever wants to run them too. On their way they may
//! be compressed; the digest is of what comes out.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::response::Response;

use super::file::{FOREVER, File, Form};
use super::problem::Refused;
use super::site::Site;
use crate::assets;

/// A module is its digest: what stands at this address never changes.
pub(super) async fn get(
    State(site): State<Site>,
    Path(file): Path<String>,
    headers: HeaderMap,
) -> Result<Response, Refused> {
    let module = site.module();
    if file.strip_suffix(".wasm") != Some(module.digest.to_string().as_str()) {
        return Err(Refused::nothing_here());
    }
    let plain = Form::new(shared(&module.bytes), module.digest);
    let brotli = assets::policy_brotli(&module.digest).map(Form::from);
    Ok(File { plain, brotli, content_type: "application/wasm", cache: FOREVER }.answer(&headers))
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
