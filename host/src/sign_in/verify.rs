//! Whether an ID token holds (OpenID Connect Core 1.0, section 3.1.3.7).

use chrono::{DateTime, Utc};
use openidconnect::core::CoreJwsSigningAlgorithm;
use openidconnect::{
    AccessTokenHash, ClaimsVerificationError, ClientId, Nonce, OAuth2TokenResponse, SignatureVerificationError,
    TokenResponse,
};
use policy_core::sabotaged;
use policy_core::time::{Span, Timestamp};
use serde_json::Value;

use super::metadata::{Relying, Tokens};
use crate::app::{Asked, Authenticated};

/// How far the provider's clock may be off.
pub(super) const SKEW: Span = Span::from_seconds(60);
/// The longest `sub` that a provider may give (OpenID Connect Core 1.0, section 2).
const LONGEST_SUBJECT: usize = 255;
/// The longest `sid` and `acr` that are kept.
const LONGEST_WORD: usize = 255;

/// The most groups that a claim may list.
const MOST_GROUPS: usize = 200;

/// What is wrong with a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wrong {
    /// There is none, or it is none.
    Form,
    /// It is not signed, or by an algorithm that was not agreed on.
    Algorithm,
    /// By a key that is not among the provider's.
    Key,
    /// The signature is another's.
    Signature,
    /// Another issuer's.
    Issuer,
    /// For another client.
    Audience,
    /// Given to another client.
    Party,
    /// Over, or made at another time than this sign-in.
    Time,
    /// Made for another sign-in.
    Nonce,
    /// Made for another access token.
    AccessToken,
    /// Not as fresh or not as strong as it was asked for.
    Strength,
}

impl Wrong {
    /// In one word.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Form => "form",
            Self::Algorithm => "alg",
            Self::Key => "key",
            Self::Signature => "signature",
            Self::Issuer => "iss",
            Self::Audience => "aud",
            Self::Party => "azp",
            Self::Time => "time",
            Self::Nonce => "nonce",
            Self::AccessToken => "at_hash",
            Self::Strength => "acr",
        }
    }
}

/// What a token is held against.
pub(super) struct Verifier<'a> {
    pub(super) algorithms: &'a [CoreJwsSigningAlgorithm],
    pub(super) client: &'a ClientId,
    pub(super) asked: &'a Asked,
    /// The claim that lists groups.
    pub(super) groups: Option<&'a str>,
    pub(super) now: Timestamp,
}

