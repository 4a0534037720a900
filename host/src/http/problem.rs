//! Refusals as `application/problem+json` (RFC 9457): the only table of status codes.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use proviso_api::problem::Problem;

use crate::app::{Refusal, RefusalKind};
use crate::remedies::remedy;
use crate::trust::PROOF_ALGORITHMS;

/// The codes that ARAP names, under its own type.
const ACCESS_REQUEST_CODES: [&str; 7] = [
    "not_requestable",
    "expired_denial",
    "invalid_denial_binding",
    "duplicate_request",
    "unknown_task",
    "task_expired",
    "invalid_task_state",
];

/// What an endpoint answers when it does not do what it was asked.
#[derive(Debug)]
pub(super) struct Refused {
    status: StatusCode,
    code: String,
    detail: String,
    help: Option<String>,
    retry_after: Option<u32>,
    /// Rare, so it makes no other answer larger.
    challenge: Option<Box<HeaderValue>>,
}

impl Refused {
    /// With how the person authenticates so that it works (RFC 9470), where the refusal is that they have not.
    pub(super) fn step_up(mut self, acr: &[String]) -> Self {
        if matches!(&*self.code, "step_up_needed" | "presence_needed") && !acr.is_empty() {
            // What is a word of the operator's file stands in quotes: none that would end them.
            let plain = |word: &&String| word.chars().all(|c| c.is_ascii_graphic() && !matches!(c, '"' | '\\'));
            let acr = acr.iter().filter(plain).map(String::as_str).collect::<Vec<_>>().join(" ");
            let challenge = format!(
                "Bearer error=\"insufficient_user_authentication\", \
                 error_description=\"a fresh authentication is required\", acr_values=\"{acr}\", max_age=\"0\""
            );
            self.challenge = HeaderValue::try_from(challenge).ok().map(Box::new);
        }
        self
    }

    pub(super) fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        Self {
            status,
            code: code.to_owned(),
            detail: detail.into(),
            help: remedy(code).map(str::to_owned),
            retry_after: None,
            challenge: None,
        }
    }

    pub(super) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// There is nothing at this address.
    pub(super) fn nothing_here() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "there is nothing at this address")
    }

    /// The handler's own task died. Whatever it was, it is not an allow.
    pub(super) fn broken() -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal_error", "the gate could not finish this request")
            .help("ask again; if it stays so, the operator looks at the gate's log")
    }
}

/// The status of a refusal.
pub(super) const fn status_of(refusal: &Refusal) -> StatusCode {
    match refusal.kind {
        RefusalKind::BadRequest => StatusCode::BAD_REQUEST,
        RefusalKind::Unauthenticated => StatusCode::UNAUTHORIZED,
        RefusalKind::Forbidden => StatusCode::FORBIDDEN,
        RefusalKind::NotFound => StatusCode::NOT_FOUND,
        RefusalKind::Conflict => StatusCode::CONFLICT,
        RefusalKind::Gone => StatusCode::GONE,
        RefusalKind::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
        RefusalKind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        RefusalKind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let status = status_of(&refusal);
        Self {
            status,
            code: refusal.code.to_owned(),
            detail: refusal.detail,
            help: refusal.help,
            retry_after: refusal.retry_after,
            challenge: None,
        }
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let kind = if ACCESS_REQUEST_CODES.contains(&self.code.as_str()) {
            format!("urn:openid:authzen:access-request:error:{}", self.code)
        } else {
            "about:blank".to_owned()
        };
        let binds = self.code == "token_binding";
        let challenge = self.challenge;
        let problem = Problem {
            kind,
            title: self.code.replace('_', " "),
            status: self.status.as_u16(),
            detail: self.detail,
            code: self.code,
            help: self.help,
        };
        let mut response = (self.status, axum::Json(problem)).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
        if let Some(challenge) = challenge {
            headers.insert(header::WWW_AUTHENTICATE, *challenge);
        }
        match self.status {
            StatusCode::UNAUTHORIZED => {
                headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
                if binds {
                    let algorithms = format!("DPoP error=\"invalid_token\", algs=\"{PROOF_ALGORITHMS}\"");
                    if let Ok(demand) = HeaderValue::try_from(algorithms) {
                        headers.append(header::WWW_AUTHENTICATE, demand);
                    }
                }
            }
            StatusCode::SERVICE_UNAVAILABLE => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(self.retry_after.unwrap_or(1)));
            }
            StatusCode::TOO_MANY_REQUESTS => {
                headers.insert(header::RETRY_AFTER, HeaderValue::from(self.retry_after.unwrap_or(30)));
            }
            _ => {}
        }
        response
    }
}
