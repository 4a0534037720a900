//! What went wrong between page and gate, in words that say what to do.

use proviso_api::problem::Problem;

use super::passkeys::refusal;

/// Why an API call gave no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ApiError {
    /// Nothing came back: the network is cut or the gate is down.
    Unreachable,
    /// It broke off in the middle: what came is not the whole.
    CutOff,
    /// The gate refused, with its stable code and its remedy.
    Refused(Problem),
    /// The browser's authenticator gave no answer; the browser's name for why.
    Authenticator(String),
    /// Something else than the API's JSON came back, with this HTTP status.
    Unreadable(u16),
}

impl ApiError {
    /// The stable code.
    pub fn code(&self) -> &str {
        match self {
            Self::Unreachable => "unreachable",
            Self::CutOff => "cut_off",
            Self::Authenticator(_) => "authenticator",
            Self::Refused(problem) => &problem.code,
            Self::Unreadable(_) => "unreadable_answer",
        }
    }

    /// Whether it means that nobody is signed in.
    pub const fn is_signed_out(&self) -> bool {
        match self {
            Self::Refused(problem) => problem.status == 401,
            Self::Unreadable(status) => *status == 401,
            Self::Unreachable | Self::CutOff | Self::Authenticator(_) => false,
        }
    }

    /// Whether it says that what was voted on is not what stands now.
    pub fn is_stale(&self) -> bool {
        self.code() == "stale_sheet"
    }

    /// What is wrong, in one sentence.
    pub fn what(&self) -> String {
        match self {
            Self::Unreachable => "The gate does not answer.".into(),
            Self::CutOff => "The gate broke off in the middle: what came is not the whole, and was not kept.".into(),
            Self::Authenticator(name) => refusal(name).0.into(),
            Self::Refused(problem) => sentence(&problem.detail),
            Self::Unreadable(status) => format!("The gate answered {status} with something that is not its API."),
        }
    }

    /// What to do about it.
    pub fn help(&self) -> Option<String> {
        match self {
            Self::Unreachable => Some("Check the connection; the page asks again by itself.".into()),
            Self::CutOff => {
                Some("Look whether you are still signed in; else the operator runs `proviso audit verify`.".into())
            }
            Self::Authenticator(name) => Some(refusal(name).1.into()),
            Self::Refused(problem) => problem.help.as_deref().map(sentence),
            Self::Unreadable(_) => Some("Look whether a proxy stands between this page and the gate.".into()),
        }
    }
}

/// An error's or help's text as a sentence: a capital first, a full stop last.
pub fn sentence(text: &str) -> String {
    let mut characters = text.trim().chars();
    let Some(first) = characters.next() else { return String::new() };
    let mut said: String = first.to_uppercase().chain(characters).collect();
    if !said.ends_with(['.', '!', '?']) {
        said.push('.');
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(status: u16, code: &str) -> ApiError {
        ApiError::Refused(Problem {
            kind: "about:blank".into(),
            title: "x".into(),
            status,
            detail: "the exception is closed".into(),
            code: code.into(),
            help: Some("look at its history".into()),
        })
    }

    #[test]
    fn a_refusal_is_told_in_sentences_with_its_remedy() {
        let error = refused(409, "closed");
        assert_eq!(error.what(), "The exception is closed.");
        assert_eq!(error.help().as_deref(), Some("Look at its history."));
        assert_eq!(error.code(), "closed");
    }

    #[test]
    fn only_401_means_signed_out_and_only_stale_sheet_means_stale() {
        assert!(refused(401, "no_session").is_signed_out());
        assert!(ApiError::Unreadable(401).is_signed_out());
        assert!(!refused(403, "x").is_signed_out() && !ApiError::Unreachable.is_signed_out());
        assert!(refused(409, "stale_sheet").is_stale() && !refused(409, "closed").is_stale());
    }
}
