//! Whose request it is, once somebody has decided enough for a day.

use std::collections::BTreeSet;

use policy_core::entity::EntityRef;
use policy_core::lifecycle::Exception;
use policy_core::time::Timestamp;
use proviso_api::exceptions::AttentionLine;

use super::book::midnight;
use crate::app::App;
use crate::app::refusal::Refusal;

impl App {
    /// How much of a person's day is used; nothing where the operator set no limit.
    pub(in crate::app) fn attention(&self, person: &EntityRef, now: Timestamp) -> Option<AttentionLine> {
        let limit = self.settings().attention?;
        let decided = self.state().routing.attention.decided(person, now);
        Some(AttentionLine { limit, decided, until: midnight(now) })
    }

    /// Whether a person has decided as much as a day is to hold.
    pub(in crate::app) fn has_decided_enough(&self, person: &EntityRef, now: Timestamp) -> bool {
        self.attention(person, now).is_some_and(|line| line.decided >= line.limit)
    }

    /// Whether a request that this person may decide goes to somebody else today: to whoever else may, and has not
    /// decided enough. An emergency, and what was handed to this very person, goes nowhere.
    ///
    /// # Errors
    /// `limit` where policy gives no answer.
    pub(in crate::app) async fn goes_to_others(
        &self,
        exception: &Exception,
        person: &EntityRef,
        now: Timestamp,
    ) -> Result<bool, Refusal> {
        if !self.has_decided_enough(person, now) || exception.emergency.is_some() {
            return Ok(false);
        }
        if self.state().routing.handovers(&exception.request.id).last().is_some_and(|last| last.to == *person) {
            return Ok(false);
        }
        let voted = approved(exception);
        let mut others = self.policy().people();
        others.retain(|other| {
            other != person && !voted.contains(other) && self.is_present(other) && !self.has_decided_enough(other, now)
        });
        Ok(!self.may_approve(exception, others, now).await?.is_empty())
    }

    /// Who is told of a request, of those who are to be: without who has decided enough. Where all of them have, those of
    /// the next groups; where they have, too, or there are none, it stays with the first.
    ///
    /// # Errors
    /// `limit` where policy gives no answer.
    pub(in crate::app) async fn with_attention(
        &self,
        exception: &Exception,
        people: Vec<EntityRef>,
        next: &[String],
        now: Timestamp,
    ) -> Result<Vec<EntityRef>, Refusal> {
        if self.settings().attention.is_none() || exception.emergency.is_some() {
            return Ok(people);
        }
        let handed = self.state().routing.handovers(&exception.request.id).last().map(|last| last.to.clone());
        let fresh = |person: &&EntityRef| handed.as_ref() == Some(*person) || !self.has_decided_enough(person, now);
        let rested: Vec<EntityRef> = people.iter().filter(fresh).cloned().collect();
        if !rested.is_empty() || people.is_empty() {
            return Ok(rested);
        }
        let voted = approved(exception);
        let mut others = self.policy().people();
        others.retain(|other| {
            let groups = self.policy().groups_of(other);
            groups.iter().any(|group| next.contains(group))
                && !voted.contains(other)
                && self.is_present(other)
                && !self.has_decided_enough(other, now)
        });
        let others = if others.is_empty() { others } else { self.may_approve(exception, others, now).await? };
        Ok(if others.is_empty() { people } else { others })
    }
}

fn approved(exception: &Exception) -> BTreeSet<EntityRef> {
    let approvals = exception.votes.iter().filter(|vote| vote.stands_for_it());
    approvals.map(|vote| vote.person.clone()).collect()
}
