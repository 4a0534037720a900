//! `/api/v1/logs/{log}/…`: the record for those who check it: C2SP tlog-tiles, consistency proofs, receipts.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::header;
use axum::response::IntoResponse;
use proviso_api::operations::ConsistencyReply;
use serde::Deserialize;

use crate::http::caller::{Known, Person};
use crate::http::problem::Refused;
use crate::http::site::Site;

/// Which checkpoint is meant.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct Which {
    #[serde(default)]
    witnessed: bool,
}

/// `checkpoint`: the newest signed head, or the newest that a witness vouches for.
pub(in crate::http) async fn checkpoint(
    State(site): State<Site>,
    _: Known,
    Path(log): Path<String>,
    Query(Which { witnessed }): Query<Which>,
) -> Result<String, Refused> {
    Ok(site.app().checkpoint(&log, witnessed)?)
}

/// `tile/{tile}`: hashes, or records. What is full never changes.
pub(in crate::http) async fn tile(
    State(site): State<Site>,
    person: Person,
    Path((log, tile)): Path<(String, String)>,
) -> Result<impl IntoResponse, Refused> {
    let bytes = site.app().tile_for(&person.session, &log, &tile).await?;
    Ok(([(header::CONTENT_TYPE, "application/octet-stream")], bytes))
}

/// How many records the head that somebody holds is for.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct From {
    #[serde(default)]
    from: u64,
}

/// `consistency`: the newest head, and that an older one is its beginning.
pub(in crate::http) async fn consistency(
    State(site): State<Site>,
    _: Known,
    Path(log): Path<String>,
    Query(From { from }): Query<From>,
) -> Result<Json<ConsistencyReply>, Refused> {
    Ok(Json(site.app().consistency(&log, from)?))
}

/// Under which head a receipt is: the one over so many records, or the newest.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct Under {
    size: Option<u64>,
}

/// `records/{seq}/proof`: the receipt of one record.
pub(in crate::http) async fn receipt(
    State(site): State<Site>,
    person: Person,
    Path((log, seq)): Path<(String, String)>,
    Query(Under { size }): Query<Under>,
) -> Result<impl IntoResponse, Refused> {
    let text = site.app().receipt_for(&person.session, &log, &seq, size).await?;
    let name = format!("attachment; filename=\"{log}-{seq}.tlog-proof\"");
    Ok(([(header::CONTENT_DISPOSITION, name)], text))
}
