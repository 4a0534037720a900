//! What the terms demand, whether the votes that count are enough (R4), and what a newly active bundle makes of it.

use crate::sabotaged;
use std::collections::BTreeMap;

use super::command::{Context, VoteDecision};
use super::event::{Counted, Event};
use super::rejection::Rejection;
use super::state::{Exception, Phase, Vote};
use super::strictest::strictest;
use super::uses::GrantState;
use crate::digest::Digest;
use crate::entity::EntityRef;
use crate::grant::Scope;
use crate::outcome::Terms;
use crate::presence::Proof;
use crate::time::{Span, Timestamp};

impl Exception {
    /// What keeps a person from voting, whatever policy says: separation of duty (R4).
    pub(super) fn conflict_of(&self, person: &EntityRef) -> Option<Rejection> {
        let question = &self.request.question;
        let asked = *person == self.request.requester || self.request.asker.as_ref() == Some(person);
        if asked && !sabotaged!("r4_requester") {
            Some(Rejection::IsRequester)
        } else if *person == question.call.subject || question.chain.iter().any(|hop| hop.entity == *person) {
            Some(Rejection::InChain)
        } else if self.request.owners.contains(person) && !sabotaged!("r4_owner") {
            Some(Rejection::IsOwner)
        } else {
            None
        }
    }

    /// Whether a vote is an approval of the version that is voted on now, by a person who may vote.
    fn is_approval(&self, vote: &Vote) -> bool {
        let version = self.current().map_or(0, |version| version.number);
        // INVARIANT (R4): a vote on an older version is a vote for something else, unless it was for whatever lies
        // inside; each version lies inside the one before (R5).
        let or_older = vote.inside || sabotaged!("r4_older_version");
        let of_this = vote.version == version || (or_older && vote.version <= version);
        // INVARIANT (R4): a vote that was taken back is none.
        let stands = vote.withdrawn.is_none() || sabotaged!("r4_withdrawn_vote_counts");
        // INVARIANT (R4): separation of duty holds for every vote that is counted, not only when it is cast.
        vote.decision == VoteDecision::Approve && stands && of_this && self.conflict_of(&vote.person).is_none()
    }

    /// The persons whose approval stands for the version that is voted on now, each once, in the order of their votes.
    /// Who of them policy still lets vote is asked when the last vote lands: [`approvals_that_count`].
    pub fn approved_by(&self) -> Vec<&EntityRef> {
        let mut persons: Vec<&EntityRef> = Vec::new();
        for vote in self.votes.iter().filter(|vote| self.is_approval(vote)) {
            if !persons.contains(&&vote.person) {
                persons.push(&vote.person);
            }
        }
        persons
    }

    /// Whether it must be judged before its next use, vote or view: it is open and was last judged under another bundle,
    /// or it is a grant whose later start has come (R4).
    pub fn needs_judging(&self, bundle: Digest, now: Timestamp) -> bool {
        if self.is_over(now) || sabotaged!("r4_not_judged_again") {
            return false;
        }
        match &self.phase {
            Phase::Granted(state) if state.awaits_activation() && now >= state.begins() => true,
            Phase::Requested | Phase::Granted(_) | Phase::Suspended { .. } => self.bundle != bundle,
            _ => false,
        }
    }
}

/// What the terms asked now demand of this exception, with the strictest since the request; nothing where it can no
/// longer be requested. In a declared emergency as many persons as policy says for one.
pub(super) fn demanded(exception: &Exception, context: &Context) -> Option<Terms> {
    let asked = context.terms.as_ref().filter(|terms| terms.for_another || !exception.request.is_for_another())?;
    let asked = match (&exception.emergency, asked.emergency_approvals) {
        (Some(_), Some(approvals)) => &Terms { approvals, ..asked.clone() },
        _ => asked,
    };
    Some(strictest(&exception.terms, asked, &context.tiers, &context.step_ups))
}

/// Whether a sign-in is as strong as these terms demand, by the bundle's list from weakest to strongest. A word that
/// the list does not know is not strong enough, and no demand that it does not know is ever met (R8).
pub fn is_strong_enough(terms: &Terms, assurance: &str, step_ups: &[String]) -> bool {
    let Some(demanded) = &terms.step_up else { return true };
    let rank = |word: &str| step_ups.iter().position(|known| known == word);
    match (rank(assurance), rank(demanded)) {
        (Some(held), Some(demanded)) => held >= demanded,
        _ => false,
    }
}

/// Whether a vote to approve came with as much as these terms demand.
pub fn is_there(terms: &Terms, proof: &Proof) -> bool {
    proof.presence() >= terms.presence || sabotaged!("r4_unsigned_vote")
}

/// The approvals that count now: of the current version, by persons who may vote and are still eligible, signed in as
/// strongly and shown to be there as the terms demand. One for each person, with the groups that policy sees the person in now.
pub fn approvals_that_count<'a>(
    exception: &'a Exception,
    terms: &Terms,
    context: &'a Context,
) -> BTreeMap<String, &'a [String]> {
    exception.votes.iter().filter_map(|vote| approval_that_counts(exception, vote, terms, context)).collect()
}

