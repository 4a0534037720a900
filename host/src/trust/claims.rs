//! What a token's claims must say before any of them is believed: for whom, from when, until when.

use policy_core::sabotaged;
use policy_core::time::{Span, Timestamp};
use serde_json::{Map, Value};

use super::chain::text;
use super::config::{Issuer, Kind};
use super::fault::TokenFault;

/// How far an issuer's clock may be ahead of ours. Behind it is none: an end is an end.
const SKEW: Span = Span::from_seconds(60);

/// From when and until when a token counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Times {
    /// When it was issued, or the earliest that it can have been.
    pub issued_at: Timestamp,
    pub expires_at: Timestamp,
}

/// Holds audience, times, and the claims that tokens of this kind must have.
pub(super) fn hold(
    issuer: &Issuer,
    claims: &Map<String, Value>,
    (resource, audience): (Option<&str>, &str),
    now: Timestamp,
) -> Result<Times, TokenFault> {
    // INVARIANT (R3): shown to a resource it is for that resource, and not for whatever the gate is called elsewhere.
    let own = [resource.unwrap_or(audience).to_owned()];
    let is_own = resource.is_some() || issuer.audience.is_empty();
    let ours = if is_own { own.as_slice() } else { issuer.audience.as_slice() };
    hold_audience(claims, ours)?;
    if let Kind::AccessToken = issuer.kind {
        for name in ["client_id", "jti"] {
            text(claims, name).ok_or(TokenFault::Claim(name))?;
        }
        if !claims.contains_key("iat") {
            return Err(TokenFault::Claim("iat"));
        }
    }
    hold_times(claims, issuer.longest, now)
}

/// INVARIANT (R8): one of the audiences is ours, by the whole text.
fn hold_audience(claims: &Map<String, Value>, ours: &[String]) -> Result<(), TokenFault> {
    let is_ours = |value: &Value| value.as_str().is_some_and(|text| ours.iter().any(|our| our == text));
    let named = match claims.get("aud") {
        Some(value @ Value::String(_)) => is_ours(value),
        Some(Value::Array(values)) => values.iter().all(Value::is_string) && values.iter().any(is_ours),
        Some(_) | None => return Err(TokenFault::Claim("aud")),
    };
    if named || sabotaged!("r8_any_audience") { Ok(()) } else { Err(TokenFault::Audience) }
}

/// INVARIANT (R6, R8): a token has an end, has begun, and does not live longer than its issuer's may.
fn hold_times(claims: &Map<String, Value>, longest: Span, now: Timestamp) -> Result<Times, TokenFault> {
    let time = |name: &'static str| match claims.get(name) {
        None => Ok(None),
        Some(value) => value
            .as_i64()
            .and_then(|seconds| seconds.checked_mul(1_000))
            .map(|millis| Some(Timestamp::from_millis(millis)))
            .ok_or(TokenFault::Claim(name)),
    };
    let expires_at = time("exp")?.ok_or(TokenFault::Claim("exp"))?;
    let (issued_at, begins) = (time("iat")?, time("nbf")?);
    if now >= expires_at && !sabotaged!("r6_expired_token_believed") {
        return Err(TokenFault::Expired);
    }
    if issued_at.max(begins).is_some_and(|begins| begins > now.plus(SKEW)) {
        return Err(TokenFault::NotYet);
    }
    // Where it does not say when it was issued, it may have been so long ago that its whole life is just allowed.
    let latest = issued_at.map_or_else(|| now.plus(SKEW).plus(longest), |issued_at| issued_at.plus(longest));
    if expires_at > latest {
        return Err(TokenFault::TooLong);
    }
    let earliest = expires_at.millis().saturating_sub(i64::try_from(longest.seconds()).unwrap_or(i64::MAX) * 1_000);
    Ok(Times { issued_at: issued_at.unwrap_or(Timestamp::from_millis(earliest)), expires_at })
}
