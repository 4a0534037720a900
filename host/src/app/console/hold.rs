//! Asking `console/`, and refusing what it does not permit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

use policy_core::abi::{ConsoleAct, ConsoleAnswer, Op, Voter};
use policy_core::console::Act;
use policy_core::entity::EntityRef;
use policy_core::sabotaged;
use policy_core::time::{Span, Timestamp};

use super::{About, ConsoleEvent};
use crate::app::App;
use crate::app::append::Proposal;
use crate::app::event::LedgerEvent;
use crate::app::judge::NoAnswer;
use crate::app::refusal::{Refusal, RefusalKind};
use crate::identity::PersonSession;

/// How much is asked of the module at once: a call has fuel for one question of an agent's, and each of these is a small
/// part of one.
const AT_ONCE: usize = 32;
/// Of how many acts it is looked up who owns what while the state is held.
pub(in crate::app) const LOOKED_UP_AT_ONCE: usize = 256;
/// How often a refused act is a record.
const RECORDED_EVERY: Span = Span::from_seconds(3_600);

/// When each act was last refused to each person, as far as it is on record.
#[derive(Debug, Default)]
pub(in crate::app) struct Refusals(Mutex<BTreeMap<(EntityRef, Act), Timestamp>>);

impl Refusals {
    /// Whether this one is to be recorded. There are as many as people and acts, and no more.
    fn is_due(&self, person: &EntityRef, act: Act, now: Timestamp) -> bool {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let due = last.get(&(person.clone(), act)).is_none_or(|last| now >= last.plus(RECORDED_EVERY));
        if due {
            last.insert((person.clone(), act), now);
        }
        due
    }
}

impl App {
    /// What of this a person may do, in the order of the question.
    pub(in crate::app) async fn may_each(
        &self,
        person: &PersonSession,
        asked: &[(Act, About)],
        now: Timestamp,
    ) -> Result<Vec<ConsoleAnswer>, Refusal> {
        let voter = person.voter();
        self.may_voter(&voter, asked, now).await
    }

    /// The same of somebody who need not be signed in now.
    pub(in crate::app) async fn may_voter(
        &self,
        voter: &Voter,
        asked: &[(Act, About)],
        now: Timestamp,
    ) -> Result<Vec<ConsoleAnswer>, Refusal> {
        let mut wanted: Vec<ConsoleAct> = Vec::with_capacity(asked.len());
        for some in asked.chunks(LOOKED_UP_AT_ONCE) {
            if !wanted.is_empty() {
                // What is asked about may be tens of thousands of exceptions: whoever decides a call does not wait for it.
                tokio::task::yield_now().await;
            }
            let state = self.state();
            wanted.extend(some.iter().map(|(act, about)| self.console_act(&state, *act, about)));
        }
        let distinct: Vec<ConsoleAct> = wanted.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect();
        let mut answers: BTreeMap<&ConsoleAct, ConsoleAnswer> = BTreeMap::new();
        for some in distinct.chunks(AT_ONCE) {
            let question = self.policy().console_question(voter, now, some.to_vec());
            let answered: Vec<ConsoleAnswer> = self.ask_module(Op::Console, &question).await?;
            if answered.len() != some.len() {
                return Err(NoAnswer::Unreadable.into());
            }
            answers.extend(some.iter().zip(answered));
        }
        let all = wanted.iter().map(|act| answers.get(act).cloned());
        all.collect::<Option<_>>().ok_or_else(|| NoAnswer::Unreadable.into())
    }

    /// Whether a person may do this to each of these.
    pub(in crate::app) async fn may_see(
        &self,
        person: &PersonSession,
        act: Act,
        about: impl Iterator<Item = About>,
        now: Timestamp,
    ) -> Result<Vec<bool>, Refusal> {
        let asked: Vec<(Act, About)> = about.map(|about| (act, about)).collect();
        let answers = self.may_each(person, &asked, now).await?;
        // INVARIANT: what is shown is shown to one person; what takes two is not shown.
        Ok(answers.iter().map(|answer| answer.permitted && answer.persons < 2).collect())
    }

    /// Refuses what `console/` does not let this person do alone.
    ///
    /// # Errors
    /// `not_permitted_here`; `second_person_needed` where a policy demands two people for what one does here; `limit`
    /// where the module gives no answer.
    pub(in crate::app) async fn hold_act(
        &self,
        person: &PersonSession,
        act: Act,
        about: &About,
    ) -> Result<(), Refusal> {
        self.hold_acts(person, &[act], about).await
    }

