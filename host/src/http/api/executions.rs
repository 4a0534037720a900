//! `POST /api/v1/executions`: evidence that something ran.

use axum::extract::State;
use axum::http::StatusCode;
use proviso_api::operations::ExecutionReport;

use crate::http::body::Body;
use crate::http::caller::Caller;
use crate::http::problem::Refused;
use crate::http::router::finish;
use crate::http::site::Site;

/// Records a report: of an evaluation of the caller's own, or under a name of its own of whatever ran.
pub(in crate::http) async fn post(
    State(site): State<Site>,
    caller: Caller,
    Body(report): Body<ExecutionReport>,
) -> Result<StatusCode, Refused> {
    let app = site.app().clone();
    finish(async move {
        match report.evidence_id {
            None => app.report_execution(&caller.credential, report).await,
            Some(_) => app.report_evidence(&caller.credential, caller.subject.as_ref(), report).await,
        }
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
