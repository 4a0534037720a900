//! One exception, folded from its events.

use std::collections::{BTreeMap, BTreeSet};

use super::held::Held;
use super::scope::within;
use super::time::Instant;
use super::wire::{Confirmation, Counted, Entity, Grant, Kept, Of, Presence, Request, Terms, Vote};
use super::{GrantFault, name};

/// Where it stands.
#[derive(Debug)]
enum Phase {
    Requested,
    Granted(Held),
    Suspended(Option<Held>),
    Exhausted(Held),
    Over,
}

/// An exception that is not over.
#[derive(Debug)]
pub(super) struct Exception {
    request: Request,
    terms: Terms,
    decide_by: Instant,
    versions: Vec<Kept>,
    votes: Vec<Vote>,
    /// How many votes had been cast when it was last judged again: since then policy may see those people in other groups.
    judged_after: usize,
    phase: Phase,
    /// Who has confirmed it since the record was restored, where it was and it waits for more.
    unconfirmed: Option<Vec<Confirmation>>,
    /// Whether one bundle judged all of those confirmations: another may see the people in other groups.
    same_groups: bool,
}

impl Exception {
    /// The record was restored: what was made before stands only once people confirm it.
    pub(super) fn doubt(&mut self) {
        self.unconfirmed = Some(Vec::new());
        self.same_groups = true;
    }

    pub(super) fn new(request: Request, terms: Terms) -> Self {
        let (versions, decide_by) = (vec![request.scope.clone()], request.decide_by);
        let votes = Vec::new();
        Self {
            request,
            terms,
            decide_by,
            versions,
            votes,
            judged_after: 0,
            phase: Phase::Requested,
            unconfirmed: None,
            same_groups: true,
        }
    }

    pub(super) const fn is_over(&self) -> bool {
        matches!(self.phase, Phase::Over)
    }

    /// A version of the scope, by its number.
    pub(super) fn version(&self, number: u32) -> Option<&Kept> {
        self.versions.get(usize::try_from(number).ok()?.checked_sub(1)?)
    }

    /// The grant that calls can be permitted by: it stands, or its last use was a moment ago.
    pub(super) const fn held(&self) -> Option<&Held> {
        match &self.phase {
            Phase::Granted(held) | Phase::Exhausted(held) if self.unconfirmed.is_none() => Some(held),
            _ => None,
        }
    }

    /// The end of the window of a grant that is used up; nothing where it is not.
    pub(super) const fn used_up_until(&self) -> Option<Instant> {
        match &self.phase {
            Phase::Exhausted(held) => Some(held.grant.scope.not_after),
            _ => None,
        }
    }

    /// What a confirmation or a declared emergency must have been shown with.
    pub(super) fn presence(&self, event: &Of) -> Presence {
        match event {
            Of::EmergencyDeclared { terms, .. } => terms.presence,
            _ => self.terms.presence,
        }
    }

