//! A request's body: JSON only, bounded, and through the strict reader before anything looks at it.

use std::time::Duration;

use axum::body::{Bytes, to_bytes};
use axum::extract::{FromRequest, OptionalFromRequest, Request};
use axum::http::{HeaderMap, StatusCode, header};
use policy_core::json::{self, Limits, ReadError};
use proviso_api::access_request::{AccessRequest, CancelRequest};
use proviso_api::activation::{BundleVoteRequest, ProposeModuleRequest, ProposeRequest};
use proviso_api::acts::{AnswerRequest, DispositionRequest, Reason, RenewRequest, ShownReason};
use proviso_api::authzen::{EvaluationRequest, EvaluationsRequest};
use proviso_api::erasures::{ConfirmErasure, ErasureWhat, ProposeErasure};
use proviso_api::findings::{AssignRequest, CommentRequest, FindingActRequest, FindingStateRequest};
use proviso_api::operations::ExecutionReport;
use proviso_api::ownership::HandOwnerRequest;
use proviso_api::passkeys::{ActChallengeRequest, AddPasskey, CastVote, PasskeySignIn};
use proviso_api::people::{InviteRequest, LinkAccountRequest, UnlinkAccountRequest};
use proviso_api::reviews::CloseReview;
use proviso_api::routing::{DeputyRequest, HandoverRequest};
use proviso_api::search::{ActionSearch, ResourceSearch, SubjectSearch};
use proviso_api::session::{DemoSignIn, SignIn};
use proviso_api::sessions::StepUp;
use proviso_api::sign_in::{BeginSignIn, FinishSignIn};
use proviso_api::stops::{
    EndTaskRequest, LiftRequest, LockRequest, RenewLockRequest, RevocationRequest, RevokeRequest,
};
use proviso_api::what_if::WhatIf;
use serde::de::DeserializeOwned;

use super::problem::Refused;
use super::site::Site;

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(20);

/// What may be sent as a body.
pub(super) trait Wire: DeserializeOwned {
    /// Members that are objects where they are there at all: the JSON library would take an array for one.
    const OBJECTS: &'static [&'static str];
    /// How much of it is read.
    const LIMITS: Limits = Limits::DEFAULT;
}

/// A bundle: as much as the module is given, and what escaping adds.
impl Wire for ProposeRequest {
    const OBJECTS: &'static [&'static str] = &["files"];
    const LIMITS: Limits = Limits { max_bytes: 8 << 20, max_depth: 32 };
}

macro_rules! wire {
    ($($body:ty: $objects:expr;)*) => { $(impl Wire for $body { const OBJECTS: &'static [&'static str] = &$objects; })* };
}

wire! {
    EvaluationRequest: EvaluationRequest::OBJECTS;
    EvaluationsRequest: ["subject", "action", "resource", "context", "options"];
    SubjectSearch: ["subject", "action", "resource", "context", "page"];
    ResourceSearch: ["subject", "action", "resource", "context", "page"];
    ActionSearch: ["subject", "resource", "context", "page"];
    AccessRequest: ["subject", "action", "resource", "context", "denial", "requested_access", "client"];
    CancelRequest: [];
    CastVote: ["grant", "signature", "assertion"];
    AddPasskey: [];
    PasskeySignIn: ["assertion"];
    RevokeRequest: [];
    BundleVoteRequest: ["signature"];
    RevocationRequest: ["target"];
    StepUp: [];
    BeginSignIn: [];
    FinishSignIn: [];
    AnswerRequest: [];
    Reason: [];
    ShownReason: ["signed"];
    ActChallengeRequest: [];
    LiftRequest: ["signature"];
    ErasureWhat: ["agent", "record"];
    ProposeErasure: ["what", "signature"];
    ConfirmErasure: ["what", "signature"];
    DispositionRequest: [];
    RenewRequest: ["scope"];
    CloseReview: [];
    LockRequest: ["target"];
    RenewLockRequest: [];
    EndTaskRequest: [];
    ExecutionReport: ["subject"];
    CommentRequest: [];
    AssignRequest: ["to"];
    FindingStateRequest: [];
    FindingActRequest: [];
    HandoverRequest: ["to"];
    HandOwnerRequest: ["of", "from", "to"];
    DeputyRequest: ["deputy"];
    InviteRequest: [];
    LinkAccountRequest: [];
    UnlinkAccountRequest: [];
    SignIn: [];
    DemoSignIn: ["person"];
    WhatIf: ["subject", "on_behalf", "resource"];
}

