//! Confirming what was asked or granted before a restore. What happened after the restored records is not known: a grant
//! may have been revoked or used up by then, a request refused. So nothing of before is honoured until people who may
//! vote on it say, each with a reason, that it still stands.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::command::Context;
use super::decide::check_reason;
use super::event::Event;
use super::evolve::evolve;
use super::judge::{demanded, is_quorum, is_strong_enough, is_there};
use super::rejection::Rejection;
use super::state::{Exception, Phase};
use super::vote::{eligible_groups, may_decide};
use crate::entity::EntityRef;
use crate::outcome::Terms;
use crate::presence::Proof;
use crate::sabotaged;
use crate::time::Timestamp;

/// That an exception was made before the epoch that the gate is in.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Unconfirmed {
    /// The epoch that began after it.
    pub epoch: u64,
    /// Who has confirmed it in this epoch.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub confirmations: Vec<Confirmation>,
}

/// One person's word that an exception of before still stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Confirmation {
    /// Who.
    pub by: EntityRef,
    /// Why, in the person's words.
    pub reason: String,
    /// How strongly the person had signed in.
    pub assurance: String,
    /// The groups that the person was in, as policy saw it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// What showed that the person was there; absent: a session.
    #[serde(default, skip_serializing_if = "Proof::is_session")]
    pub proof: Proof,
    /// When.
    pub at: Timestamp,
}

impl Exception {
    /// Whether it was made before the epoch that the gate is in, and nobody, or not everybody who is needed, has
    /// confirmed it since.
    ///
    /// INVARIANT (R9): then nothing is permitted by it and no approval of it counts.
    pub fn is_unconfirmed(&self) -> bool {
        self.unconfirmed.is_some() && !sabotaged!("r9_epoch_ignored")
    }

    /// Whether something could still come of it, so that a new epoch puts it in doubt.
    pub(super) const fn can_be_doubted(&self) -> bool {
        matches!(self.phase, Phase::Requested | Phase::Granted(_) | Phase::Suspended { .. } | Phase::Exhausted { .. })
    }
}

pub(super) fn confirm(
    exception: &Exception,
    by: EntityRef,
    reason: String,
    (assurance, proof): (String, Proof),
    context: &Context,
) -> Result<Vec<Event>, Rejection> {
    let Some(unconfirmed) = &exception.unconfirmed else { return Ok(Vec::new()) };
    let held = unconfirmed.confirmations.iter().find(|confirmation| confirmation.by == by);
    if held.is_some_and(|confirmation| confirmation.reason == reason) {
        return Ok(Vec::new());
    }
    // INVARIANT (R6): what time has ended is not brought back.
    may_still_come(exception, context.now)?;
    // INVARIANT (R4): whoever confirms is somebody who may vote on it, and the terms of today say how many.
    let terms = demanded(exception, context).ok_or(Rejection::NotRequestable)?;
    may_decide(exception, &by, &assurance, &terms, context)?;
    // INVARIANT (R4): what makes a grant live again is shown as a vote is.
    if !is_there(&terms, &proof) {
        return Err(Rejection::PresenceNeeded);
    }
    if context.overdue_tiers.contains(&terms.tier) {
        return Err(Rejection::ReviewOverdue);
    }
    if held.is_some() {
        return Err(Rejection::VotedAlready);
    }
    check_reason(&reason)?;
    let groups = eligible_groups(exception, &by, context)?;
    let confirmation = Confirmation { by, reason, assurance, groups, proof, at: context.now };
    let mut events = vec![Event::ConfirmationGiven { confirmation: Box::new(confirmation) }];
    let folded = events.iter().try_fold(Some(exception.clone()), evolve);
    let after = folded.ok().flatten().ok_or(Rejection::Closed)?;
    if is_quorum(&confirmations_that_count(&after, &terms, context), &terms) {
        events.push(Event::ExceptionConfirmed { epoch: unconfirmed.epoch, at: context.now });
    }
    Ok(events)
}

/// Whether there is anything left to confirm.
pub(super) fn may_still_come(exception: &Exception, now: Timestamp) -> Result<(), Rejection> {
    match &exception.phase {
        Phase::Exhausted { .. } if exception.may_be_used_again(now) => Ok(()),
        Phase::Requested | Phase::Granted(_) | Phase::Suspended { .. } if exception.is_over(now) => {
            Err(Rejection::TooLate)
        }
        Phase::Requested | Phase::Granted(_) | Phase::Suspended { .. } => Ok(()),
        _ => Err(Rejection::Closed),
    }
}

/// The confirmations of persons who may vote on it now, one for each person, with the groups that policy sees them in.
fn confirmations_that_count<'a>(
    exception: &'a Exception,
    terms: &Terms,
    context: &'a Context,
) -> BTreeMap<String, &'a [String]> {
    let given = exception.unconfirmed.iter().flat_map(|unconfirmed| &unconfirmed.confirmations);
    given
        .filter(|given| exception.conflict_of(&given.by).is_none())
        .filter(|given| is_strong_enough(terms, &given.assurance, &context.step_ups) && is_there(terms, &given.proof))
        .filter_map(|given| {
            let eligible = context.eligible.iter().find(|eligibility| eligibility.person == given.by)?;
            eligible.eligible.then(|| (given.by.to_string(), eligible.groups.as_slice()))
        })
        .collect()
}