    /// Takes an event.
    pub(super) fn take(&mut self, event: Of, kind: &str) -> Result<(), GrantFault> {
        let phase = std::mem::replace(&mut self.phase, Phase::Over);
        let out_of_order = || GrantFault::OutOfOrder { event: kind.to_owned(), id: self.request.id.clone() };
        let doubtful = matches!(event, Of::GrantUsed { .. } | Of::ExceptionGranted { .. });
        if doubtful && self.unconfirmed.is_some() {
            return Err(GrantFault::Unconfirmed(self.request.id.clone()));
        }
        self.phase = match (event, phase) {
            (Of::ScopeNarrowed { version }, Phase::Requested) => {
                let current = self.versions.last().is_some_and(|current| within(&version.scope.scope, &current.scope));
                let next = usize::try_from(version.number).is_ok_and(|number| number == self.versions.len() + 1);
                if !current || !next {
                    return Err(GrantFault::Widened(version.number));
                }
                self.versions.push(version.scope);
                Phase::Requested
            }
            (Of::VoteCast { vote }, Phase::Requested) => {
                if vote.at >= self.decide_by {
                    return Err(GrantFault::LateVote(name(&vote.person)));
                }
                self.votes.push(*vote);
                Phase::Requested
            }
            (Of::VoteWithdrawn { by }, phase @ (Phase::Requested | Phase::Suspended(None))) => {
                let stands = |vote: &&mut Vote| vote.person == by && vote.decision == "approve" && !vote.withdrawn;
                let mut taken_back = 0;
                for vote in self.votes.iter_mut().filter(stands) {
                    vote.withdrawn = true;
                    taken_back += 1;
                }
                if taken_back == 0 {
                    return Err(out_of_order());
                }
                phase
            }
            (Of::EmergencyDeclared { emergency, terms }, phase) => {
                self.decide_by = self.decide_by.min(emergency.decide_by);
                self.terms = terms;
                // It may be declared under a newer bundle than the last vote.
                self.judged_after = self.votes.len();
                phase
            }
            (Of::QuestionAnswered {} | Of::RequestFolded {}, phase) => phase,
            (Of::ConfirmationGiven { confirmation }, phase) => {
                self.unconfirmed.as_mut().ok_or_else(out_of_order)?.push(confirmation);
                phase
            }
            (Of::ExceptionConfirmed {}, phase) => {
                self.hold_confirmed()?;
                self.unconfirmed = None;
                phase
            }
            (Of::ExceptionGranted { grant, at, counted }, Phase::Requested) => {
                Phase::Granted(self.granted(*grant, at, &counted)?)
            }
            (Of::ExceptionRejudged { terms }, phase @ (Phase::Requested | Phase::Granted(_))) => {
                self.terms = terms;
                self.same_groups = false;
                self.judged_after = self.votes.len();
                phase
            }
            (Of::ExceptionRejudged { terms }, Phase::Suspended(held)) => {
                self.terms = terms;
                self.same_groups = false;
                held.map_or(Phase::Requested, Phase::Granted)
            }
            (Of::GrantActivated { terms }, Phase::Granted(held)) => {
                self.terms = terms;
                Phase::Granted(held)
            }
            (Of::GrantSuspended {}, Phase::Requested) => Phase::Suspended(None),
            (Of::GrantSuspended {}, Phase::Granted(held)) => Phase::Suspended(Some(held)),
            (Of::GrantSuspended {}, phase @ Phase::Suspended(_)) => phase,
            (Of::GrantUsed { call, evaluation, amounts, at }, Phase::Granted(mut held)) => {
                held.take(evaluation, call, amounts, at)?;
                Phase::Granted(held)
            }
            (Of::GrantExhausted {}, Phase::Granted(held)) => Phase::Exhausted(held),
            (Of::UseGivenBack { evaluation }, Phase::Granted(held) | Phase::Exhausted(held)) => {
                Phase::Granted(held.without(&evaluation).ok_or_else(out_of_order)?)
            }
            (Of::ExceptionDenied {}, Phase::Requested)
            | (Of::ExceptionCancelled {}, Phase::Requested | Phase::Suspended(None))
            | (Of::GrantRevoked {}, Phase::Granted(_) | Phase::Suspended(Some(_)) | Phase::Exhausted(_))
            | (Of::ExceptionLapsed {}, Phase::Requested | Phase::Granted(_) | Phase::Suspended(_)) => Phase::Over,
            _ => return Err(out_of_order()),
        };
        Ok(())
    }

    /// Makes the grant anew from the votes, and holds the one that was recorded against it (R4, R5).
    fn granted(&self, grant: Grant, at: Instant, counted: &[Counted]) -> Result<Held, GrantFault> {
        if at >= self.decide_by {
            return Err(GrantFault::OtherGrant("time"));
        }
        self.hold_quorum(counted)?;
        let scope = &self.versions.last().ok_or(GrantFault::OtherGrant("version"))?.scope;
        self.hold_facts(&grant)?;
        let begins = scope.not_before.map_or(at, |begin| begin.max(at));
        let longest =
            scope.valid_for.map_or(self.terms.max_duration, |valid_for| valid_for.min(self.terms.max_duration));
        let granted = &grant.scope;
        let checks = [
            ("version", usize::try_from(grant.version).is_ok_and(|version| version == self.versions.len())),
            ("resource", granted.resource == scope.resource),
            ("arguments", granted.arguments == scope.arguments),
            ("not_before", granted.not_before == scope.not_before),
            ("not_after", granted.not_after <= scope.not_after.min(begins.plus(longest))),
            ("max_uses", granted.max_uses <= scope.max_uses.min(self.terms.max_uses)),
            ("budgets", granted.budgets == scope.budgets),
        ];
        hold(&checks)?;
        Ok(Held::new(grant, begins))
    }

