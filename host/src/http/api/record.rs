//! `GET /api/v1/record`: where the logs stand, signed. Whoever keeps a head can tell a cut or rewritten log later (R9).
//! `GET /api/v1/record/lines`: the log as a list.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use policy_core::time::Timestamp;
use proviso_api::operations::RecordReply;
use proviso_api::record::RecordLines;
use serde::Deserialize;

use crate::app::{LinesWanted, PageWanted};
use crate::http::caller::{Known, Person};
use crate::http::problem::Refused;
use crate::http::site::Site;
use crate::replay::instant;

/// The newest heads.
pub(in crate::http) async fn get(State(site): State<Site>, _: Known) -> Result<Json<RecordReply>, Refused> {
    Ok(Json(site.app().record()))
}

/// What the list is narrowed to.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct Asked {
    log: Option<String>,
    seq: Option<u64>,
    kind: Option<String>,
    person: Option<String>,
    agent: Option<String>,
    task: Option<String>,
    exception: Option<String>,
    grant: Option<String>,
    since: Option<String>,
    until: Option<String>,
    limit: Option<u32>,
    page: Option<String>,
}

/// The lines that fit, newest first.
pub(in crate::http) async fn lines(
    State(site): State<Site>,
    person: Person,
    Query(asked): Query<Asked>,
) -> Result<Json<RecordLines>, Refused> {
    let wanted = LinesWanted {
        log: asked.log,
        seq: asked.seq,
        kind: asked.kind,
        person: asked.person,
        agent: asked.agent,
        task: asked.task,
        exception: asked.exception,
        grant: asked.grant,
        since: time(asked.since.as_deref())?,
        until: time(asked.until.as_deref())?,
    };
    let page = PageWanted { limit: asked.limit, token: asked.page };
    Ok(Json(site.app().record_lines(&person.session, wanted, &page).await?))
}

/// A time, as addresses write it.
pub(super) fn time(text: Option<&str>) -> Result<Option<Timestamp>, Refused> {
    let bad = || {
        Refused::new(StatusCode::BAD_REQUEST, "bad_time", "that is no time")
            .help("give a day such as 2026-11-29, or a time such as 2026-11-29T16:00:00Z")
    };
    text.map(|text| instant(text).ok_or_else(bad)).transpose()
}
