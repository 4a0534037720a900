//! Who owns it, and from where that is known.

use policy_core::entity::EntityRef;
use policy_core::sabotaged;
use policy_core::time::{Span, Timestamp};
use proviso_api::ownership::{Owned, OwnerReply, OwnerSource};

use super::standing::Given;
use crate::app::App;
use crate::app::people::unknown_exception;
use crate::app::policy::Policy;
use crate::app::refusal::Refusal;
use crate::app::state::State;

/// How long what was an owner's stays an owner's: 30 days.
const OWNED_BEFORE: Span = Span::from_seconds(30 * 86_400);

impl App {
    /// Who owns an agent or an exception, with the source of that answer.
    ///
    /// # Errors
    /// `unknown_agent`; `unknown_exception`.
    pub fn owner(&self, of: &Owned) -> Result<OwnerReply, Refusal> {
        let state = self.state();
        answer(&state, &self.policy(), of)
    }

    /// Who owns an agent now: by its last hand-over, else by the bundle. Sorted.
    pub(in crate::app) fn owners_now(&self, state: &State, agent: &EntityRef) -> Vec<EntityRef> {
        owners_of(state, &self.policy(), agent)
    }

    /// Whether nobody said that a person has left.
    pub(in crate::app) fn is_present(&self, person: &EntityRef) -> bool {
        self.state().ownership.departed(person).is_none()
    }

    /// The same of an exception: by a hand-over of its own, else whoever owns its agent.
    pub(in crate::app) fn owners_of_exception(&self, state: &State, id: &str) -> Vec<EntityRef> {
        match (state.ownership.of_exception(id).last(), state.exceptions.get(id)) {
            (Some(given), _) => given.owners.clone(),
            (None, Some(entry)) => self.owners_now(state, &entry.exception.request.question.call.subject),
            (None, None) => Vec::new(),
        }
    }

    /// Who owns a subject, or did in the 30 days before: by every bundle that was active in that time, and by every
    /// hand-over on both of its sides.
    ///
    /// INVARIANT (R4): where bundle and log disagree, whoever owns it by the one or by the other has no vote.
    pub(in crate::app) fn owners_in(&self, state: &State, subject: &EntityRef, now: Timestamp) -> Vec<EntityRef> {
        let mut owners = self.policy().owners(subject);
        let is_long_ago = |ended: Timestamp| ended.plus(OWNED_BEFORE) < now;
        let mut ended: Option<Timestamp> = None;
        for (_, activation) in state.activations.iter().rev() {
            // The newest has not ended; each other ended when the next began.
            if ended.is_some_and(|ended| is_long_ago(ended) || sabotaged!("r4_owner_before")) {
                break;
            }
            ended = Some(activation.at);
            let owned = activation.owners.iter().filter(|(owned, _)| owned == subject);
            owners.extend(owned.flat_map(|(_, owners)| owners.clone()));
        }
        if !sabotaged!("r4_hand_over_forgotten") {
            owners.extend(lately(state.ownership.of_agent(subject), is_long_ago));
        }
        owners.sort();
        owners.dedup();
        owners
    }

    /// Who owns an exception by itself, or did in the 30 days before.
    pub(in crate::app) fn owned_it_by_itself(&self, state: &State, id: &str, now: Timestamp) -> Vec<EntityRef> {
        lately(state.ownership.of_exception(id), |at| at.plus(OWNED_BEFORE) < now)
    }
}

/// Who owns an agent by this state and bundle.
pub(in crate::app) fn owners_of(state: &State, policy: &Policy, agent: &EntityRef) -> Vec<EntityRef> {
    match state.ownership.of_agent(agent).last() {
        Some(given) => given.owners.clone(),
        None => policy.owners(agent),
    }
}

/// Who owns by the last of these hand-overs, and who did, or gave up, within the time that is not long ago.
fn lately(given: &[Given], is_long_ago: impl Fn(Timestamp) -> bool) -> Vec<EntityRef> {
    let mut owners = Vec::new();
    for (place, one) in given.iter().enumerate() {
        // What it made them owners of ended with the next.
        let ended = given.get(place.saturating_add(1)).map(|next| next.at);
        if ended.is_none_or(|ended| !is_long_ago(ended)) {
            owners.extend(one.owners.iter().cloned());
        }
        if !is_long_ago(one.at) {
            owners.push(one.from.clone());
        }
    }
    owners
}

/// The one answer.
fn answer(state: &State, policy: &Policy, of: &Owned) -> Result<OwnerReply, Refusal> {
    let (agent, given) = match of {
        Owned::Agent(agent) => (agent, None),
        Owned::Exception(id) => {
            let entry = state.exceptions.get(id).ok_or_else(unknown_exception)?;
            (&entry.exception.request.question.call.subject, state.ownership.of_exception(id).last())
        }
    };
    let declared = policy.owners(agent);
    let given = given.or_else(|| state.ownership.of_agent(agent).last());
    let by_agent = matches!(of, Owned::Exception(id) if state.ownership.of_exception(id).is_empty());
    let reply = match given {
        Some(given) => OwnerReply {
            of: of.clone(),
            owners: given.owners.clone(),
            source: OwnerSource::HandOver,
            by_agent,
            since: Some(given.at),
            by: Some(given.by.clone()),
            bundle: (given.owners != declared).then_some(declared),
        },
        None if declared.is_empty() => {
            return Err(Refusal::not_found("unknown_agent", "nobody owns an agent of this id"));
        }
        None => OwnerReply {
            of: of.clone(),
            owners: declared,
            source: OwnerSource::Bundle,
            by_agent,
            since: None,
            by: None,
            bundle: None,
        },
    };
    Ok(reply)
}
