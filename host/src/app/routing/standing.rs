//! What the app believes of routing, folded from records.

use std::collections::{BTreeMap, BTreeSet};

use policy_core::entity::EntityRef;
use policy_core::sabotaged;
use policy_core::time::Timestamp;
use serde::{Deserialize, Serialize};

use super::event::{Deputyship, Notice, RoutingEvent};
use crate::app::attention::Book;

/// Who was told of what, and who stands in for whom.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Routing {
    told: BTreeMap<String, Told>,
    handovers: BTreeMap<String, Vec<Handover>>,
    deputies: BTreeMap<String, Deputy>,
    /// What each person has decided today.
    pub attention: Book,
    /// The newest epoch of which people were told.
    epoch_told: u64,
}

/// What was told of one exception.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Told {
    /// The last of request, half and nine tenths.
    pub stage: Option<Notice>,
    /// Whether it was told that an emergency was declared.
    pub emergency: bool,
    /// The groups that were told next.
    pub escalated: BTreeSet<String>,
    /// The votes that ask, of which it was told.
    pub questions: BTreeSet<u32>,
    /// Each notice, oldest first.
    pub notices: Vec<Sent>,
}

/// A notice that was sent.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Sent {
    /// Of what.
    pub notice: Notice,
    /// How many people.
    pub people: usize,
    /// Where its record stands.
    pub seq: u64,
    /// When.
    pub at: Timestamp,
}

/// A request that was handed over.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handover {
    /// Who handed over.
    pub from: EntityRef,
    /// To whom.
    pub to: EntityRef,
    /// Why.
    pub reason: String,
    /// When.
    pub at: Timestamp,
    /// Where its record stands.
    pub seq: u64,
}

/// A deputyship with its end.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Deputy {
    /// Who stands in for whom.
    pub deputyship: Deputyship,
    /// When somebody ended it.
    pub ended: Option<Timestamp>,
}

impl Deputy {
    /// Until when it holds.
    pub fn end(&self) -> Timestamp {
        self.ended.map_or(self.deputyship.until, |ended| ended.min(self.deputyship.until))
    }

    /// Whether it holds at an instant.
    pub fn holds(&self, now: Timestamp) -> bool {
        self.deputyship.from <= now && now < self.end()
    }

    /// Whether it held at any instant from `since` to `now`, both included. INVARIANT (R4): one that was ended in the very
    /// millisecond of a request held: nobody can tell which came first.
    fn held(&self, since: Timestamp, now: Timestamp) -> bool {
        let (from, end) = (self.deputyship.from, self.end());
        from <= end && from <= now && since <= end
    }
}

impl Routing {
    /// Folds the event of the ledger record `seq`. Returns the exception that it was about.
    pub fn apply(&mut self, seq: u64, event: RoutingEvent) -> Option<String> {
        match event {
            RoutingEvent::NotificationSent { exception, notice, people, at, .. } => {
                let told = self.told.entry(exception.clone()).or_default();
                match &notice {
                    Notice::Escalated { group } => drop(told.escalated.insert(group.clone())),
                    Notice::Emergency => told.emergency = true,
                    Notice::Question { vote } => drop(told.questions.insert(*vote)),
                    stage => told.stage = told.stage.take().max(Some(stage.clone())),
                }
                told.notices.push(Sent { notice, people: people.len(), at, seq });
                Some(exception)
            }
            RoutingEvent::RequestHandedOver { exception, from, to, reason, at } => {
                let handovers = self.handovers.entry(exception.clone()).or_default();
                handovers.push(Handover { from, to, reason, at, seq });
                Some(exception)
            }
            RoutingEvent::DeputyAppointed { deputyship, .. } => {
                self.deputies.insert(deputyship.id.clone(), Deputy { deputyship: *deputyship, ended: None });
                None
            }
            RoutingEvent::DeputyEnded { id, at, .. } => {
                if let Some(deputy) = self.deputies.get_mut(&id) {
                    deputy.ended.get_or_insert(at);
                }
                None
            }
            RoutingEvent::EpochTold { epoch, .. } => {
                self.epoch_told = self.epoch_told.max(epoch);
                None
            }
        }
    }

    /// Forgets an exception that was erased.
    pub fn forget(&mut self, exception: &str) {
        self.told.remove(exception);
        self.handovers.remove(exception);
    }

    /// The newest epoch of which people were told; none before the second.
    pub const fn epoch_told(&self) -> u64 {
        self.epoch_told
    }

    /// What was told of an exception.
    pub fn told(&self, exception: &str) -> Option<&Told> {
        self.told.get(exception)
    }

    /// How a request was handed over, oldest first.
    pub fn handovers(&self, exception: &str) -> &[Handover] {
        self.handovers.get(exception).map_or(&[], Vec::as_slice)
    }

    /// Every deputyship that was ever recorded.
    pub fn deputies(&self) -> impl Iterator<Item = &Deputy> {
        self.deputies.values()
    }

    /// One deputyship.
    pub fn deputy(&self, id: &str) -> Option<&Deputy> {
        self.deputies.get(id)
    }

    /// Who stands in for a person now.
    pub fn deputy_of(&self, absent: &EntityRef, now: Timestamp) -> Option<&EntityRef> {
        let standing = self.deputies().find(|deputy| deputy.deputyship.absent == *absent && deputy.holds(now));
        standing.map(|deputy| &deputy.deputyship.deputy)
    }

