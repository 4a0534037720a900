//! What a request gets that goes nowhere: a problem, or where it is a message with an id, an error of JSON-RPC.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use super::metadata::Metadata;
use crate::mcp::sentences::Failure;
use crate::remedies::remedy;

/// A message that is none, JSON-RPC's code.
pub const INVALID: i64 = -32600;
/// A method that does not exist.
pub const NO_METHOD: i64 = -32601;
/// Headers and body differ (2026-07-28).
pub const HEADER_MISMATCH: i64 = -32020;
/// The version is not spoken (2026-07-28).
pub const UNSUPPORTED_VERSION: i64 = -32022;

/// Why a request goes nowhere.
#[derive(Debug, Clone)]
pub struct Refused {
    status: StatusCode,
    code: String,
    detail: String,
    help: Option<String>,
    /// Apart, so that what is refused makes no answer larger that is not.
    more: Box<More>,
}

/// What only some refusals have.
#[derive(Debug, Clone, Default)]
struct More {
    /// JSON-RPC's code, and the message's id.
    rpc: Option<(i64, Value)>,
    data: Map<String, Value>,
    headers: Vec<(header::HeaderName, String)>,
}

impl Refused {
    /// A refusal of a request.
    pub fn new(status: StatusCode, code: &str, detail: impl Into<String>) -> Self {
        let help = remedy(code).map(str::to_owned);
        Self { status, code: code.to_owned(), detail: detail.into(), help, more: Box::default() }
    }

    /// A refusal of a message: with 400, and an error of JSON-RPC under this id.
    pub fn message(rpc: i64, id: &Value, code: &str, detail: impl Into<String>) -> Self {
        let status = if rpc == NO_METHOD { StatusCode::NOT_FOUND } else { StatusCode::BAD_REQUEST };
        Self::new(status, code, detail).under(rpc, id)
    }

    /// The same refusal as an answer to a message.
    pub fn under(mut self, rpc: i64, id: &Value) -> Self {
        self.more.rpc = Some((rpc, id.clone()));
        self
    }

    /// With another status.
    pub const fn status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    /// Whether it says that this caller may not, and not only that nobody can tell.
    pub fn is_of_caller(&self) -> bool {
        matches!(self.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
    }

    /// With a member of the error's data.
    pub fn data(mut self, name: &str, value: Value) -> Self {
        self.more.data.insert(name.to_owned(), value);
        self
    }

    /// With a header.
    pub fn header(mut self, name: header::HeaderName, value: impl Into<String>) -> Self {
        self.more.headers.push((name, value.into()));
        self
    }

    /// Nobody known: where to get a token that is good here. `known`: there was one, and it is not.
    pub fn challenge(metadata: &Metadata, code: &str, detail: &str, was_there: bool) -> Self {
        let error = was_there.then_some("invalid_token");
        Self::new(StatusCode::UNAUTHORIZED, code, detail)
            .header(header::WWW_AUTHENTICATE, metadata.challenge(error))
            .header(header::CACHE_CONTROL, "no-store")
    }

    /// What the gate says of who calls. INVARIANT (R8): away means that nobody is known.
    pub fn of_gate(failure: &Failure, metadata: &Metadata) -> Self {
        match failure {
            Failure::Refused(problem) if problem.status == 401 => {
                Self::challenge(metadata, &problem.code, &problem.detail, true)
            }
            Failure::Refused(problem) if problem.status == 403 => {
                Self::new(StatusCode::FORBIDDEN, &problem.code, problem.detail.clone())
            }
            // It answered: the caller's own words were at fault.
            Failure::Refused(problem) if (400..500).contains(&problem.status) => {
                let status = StatusCode::from_u16(problem.status).unwrap_or(StatusCode::BAD_REQUEST);
                Self::new(status, &problem.code, problem.detail.clone())
            }
            Failure::TooOften(problem, seconds) => {
                Self::new(StatusCode::TOO_MANY_REQUESTS, &problem.code, problem.detail.clone())
                    .header(header::RETRY_AFTER, seconds.to_string())
            }
            other => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                other.code(),
                "the gate that must know who calls does not answer, so nobody is known",
            ),
        }
    }

    fn body(&self) -> (&'static str, String) {
        let Some((rpc, id)) = &self.more.rpc else {
            let mut problem = json!({
                "type": "about:blank", "title": self.status.canonical_reason().unwrap_or_default(),
                "status": self.status.as_u16(), "detail": self.detail, "code": self.code,
            });
            if let (Some(members), Some(help)) = (problem.as_object_mut(), &self.help) {
                members.insert("help".to_owned(), help.clone().into());
            }
            return ("application/problem+json", problem.to_string());
        };
        let mut data = self.more.data.clone();
        data.insert("reason".to_owned(), self.code.clone().into());
        if let Some(help) = &self.help {
            data.insert("help".to_owned(), help.clone().into());
        }
        let error = json!({"code": rpc, "message": self.detail, "data": data});
        ("application/json", json!({"jsonrpc": "2.0", "id": id, "error": error}).to_string())
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        let (kind, body) = self.body();
        let mut response = (self.status, [(header::CONTENT_TYPE, kind)], body).into_response();
        for (name, value) in self.more.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().insert(name, value);
            }
        }
        response
    }
}
