//! Findings: which a list shows, what its address says, and the words for what the gate tells in codes.

use proviso_api::findings::{EvidenceClass, FindingKind, FindingLine, FindingOutcome, FindingState};
use proviso_api::operations::ExecutionPhase;

/// Which states a list shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Show {
    /// What is not resolved.
    #[default]
    Unresolved,
    /// What nobody looks at yet.
    Open,
    /// What somebody looks at.
    Acknowledged,
    /// What is over.
    Resolved,
}

impl Show {
    /// All of them, in their order.
    pub const ALL: [Self; 4] = [Self::Unresolved, Self::Open, Self::Acknowledged, Self::Resolved];

    /// The word in addresses.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unresolved => "unresolved",
            Self::Open => "open",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }

    /// What the tab says.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Unresolved => "Not resolved",
            Self::Open => "Open",
            Self::Acknowledged => "Looked at",
            Self::Resolved => "Resolved",
        }
    }

    /// What an address names; what is not resolved for anything else.
    pub fn from_word(word: &str) -> Self {
        Self::ALL.into_iter().find(|show| show.word() == word).unwrap_or_default()
    }
}

/// The kind that an address names.
pub fn kind_from_word(word: &str) -> Option<FindingKind> {
    FindingKind::ALL.into_iter().find(|kind| kind.word() == word)
}

/// The page's address.
pub fn address(show: Show, kind: Option<FindingKind>) -> String {
    format!("/findings{}", query("state", show, kind, Show::default()))
}

/// What the gate is asked for.
pub fn wanted(show: Show, kind: Option<FindingKind>) -> String {
    let state = format!("?state={}", show.word());
    kind.map_or(state.clone(), |kind| format!("{state}&kind={}", kind.word()))
}

fn query(name: &str, show: Show, kind: Option<FindingKind>, without: Show) -> String {
    let state = (show != without).then(|| format!("{name}={}", show.word()));
    let kind = kind.map(|kind| format!("kind={}", kind.word()));
    let pairs: Vec<String> = state.into_iter().chain(kind).collect();
    if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) }
}

/// What a kind is called.
pub const fn kind(kind: FindingKind) -> &'static str {
    match kind {
        FindingKind::RanWithoutDecision => "ran without a decision",
        FindingKind::RanAfterDenial => "ran after a denial",
        FindingKind::OutsideConditions => "not what was allowed",
        FindingKind::AfterExpiry => "ran after expiry",
        FindingKind::AfterRevocation => "ran after a revoke",
        FindingKind::MoreOften => "ran more often",
        FindingKind::NeverRan => "permitted, never ran",
        FindingKind::GrantNeverUsed => "grant never used",
        FindingKind::OutcomeUnknown => "outcome unknown",
        FindingKind::SeveralTasks => "several tasks at once",
        FindingKind::SeveralHosts => "several hosts at once",
        FindingKind::ClonedPasskey => "copied passkey",
    }
}

/// What evidence is worth.
pub const fn class(class: EvidenceClass) -> &'static str {
    match class {
        EvidenceClass::Reported => "reported",
        EvidenceClass::Observed => "observed",
        EvidenceClass::SystemOfRecord => "system of record",
    }
}

/// How a finding stands, in a word.
pub const fn state(line: &FindingLine) -> &'static str {
    match (line.state, line.outcome) {
        (FindingState::Open, _) => "open",
        (FindingState::Acknowledged, _) => "looked at",
        (FindingState::Resolved, Some(FindingOutcome::Explained)) => "explained",
        (FindingState::Resolved, Some(FindingOutcome::Expected)) => "as it should be",
        (FindingState::Resolved, Some(FindingOutcome::Fixed)) => "put right",
        (FindingState::Resolved, Some(FindingOutcome::Misuse)) => "misuse",
        (FindingState::Resolved, None) => "resolved",
    }
}

/// The chip's tone.
pub const fn tone(line: &FindingLine) -> &'static str {
    match (line.state, line.outcome) {
        (FindingState::Open, _) => "chip state-requested",
        (FindingState::Resolved, Some(FindingOutcome::Misuse)) => "chip state-denied",
        (FindingState::Acknowledged | FindingState::Resolved, _) => "chip",
    }
}

/// What is said of a call.
pub const fn phase(phase: ExecutionPhase) -> &'static str {
    match phase {
        ExecutionPhase::Sending => "about to be sent",
        ExecutionPhase::Executed => "ran",
        ExecutionPhase::Failed => "ran, with an error",
        ExecutionPhase::OutcomeUnknown => "begun, outcome unknown",
    }
}

/// How a person can resolve a finding: the word on the button.
pub const OUTCOMES: [(FindingOutcome, &str); 3] = [
    (FindingOutcome::Expected, "As it should be"),
    (FindingOutcome::Fixed, "Put right"),
    (FindingOutcome::Misuse, "Misuse"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_what_the_list_shows_and_is_read_again() {
        for (show, kind, address_of, wanted_of) in [
            (Show::Unresolved, None, "/findings", "?state=unresolved"),
            (Show::Resolved, None, "/findings?state=resolved", "?state=resolved"),
            (
                Show::Unresolved,
                Some(FindingKind::NeverRan),
                "/findings?kind=never_ran",
                "?state=unresolved&kind=never_ran",
            ),
            (
                Show::Open,
                Some(FindingKind::MoreOften),
                "/findings?state=open&kind=more_often",
                "?state=open&kind=more_often",
            ),
        ] {
            assert_eq!((address(show, kind), wanted(show, kind)), (address_of.to_owned(), wanted_of.to_owned()));
            assert_eq!(Show::from_word(show.word()), show);
        }
        assert_eq!(Show::from_word("gone"), Show::Unresolved);
        assert_eq!(kind_from_word("gone"), None);
        for one in FindingKind::ALL {
            assert_eq!(kind_from_word(one.word()), Some(one));
            assert!(!kind(one).is_empty());
        }
    }
}
