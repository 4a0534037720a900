//! `/api/v1/people`: who is here, invitations, accounts, and what ends for others.

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use proviso_api::acts::Reason;
use proviso_api::people::{
    InviteRequest, LinkAccountRequest, MemberDetail, PeopleReply, ProposalReply, UnlinkAccountRequest,
};
use proviso_api::sessions::SessionsEnded;

use crate::http::body::Body;
use crate::http::caller::Person;
use crate::http::problem::Refused;
use crate::http::router::finish;
use crate::http::site::Site;

/// Everybody.
pub(in crate::http) async fn list(State(site): State<Site>, person: Person) -> Result<Json<PeopleReply>, Refused> {
    Ok(Json(site.app().people_seen_by(&person.session).await?))
}

/// One of them.
pub(in crate::http) async fn get(
    State(site): State<Site>,
    person: Person,
    Path(user): Path<String>,
) -> Result<Json<MemberDetail>, Refused> {
    Ok(Json(site.app().member_seen_by(&person.session, &user).await?))
}

/// Invites somebody.
pub(in crate::http) async fn invite(
    State(site): State<Site>,
    person: Person,
    Body(body): Body<InviteRequest>,
) -> Result<(StatusCode, Json<ProposalReply>), Refused> {
    let app = site.app().clone();
    let reply = finish(async move { app.invite(&person.session, &body).await }).await?;
    Ok((StatusCode::CREATED, Json(reply)))
}

/// Agrees to a proposal.
pub(in crate::http) async fn agree(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
) -> Result<Json<ProposalReply>, Refused> {
    let app = site.app().clone();
    finish(async move { app.agree(&person.session, &id).await }).await.map(Json)
}

/// Takes one back.
pub(in crate::http) async fn withdraw(
    State(site): State<Site>,
    person: Person,
    Path(id): Path<String>,
) -> Result<StatusCode, Refused> {
    let app = site.app().clone();
    finish(async move { app.withdraw(&person.session, &id).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Proposes an account as somebody's way in.
pub(in crate::http) async fn link_account(
    State(site): State<Site>,
    person: Person,
    Path(user): Path<String>,
    Body(body): Body<LinkAccountRequest>,
) -> Result<(StatusCode, Json<ProposalReply>), Refused> {
    let app = site.app().clone();
    let reply = finish(async move { app.propose_account(&person.session, &user, &body).await }).await?;
    Ok((StatusCode::CREATED, Json(reply)))
}

/// Takes one away again.
pub(in crate::http) async fn unlink_account(
    State(site): State<Site>,
    person: Person,
    Path(user): Path<String>,
    Body(body): Body<UnlinkAccountRequest>,
) -> Result<Json<SessionsEnded>, Refused> {
    let app = site.app().clone();
    finish(async move { app.unlink_account(&person.session, &user, &body).await }).await.map(Json)
}

/// Ends somebody's sessions.
pub(in crate::http) async fn end_sessions(
    State(site): State<Site>,
    person: Person,
    Path(user): Path<String>,
) -> Result<Json<SessionsEnded>, Refused> {
    let app = site.app().clone();
    finish(async move { app.end_sessions_of(&person.session, &user).await }).await.map(Json)
}

/// Says that somebody has left.
pub(in crate::http) async fn end(
    State(site): State<Site>,
    person: Person,
    Path(user): Path<String>,
    Body(body): Body<Reason>,
) -> Result<StatusCode, Refused> {
    let app = site.app().clone();
    finish(async move { app.end_person(&person.session, &user, &body.reason).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Stops a recovery.
pub(in crate::http) async fn stop_recovery(
    State(site): State<Site>,
    person: Person,
    Body(body): Body<Reason>,
) -> Result<StatusCode, Refused> {
    let app = site.app().clone();
    finish(async move { app.stop_recovery(&person.session, &body.reason).await }).await?;
    Ok(StatusCode::NO_CONTENT)
}
