//! What people are told of bundles: what is active, what was, and what is proposed.

use std::collections::BTreeSet;

use policy_core::abi::ConsoleAnswer;
use policy_core::console::Act;
use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::json;
use policy_core::question::SealedQuestion;
use proviso_api::activation::{
    ActivationLine, BundleList, BundleVoteLine, ChangeList, ChangedCall, FileChange, ProposalLine, ProposalReply,
};
use proviso_api::authzen::EvaluationRequest;
use tokio::task::spawn_blocking;

use super::event::CHANGES;
use super::fold::Standing;
use super::vote::unknown_proposal;
use crate::app::App;
use crate::app::console::About;
use crate::app::event::{ActivationFact, CLAIMED, DECISION, DecisionRecord, QUESTION};
use crate::app::people::STORED;
use crate::app::refusal::Refusal;
use crate::app::state::State;
use crate::identity::PersonSession;
use crate::store::Log;

/// How many activations are told.
const MOST_TOLD: usize = 100;

impl App {
    /// What is active, was, and is proposed: for every signed-in person, without what was asked.
    pub fn bundles(&self) -> BundleList {
        let now = self.now();
        let operator_alone = self.operator_alone();
        let state = self.state();
        let active = self.policy().digest();
        let history =
            state.activations.iter().rev().take(MOST_TOLD).map(|(seq, fact)| activation(*seq, fact)).collect();
        let proposals =
            state.proposals.all().into_iter().map(|standing| self.proposal_line(&state, standing)).collect();
        let (module, next_module) = (self.engine().module(), state.proposals.next_module());
        BundleList { now, position: state.position, active, module, next_module, operator_alone, history, proposals }
    }

    /// A proposal with its list, for who activates bundles or reads the record.
    ///
    /// # Errors
    /// `unknown_proposal`; `not_permitted_here`.
    pub async fn proposal_seen_by(&self, person: &PersonSession, bundle: &Digest) -> Result<ProposalReply, Refusal> {
        let now = self.now();
        let asked = [(Act::Activate, About::GATE), (Act::ViewRecord, About::GATE)];
        let answers = self.may_each(person, &asked, now).await?;
        let activates = answers.first().is_some_and(|answer| answer.permitted);
        if !activates && !answers.get(1).is_some_and(|answer: &ConsoleAnswer| answer.permitted && answer.persons < 2) {
            self.hold_act(person, Act::ViewRecord, &About::GATE).await?;
        }
        let (standing, proposal, you_may_not) = {
            let state = self.state();
            let standing = state.proposals.get(bundle).ok_or_else(unknown_proposal)?.clone();
            let line = self.proposal_line(&state, &standing);
            // One that was shown with less than is demanded now counts no more, and can be cast again.
            let cast = |standing: &Standing| {
                let mut votes = standing.votes.iter();
                votes.any(|vote| vote.voter.person == person.person && vote.presence >= line.presence)
            };
            let why = match line.state.as_str() {
                "stale" => Some("stale_list"),
                "refused" => Some("proposal_refused"),
                _ if !activates => Some("not_permitted_here"),
                _ if !self.votes_count(person) => Some("single_user_required"),
                _ if cast(&standing) => Some("voted"),
                _ => self.why_not(&state, &standing, &person.person, now).or_else(|| {
                    let counts = self.who_counts(&state, &standing, now).contains(&person.person);
                    (!counts).then_some("not_the_proposer")
                }),
            };
            (standing, line, why.map(str::to_owned))
        };
        let record = self.store().record(Log::Ledger, standing.seq).map_err(|error| self.unreadable(&error))?;
        let list = record.as_ref().and_then(|record| record.payload(CHANGES));
        let list: Option<ChangeList> = list.and_then(|bytes| json::read_as(bytes, STORED).ok());
        let mut list = list.ok_or_else(unknown_proposal)?;
        let app = self.clone();
        let told = spawn_blocking(move || {
            list.changes.iter_mut().for_each(|line| line.call = app.call_of(line.seq));
            list
        });
        let list = told.await.map_err(|_| unknown_proposal())?;
        let files = self.file_changes(&standing)?;
        Ok(ProposalReply { proposal, list, files, you_may_not })
    }

    /// What a record of the log of decisions tells of what was asked; nothing where that was erased.
    fn call_of(&self, seq: u64) -> Option<ChangedCall> {
        let record = self.store().record(Log::Decisions, seq).ok().flatten()?;
        let decision: DecisionRecord = json::read_as(record.payload(DECISION)?, STORED).ok()?;
        let question = record.payload(QUESTION).and_then(|bytes| json::read_as::<SealedQuestion>(bytes, STORED).ok());
        let claimed = record.payload(CLAIMED).and_then(|bytes| json::read_as::<EvaluationRequest>(bytes, STORED).ok());
        let claimed = claimed.map(|body| EntityRef::new(body.resource.kind, body.resource.id));
        let resources = question.map_or_else(|| claimed.into_iter().collect(), |question| question.call.resources);
        let DecisionRecord { subject, task, action, .. } = decision;
        Some(ChangedCall { at: record.leaf.at, subject, task, action, resources })
    }

    fn proposal_line(&self, state: &State, standing: &Standing) -> ProposalLine {
        let fact = &standing.fact;
        let word = if standing.is_refused() {
            "refused"
        } else if self.is_current(state, standing) {
            "open"
        } else {
            "stale"
        };
        let votes = standing.votes.iter().map(|vote| BundleVoteLine {
            by: vote.voter.person.clone(),
            activates: vote.activates,
            reason: vote.reason.clone(),
            at: vote.at,
        });
        ProposalLine {
            bundle: fact.digest(),
            base: fact.base,
            list: fact.list,
            by: standing.by.clone(),
            reason: standing.reason.clone(),
            at: standing.at,
            revert: fact.revert,
            is_module: fact.other_module.is_some(),
            narrower: fact.narrower,
            questions: fact.questions,
            changed: fact.changed,
            new_allows: fact.new_allows,
            state: word.to_owned(),
            needs: Self::needs(standing, self.policy().activation_persons()),
            presence: self.policy().acts_presence(),
            votes: votes.collect(),
        }
    }

    /// The files that differ between the proposal and the bundle that it was made against.
    fn file_changes(&self, standing: &Standing) -> Result<Vec<FileChange>, Refusal> {
        if standing.fact.other_module.is_some() {
            return Ok(Vec::new());
        }
        let unreadable = |error| self.unreadable(&error);
        let after = self.files_on_record(standing.seq).map_err(unreadable)?.unwrap_or_default();
        let base = {
            let state = self.state();
            state.activations.iter().rev().find(|(_, one)| one.bundle == standing.fact.base).map(|(seq, _)| *seq)
        };
        let before = base.map(|seq| self.files_on_record(seq)).transpose().map_err(unreadable)?;
        let before = before.flatten().unwrap_or_default();
        let paths: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
        let differs = paths.into_iter().filter(|path| before.get(*path) != after.get(*path));
        let change = |path: &String| FileChange {
            path: path.clone(),
            before: before.get(path).cloned(),
            after: after.get(path).cloned(),
        };
        Ok(differs.map(change).collect())
    }
}

fn activation(seq: u64, fact: &ActivationFact) -> ActivationLine {
    let people = fact.people.as_deref();
    ActivationLine {
        seq,
        bundle: fact.bundle,
        at: fact.at,
        by: fact.by.clone(),
        reason: fact.reason.clone(),
        changed: fact.changed.clone(),
        people: people.map_or_else(Vec::new, |people| people.people.clone()),
        narrower: people.is_some_and(|people| people.narrower),
        list: people.map(|people| people.list),
    }
}
