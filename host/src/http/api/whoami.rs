//! `GET /api/v1/whoami`: what the gate makes of the tokens that were sent.

use axum::Json;
use axum::extract::State;
use proviso_api::session::WhoAmI;

use crate::http::caller::Caller;
use crate::http::site::Site;
use crate::identity::{AgentCredential, Credential};

/// Tells an enforcement point the subject and task that its agent's token is bound to.
pub(in crate::http) async fn get(State(_): State<Site>, caller: Caller) -> Json<WhoAmI> {
    let agent = match (&caller.credential, &caller.subject) {
        (_, Some(Credential::Agent(agent))) | (Credential::Agent(agent), _) => Some(agent),
        _ => None,
    };
    let (name, resource) = match &caller.credential {
        Credential::EnforcementPoint(point) => (Some(point.name.clone()), point.resource.clone()),
        Credential::Agent(_) => (None, None),
    };
    let (chain, build) = agent.map(|agent| (agent.chain(), agent.build.clone())).unwrap_or_default();
    let kind = if name.is_some() { "enforcement_point" } else { "agent" };
    let (subject, task) = agent.map(|AgentCredential { subject, task, .. }| (subject.clone(), task.clone())).unzip();
    Json(WhoAmI { caller: kind.to_owned(), name, resource, subject, task, chain, build })
}
