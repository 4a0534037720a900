//! `GET /api/v1/record`: where the logs stand, signed. Whoever keeps a head can tell a cut or rewritten log later (R9).

use axum::Json;
use axum::extract::State;
use proviso_api::operations::RecordReply;

use crate::http::caller::Known;
use crate::http::problem::Refused;
use crate::http::site::Site;

/// The newest heads.
pub(in crate::http) async fn get(State(site): State<Site>, _: Known) -> Result<Json<RecordReply>, Refused> {
    Ok(Json(site.app().record()))
}
