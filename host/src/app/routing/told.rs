//! Who is told: people who can decide, in the groups that policy names.

use std::collections::BTreeSet;

use policy_core::abi::Voter;
use policy_core::entity::EntityRef;
use policy_core::lifecycle::{Actor, Exception, Phase, allowed};
use policy_core::presence::Presence;
use policy_core::time::Timestamp;

use super::event::Notice;
use super::message::next_groups;
use crate::app::App;
use crate::app::refusal::Refusal;

/// How many people are told at most: who is told together with hundreds is not told.
const MOST_PEOPLE: usize = 500;

impl App {
    /// Who is told of a notice. Sorted.
    pub(super) async fn who_is_told(
        &self,
        exception: &Exception,
        notice: &Notice,
        groups: &[String],
        now: Timestamp,
    ) -> Result<Vec<EntityRef>, Refusal> {
        match notice {
            // Whoever else is told could answer nothing.
            Notice::Question { .. } => {
                let request = &exception.request;
                let people: BTreeSet<EntityRef> = request.owners.iter().chain([&request.requester]).cloned().collect();
                Ok(people.into_iter().take(MOST_PEOPLE).collect())
            }
            _ => self.who_decides(exception, notice, groups, now).await,
        }
    }

    /// The people of these groups, or without groups whoever may approve; without those who ask, own the agent or stand
    /// in the chain; for who is away the deputy; after a hand-over whom it was handed to; without who has decided enough
    /// today, where others are left. Sorted. A reminder leaves out who has voted.
    async fn who_decides(
        &self,
        exception: &Exception,
        notice: &Notice,
        groups: &[String],
        now: Timestamp,
    ) -> Result<Vec<EntityRef>, Refusal> {
        let mut people: Vec<EntityRef> = self.policy().people();
        people.truncate(MOST_PEOPLE.saturating_mul(20));
        let parties = self.parties(exception, now);
        people.retain(|person| !parties.contain(person) && self.is_present(person));
        if groups.is_empty() {
            people = self.may_approve(exception, people, now).await?;
        } else {
            people.retain(|person| self.policy().groups_of(person).iter().any(|group| groups.contains(group)));
        }
        let (people, stood_in) = self.in_their_place(exception, people, now);
        // Eligibility is nobody's to lend: who is told in another's place is told only of what they may decide themselves.
        let stood_in = if stood_in.is_empty() { stood_in } else { self.may_approve(exception, stood_in, now).await? };
        let mut people: BTreeSet<EntityRef> = people.into_iter().chain(stood_in).collect();
        if *notice != Notice::Requested {
            for vote in exception.votes.iter().filter(|vote| vote.stands_for_it()) {
                people.remove(&vote.person);
            }
        }
        let people = people.into_iter().take(MOST_PEOPLE).collect();
        self.with_attention(exception, people, next_groups(&exception.terms), now).await
    }

    /// Those who are told themselves, and who is told in another's place.
    fn in_their_place(
        &self,
        exception: &Exception,
        people: Vec<EntityRef>,
        now: Timestamp,
    ) -> (Vec<EntityRef>, Vec<EntityRef>) {
        let state = self.state();
        let handovers = state.routing.handovers(&exception.request.id);
        let (mut told, mut stood_in) = (Vec::new(), Vec::new());
        for person in people {
            let handed = handovers.iter().rev().find(|handover| handover.from == person || handover.to == person);
            let handed = handed.filter(|handover| handover.from == person).map(|handover| &handover.to);
            match handed.or_else(|| state.routing.deputy_of(&person, now)) {
                Some(other) => stood_in.push(other.clone()),
                None => told.push(person),
            }
        }
        (told, stood_in)
    }

    /// Those of them who may approve this, by policy and separation of duty, however strongly they sign in.
    pub(in crate::app) async fn may_approve(
        &self,
        exception: &Exception,
        mut people: Vec<EntityRef>,
        now: Timestamp,
    ) -> Result<Vec<EntityRef>, Refusal> {
        people.sort();
        people.dedup();
        let parties = self.parties(exception, now);
        people.retain(|person| !parties.contain(person));
        let assurance = self.policy().step_ups().last().cloned().unwrap_or_default();
        let voters = people.into_iter().take(MOST_PEOPLE);
        let voters = voters.map(|person| Voter::new(person, assurance.clone())).collect::<Vec<_>>();
        if voters.is_empty() {
            return Ok(Vec::new());
        }
        let answers = self.eligible(exception, voters, now).await?;
        Ok(answers.into_iter().filter(|answer| answer.eligible).map(|answer| answer.person).collect())
    }

    /// Who must not decide on it. Takes the state for a moment: whoever holds it must not ask.
    pub(super) fn parties(&self, exception: &Exception, now: Timestamp) -> Parties {
        let state = self.state();
        let mut owners = self.owners_in(&state, &exception.request.question.call.subject, now);
        owners.extend(self.owned_it_by_itself(&state, &exception.request.id, now));
        Parties { asked: Exception { phase: Phase::Requested, ..exception.clone() }, owners }
    }

    /// Every group that one of these people is in, sorted.
    pub(super) fn groups_of_all(&self, people: &[EntityRef]) -> Vec<String> {
        let groups: BTreeSet<String> = people.iter().flat_map(|person| self.policy().groups_of(person)).collect();
        groups.into_iter().collect()
    }
}

/// Who must not decide on an exception, whatever policy says (R4): who asks, who stands in the chain, and who owns the
/// agent or did in the 30 days before.
pub(super) struct Parties {
    /// As it was when it was asked: then nothing but separation of duty keeps an eligible person from refusing.
    asked: Exception,
    owners: Vec<EntityRef>,
}

impl Parties {
    /// Whether this is one of them.
    pub(super) fn contain(&self, person: &EntityRef) -> bool {
        let actor = Actor::Person { person, eligible: true, strong_enough: true, can_show: Presence::Signature };
        let refuse = allowed(&self.asked, actor, self.asked.request.requested_at).refuse;
        !refuse.is_yes() || self.owners.contains(person)
    }
}
