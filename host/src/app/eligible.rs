//! Who may approve, by policy and by what is known of people here: asked for one exception, and for all of a page.

use std::collections::BTreeMap;

use policy_core::abi::{ABI_VERSION, Eligibility, Eligible, Op, Voter};
use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::json;
use policy_core::lifecycle::{Exception, Phase};
use policy_core::question::SealedQuestion;
use policy_core::time::Timestamp;

use super::App;
use super::refusal::Refusal;
use crate::identity::PersonSession;

impl App {
    /// Who of these people may approve this exception now.
    pub(super) async fn eligible(
        &self,
        exception: &Exception,
        voters: Vec<Voter>,
        now: Timestamp,
    ) -> Result<Vec<Eligibility>, Refusal> {
        let input = self.eligible_input(exception, voters, now);
        let answer: Vec<Eligibility> = self.ask_module(Op::Eligible, &input).await?;
        Ok(self.eligible_here(exception, &input.question, answer, now))
    }

    /// Whether this person may approve each of these now, for a page that shows it: nothing is decided on it. Of those
    /// that look the same to policy the module is asked once. What it cannot answer is no yes (R8).
    pub(super) async fn eligible_for_each(
        &self,
        person: &PersonSession,
        exceptions: &[&Exception],
        now: Timestamp,
    ) -> Vec<bool> {
        let mut answers: BTreeMap<Vec<u8>, Option<Vec<Eligibility>>> = BTreeMap::new();
        let mut may = Vec::with_capacity(exceptions.len());
        for exception in exceptions {
            let input = self.eligible_input(exception, vec![person.voter()], now);
            let (question, lean) = (input.question.clone(), lean(input));
            let Ok(asked) = json::to_canonical_bytes(&lean) else {
                may.push(false);
                continue;
            };
            let answer = match answers.get(&asked) {
                Some(answer) => answer.clone(),
                None => {
                    let answer = self.ask_module(Op::Eligible, &lean).await.ok();
                    answers.insert(asked, answer.clone());
                    answer
                }
            };
            let here = self.eligible_here(exception, &question, answer.unwrap_or_default(), now);
            may.push(here.iter().any(|answer| answer.person == person.person && answer.eligible));
        }
        may
    }

    /// What the module is asked of these people.
    fn eligible_input(&self, exception: &Exception, mut voters: Vec<Voter>, now: Timestamp) -> Eligible {
        for voter in &mut voters {
            // What the bundle of now does not know is nobody's group.
            voter.groups.retain(|group| self.policy().may_be_in(&voter.person, group));
        }
        let people = voters.iter().flat_map(|voter| std::iter::once(&voter.person).chain(&voter.groups));
        let people: Vec<EntityRef> = people.cloned().collect();
        let question = &exception.request.question;
        let question = self.policy().refresh(question, &people, now, question.requested.clone());
        let version = exception.current().map_or(1, |version| version.number);
        let approvals = exception
            .votes
            .iter()
            .filter(|vote| vote.stands_for_it())
            .filter(|vote| vote.version == version || vote.inside);
        let mut voted: Vec<EntityRef> = approvals.map(|vote| vote.person.clone()).collect();
        voted.sort();
        voted.dedup();
        Eligible {
            v: ABI_VERSION,
            question,
            people: voters,
            tier: exception.terms.tier.clone(),
            requester: exception.request.requester.clone(),
            owners: exception.request.owners.clone(),
            votes: u32::try_from(voted.len()).unwrap_or(u32::MAX),
            voted,
        }
    }

    /// What policy says of people, with what is known of them here: who owns it, is locked, or has left.
    fn eligible_here(
        &self,
        exception: &Exception,
        question: &SealedQuestion,
        mut answer: Vec<Eligibility>,
        now: Timestamp,
    ) -> Vec<Eligibility> {
        // INVARIANT (R4): who came to own the agent after it asked votes as little as who owned it then.
        let mut owners = self.owners_behind(question, exception.request.asker.as_ref(), now);
        let locked = self.locked_people(now);
        let state = self.state();
        owners.extend(self.owned_it_by_itself(&state, &exception.request.id, now));
        for voter in &mut answer {
            let wanted = exception.phase == Phase::Requested || exception.unconfirmed.is_some();
            let locked = wanted && locked.contains(&voter.person);
            // INVARIANT (R4): whoever has left is eligible for nothing, with a vote that was cast before neither.
            let left = state.ownership.departed(&voter.person).is_some();
            voter.eligible &= !locked && !left && !owners.contains(&voter.person);
        }
        drop(state);
        answer.sort_by(|a, b| a.person.cmp(&b.person));
        answer
    }
}

/// The same without what `approval/approve/` never sees: what a call is made with, and what else is known of it.
fn lean(mut input: Eligible) -> Eligible {
    let question = &mut input.question;
    question.call.input = None;
    question.call.input_digest = Digest::of(b"null");
    question.call.paths.clear();
    question.context = policy_core::record::Record::new();
    question.claimed.clear();
    question.candidates.clear();
    question.locks.clear();
    question.requested = policy_core::question::Requested::default();
    input
}
