//! Why something stays that was to be erased.

use serde::{Deserialize, Serialize};

/// A reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kept {
    /// A legal hold covers it.
    OnHold,
    /// It ended, or was written, less than eight days ago: the gate still looks at it.
    TooNew,
    /// The exception that it belongs to is not over.
    ExceptionOpen,
    /// Its exception waits for a review.
    ReviewOpen,
    /// A finding rests on it that is not resolved.
    FindingOpen,
    /// An exception that is not over renews it.
    Renewed,
    /// Somebody can still act in its task, and what was permitted there counts.
    TaskOpen,
    /// The credential, or a session that it made, is alive.
    CredentialLive,
    /// The first sign-in of an account: it says whose the account is, now and later.
    BindsAccount,
    /// What a person did for others: a vote, a lock, a look afterwards. It goes with the exception that it is part of.
    ActedForOthers,
    /// A record of the gate itself, such as an activation or a lock, speaks of them.
    NeverErased,
    /// Other records stand in the same stream that nothing is known of here.
    OtherRecords,
}

impl Kept {
    /// The word, as in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::OnHold => "on_hold",
            Self::TooNew => "too_new",
            Self::ExceptionOpen => "exception_open",
            Self::ReviewOpen => "review_open",
            Self::FindingOpen => "finding_open",
            Self::Renewed => "renewed",
            Self::TaskOpen => "task_open",
            Self::CredentialLive => "credential_live",
            Self::BindsAccount => "binds_account",
            Self::ActedForOthers => "acted_for_others",
            Self::NeverErased => "never_erased",
            Self::OtherRecords => "other_records",
        }
    }

    /// What it means, for people.
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::OnHold => "a legal hold covers them: `proviso hold list`",
            Self::TooNew => "they are younger than eight days, and the gate still looks at them",
            Self::ExceptionOpen => "their exception is not over",
            Self::ReviewOpen => "their exception waits for a review",
            Self::FindingOpen => "a finding rests on them that is not resolved",
            Self::Renewed => "an exception that is not over renews theirs",
            Self::TaskOpen => "their task is alive: `proviso task end`, or wait until its tokens have expired",
            Self::CredentialLive => "the credential, or a session that it made, is alive: `proviso token revoke`",
            Self::BindsAccount => "they are the first sign-ins of accounts, and say for good whose each of them is",
            Self::ActedForOthers => {
                "they say what the person did for others; they go with what they are part of, by age"
            }
            Self::NeverErased => "they are records of the gate itself, such as activations, locks and hand-overs",
            Self::OtherRecords => "they hang together with records that are never erased",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_word_is_that_of_json() {
        for word in [
            "on_hold",
            "too_new",
            "exception_open",
            "review_open",
            "finding_open",
            "renewed",
            "task_open",
            "credential_live",
            "binds_account",
            "acted_for_others",
            "never_erased",
            "other_records",
        ] {
            let kept: Kept = serde_json::from_value(serde_json::json!(word)).unwrap();
            assert_eq!(kept.word(), word);
        }
    }
}
