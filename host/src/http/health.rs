//! `GET /livez` and `GET /readyz`.

use axum::extract::State;
use axum::http::StatusCode;

use super::problem::Refused;
use super::site::Site;

/// The process answers.
pub(super) async fn live() -> &'static str {
    "ok\n"
}

/// The gate can do its work: the record can be written and the clock can be trusted.
pub(super) async fn ready(State(site): State<Site>) -> Result<&'static str, Refused> {
    match site.app().ready() {
        Ok(()) => Ok("ok\n"),
        Err(code) => Err(Refused::new(StatusCode::SERVICE_UNAVAILABLE, code, "the gate is not ready, and denies")),
    }
}
