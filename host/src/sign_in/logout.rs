//! Whether a logout token holds (OpenID Connect Back-Channel Logout 1.0, section 2.6).

use openidconnect::core::{
    CoreGenderClaim, CoreJsonWebKey, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm,
};
use openidconnect::{AdditionalClaims, IdToken, IdTokenVerifier, JsonWebTokenType, Nonce};
use policy_core::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};

use super::verify::{SKEW, Wrong, instant, minus, within, wrong};
use crate::app::LoggedOut;

/// How old a logout token may be.
const LIFE: Span = Span::from_seconds(600);
/// By this event a token says that it is one.
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

#[derive(Debug, Clone, Serialize, Deserialize)]
struct Claims {
    #[serde(default)]
    sid: Option<String>,
    #[serde(default)]
    events: serde_json::Map<String, serde_json::Value>,
}

impl AdditionalClaims for Claims {}

type Token = IdToken<Claims, CoreGenderClaim, CoreJweContentEncryptionAlgorithm, CoreJwsSigningAlgorithm>;

/// Who is signed out, by a token that `verifier` knows the keys, the issuer and the audience of.
pub(super) fn verify(
    verifier: IdTokenVerifier<'_, CoreJsonWebKey>,
    algorithms: &[CoreJwsSigningAlgorithm],
    token: &str,
    now: Timestamp,
) -> Result<LoggedOut, Wrong> {
    let token: Token = token.parse().map_err(|_| Wrong::Form)?;
    let (early, late, over) = (minus(now, LIFE), now.plus(SKEW), instant(minus(now, SKEW)));
    let kinds = ["logout+jwt", "JWT"].map(|kind| JsonWebTokenType::new(kind.to_owned()).normalize());
    let verifier = verifier
        .set_allowed_algs(algorithms.iter().cloned())
        .set_allowed_jose_types(kinds.into_iter().flatten())
        .set_time_fn(move || over)
        .set_issue_time_verifier_fn(move |at| within(at, early, late));
    // An ID token signs nobody out: it has a nonce, and no event.
    let no_nonce = |nonce: Option<&Nonce>| nonce.map_or(Ok(()), |_| Err("it has a nonce".to_owned()));
    let claims = token.claims(&verifier, no_nonce).map_err(|error| wrong(&error))?;
    let more = claims.additional_claims();
    if !more.events.get(EVENT).is_some_and(serde_json::Value::is_object) {
        return Err(Wrong::Form);
    }
    Ok(LoggedOut {
        subject: claims.subject().as_str().to_owned(),
        sid: more.sid.clone(),
        at: Timestamp::from_millis(claims.issue_time().timestamp_millis()),
    })
}
