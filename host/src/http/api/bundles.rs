//! `/api/v1/bundles`: what the module loads, for the preview; what is active and proposed, and the votes on it.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::IntoResponse;
use policy_core::digest::Digest;
use proviso_api::activation::{
    ActivationReply, BundleList, BundleVoteRequest, ProposalReply, ProposeModuleRequest, ProposeRequest,
};
use proviso_api::exceptions::BundleReply;

use crate::http::body::Body;
use crate::http::caller::Person;
use crate::http::problem::Refused;
use crate::http::router::finish;
use crate::http::site::Site;

/// The bundle's policies by digest.
pub(in crate::http) async fn get(
    State(site): State<Site>,
    _: Person,
    Path(digest): Path<String>,
) -> Result<Json<BundleReply>, Refused> {
    Ok(Json(site.app().bundle(&named(&digest)?)?))
}

/// What is active, was, and is proposed.
pub(in crate::http) async fn list(State(site): State<Site>, _: Person) -> Json<BundleList> {
    Json(site.app().bundles())
}

/// Proposes a bundle.
pub(in crate::http) async fn propose(
    State(site): State<Site>,
    person: Person,
    Body(body): Body<ProposeRequest>,
) -> Result<impl IntoResponse, Refused> {
    let app = site.app().clone();
    let proposed: ProposalReply = finish(async move { app.propose_bundle(&person.session, body).await }).await?;
    Ok((StatusCode::CREATED, Json(proposed)))
}

/// Proposes another policy module.
pub(in crate::http) async fn propose_module(
    State(site): State<Site>,
    person: Person,
    Body(body): Body<ProposeModuleRequest>,
) -> Result<impl IntoResponse, Refused> {
    let app = site.app().clone();
    let proposed: ProposalReply = finish(async move { app.propose_module(&person.session, body).await }).await?;
    Ok((StatusCode::CREATED, Json(proposed)))
}

/// A proposal with its list.
pub(in crate::http) async fn proposal(
    State(site): State<Site>,
    person: Person,
    Path(digest): Path<String>,
) -> Result<Json<ProposalReply>, Refused> {
    Ok(Json(site.app().proposal_seen_by(&person.session, &named(&digest)?).await?))
}

/// A vote for it; the last one that it takes makes it the active bundle.
pub(in crate::http) async fn activate(
    State(site): State<Site>,
    person: Person,
    Path(digest): Path<String>,
    Body(body): Body<BundleVoteRequest>,
) -> Result<Json<ActivationReply>, Refused> {
    vote(site, person, &digest, body, true).await
}

/// A vote against it, which ends it.
pub(in crate::http) async fn refuse(
    State(site): State<Site>,
    person: Person,
    Path(digest): Path<String>,
    Body(body): Body<BundleVoteRequest>,
) -> Result<Json<ActivationReply>, Refused> {
    vote(site, person, &digest, body, false).await
}

async fn vote(
    site: Site,
    person: Person,
    digest: &str,
    body: BundleVoteRequest,
    activates: bool,
) -> Result<Json<ActivationReply>, Refused> {
    let (app, digest) = (site.app().clone(), named(digest)?);
    finish(async move { app.vote_on_bundle(&person.session, &digest, body, activates).await }).await.map(Json)
}

fn named(digest: &str) -> Result<Digest, Refused> {
    digest.parse().map_err(|_| Refused::new(StatusCode::NOT_FOUND, "not_found", "there is no such bundle"))
}
