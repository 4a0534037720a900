//! What became of the like, in words.

use policy_core::lifecycle::VoteDecision;
use proviso_api::past::PastCounts;

/// The most important thing first.
pub fn headline(counts: &PastCounts) -> String {
    match counts.asked {
        0 => "Nobody has asked for the like before.".into(),
        1 => "The like was asked for once before.".into(),
        times => format!("The like was asked for {times} times before."),
    }
}

/// The counts in one sentence; what did not happen is left out.
pub fn told(counts: &PastCounts) -> String {
    let parts = [
        (counts.granted, "granted"),
        (counts.refused, "refused"),
        (counts.undecided, "not decided"),
        (counts.used, "used"),
        (counts.unused, "ended without a use"),
        (counts.revoked, "taken away"),
        (counts.found_wanting, "found wanting in a review"),
        (counts.findings, "with a finding afterwards"),
    ];
    let told: Vec<String> =
        parts.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    if told.is_empty() { String::new() } else { format!("{}.", told.join(", ")) }
}

/// What somebody decided.
pub const fn decided(decision: VoteDecision) -> &'static str {
    match decision {
        VoteDecision::Approve => "approved",
        VoteDecision::Refuse => "refused",
        VoteDecision::Ask => "asked",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_did_not_happen_is_not_told() {
        let counts = PastCounts { asked: 5, granted: 3, refused: 1, unused: 2, ..PastCounts::default() };
        assert_eq!(headline(&counts), "The like was asked for 5 times before.");
        assert_eq!(told(&counts), "3 granted, 1 refused, 2 ended without a use.");
        assert_eq!(told(&PastCounts::default()), "");
        assert!(headline(&PastCounts { asked: 1, ..PastCounts::default() }).contains("once"));
        for decision in [VoteDecision::Approve, VoteDecision::Refuse, VoteDecision::Ask] {
            assert!(!decided(decision).is_empty());
        }
    }
}