fn approval_that_counts<'a>(
    exception: &Exception,
    vote: &Vote,
    terms: &Terms,
    context: &'a Context,
) -> Option<(String, &'a [String])> {
    // INVARIANT (R4): terms that have come to demand a signature are not met by a vote that has none.
    let strong = is_strong_enough(terms, &vote.assurance, &context.step_ups) && is_there(terms, &vote.proof);
    if !exception.is_approval(vote) || !strong {
        return None;
    }
    // One that was cast before somebody declared the emergency is a vote for it now.
    if exception.is_open_emergency() && context.emergency_blocked.people.contains(&vote.person) {
        return None;
    }
    let eligible = context.eligible.iter().find(|eligibility| eligibility.person == vote.person)?;
    eligible.eligible.then(|| (vote.person.to_string(), eligible.groups.as_slice()))
}

/// The approvals that count, each with the groups that it counts for, in the order of the votes.
pub(super) fn counted(exception: &Exception, terms: &Terms, context: &Context) -> Vec<Counted> {
    let approvals = approvals_that_count(exception, terms, context);
    let counted = exception.approved_by().into_iter().filter_map(|person| {
        let seen_in = approvals.get(&person.to_string())?;
        let groups = terms.groups.iter().filter(|group| seen_in.contains(group)).cloned().collect();
        Some(Counted { person: person.clone(), groups })
    });
    counted.collect()
}

/// Whether the votes that count are what the terms demand: enough distinct persons, at least one from each group.
pub(super) fn has_quorum(exception: &Exception, terms: &Terms, context: &Context) -> bool {
    is_quorum(&approvals_that_count(exception, terms, context), terms)
}

/// Whether these persons, each with the groups that policy sees them in, are as many as the terms demand, one of each
/// group.
pub(super) fn is_quorum(approvals: &BTreeMap<String, &[String]>, terms: &Terms) -> bool {
    // INVARIANT (R4): terms that demand nobody are no terms.
    let enough = u32::try_from(approvals.len()).is_ok_and(|count| count >= terms.approvals.max(1));
    let from_all = terms.groups.iter().all(|group| approvals.values().any(|groups| groups.contains(group)));
    (enough && from_all) || (sabotaged!("r4_one_is_enough") && !approvals.is_empty())
}

/// Whether a scope that was asked for at one instant lies inside the terms, when it is asked for, voted on or granted at
/// another.
pub(super) fn inside_terms(scope: &Scope, terms: &Terms, asked: Timestamp, at: Timestamp) -> Result<(), Rejection> {
    // What begins when it is made waits for its votes only. A start that lies ahead then is counted from the request, so
    // that no vote puts it off.
    let ahead = scope.not_before.filter(|begin| *begin > at);
    let soon = ahead.is_none_or(|begin| begin <= asked.plus(terms.lead_time.unwrap_or_default()));
    let short = is_no_longer_than(scope, terms.max_duration, at);
    // A scope without a rate is granted with the one that the terms demand.
    let slow = match (scope.rate, terms.max_rate) {
        (Some(rate), Some(most)) => rate.is_inside(most),
        _ => true,
    };
    if soon && short && slow && scope.max_uses <= terms.max_uses { Ok(()) } else { Err(Rejection::Widens) }
}

/// Whether a scope that begins at this instant at the earliest is valid for so long at most.
pub(super) fn is_no_longer_than(scope: &Scope, most: Span, at: Timestamp) -> bool {
    let begin = scope.not_before.map_or(at, |begin| begin.max(at));
    match scope.valid_for {
        Some(valid_for) => valid_for <= most,
        None => scope.not_after <= begin.plus(most),
    }
}

/// Whether a grant that was made still lies inside the terms.
fn grant_inside_terms(state: &GrantState, terms: &Terms, asked: Timestamp) -> Result<(), Rejection> {
    let scope = &state.grant.scope;
    if terms.max_rate.is_some() && scope.rate.is_none() {
        return Err(Rejection::Widens);
    }
    inside_terms(scope, terms, asked, state.granted_at)
}

/// Holds what is open against the bundle that is active now, and a grant that begins later against what policy says at
/// its start (R4). What is closed, or over in time, is left alone.
pub(super) fn rejudge(exception: &Exception, context: &Context) -> Vec<Event> {
    if !exception.needs_judging(context.bundle, context.now) {
        return Vec::new();
    }
    let (bundle, at) = (context.bundle, context.now);
    let Some(terms) = demanded(exception, context) else {
        let reason = Rejection::NotRequestable.code().into();
        return vec![Event::GrantSuspended { terms: None, bundle, reason, at }];
    };
    let verdict = match exception.phase.grant() {
        // A pending request only has to be requestable: each vote is held against the terms by itself.
        None => Ok(()),
        Some(_) if !has_quorum(exception, &terms, context) => Err(Rejection::NotEnoughVotes),
        Some(state) => grant_inside_terms(state, &terms, exception.request.requested_at),
    };
    match verdict {
        Err(reason) => {
            vec![Event::GrantSuspended { terms: Some(Box::new(terms)), bundle, reason: reason.code().into(), at }]
        }
        Ok(()) if bundle == exception.bundle => vec![Event::GrantActivated { terms, bundle, at }],
        Ok(()) => vec![Event::ExceptionRejudged { terms, bundle, at }],
    }
}
