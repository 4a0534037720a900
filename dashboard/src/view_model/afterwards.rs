//! What is said of an exception once it is over: dispositions by one key, reviews, and the lists of what is missing.

use std::collections::BTreeSet;

use policy_core::lifecycle::{Disposition, ReviewKind, ReviewOutcome};
use proviso_api::exceptions::{ExceptionLine, UseLine};
use proviso_api::operations::ExecutionPhase;

/// The dispositions by their keys, `1` first: the word on the button, and what it says of policy.
pub const DISPOSITIONS: [(Disposition, &str, &str); 5] = [
    (Disposition::OneOff, "one-off", "it will not come again"),
    (Disposition::PolicyTooNarrow, "policy too narrow", "policy should have permitted it"),
    (Disposition::PolicyTooWide, "policy too wide", "policy should not let it be asked"),
    (Disposition::AskedByMistake, "asked by mistake", "it was not what the agent needed"),
    (Disposition::Abuse, "abuse", "it was an attempt to misuse"),
];

/// What a review can find: the word on the button, and whether it takes a note.
pub const OUTCOMES: [(ReviewOutcome, &str, bool); 3] = [
    (ReviewOutcome::Appropriate, "Appropriate", false),
    (ReviewOutcome::Excessive, "Excessive", true),
    (ReviewOutcome::Abuse, "Abuse", true),
];

/// A disposition's word.
pub fn word(disposition: Disposition) -> &'static str {
    DISPOSITIONS.iter().find(|(known, _, _)| *known == disposition).map_or("judged", |(_, word, _)| word)
}

/// Why there is a review.
pub const fn kind(kind: ReviewKind) -> &'static str {
    match kind {
        ReviewKind::AfterUse => "after use",
        ReviewKind::Emergency => "emergency",
    }
}

/// The list to judge, as it goes on: what was touched here stays where it is, judged or not, and what is new comes below
/// it. Only what somebody else has judged goes.
pub fn merged(shown: &[ExceptionLine], fresh: &[ExceptionLine], touched: &BTreeSet<String>) -> Vec<ExceptionLine> {
    let among = |lines: &[ExceptionLine], id: &str| lines.iter().any(|line| line.id == id);
    let stays = shown.iter().filter(|line| touched.contains(&line.id) || among(fresh, &line.id));
    let new = fresh.iter().filter(|line| !among(shown, &line.id));
    stays.chain(new).cloned().collect()
}

/// The uses of which nobody knows how they ended, each with what is known.
pub fn open_ended(uses: &[UseLine]) -> Vec<(UseLine, &'static str)> {
    let known = |line: &UseLine| match line.reported {
        None => Some("consumed, never reported"),
        Some(ExecutionPhase::OutcomeUnknown) => Some("begun, its outcome is unknown"),
        Some(ExecutionPhase::Sending | ExecutionPhase::Executed | ExecutionPhase::Failed) => None,
    };
    let kept = uses.iter().filter(|line| !line.given_back);
    kept.filter_map(|line| Some((line.clone(), known(line)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::view_model::samples;

    fn line(id: &str) -> ExceptionLine {
        samples::line(id, "exhausted", false)
    }

    fn ids(lines: &[ExceptionLine]) -> Vec<&str> {
        lines.iter().map(|line| line.id.as_str()).collect()
    }

    #[test]
    fn every_disposition_has_its_key_and_its_word() {
        let all: std::collections::BTreeSet<_> = DISPOSITIONS.iter().map(|(disposition, _, _)| *disposition).collect();
        assert_eq!(all.len(), DISPOSITIONS.len());
        assert_eq!(word(Disposition::Abuse), "abuse");
    }

    #[test]
    fn a_use_is_listed_until_somebody_says_how_it_ended() {
        let used = |reported, given_back| {
            let at = policy_core::time::Timestamp::from_millis(0);
            [UseLine { evaluation: "e".to_owned(), call: "c".to_owned(), at, reported, given_back }]
        };
        let told = |uses: &[UseLine]| open_ended(uses).first().map(|(_, known)| *known);
        assert_eq!(told(&used(None, false)), Some("consumed, never reported"));
        assert_eq!(told(&used(None, true)), None);
        assert_eq!(told(&used(Some(ExecutionPhase::OutcomeUnknown), false)), Some("begun, its outcome is unknown"));
        for phase in [ExecutionPhase::Sending, ExecutionPhase::Executed, ExecutionPhase::Failed] {
            assert_eq!(told(&used(Some(phase), false)), None, "{phase:?}");
        }
    }

    #[test]
    fn a_list_to_judge_moves_nothing_under_the_hand() {
        let shown = [line("a"), line("b"), line("c")];
        let touched = BTreeSet::from(["b".to_owned()]);
        // b was judged here, c by somebody else, and d is new.
        let fresh = [line("d"), line("a")];
        assert_eq!(ids(&merged(&shown, &fresh, &touched)), ["a", "b", "d"]);
        assert_eq!(ids(&merged(&[], &fresh, &touched)), ["d", "a"]);
    }
}
