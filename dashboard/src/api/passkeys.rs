//! `/api/v1/passkeys`.

use gloo_net::http::Request;
use policy_core::presence::SignedAct;
use proviso_api::passkeys::{
    ActChallengeRequest, AddPasskey, PasskeyChallenge, PasskeyList, PasskeySignIn, PasskeySignInChallenge,
    VoteChallenge,
};
use proviso_api::session::Session;
use serde::de::DeserializeOwned;

use super::{get, key, keyed, post, read, remove, segment};
use crate::view_model::problem::ApiError;

/// The own ones.
///
/// # Errors
/// When the gate does not answer.
pub async fn passkeys() -> Result<PasskeyList, ApiError> {
    get("/api/v1/passkeys").await
}

/// What an authenticator is asked with, to add one.
///
/// # Errors
/// As the gate refuses.
pub async fn begin_passkey() -> Result<PasskeyChallenge, ApiError> {
    challenge("/api/v1/passkeys/challenge").await
}

/// Adds one.
///
/// # Errors
/// As the gate refuses.
pub async fn add_passkey(body: &AddPasskey) -> Result<PasskeyList, ApiError> {
    post("/api/v1/passkeys", body).await
}

/// Ends one.
///
/// # Errors
/// When it has ended already.
pub async fn end_passkey(id: String) -> Result<(), ApiError> {
    remove(&format!("/api/v1/passkeys/{}", segment(&id))).await
}

/// What any authenticator is asked with, to sign in.
///
/// # Errors
/// As the gate refuses.
pub async fn begin_passkey_sign_in() -> Result<PasskeySignInChallenge, ApiError> {
    challenge("/api/v1/passkeys/sign_in/challenge").await
}

/// Signs in by one.
///
/// # Errors
/// As the gate refuses.
pub async fn sign_in_by_passkey(body: &PasskeySignIn) -> Result<(), ApiError> {
    let session: Session = post("/api/v1/passkeys/sign_in", body).await?;
    key::hold(session.key.as_deref());
    Ok(())
}

/// What the challenge of a vote is made of.
///
/// # Errors
/// As the gate refuses.
pub async fn vote_challenge(id: &str) -> Result<VoteChallenge, ApiError> {
    challenge(&format!("/api/v1/exceptions/{}/votes/challenge", segment(id))).await
}

/// What the challenge of another act is made of.
///
/// # Errors
/// As the gate refuses.
pub async fn act_challenge(act: SignedAct, about: &str) -> Result<VoteChallenge, ApiError> {
    post("/api/v1/acts/challenge", &ActChallengeRequest { act, about: about.to_owned() }).await
}

async fn challenge<T: DeserializeOwned>(address: &str) -> Result<T, ApiError> {
    read(keyed(Request::post(address)).send().await.map_err(|_| ApiError::Unreachable)?).await
}
