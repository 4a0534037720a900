//! The gate's HTTP API. The only folder that calls the network.

mod activation;
mod afterwards;
mod agents;
mod asked;
mod events;
mod exceptions;
mod findings;
mod key;
mod ownership;
mod passkeys;
mod past;
mod people;
mod policy;
mod presence;
mod record;
mod retention;
mod session;
mod sessions;
mod stops;
mod what_if;

use gloo_net::http::{Request, RequestBuilder, Response};
use proviso_api::problem::Problem;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use activation::{bundles, proposal, propose_earlier, vote_on_bundle};
pub use afterwards::{
    answer, close_review, confirm, declare_emergency, give_back, judge, open_reviews, unconfirmed, unjudged,
};
pub use agents::{agent, agents};
pub use asked::{asked, forget_asked};
pub use events::changes;
pub use exceptions::{
    current_exceptions, exception, exceptions_over, exceptions_since, hand_request_over, questions, revoke, sheet, vote,
};
pub use findings::{act_on_finding, assign_finding, comment_finding, finding, findings, set_finding_state};
pub use ownership::{departure, deputies, end_deputy, hand_over, ownership};
pub use passkeys::{
    act_challenge, add_passkey, begin_passkey, begin_passkey_sign_in, end_passkey, passkeys, sign_in_by_passkey,
    vote_challenge,
};
pub use past::{past, pictures};
pub use people::{
    agree, end_person, end_sessions_of, invite, link_account, member, people, stop_recovery, unlink_account, withdraw,
};
pub use policy::{bundle, module};
pub use record::{consistency, receipt, receipt_under, record, record_lines};
pub use retention::{confirm_erasure, export, preview_erasure, propose_erasure, retention, withdraw_erasure};
pub use session::{begin_sign_in, demo_people, demo_sign_in, finish_sign_in, session, sign_in, sign_in_ways, sign_out};

pub use presence::watch;
pub use sessions::{begin_step_up, end_other_sessions, end_session, make_link, sessions};
pub use stops::{lock, locks, reach, renew_lock, undo, unlock};
pub use what_if::what_if;

use crate::view_model::problem::ApiError;

async fn get<T: DeserializeOwned>(address: &str) -> Result<T, ApiError> {
    asked::note(address);
    let response = keyed(Request::get(address)).send().await.map_err(|_| ApiError::Unreachable)?;
    read(response).await
}

async fn get_text(address: &str) -> Result<String, ApiError> {
    let response = keyed(Request::get(address)).send().await.map_err(|_| ApiError::Unreachable)?;
    body(response).await
}

async fn post<T: DeserializeOwned>(address: &str, body: &impl Serialize) -> Result<T, ApiError> {
    read(send(address, body).await?).await
}

/// Posts, and takes any good answer.
async fn post_only(address: &str, body: &impl Serialize) -> Result<(), ApiError> {
    accepted(send(address, body).await?).await
}

/// Deletes, with what is to be said to it.
async fn delete<T: DeserializeOwned>(address: &str, body: &impl Serialize) -> Result<T, ApiError> {
    let request = keyed(Request::delete(address)).json(body).map_err(|_| ApiError::Unreachable)?;
    read(request.send().await.map_err(|_| ApiError::Unreachable)?).await
}

/// Deletes, and takes any good answer.
async fn remove(address: &str) -> Result<(), ApiError> {
    let request = keyed(Request::delete(address));
    accepted(request.send().await.map_err(|_| ApiError::Unreachable)?).await
}

async fn send(address: &str, body: &impl Serialize) -> Result<Response, ApiError> {
    let request = keyed(Request::post(address)).json(body).map_err(|_| ApiError::Unreachable)?;
    request.send().await.map_err(|_| ApiError::Unreachable)
}

/// A request that carries the session's key, where this page has one.
fn keyed(request: RequestBuilder) -> RequestBuilder {
    let request = match key::held() {
        Some(key) => request.header(key::HEADER, &key),
        None => request,
    };
    if presence::is_unattended() { request.header(presence::HEADER, "1") } else { request }
}

async fn read<T: DeserializeOwned>(response: Response) -> Result<T, ApiError> {
    let status = response.status();
    serde_json::from_str(&body(response).await?).map_err(|_| ApiError::Unreadable(status))
}

/// The text of a good answer.
async fn body(response: Response) -> Result<String, ApiError> {
    let (ok, status) = (response.ok(), response.status());
    let text = response.text().await.map_err(|_| ApiError::Unreachable)?;
    if ok { Ok(text) } else { Err(refusal(status, &text)) }
}

async fn accepted(response: Response) -> Result<(), ApiError> {
    if response.ok() {
        return Ok(());
    }
    let status = response.status();
    let text = response.text().await.map_err(|_| ApiError::Unreachable)?;
    Err(refusal(status, &text))
}

fn refusal(status: u16, text: &str) -> ApiError {
    serde_json::from_str::<Problem>(text).map_or(ApiError::Unreadable(status), ApiError::Refused)
}

/// A path segment: ids are unguessable and plain, yet they are text from outside.
fn segment(text: &str) -> String {
    js_sys::encode_uri_component(text).into()
}
