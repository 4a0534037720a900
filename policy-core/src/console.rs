//! What people do in Proviso itself: the actions that a bundle's `console/` decides about, in the order of what they
//! touch. Server, page and command line call them by the same words.

use serde::{Deserialize, Serialize};

/// One thing that a signed-in person may do, or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Act {
    /// See requests, grants, locks, reviews and owners, without arguments.
    View,
    /// See what calls are made with, and what was said of them.
    ViewArguments,
    /// Read the record: what happened, findings, receipts, tiles.
    ViewRecord,
    /// Take the record away as a file.
    Export,
    /// Decide on requests: vote, confirm, declare an emergency, give a use back, hand a request on, name a deputy.
    Vote,
    /// Answer what a vote asks, and renew, for an agent that is theirs.
    Answer,
    /// Judge what is over: close a review, say what it was.
    Review,
    /// Look after findings.
    Investigate,
    /// Give what they own to somebody else.
    HandOver,
    /// Take grants away, and end tasks.
    Revoke,
    /// Lock.
    Lock,
    /// Lift locks.
    Unlock,
    /// Look after the gate itself: what could not be delivered.
    Operate,
    /// Make another bundle the active one.
    Activate,
    /// Take texts out of the record for good.
    Erase,
    /// Look after people: who signs in, and as whom.
    Administer,
}

impl Act {
    /// All of them.
    pub const ALL: [Self; 16] = [
        Self::View,
        Self::ViewArguments,
        Self::ViewRecord,
        Self::Export,
        Self::Vote,
        Self::Answer,
        Self::Review,
        Self::Investigate,
        Self::HandOver,
        Self::Revoke,
        Self::Lock,
        Self::Unlock,
        Self::Operate,
        Self::Activate,
        Self::Erase,
        Self::Administer,
    ];

    /// The action's id in Cedar, `Proviso::Action::"…"`, and its word in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::View => "view",
            Self::ViewArguments => "view_arguments",
            Self::ViewRecord => "view_record",
            Self::Export => "export",
            Self::Vote => "vote",
            Self::Answer => "answer",
            Self::Review => "review",
            Self::Investigate => "investigate",
            Self::HandOver => "hand_over",
            Self::Revoke => "revoke",
            Self::Lock => "lock",
            Self::Unlock => "unlock",
            Self::Operate => "operate",
            Self::Activate => "activate",
            Self::Erase => "erase",
            Self::Administer => "administer",
        }
    }

    /// What somebody does by it, behind "may not".
    pub const fn says(self) -> &'static str {
        match self {
            Self::View => "see this",
            Self::ViewArguments => "see the arguments",
            Self::ViewRecord => "read the record",
            Self::Export => "export the record",
            Self::Vote => "decide on requests",
            Self::Answer => "answer for an agent or renew",
            Self::Review => "judge what is over",
            Self::Investigate => "look after findings",
            Self::HandOver => "hand over what is owned",
            Self::Revoke => "take grants away",
            Self::Lock => "lock",
            Self::Unlock => "lift locks",
            Self::Operate => "look after the gate",
            Self::Activate => "activate a bundle",
            Self::Erase => "erase from the record",
            Self::Administer => "look after people",
        }
    }

    /// Whether the groups that a sign-in brought count for it: to see, and to decide on requests, which terms count.
    ///
    /// INVARIANT (R4): who looks after gate, policies and people is by the bundle's own groups alone. What one person
    /// could do alone under the next bundle is told from those, before it is activated; whom a provider names, nobody
    /// knows by then.
    pub const fn takes_brought_groups(self) -> bool {
        matches!(self, Self::View | Self::ViewArguments | Self::ViewRecord | Self::Vote)
    }

    /// Whether it only stops something: what is in doubt is stopped all the same (R7).
    pub const fn is_stop(self) -> bool {
        matches!(self, Self::Revoke | Self::Lock)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_act_has_a_word_of_its_own_and_json_has_the_same() {
        let words: std::collections::BTreeSet<&str> = Act::ALL.into_iter().map(Act::word).collect();
        assert_eq!(words.len(), Act::ALL.len());
        for act in Act::ALL {
            assert_eq!(serde_json::to_value(act).unwrap(), act.word(), "{act:?}");
            assert!(!act.says().is_empty());
        }
        assert!(Act::ALL.into_iter().filter(|act| act.is_stop()).eq([Act::Revoke, Act::Lock]));
    }
}