/// A policy module.
impl Wire for ProposeModuleRequest {
    const OBJECTS: &'static [&'static str] = &[];
    const LIMITS: Limits = Limits { max_bytes: 16 << 20, max_depth: 32 };
}

/// A body's bytes, with its content type's essence in lower case.
pub(super) struct Raw {
    pub(super) essence: String,
    pub(super) bytes: Bytes,
}

impl FromRequest<Site> for Raw {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &Site) -> Result<Self, Refused> {
        let headers = request.headers();
        let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let essence = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        let plain = headers.get(header::CONTENT_ENCODING).is_none_or(|coding| coding == "identity");
        let essence = if plain { essence } else { String::new() };
        Ok(Self { essence, bytes: bytes(request, Limits::DEFAULT.max_bytes).await? })
    }
}

/// A body that was read.
pub(super) struct Body<T>(pub(super) T);

impl<T: Wire> FromRequest<Site> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, _: &Site) -> Result<Self, Refused> {
        if !is_json(request.headers()) {
            return Err(Refused::new(
                StatusCode::UNSUPPORTED_MEDIA_TYPE,
                "unsupported_media_type",
                "the body's content type is not `application/json`",
            ));
        }
        let bytes = bytes(request, T::LIMITS.max_bytes).await?;
        json::read_object_as(&bytes, T::LIMITS, T::OBJECTS).map(Self).map_err(unreadable)
    }
}

/// A body that need not be there. Whatever is there is read as strictly as one that must be.
impl<T: Wire> OptionalFromRequest<Site> for Body<T> {
    type Rejection = Refused;

    async fn from_request(request: Request, site: &Site) -> Result<Option<Self>, Refused> {
        if has_none(request.headers()) {
            return Ok(None);
        }
        <Self as FromRequest<Site>>::from_request(request, site).await.map(Some)
    }
}

/// Whether a request says that it has no body.
fn has_none(headers: &HeaderMap) -> bool {
    let empty = headers.get(header::CONTENT_LENGTH).is_none_or(|length| length == "0");
    empty && !headers.contains_key(header::TRANSFER_ENCODING) && !headers.contains_key(header::CONTENT_TYPE)
}

/// All of a body, where it is short enough and comes in time.
async fn bytes(request: Request, most: usize) -> Result<Bytes, Refused> {
    match tokio::time::timeout(PATIENCE, to_bytes(request.into_body(), most)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => {
            let detail = format!("the body is longer than {most} bytes, or broke off");
            Err(Refused::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", detail))
        }
        Err(_) => Err(Refused::new(StatusCode::REQUEST_TIMEOUT, "too_slow", "the body did not arrive in time")),
    }
}

fn is_json(headers: &HeaderMap) -> bool {
    let Some(Ok(kind)) = headers.get(header::CONTENT_TYPE).map(|value| value.to_str()) else { return false };
    let (essence, parameters) = kind.split_once(';').unwrap_or((kind, ""));
    let parameters = parameters.trim().to_ascii_lowercase();
    essence.trim().eq_ignore_ascii_case("application/json")
        && (parameters.is_empty() || parameters == "charset=utf-8" || parameters == "charset=\"utf-8\"")
}

/// What the strict reader refused.
pub(super) fn unreadable(error: ReadError) -> Refused {
    let status = match error {
        ReadError::TooLarge { .. } => StatusCode::PAYLOAD_TOO_LARGE,
        _ => StatusCode::BAD_REQUEST,
    };
    Refused::new(status, error.code(), error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_announces_a_body_has_one() {
        let has = |pairs: &[(header::HeaderName, &str)]| {
            let pairs = pairs.iter().map(|(name, value)| (name.clone(), value.parse().unwrap()));
            !has_none(&pairs.collect())
        };
        assert!(!has(&[]));
        assert!(!has(&[(header::CONTENT_LENGTH, "0")]));
        assert!(has(&[(header::CONTENT_LENGTH, "2")]));
        assert!(has(&[(header::TRANSFER_ENCODING, "chunked")]));
        assert!(has(&[(header::CONTENT_TYPE, "text/plain")]));
    }

    #[test]
    fn only_json_is_read_as_json() {
        for (kind, expected) in [
            ("application/json", true),
            ("Application/JSON; charset=utf-8", true),
            ("application/json; charset=latin1", false),
            ("text/plain", false),
            ("application/x-www-form-urlencoded", false),
            ("application/jsonp", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
            assert_eq!(is_json(&headers), expected, "{kind}");
        }
        assert!(!is_json(&HeaderMap::new()));
    }
}
