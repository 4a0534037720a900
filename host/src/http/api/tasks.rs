//! `POST /api/v1/tasks/{task}/end`.

use axum::Json;
use axum::extract::{Path, State};
use proviso_api::stops::{EndTaskRequest, TaskEnded};

use crate::http::body::Body;
use crate::http::caller::Person;
use crate::http::problem::Refused;
use crate::http::router::finish;
use crate::http::site::Site;

/// Ends a task, and what hangs on it.
pub(in crate::http) async fn end(
    State(site): State<Site>,
    person: Person,
    Path(task): Path<String>,
    Body(body): Body<EndTaskRequest>,
) -> Result<Json<TaskEnded>, Refused> {
    let app = site.app().clone();
    finish(async move { app.end_task(&person.session, &task, &body.reason).await }).await.map(Json)
}
