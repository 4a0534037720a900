//! `GET /api/v1/bundles/{digest}`: what the module loads, for the preview.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use policy_core::digest::Digest;
use proviso_api::exceptions::BundleReply;

use crate::http::caller::Person;
use crate::http::problem::Refused;
use crate::http::site::Site;

/// The bundle's policies by digest.
pub(in crate::http) async fn get(
    State(site): State<Site>,
    _: Person,
    Path(digest): Path<String>,
) -> Result<Json<BundleReply>, Refused> {
    let digest: Digest =
        digest.parse().map_err(|_| Refused::new(StatusCode::NOT_FOUND, "not_found", "there is no such bundle"))?;
    Ok(Json(site.app().bundle(&digest)?))
}
