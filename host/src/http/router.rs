//! Which address is whose.

use std::future::Future;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::from_fn_with_state;
use axum::routing::{delete, get, post};

use super::access::{discovery, evaluation, evaluations, requests, search};
use super::api::{
    acts, agents, bundles, erasures, events, exceptions, executions, export, findings, grants, locks, logs, ownership,
    passkeys, past, people, record, retention, reviews, revocations, routing, session, sessions, sheet, sign_in, stops,
    tasks, traces, votes, what_if, whoami,
};
use super::guard::guard;
use super::problem::Refused;
use super::site::Site;
use super::{dashboard, demo, health, metrics, openapi, policy};
use crate::app::Refusal;

/// Everything that the gate answers over HTTP. `openapi` describes the same addresses; a test holds them together.
pub fn router(site: Site) -> Router {
    Router::new()
        .route("/.well-known/authzen-configuration", get(discovery::get))
        .route("/access/v1/evaluation", post(evaluation::post))
        .route("/access/v1/evaluations", post(evaluations::post))
        .route("/access/v1/search/subject", post(search::subject))
        .route("/access/v1/search/resource", post(search::resource))
        .route("/access/v1/search/action", post(search::action))
        .route("/access/v1/requests", post(requests::post))
        .route("/access/v1/jwks", get(requests::jwks))
        .route("/access/v1/denials/{evaluation}/schema", get(requests::schema))
        .route("/access/v1/requests/{id}", get(requests::get))
        .route("/access/v1/requests/{id}/cancel", post(requests::cancel))
        .route("/api/v1/session", get(session::get).post(session::post).delete(session::delete))
        .route("/api/v1/session/sign_out", post(sessions::sign_out))
        .route("/api/v1/session/step_up", post(sessions::step_up))
        .route("/api/v1/sessions", get(sessions::list).delete(sessions::end_others))
        .route("/api/v1/sessions/links", post(sessions::make_link))
        .route("/api/v1/sessions/{id}", delete(sessions::end))
        .route("/api/v1/sign-in", get(sign_in::get))
        .route("/api/v1/sign-in/begin", post(sign_in::begin))
        .route("/api/v1/sign-in/finish", post(sign_in::end))
        .route("/api/v1/sign-in/{provider}/logged_out", post(sign_in::logged_out))
        .route("/api/v1/passkeys", get(passkeys::list).post(passkeys::add))
        .route("/api/v1/passkeys/challenge", post(passkeys::begin))
        .route("/api/v1/passkeys/{id}", delete(passkeys::end))
        .route("/api/v1/passkeys/sign_in", post(passkeys::sign_in))
        .route("/api/v1/passkeys/sign_in/challenge", post(passkeys::begin_sign_in))
        .route("/api/v1/acts/challenge", post(passkeys::act))
        .route("/api/v1/whoami", get(whoami::get))
        .route("/api/v1/exceptions", get(exceptions::list))
        .route("/api/v1/exceptions/{id}", get(exceptions::get))
        .route("/api/v1/exceptions/{id}/sheet", get(sheet::get))
        .route("/api/v1/exceptions/{id}/questions", get(sheet::questions))
        .route("/api/v1/exceptions/{id}/votes", post(votes::post))
        .route("/api/v1/exceptions/{id}/votes/challenge", post(passkeys::vote))
        .route("/api/v1/exceptions/{id}/handover", post(routing::hand_over))
        .route("/api/v1/deputies", get(routing::deputies).post(routing::appoint))
        .route("/api/v1/deputies/{id}", delete(routing::end_deputy))
        .route("/api/v1/owners", get(ownership::get))
        .route("/api/v1/owners/handover", post(ownership::hand_over))
        .route("/api/v1/ownership", get(ownership::all))
        .route("/api/v1/people/{user}/departure", get(ownership::departure))
        .route("/api/v1/people", get(people::list))
        .route("/api/v1/people/invitations", post(people::invite))
        .route("/api/v1/people/proposals/{id}", delete(people::withdraw))
        .route("/api/v1/people/proposals/{id}/agree", post(people::agree))
        .route("/api/v1/people/recovery/stop", post(people::stop_recovery))
        .route("/api/v1/people/{user}", get(people::get))
        .route("/api/v1/people/{user}/accounts", post(people::link_account))
        .route("/api/v1/people/{user}/accounts/unlink", post(people::unlink_account))
        .route("/api/v1/people/{user}/sessions", delete(people::end_sessions))
        .route("/api/v1/people/{user}/end", post(people::end))
        .route("/api/v1/deliveries", get(routing::deliveries))
        .route("/api/v1/deliveries/{id}/retry", post(routing::retry))
        .route("/api/v1/exceptions/{id}/answer", post(acts::answer))
        .route("/api/v1/exceptions/{id}/renew", post(acts::renew))
        .route("/api/v1/exceptions/{id}/emergency", post(acts::emergency))
        .route("/api/v1/exceptions/{id}/confirm", post(acts::confirm))
        .route("/api/v1/exceptions/{id}/disposition", post(acts::disposition))
        .route("/api/v1/exceptions/{id}/undo", post(acts::undo))
        .route("/api/v1/exceptions/{id}/past", get(past::past))
        .route("/api/v1/pictures", get(past::pictures))
        .route("/api/v1/agents", get(agents::list))
        .route("/api/v1/agent", get(agents::get))
        .route("/api/v1/what-if", post(what_if::post))
        .route("/api/v1/exceptions/{id}/uses/{evaluation}/give_back", post(acts::give_back))
        .route("/api/v1/reviews", get(reviews::list))
        .route("/api/v1/reviews/{id}/close", post(reviews::close))
        .route("/api/v1/grants/{id}/revoke", post(grants::revoke))
        .route("/api/v1/revocations", post(revocations::post))
        .route("/api/v1/locks", get(locks::list).post(locks::post))
        .route("/api/v1/locks/reach", get(locks::reach))
        .route("/api/v1/locks/{id}/renew", post(locks::renew))
        .route("/api/v1/stops", get(stops::get))
        .route("/api/v1/tasks/{task}/end", post(tasks::end))
        .route("/api/v1/locks/{id}", delete(locks::delete))
        .route("/api/v1/executions", post(executions::post))
        .route("/api/v1/findings", get(findings::list))
        .route("/api/v1/findings/{id}", get(findings::get))
        .route("/api/v1/findings/{id}/comments", post(findings::comment))
        .route("/api/v1/findings/{id}/assign", post(findings::assign))
        .route("/api/v1/findings/{id}/state", post(findings::state))
        .route("/api/v1/findings/{id}/revoke", post(findings::revoke))
        .route("/api/v1/findings/{id}/lock", post(findings::lock))
        .route("/api/v1/events", get(events::get))
        .route("/api/v1/record", get(record::get))
        .route("/api/v1/record/export", get(export::get))
        .route("/api/v1/record/lines", get(record::lines))
        .route("/api/v1/retention", get(retention::get))
        .route("/api/v1/erasures", post(erasures::propose))
        .route("/api/v1/erasures/preview", post(erasures::preview))
        .route("/api/v1/erasures/{id}", delete(erasures::withdraw))
        .route("/api/v1/erasures/{id}/confirm", post(erasures::confirm))
        .route("/api/v1/logs/{log}/checkpoint", get(logs::checkpoint))
        .route("/api/v1/logs/{log}/tile/{*tile}", get(logs::tile))
        .route("/api/v1/logs/{log}/consistency", get(logs::consistency))
        .route("/api/v1/logs/{log}/records/{seq}/proof", get(logs::receipt))
        .route("/api/v1/bundles", get(bundles::list).post(bundles::propose))
        .route("/api/v1/bundles/{digest}", get(bundles::get))
        .route("/api/v1/bundles/{digest}/proposal", get(bundles::proposal))
        .route("/api/v1/bundles/{digest}/activate", post(bundles::activate))
        .route("/api/v1/bundles/{digest}/refuse", post(bundles::refuse))
        .route("/api/v1/modules", post(bundles::propose_module))
        .route("/api/v1/openapi.json", get(openapi::get))
        .route("/v1/traces", post(traces::post))
        .route("/demo/people", get(demo::people))
        .route("/demo/session", post(demo::sign_in))
        .route("/policy/{file}", get(policy::get))
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(metrics::get))
        .fallback(dashboard::fallback)
        .method_not_allowed_fallback(wrong_method)
        .layer(from_fn_with_state(site.clone(), guard))
        .with_state(site)
}

async fn wrong_method() -> Refused {
    Refused::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", "this address does not take that method")
}

/// Runs a use case to its end even when the client hangs up: what was begun is recorded and folded.
pub(super) async fn finish<T, F>(work: F) -> Result<T, Refused>
where
    T: Send + 'static,
    F: Future<Output = Result<T, Refusal>> + Send + 'static,
{
    match tokio::spawn(work).await {
        Ok(done) => done.map_err(Refused::from),
        Err(_) => Err(Refused::broken()),
    }
}
