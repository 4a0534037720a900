//! What a reason is called, what it means and what to do about it: the one table for API, command line, proxy and page.
//!
//! A sentence is in lower case, without a full stop, and true whoever reads it: an agent, its operator, an approver. No
//! text from outside stands in one (R11).

use super::Reason;

/// What a code of a reply's `reason` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Words {
    /// What it means, in one sentence.
    pub sentence: &'static str,
    /// What to do about it; nothing where the call is permitted.
    pub help: Option<&'static str>,
}

/// ARAP's words for a denied call that brought an approval: code, sentence, remedy.
const OF_APPROVALS: [(&str, &str, &str); 5] = [
    ("approval_expired", "what was approved is over", "request it again where that is offered, else go on without it"),
    (
        "out_of_scope",
        "what was approved does not cover this",
        "make the call that was approved, or request this one where that is offered",
    ),
    (
        "grant_pending",
        "what was approved begins later",
        "make the call again then: `retry_after` says in how many seconds",
    ),
    (
        "policy_denied",
        "a rule, a lock or the gate's own doubt stands against this now, whatever was approved",
        "leave it for now",
    ),
    (
        "approval_unverifiable",
        "the approval that came with this counts for nothing",
        "bring the approval as the gate gave it, unaltered, or leave it out",
    ),
];

/// What a code of a reply's `reason` says: an outcome's, or ARAP's on a call that brought an approval.
pub fn words_of(code: &str) -> Option<Words> {
    let of_approval = || {
        let (_, sentence, help) = OF_APPROVALS.into_iter().find(|(known, ..)| *known == code)?;
        Some(Words { sentence, help: Some(help) })
    };
    let reason = Reason::of_code(code);
    reason.map(|reason| Words { sentence: reason.sentence(), help: reason.help() }).or_else(of_approval)
}

impl Reason {
    /// All of them.
    pub const ALL: [Self; 20] = [
        Self::Scope,
        Self::Exception,
        Self::ApprovalRequired,
        Self::NotPermitted,
        Self::Guardrail,
        Self::GuardrailError,
        Self::Chain,
        Self::Locked,
        Self::BadInput,
        Self::UnknownAction,
        Self::UnknownType,
        Self::UnknownEntity,
        Self::UnknownVersion,
        Self::TermsUnavailable,
        Self::BindingRequired,
        Self::Limit,
        Self::RecordUnavailable,
        Self::Contended,
        Self::ClockUnsafe,
        Self::CopyLate,
    ];

    /// The reason with this code.
    pub fn of_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.code() == code)
    }

    /// Its stable code, as JSON has it.
    pub const fn code(self) -> &'static str {
        self.words().0
    }

    /// What it means, in one sentence.
    pub const fn sentence(self) -> &'static str {
        self.words().1
    }

    /// What to do about it; nothing where the call is permitted.
    pub const fn help(self) -> Option<&'static str> {
        self.words().2
    }

    /// Code, sentence and remedy.
    const fn words(self) -> (&'static str, &'static str, Option<&'static str>) {
        match self {
            Self::Scope => ("scope", "delegated scope permits this", None),
            Self::Exception => ("exception", "a live exception permits this", None),
            Self::ApprovalRequired => (
                "approval_required",
                "this needs an approval first",
                Some("request it with a justification, wait for the approval, then make the same call again"),
            ),
            Self::NotPermitted => (
                "not_permitted",
                "nothing permits this, and it cannot be requested",
                Some("go on without it: only another policy would permit it"),
            ),
            Self::Guardrail => (
                "guardrail",
                "a guardrail forbids this, and no approval can lift that",
                Some("do not ask for it, and do not try another way to the same end"),
            ),
            Self::GuardrailError => (
                "guardrail_error",
                "a guardrail could not be evaluated, so this is refused, and no approval can lift that",
                Some("do not ask for it; the author of the bundle mends the guardrail"),
            ),
            Self::Chain => (
                "chain",
                "someone on whose behalf this is asked may not do it",
                Some("go on without it, or act on behalf of somebody who may do it"),
            ),
            Self::Locked => ("locked", "a lock stops this", Some("leave it until the lock is lifted")),
            Self::BadInput => (
                "bad_input",
                "the arguments are not what this action takes",
                Some("send arguments as the tool's schema takes them, and paths that are absolute and in normal form"),
            ),
            Self::UnknownAction => (
                "unknown_action",
                "the policy does not know this action for this subject and resource",
                Some("take action and types from the bundle's schema: what it does not know cannot be approved"),
            ),
            Self::UnknownType => {
                ("unknown_type", "the policy does not know this type", Some("take the type from the bundle's schema"))
            }
            Self::UnknownEntity => (
                "unknown_entity",
                "the policy knows too little about an entity of this call",
                Some("name one that the bundle's entities hold"),
            ),
            Self::UnknownVersion => (
                "unknown_version",
                "the question has a version that this gate does not speak",
                Some("use a client and a module of the gate's own release"),
            ),
            Self::TermsUnavailable => (
                "terms_unavailable",
                "this gate cannot check, or tell apart, what an approval would demand",
                Some("go on without it until the policy demands what the gate can check"),
            ),
            Self::BindingRequired => (
                "binding_required",
                "this takes a credential that is bound to a key, and the one that was shown is not",
                Some("show a token that is bound by DPoP or to a client certificate, with its proof"),
            ),
            Self::Limit => (
                "limit",
                "the evaluation ran into a limit, so this is refused",
                Some("try again later; if it stays so, the operator looks at the gate's log"),
            ),
            Self::RecordUnavailable => (
                "record_unavailable",
                "the record could not be written, so this is refused",
                Some("try again later; if it stays so, the operator looks at the gate's log and disk"),
            ),
            Self::Contended => {
                ("contended", "what this depends on kept changing, so this is refused", Some("make the call again"))
            }
            Self::ClockUnsafe => (
                "clock_unsafe",
                "the gate cannot trust its clock, so exceptions are suspended",
                Some("try again later; the operator sets the clock right and runs `proviso trust-clock`"),
            ),
            Self::CopyLate => (
                "copy_late",
                "no copy of the record held this in time, as policy demands, so this is refused",
                Some(
                    "make the call again later; an approver may give the use back, and the operator looks at the copies",
                ),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn a_code_is_what_json_says_and_leads_back_to_its_reason() {
        for reason in Reason::ALL {
            assert_eq!(serde_json::to_value(reason).unwrap(), reason.code());
            assert_eq!(Reason::of_code(reason.code()), Some(reason));
        }
        assert_eq!(Reason::ALL.map(Reason::code).into_iter().collect::<BTreeSet<_>>().len(), Reason::ALL.len());
        assert_eq!(Reason::of_code("granted"), None);
    }

    #[test]
    fn every_denial_has_a_remedy_and_every_text_is_part_of_a_sentence() {
        for reason in Reason::ALL {
            let permits = matches!(reason, Reason::Scope | Reason::Exception);
            assert_eq!(reason.help().is_none(), permits, "{reason:?}");
        }
        for code in Reason::ALL.map(Reason::code).into_iter().chain(OF_APPROVALS.map(|(code, ..)| code)) {
            let words = words_of(code).unwrap();
            for text in [Some(words.sentence), words.help].into_iter().flatten() {
                assert!(text.starts_with(|first: char| first.is_lowercase()) && !text.ends_with('.'), "{text}");
            }
        }
        assert_eq!(words_of("granted"), None);
    }
}