    /// For whom a person stood in at any instant from `since` to `now`.
    pub fn absent_for(&self, deputy: &EntityRef, since: Timestamp, now: Timestamp) -> impl Iterator<Item = &EntityRef> {
        let held = self.deputies().filter(move |one| one.deputyship.deputy == *deputy && one.held(since, now));
        held.map(|one| &one.deputyship.absent)
    }

    /// Who sits on the same seat of an exception's quorum as this person: whom the request was handed to or taken from,
    /// over any number of hands, and whom one stood in for, or who did, since it was asked.
    pub fn seat_mates(
        &self,
        exception: &str,
        person: &EntityRef,
        since: Timestamp,
        now: Timestamp,
    ) -> BTreeSet<EntityRef> {
        let mut seat = BTreeSet::from([person.clone()]);
        if sabotaged!("r4_two_on_a_seat") {
            return BTreeSet::new();
        }
        loop {
            let before = seat.len();
            for handover in self.handovers(exception) {
                if seat.contains(&handover.from) || seat.contains(&handover.to) {
                    seat.insert(handover.from.clone());
                    seat.insert(handover.to.clone());
                }
            }
            if seat.len() == before {
                break;
            }
        }
        for deputy in self.deputies().filter(|deputy| deputy.held(since, now)) {
            let Deputyship { absent, deputy, .. } = &deputy.deputyship;
            if absent == person {
                seat.insert(deputy.clone());
            } else if deputy == person {
                seat.insert(absent.clone());
            }
        }
        seat.remove(person);
        seat
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(id: &str) -> EntityRef {
        EntityRef::new("User", id)
    }

    fn at(minute: i64) -> Timestamp {
        Timestamp::from_millis(minute * 60_000)
    }

    fn appoint(routing: &mut Routing, id: &str, absent: &str, deputy: &str, from: i64, until: i64) {
        let deputyship = Deputyship {
            id: id.to_owned(),
            absent: user(absent),
            deputy: user(deputy),
            from: at(from),
            until: at(until),
            reason: "away".to_owned(),
        };
        routing.apply(0, RoutingEvent::DeputyAppointed { deputyship: Box::new(deputyship), at: at(from) });
    }

    #[test]
    fn a_deputy_stands_in_for_the_period_and_no_longer() {
        let mut routing = Routing::default();
        appoint(&mut routing, "d1", "mara", "ola", 10, 20);
        for (minute, stands) in [(9, false), (10, true), (19, true), (20, false)] {
            assert_eq!(routing.deputy_of(&user("mara"), at(minute)).is_some(), stands, "{minute}");
        }
        routing.apply(0, RoutingEvent::DeputyEnded { id: "d1".to_owned(), by: user("ola"), at: at(15) });
        assert_eq!(routing.deputy_of(&user("mara"), at(15)), None);
        assert_eq!(routing.deputy_of(&user("mara"), at(14)), Some(&user("ola")));
    }

    #[test]
    fn ending_a_deputyship_does_not_open_a_second_seat_for_what_was_asked_before() {
        let mut routing = Routing::default();
        appoint(&mut routing, "d1", "mara", "ola", 10, 20);
        routing.apply(0, RoutingEvent::DeputyEnded { id: "d1".to_owned(), by: user("ola"), at: at(15) });
        let mates = |person: &str, since, now| routing.seat_mates("exc", &user(person), at(since), at(now));
        assert_eq!(mates("mara", 12, 18), BTreeSet::from([user("ola")]));
        assert_eq!(mates("ola", 12, 18), BTreeSet::from([user("mara")]));
        // Asked after its end, or decided before its beginning.
        assert!(mates("mara", 16, 18).is_empty());
        assert!(mates("mara", 1, 9).is_empty());
        // In the very instant of its end.
        assert_eq!(mates("mara", 15, 18), BTreeSet::from([user("ola")]));
        // One that was called off before it began never held.
        let mut routing = Routing::default();
        appoint(&mut routing, "d1", "mara", "ola", 10, 20);
        routing.apply(0, RoutingEvent::DeputyEnded { id: "d1".to_owned(), by: user("mara"), at: at(5) });
        assert!(routing.seat_mates("exc", &user("mara"), at(1), at(18)).is_empty());
    }

    #[test]
    fn one_seat_stays_one_seat_over_any_number_of_hands() {
        let mut routing = Routing::default();
        for (from, to) in [("vera", "jun"), ("mara", "ola"), ("ola", "vera")] {
            routing.apply(
                0,
                RoutingEvent::RequestHandedOver {
                    exception: "exc".to_owned(),
                    from: user(from),
                    to: user(to),
                    reason: "yours".to_owned(),
                    at: at(1),
                },
            );
        }
        let mates = routing.seat_mates("exc", &user("mara"), at(0), at(2));
        assert_eq!(mates, ["jun", "ola", "vera"].map(user).into());
        assert!(routing.seat_mates("another", &user("mara"), at(0), at(2)).is_empty());
    }

    #[test]
    fn an_earlier_stage_never_comes_after_a_later_one() {
        let mut routing = Routing::default();
        for notice in [Notice::ReminderLast, Notice::Escalated { group: "security".to_owned() }, Notice::Requested] {
            routing.apply(
                0,
                RoutingEvent::NotificationSent {
                    exception: "exc".to_owned(),
                    notice,
                    groups: Vec::new(),
                    people: Vec::new(),
                    at: at(1),
                },
            );
        }
        let told = routing.told("exc").unwrap();
        assert_eq!(told.stage, Some(Notice::ReminderLast));
        assert_eq!(told.escalated, ["security".to_owned()].into());
    }
}
