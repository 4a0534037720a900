//! `POST /access/v1/search/{subject,resource,action}`: what an evaluation would permit. Unknown types and ids find
//! nothing.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use proviso_api::search::{ActionSearch, ResourceSearch, SearchReply, SubjectSearch};

use crate::app::Search;
use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::problem::Refused;
use crate::http::router::finish;
use crate::http::site::Site;

/// Who may do this to that?
pub(in crate::http) async fn subject(
    State(site): State<Site>,
    caller: Caller,
    Body(body): Body<SubjectSearch>,
) -> Result<Json<SearchReply>, Refused> {
    let members = [&body.subject.kind, &body.action.name, &body.resource.kind, &body.resource.id];
    named(["subject.type", "action.name", "resource.type", "resource.id"], members)?;
    search(site, caller, Search::Subject(body)).await
}

/// On what may this subject do that?
pub(in crate::http) async fn resource(
    State(site): State<Site>,
    caller: Caller,
    Body(body): Body<ResourceSearch>,
) -> Result<Json<SearchReply>, Refused> {
    let members = [&body.subject.kind, &body.subject.id, &body.action.name, &body.resource.kind];
    named(["subject.type", "subject.id", "action.name", "resource.type"], members)?;
    search(site, caller, Search::Resource(body)).await
}

/// What may this subject do to that?
pub(in crate::http) async fn action(
    State(site): State<Site>,
    caller: Caller,
    Body(body): Body<ActionSearch>,
) -> Result<Json<SearchReply>, Refused> {
    let members = [&body.subject.kind, &body.subject.id, &body.resource.kind, &body.resource.id];
    named(["subject.type", "subject.id", "resource.type", "resource.id"], members)?;
    search(site, caller, Search::Action(body)).await
}

async fn search(site: Site, caller: Caller, search: Search) -> Result<Json<SearchReply>, Refused> {
    let (app, place) = (site.app().clone(), site.room().enter(&caller)?);
    finish(async move {
        let _place = place;
        app.search(&caller.credential, caller.subject.as_ref(), search).await
    })
    .await
    .map(Json)
}

fn named(names: [&str; 4], texts: [&String; 4]) -> Result<(), Refused> {
    match names.iter().zip(texts).find(|(_, text)| text.is_empty()) {
        Some((name, _)) => Err(Refused::new(StatusCode::BAD_REQUEST, "bad_shape", format!("`{name}` is empty"))),
        None => Ok(()),
    }
}