    /// Enough distinct persons, one of each group, none of them part of the request.
    fn hold_quorum(&self, counted: &[Counted]) -> Result<(), GrantFault> {
        let approvals = self.approvals();
        let need = usize::try_from(self.terms.approvals.max(1)).unwrap_or(usize::MAX);
        let enough = |have: usize| {
            if have < need { Err(GrantFault::TooFewVotes { id: self.request.id.clone(), have, need }) } else { Ok(()) }
        };
        if counted.is_empty() {
            enough(approvals.len())?;
            approvals.iter().try_for_each(|(person, (_, vote))| self.hold_shown(person, vote))?;
            return self.hold_groups_of_votes(&approvals);
        }
        for Counted { person, groups } in counted {
            let person = name(person);
            let (place, vote) = approvals.get(&person).ok_or_else(|| GrantFault::NotAnApproval(person.clone()))?;
            self.hold_shown(&person, vote)?;
            // Until it is judged again under another bundle, policy sees everybody in the groups of their vote.
            let other = groups.iter().find(|group| *place >= self.judged_after && !vote.groups.contains(group));
            if let Some(group) = other {
                return Err(GrantFault::GroupNotVoted { person, group: group.clone() });
            }
        }
        let distinct: BTreeSet<String> = counted.iter().map(|counted| name(&counted.person)).collect();
        enough(distinct.len())?;
        let missing =
            self.terms.groups.iter().find(|group| !counted.iter().any(|counted| counted.groups.contains(group)));
        missing.map_or(Ok(()), |group| Err(GrantFault::GroupMissing(group.clone())))
    }

    /// A vote that is counted was cast with what the terms demand.
    fn hold_shown(&self, person: &str, vote: &Vote) -> Result<(), GrantFault> {
        let shows = vote.proof.presence() >= self.terms.presence;
        if shows { Ok(()) } else { Err(GrantFault::NotShown(person.to_owned())) }
    }

    /// The approvals of the version that is granted, each person's last one with its place among the votes.
    fn approvals(&self) -> BTreeMap<String, (usize, &Vote)> {
        let current = u32::try_from(self.versions.len()).unwrap_or(u32::MAX);
        let counts = |vote: &Vote| {
            vote.decision == "approve"
                && !vote.withdrawn
                && (vote.version == current || (vote.inside && vote.version <= current))
                && !self.has_part(&vote.person)
        };
        let approvals = self.votes.iter().enumerate().filter(|(_, vote)| counts(vote));
        approvals.map(|(place, vote)| (name(&vote.person), (place, vote))).collect()
    }

    /// For a grant of an earlier release, which names no groups: those that its votes were cast in. Where it was judged
    /// again since one of them, that voter may be in other groups by then, and nothing can be said.
    fn hold_groups_of_votes(&self, approvals: &BTreeMap<String, (usize, &Vote)>) -> Result<(), GrantFault> {
        let known = approvals.values().all(|(place, _)| *place >= self.judged_after);
        let missing =
            self.terms.groups.iter().find(|group| !approvals.values().any(|(_, vote)| vote.groups.contains(group)));
        missing.filter(|_| known).map_or(Ok(()), |group| Err(GrantFault::GroupMissing(group.clone())))
    }

    /// As many distinct persons as the terms demand approvals, one of each group, none of them part of the request.
    fn hold_confirmed(&self) -> Result<(), GrantFault> {
        let given = self.unconfirmed.iter().flatten().filter(|given| !self.has_part(&given.by));
        let given: BTreeMap<String, &Confirmation> = given.map(|given| (name(&given.by), given)).collect();
        let (have, need) = (given.len(), usize::try_from(self.terms.approvals.max(1)).unwrap_or(usize::MAX));
        if have < need {
            return Err(GrantFault::TooFewVotes { id: self.request.id.clone(), have, need });
        }
        let mut groups = self.terms.groups.iter();
        let missing = groups.find(|group| !given.values().any(|given| given.groups.contains(group)));
        missing.filter(|_| self.same_groups).map_or(Ok(()), |group| Err(GrantFault::GroupMissing(group.clone())))
    }

    /// Whether somebody asked, owns, or is acted for or through.
    fn has_part(&self, person: &Entity) -> bool {
        let request = &self.request;
        let hops = request.question.chain.as_array().into_iter().flatten();
        *person == request.requester
            || request.asker.as_ref() == Some(person)
            || *person == request.question.call.subject
            || request.owners.contains(person)
            || hops.into_iter().any(|hop| hop["type"] == *person.kind && hop["id"] == *person.id)
    }

    /// The grant is for the very call, task, chain, point and server that were asked for.
    fn hold_facts(&self, grant: &Grant) -> Result<(), GrantFault> {
        let (request, question) = (&self.request, &self.request.question);
        let call = &question.call;
        hold(&[
            ("exception", grant.exception == request.id),
            ("subject", grant.subject == call.subject),
            ("task", grant.task == question.task),
            ("chain", grant.chain == question.chain),
            ("enforcement_point", Some(&grant.enforcement_point) == question.enforcement_point.as_ref()),
            ("server", grant.server == call.server),
            ("tool", grant.tool == call.tool),
            ("action", grant.action == call.action),
            ("input_digest", grant.input_digest == call.input_digest),
        ])
    }
}

fn hold(checks: &[(&'static str, bool)]) -> Result<(), GrantFault> {
    checks.iter().find(|(_, holds)| !holds).map_or(Ok(()), |(what, _)| Err(GrantFault::OtherGrant(what)))
}
