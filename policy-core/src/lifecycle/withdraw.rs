//! Taking an approval back that still waits for others: it counts no more from then on (R4). What a grant was made of is
//! not taken back: a grant is revoked.

use super::command::{Context, VoteDecision};
use super::event::Event;
use super::rejection::Rejection;
use super::state::{Exception, Phase, Vote};
use crate::entity::EntityRef;
use crate::time::Timestamp;

impl Vote {
    /// Whether it says yes and was not taken back.
    pub fn stands_for_it(&self) -> bool {
        self.decision == VoteDecision::Approve && self.withdrawn.is_none()
    }
}

impl Exception {
    /// Whether votes are wanted, now or under the next bundle, and none has made a grant.
    const fn waits_for_votes(&self) -> bool {
        matches!(self.phase, Phase::Requested | Phase::Suspended { grant: None, .. })
    }

    /// Whether an approval of this person's waits here for those of others.
    pub fn waits_with(&self, person: &EntityRef) -> bool {
        self.waits_for_votes() && self.votes.iter().any(|vote| vote.person == *person && vote.stands_for_it())
    }

    /// Marks the approvals of a person as taken back. Nothing where none waits.
    pub(super) fn take_back(&mut self, person: &EntityRef, at: Timestamp) -> Option<()> {
        if !self.waits_with(person) {
            return None;
        }
        for vote in self.votes.iter_mut().filter(|vote| vote.person == *person && vote.stands_for_it()) {
            vote.withdrawn = Some(at);
        }
        Some(())
    }
}

pub(super) fn withdraw(exception: &Exception, by: EntityRef, context: &Context) -> Result<Vec<Event>, Rejection> {
    if !exception.waits_for_votes() {
        return Err(Rejection::Closed);
    }
    if exception.is_over(context.now) {
        return Err(Rejection::TooLate);
    }
    if exception.waits_with(&by) {
        return Ok(vec![Event::VoteWithdrawn { by, at: context.now }]);
    }
    // What was taken back is taken back.
    let before = exception.votes.iter().any(|vote| vote.person == by && vote.withdrawn.is_some());
    if before { Ok(Vec::new()) } else { Err(Rejection::NoVote) }
}