impl Verifier<'_> {
    /// Who signed in.
    pub(super) fn verify(&self, relying: &Relying, tokens: &Tokens) -> Result<Authenticated, Wrong> {
        let token = tokens.id_token().ok_or(Wrong::Form)?;
        let (late, early) = (self.now.plus(SKEW), minus(self.asked.begun_at, SKEW));
        let over = instant(minus(self.now, SKEW));
        let verifier = relying
            .id_token_verifier()
            // INVARIANT (R4): the algorithms that the operator's file names. The token's own word chooses among those alone,
            // and none of them is `none` or signs with what is not secret.
            .set_allowed_algs(self.algorithms.iter().cloned())
            .set_time_fn(move || over)
            .set_issue_time_verifier_fn(move |at| within(at, early, late));
        let nonce = Nonce::new(self.asked.nonce.clone());
        let claims = token.claims(&verifier, &nonce).map_err(|error| wrong(&error))?;
        // INVARIANT (R4): a token that was given to another client is no sign-in here, though we are among its audiences.
        if claims.authorized_party().is_some_and(|party| **party != **self.client) && !sabotaged!("r4_azp_ignored") {
            return Err(Wrong::Party);
        }
        if let Some(hash) = claims.access_token_hash() {
            let (algorithm, key) = (token.signing_alg(), token.signing_key(&verifier));
            let (algorithm, key) = algorithm.ok().zip(key.ok()).ok_or(Wrong::AccessToken)?;
            let made = AccessTokenHash::from_token(tokens.access_token(), algorithm, key);
            if made.ok().as_ref() != Some(hash) && !sabotaged!("r4_at_hash_ignored") {
                return Err(Wrong::AccessToken);
            }
        }
        let subject = claims.subject().as_str();
        if subject.is_empty() || subject.len() > LONGEST_SUBJECT {
            return Err(Wrong::Form);
        }
        let word = |text: &str| (text.len() <= LONGEST_WORD).then(|| text.to_owned());
        let authenticated = Authenticated {
            subject: subject.to_owned(),
            acr: claims.auth_context_ref().and_then(|acr| word(acr)),
            auth_time: claims.auth_time().map(|at| Timestamp::from_millis(at.timestamp_millis())),
            sid: claims.additional_claims().sid.as_deref().and_then(word),
            groups: self.groups.map(|claim| groups(claims.additional_claims().others.get(claim))).unwrap_or_default(),
        };
        self.hold_strength(&authenticated)?;
        Ok(authenticated)
    }

    /// INVARIANT (R4): whoever was to authenticate afresh did so since, and as strongly as was asked.
    fn hold_strength(&self, authenticated: &Authenticated) -> Result<(), Wrong> {
        if authenticated.auth_time.is_some_and(|at| at > self.now.plus(SKEW)) {
            return Err(Wrong::Time);
        }
        let Some(demanded) = &self.asked.afresh else { return Ok(()) };
        let since = authenticated.auth_time.is_some_and(|at| at >= minus(self.asked.begun_at, SKEW));
        let strong = authenticated.acr.as_ref().is_some_and(|acr| demanded.contains(acr));
        if since && strong { Ok(()) } else { Err(Wrong::Strength) }
    }
}

/// The values of a claim of groups. A list that is too long to be all of them, or that holds anything but texts, is none:
/// some of somebody's groups are nobody's to choose.
fn groups(claim: Option<&Value>) -> Vec<String> {
    let listed = claim.and_then(Value::as_array).filter(|listed| listed.len() <= MOST_GROUPS);
    let texts = listed.map(|listed| listed.iter().map(|one| one.as_str().filter(|text| text.len() <= LONGEST_WORD)));
    let texts = texts.and_then(|texts| texts.map(|text| text.map(str::to_owned)).collect::<Option<Vec<_>>>());
    texts.unwrap_or_default()
}

/// What a failed check of the library is here.
pub(super) fn wrong(error: &ClaimsVerificationError) -> Wrong {
    match error {
        ClaimsVerificationError::InvalidIssuer(_) => Wrong::Issuer,
        ClaimsVerificationError::InvalidAudience(_) => Wrong::Audience,
        ClaimsVerificationError::InvalidNonce(_) => Wrong::Nonce,
        ClaimsVerificationError::Expired(_) => Wrong::Time,
        ClaimsVerificationError::SignatureVerification(error) => match error {
            SignatureVerificationError::NoMatchingKey | SignatureVerificationError::AmbiguousKeyId(_) => Wrong::Key,
            SignatureVerificationError::CryptoError(_) => Wrong::Signature,
            _ => Wrong::Algorithm,
        },
        _ => Wrong::Form,
    }
}

pub(super) fn within(at: DateTime<Utc>, early: Timestamp, late: Timestamp) -> Result<(), String> {
    let at = Timestamp::from_millis(at.timestamp_millis());
    if early <= at && at <= late { Ok(()) } else { Err("it was not issued in time".to_owned()) }
}

pub(super) fn minus(at: Timestamp, span: Span) -> Timestamp {
    let millis = i64::try_from(span.seconds()).unwrap_or(i64::MAX).saturating_mul(1_000);
    Timestamp::from_millis(at.millis().saturating_sub(millis))
}

pub(super) fn instant(at: Timestamp) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(at.millis()).unwrap_or_default()
}
