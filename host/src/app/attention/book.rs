//! What each person has decided today, folded from votes.

use std::collections::{BTreeMap, BTreeSet};

use policy_core::entity::EntityRef;
use policy_core::lifecycle::Event;
use policy_core::time::{Span, Timestamp};
use serde::{Deserialize, Serialize};

/// A day, in milliseconds.
const DAY: i64 = 86_400_000;

/// Who voted on how many requests on the newest day on which they voted. A day begins at midnight UTC.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Book {
    #[serde(with = "crate::pairs")]
    voted: BTreeMap<EntityRef, (i64, BTreeSet<String>)>,
}

impl Book {
    /// Takes an event of an exception. Several votes on one are one look.
    pub fn follow(&mut self, exception: &str, event: &Event) {
        let Event::VoteCast { vote } = event else { return };
        let day = day_of(vote.at);
        let (of, voted) = self.voted.entry(vote.person.clone()).or_insert_with(|| (day, BTreeSet::new()));
        if *of != day {
            *of = day;
            voted.clear();
        }
        voted.insert(exception.to_owned());
    }

    /// On how many requests somebody has voted on the day of `now`.
    pub fn decided(&self, person: &EntityRef, now: Timestamp) -> u32 {
        let today = self.voted.get(person).filter(|(day, _)| *day == day_of(now));
        today.map_or(0, |(_, voted)| u32::try_from(voted.len()).unwrap_or(u32::MAX))
    }
}

const fn day_of(at: Timestamp) -> i64 {
    at.millis().div_euclid(DAY)
}

/// When the day of `now` is over.
pub(super) fn midnight(now: Timestamp) -> Timestamp {
    Timestamp::from_millis(day_of(now).saturating_mul(DAY)).plus(Span::from_seconds(86_400))
}

#[cfg(test)]
mod tests {
    use policy_core::digest::Digest;
    use policy_core::lifecycle::{Vote, VoteDecision};

    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn vote(person: &str, when: &str) -> Event {
        Event::VoteCast {
            vote: Box::new(Vote {
                person: EntityRef::new("User", person),
                decision: VoteDecision::Refuse,
                version: 1,
                sheet: Digest::of(b"sheet"),
                as_of: 1,
                reason: "no".to_owned(),
                assurance: "link".to_owned(),
                groups: Vec::new(),
                inside: false,
                proof: policy_core::presence::Proof::Session,
                at: at(when),
                withdrawn: None,
            }),
        }
    }

    #[test]
    fn a_day_counts_requests_and_not_votes_and_ends_at_midnight() {
        let (mut book, mara) = (Book::default(), EntityRef::new("User", "mara"));
        for (exception, when) in
            [("a", "2026-11-22T08:00:00Z"), ("a", "2026-11-22T09:00:00Z"), ("b", "2026-11-22T23:59:59Z")]
        {
            book.follow(exception, &vote("mara", when));
        }
        let late = at("2026-11-22T23:59:59.999Z");
        assert_eq!(book.decided(&mara, late), 2);
        assert_eq!(book.decided(&EntityRef::new("User", "ola"), late), 0);
        assert_eq!(midnight(late), at("2026-11-23T00:00:00Z"));
        assert_eq!(book.decided(&mara, midnight(late)), 0, "another day");
        book.follow("c", &vote("mara", "2026-11-23T00:00:00Z"));
        assert_eq!(book.decided(&mara, at("2026-11-23T01:00:00Z")), 1);
    }
}
