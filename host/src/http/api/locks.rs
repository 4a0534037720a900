//! `/api/v1/locks`: stops, at once and above everything.

use axum::Json;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use policy_core::entity::EntityRef;
use policy_core::question::LockTarget;
use proviso_api::stops::{LiftRequest, Lifting, LockList, LockRequest, Locked, ReachReply, RenewLockRequest};
use serde::Deserialize;

use crate::http::body::Body;
use crate::http::caller::Person;
use crate::http::problem::Refused;
use crate::http::router::finish;
use crate::http::site::Site;

/// The locks in force.
pub(in crate::http) async fn list(State(site): State<Site>, person: Person) -> Result<Json<LockList>, Refused> {
    Ok(Json(site.app().locks_seen_by(&person.session).await?))
}

/// What a lock would be on: one of these, an entity as `TYPE` and its id.
#[derive(Debug, Deserialize)]
pub(in crate::http) struct Target {
    #[serde(rename = "type")]
    kind: Option<String>,
    subject: Option<String>,
    person: Option<String>,
    task: Option<String>,
    tool: Option<String>,
    server: Option<String>,
    grant: Option<String>,
}

impl Target {
    fn target(self) -> Option<LockTarget> {
        let entity = |id: String| self.kind.as_ref().map(|kind| EntityRef::new(kind.clone(), id));
        match (self.subject, self.person, self.task, self.tool, self.server, self.grant) {
            (Some(id), None, None, None, None, None) => entity(id).map(LockTarget::Subject),
            (None, Some(id), None, None, None, None) => entity(id).map(LockTarget::Person),
            (None, None, Some(task), None, None, None) => Some(LockTarget::Task(task)),
            (None, None, None, Some(tool), None, None) => Some(LockTarget::Tool(tool)),
            (None, None, None, None, Some(server), None) => Some(LockTarget::Server(server)),
            (None, None, None, None, None, Some(grant)) => Some(LockTarget::Grant(grant)),
            _ => None,
        }
    }
}

/// What a lock would stop.
pub(in crate::http) async fn reach(
    State(site): State<Site>,
    person: Person,
    Query(target): Query<Target>,
) -> Result<Json<ReachReply>, Refused> {
    let target = target.target().ok_or_else(|| {
        Refused::new(StatusCode::BAD_REQUEST, "bad_target", "the query names not exactly one thing to lock")
            .help("one of `tool`, `server`, `task`, `grant`, or `subject` or `person` with its `type`")
    })?;
    Ok(Json(site.app().reach_seen_by(&person.session, &target).await?))
}

/// Sets a lock.
pub(in crate::http) async fn post(
    State(site): State<Site>,
    person: Person,
    Body(body): Body<LockRequest>,
) -> Result<impl IntoResponse, Refused> {
    let app = site.app().clone();
    let locked: Locked = finish(async move { app.lock(&person.session, body).await }).await?;
    Ok((StatusCode::CREATED, Json(locked)))
}

/// Lets a lock go on that would end by itself.
pub(in crate::http) async fn renew(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
    Body(body): Body<RenewLockRequest>,
) -> Result<Json<Locked>, Refused> {
    let app = site.app().clone();
    finish(async move { app.renew_lock(&person.session, &id, &body.reason).await }).await.map(Json)
}

/// Takes a lock away, or asks for it, with what that is signed with where it takes a signature. Locks stack: another on the
/// same target stays.
pub(in crate::http) async fn delete(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
    body: Option<Body<LiftRequest>>,
) -> Result<Json<Lifting>, Refused> {
    let (app, signature) = (site.app().clone(), body.and_then(|Body(body)| body.signature));
    finish(async move { app.unlock(&person.session, &id, signature.as_ref()).await }).await.map(Json)
}
