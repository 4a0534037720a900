//! Why a use case did not answer: everything that is not a decision.

use thiserror::Error;

use crate::remedies::remedy;

/// What kind of refusal it is. `http` turns it into a status, the command line into an exit code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefusalKind {
    /// What was sent makes no sense.
    BadRequest,
    /// Nobody knows who asks.
    Unauthenticated,
    /// Who asks may not.
    Forbidden,
    /// There is no such thing.
    NotFound,
    /// It does not fit what is there now.
    Conflict,
    /// It was, and is over.
    Gone,
    /// Too many bytes.
    TooLarge,
    /// Too many at once.
    TooMany,
    /// The gate cannot answer now, and nothing was changed.
    Unavailable,
}

/// A refusal with a stable code, the same in API, command line and page.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{detail}")]
pub struct Refusal {
    /// A stable snake_case code.
    pub code: &'static str,
    /// What kind.
    pub kind: RefusalKind,
    /// What is wrong here, one sentence.
    pub detail: String,
    /// What to do about it.
    pub help: Option<String>,
    /// In how many seconds it is worth asking again.
    pub retry_after: Option<u32>,
}

impl Refusal {
    /// A refusal with its code's remedy.
    pub fn new(kind: RefusalKind, code: &'static str, detail: impl Into<String>) -> Self {
        Self { code, kind, detail: detail.into(), help: remedy(code).map(str::to_owned), retry_after: None }
    }

    /// With what to do about it here.
    #[must_use]
    pub fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// With when it is worth asking again, in seconds.
    #[must_use]
    pub const fn retry_after(mut self, seconds: u32) -> Self {
        self.retry_after = Some(seconds);
        self
    }

    /// What was sent makes no sense.
    pub fn bad(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(RefusalKind::BadRequest, code, detail)
    }

    /// Who asks may not.
    pub fn forbidden(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(RefusalKind::Forbidden, code, detail)
    }

    /// It does not fit what is there now.
    pub fn conflict(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(RefusalKind::Conflict, code, detail)
    }

    /// There is no such thing, or it is not for this caller: the two look the same.
    pub fn not_found(code: &'static str, detail: impl Into<String>) -> Self {
        Self::new(RefusalKind::NotFound, code, detail)
    }

    /// The record could not be written (R1).
    pub fn record_unavailable() -> Self {
        Self::new(
            RefusalKind::Unavailable,
            "record_unavailable",
            "the record could not be written, so nothing was done",
        )
        .help("ask again; if it stays so, the operator looks at the gate's disk")
    }
}