    /// Refuses whoever may not see what is called with, or may not decide: nobody decides on what they may not see.
    ///
    /// # Errors
    /// As [`Self::hold_act`].
    pub(in crate::app) async fn hold_deciding(&self, person: &PersonSession, exception: &str) -> Result<(), Refusal> {
        let about = About::exception_of(&self.state(), exception);
        // INVARIANT (R4): a vote on arguments that its voter may not see is no vote.
        let acts: &[Act] = if sabotaged!("r4_blind_vote") { &[Act::Vote] } else { &[Act::Vote, Act::ViewArguments] };
        self.hold_acts(person, acts, &about).await?;
        self.hold_settled(person, exception)
    }

    /// The same of several acts, all of which it takes.
    pub(in crate::app) async fn hold_acts(
        &self,
        person: &PersonSession,
        acts: &[Act],
        about: &About,
    ) -> Result<(), Refusal> {
        if self.hold_some(person, acts, about).await? < 2 {
            return Ok(());
        }
        // INVARIANT (R8): a demand that cannot be checked here is no yes.
        let act = acts.first().copied().unwrap_or(Act::View);
        let detail = format!("the bundle demands two people to {}, and here one acts alone", act.says());
        let refusal = Refusal::forbidden("second_person_needed", detail);
        self.record_refused(person, act, about, &refusal).await;
        Err(refusal)
    }

    /// Refuses what `console/` does not permit this person: how many people it takes.
    ///
    /// # Errors
    /// As [`Self::hold_act`], but for the second person.
    pub(in crate::app) async fn hold_some(
        &self,
        person: &PersonSession,
        acts: &[Act],
        about: &About,
    ) -> Result<u32, Refusal> {
        if sabotaged!("r4_console_not_asked") {
            return Ok(1);
        }
        let now = self.now();
        let asked: Vec<(Act, About)> = acts.iter().map(|act| (*act, about.clone())).collect();
        let answers = match self.may_each(person, &asked, now).await {
            Ok(answers) => answers,
            // INVARIANT (R7): a stop waits for nobody. Where policy cannot be asked, what somebody stops whom the bundle
            // knows is stopped.
            Err(refusal)
                if refusal.kind == RefusalKind::Unavailable
                    && acts.iter().copied().all(Act::is_stop)
                    && self.policy().knows(&person.person) =>
            {
                return Ok(1);
            }
            Err(refusal) => return Err(refusal),
        };
        let mut persons = 1;
        for (act, answer) in acts.iter().copied().zip(answers) {
            if !answer.permitted {
                let mut refusal = not_permitted(act, about);
                // Whoever came with groups is told that these are not asked here, and not that they are in none.
                if !person.groups.is_empty() && !act.takes_brought_groups() {
                    refusal = refusal.help(
                        "the groups that your sign-in brought do not count for this: `entities.json` of the bundle says who may",
                    );
                }
                self.record_refused(person, act, about, &refusal).await;
                return Err(refusal);
            }
            persons = persons.max(answer.persons);
        }
        Ok(persons)
    }

    /// Writes down that an act was refused; of a look nothing is written. It is refused also where that cannot be
    /// written.
    async fn record_refused(&self, person: &PersonSession, act: Act, about: &About, refusal: &Refusal) {
        let now = self.now();
        if matches!(act, Act::View | Act::ViewArguments) || !self.refusals().is_due(&person.person, act, now) {
            return;
        }
        let event = LedgerEvent::Console(ConsoleEvent::ActRefused {
            by: person.person.clone(),
            act,
            subject: about.of().cloned(),
            reason: refusal.code.to_owned(),
            at: now,
        });
        let recorded = self
            .admit(|_| Ok(Proposal { expected: Vec::new(), records: vec![self.ledger(now, &event)?], answer: () }))
            .await;
        if let Err(refusal) = recorded {
            tracing::warn!(code = refusal.code, act = act.word(), "a refused act could not be recorded");
        }
    }
}

/// The bundle does not let this person do that.
pub(super) fn not_permitted(act: Act, about: &About) -> Refusal {
    let of = about.of().map(|agent| format!(" of {agent}")).unwrap_or_default();
    Refusal::forbidden("not_permitted_here", format!("you may not {}{of}", act.says()))
}
