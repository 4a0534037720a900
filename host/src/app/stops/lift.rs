//! Lifting locks: the setter's group at once, two others together, who is concerned never.

use policy_core::abi::Voter;
use policy_core::console::Act;
use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::lifecycle::VoteDecision;
use policy_core::presence::{Presence, SignedAct};
use policy_core::question::LockTarget;
use policy_core::time::Timestamp;
use proviso_api::passkeys::VoteSignature;
use proviso_api::stops::Lifting;

use super::super::App;
use super::super::append::{Proposal, canonical, contended};
use super::super::console::About;
use super::super::event::{GateEvent, LedgerEvent};
use super::super::passkeys::{Decided, Shown};
use super::super::refusal::Refusal;
use super::super::sessions::hold_fresh;
use super::super::state::{LockEntry, State};
use super::locks::unknown_lock;
use crate::identity::PersonSession;
use crate::store::VersionKey;

/// What somebody can do about a lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum May {
    /// Lift it at once.
    Lift,
    /// Ask for it; the second who does lifts it.
    Vote,
    /// Neither.
    Nothing,
}

impl May {
    /// The word, as in JSON.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Lift => "lift",
            Self::Vote => "vote",
            Self::Nothing => "nothing",
        }
    }
}

impl App {
    /// Lifts a lock, or asks for it: a member of one of the setter's groups lifts it at once, two others do together.
    ///
    /// # Errors
    /// `unknown_lock`, also for one that has ended; `not_yours` for who is concerned; `presence_needed` where the
    /// bundle demands more than a session, and what is wrong with a signature; `single_user_required`; `contended`.
    pub async fn unlock(
        &self,
        person: &PersonSession,
        id: &str,
        signature: Option<&VoteSignature>,
    ) -> Result<Lifting, Refusal> {
        // INVARIANT (R4): what an agent could have signed in itself lifts nothing either.
        self.hold_session(person)?;
        let judged_by = self.policy().digest();
        let about = self.about_lock(id);
        let by_two = self.hold_some(person, &[Act::Unlock], &about).await? > 1;
        let there = self.signed_lift(person, id, signature).await?;
        let now = self.now();
        let by = &person.person;
        // INVARIANT (R4): a lock may be on whatever is asked for in any tier, so that the strongest of them says what
        // it takes.
        let demanded = self.policy().acts_presence();
        let others = self.others_who_may(by, (id, demanded), &about, now).await?;
        let person = &there.voter(self, self.as_it_stands(person, now)?);
        let (lifted, _) = self
            .admit(|state| {
                // INVARIANT (R4): who may, and what it is shown with, was asked of the bundle that is still active.
                if self.policy().digest() != judged_by {
                    return Err(contended());
                }
                let entry = state.locks_now(now).find(|entry| entry.lock.id == id).ok_or_else(unknown_lock)?;
                let may = self.may_lift(state, person, entry, now);
                if may == May::Nothing {
                    return Err(Refusal::forbidden("not_yours", "who is concerned by a lock cannot lift it"));
                }
                // INVARIANT (R4): two distinct people, each of whom still may.
                let asked = entry.lifting.iter().any(|(other, _)| {
                    let still = || !self.is_concerned(state, &other.person, entry, now);
                    others.contains(other) && state.ownership.departed(&other.person).is_none() && still()
                });
                // INVARIANT (R4): where the bundle demands two people, nobody lifts it alone, its setter neither.
                let lifted = asked || (may == May::Lift && !by_two);
                let mut expected = vec![
                    state.version(VersionKey::Locks),
                    state.version(VersionKey::Bundle),
                    state.version(VersionKey::Ownership),
                    state.version(VersionKey::Identity(person.id.clone())),
                ];
                expected.extend(state.page_of(&person.id));
                expected.extend(there.used().map(|used| used.version(state)));
                let shown = |(other, shown): &(Voter, Presence)| other.person == *by && *shown >= demanded;
                if !lifted && entry.lifting.iter().any(shown) {
                    return Ok(Proposal { expected, records: Vec::new(), answer: false });
                }
                there.hold(self, state, (VoteDecision::Approve, None), now)?;
                if let Some(used) = there.used() {
                    used.grows(state)?;
                }
                let proof = Box::new(there.demanded(self, state, (person, demanded), now)?);
                let (id, by, presence) = (id.to_owned(), by.clone(), demanded);
                let event = if lifted {
                    GateEvent::Unlocked { id: id.clone(), by, presence, proof, at: now }
                } else {
                    let assurance = Some(person.assurance.clone());
                    GateEvent::LiftVoted { id: id.clone(), by, assurance, presence, proof, at: now }
                };
                hold_fresh(state, person, now)?;
                let used = self.sign_in_used(state, person, (&id, true), now)?;
                let signed = there.used().and_then(|used| used.event(now));
                let signed = signed.map(|event| self.ledger(now, &LedgerEvent::Identity(event))).transpose()?;
                let first = self.gate_record(now, event, false)?;
                let records = std::iter::once(first).chain(used).chain(signed).collect();
                Ok(Proposal { expected, records, answer: lifted })
            })
            .await?;
        Ok(Lifting { lifted })
    }

    /// Verifies the signature that came with the wish to lift a lock.
    async fn signed_lift(
        &self,
        person: &PersonSession,
        id: &str,
        signature: Option<&VoteSignature>,
    ) -> Result<Shown, Refusal> {
        if signature.is_none() {
            return Ok(Shown::nothing());
        }
        let shown = {
            let state = self.state();
            let entry = state.locks_now(self.now()).find(|entry| entry.lock.id == id).ok_or_else(unknown_lock)?;
            Digest::of(&canonical(&entry.lock)?)
        };
        let decided = Decided { act: SignedAct::LiftLock, about: id, shown, reason: "" };
        self.signed_act(person, decided, signature).await
    }

    /// Who else has asked for it, shown with as much as is demanded, and may still lift it under the bundle that is
    /// active now.
    async fn others_who_may(
        &self,
        by: &EntityRef,
        (id, demanded): (&str, Presence),
        about: &About,
        now: Timestamp,
    ) -> Result<Vec<Voter>, Refusal> {
        let lifting: Vec<Voter> = {
            let state = self.state();
            let entry = state.locks_now(now).find(|entry| entry.lock.id == id);
            let lifting = entry.into_iter().flat_map(|entry| &entry.lifting);
            lifting.filter(|(_, shown)| *shown >= demanded).map(|(voter, _)| voter.clone()).collect()
        };
        let mut may = Vec::new();
        for other in lifting.into_iter().filter(|other| other.person != *by) {
            let answers = self.may_voter(&other, &[(Act::Unlock, about.clone())], now).await?;
            if answers.iter().all(|answer| answer.permitted) {
                may.push(other);
            }
        }
        Ok(may)
    }

    /// What this person can do about a lock.
    pub(super) fn may_lift(&self, state: &State, person: &PersonSession, entry: &LockEntry, now: Timestamp) -> May {
        if !self.votes_count(person) || self.is_concerned(state, &person.person, entry, now) {
            return May::Nothing;
        }
        let ours = self.policy().groups_of(&person.person);
        if entry.by == person.person || ours.iter().any(|group| entry.groups.contains(group)) {
            May::Lift
        } else {
            May::Vote
        }
    }

    /// Whether a lock is about this person, or about something of theirs, or this person is locked at all. Whoever
    /// asks for it back is not whom it was taken from.
    fn is_concerned(&self, state: &State, person: &EntityRef, entry: &LockEntry, now: Timestamp) -> bool {
        let is_person = |lock: &LockTarget| *lock == LockTarget::Person(person.clone());
        if state.locks_in_force(now).any(|lock| is_person(&lock.target)) || self.locked_now(person) {
            return true;
        }
        let asks = |entry: &super::super::state::Entry| {
            let request = &entry.exception.request;
            request.requester == *person
                || request.owners.contains(person)
                || request.question.chain.iter().any(|hop| hop.entity == *person)
        };
        match &entry.lock.target {
            LockTarget::Person(locked) => locked == person,
            LockTarget::Subject(subject) => self.owners_in(state, subject, now).contains(person),
            LockTarget::Grant(grant) => state.by_grant(grant).is_some_and(asks),
            LockTarget::Task(task) => {
                let mut here = state.exceptions.values().filter(|entry| entry.exception.request.question.task == *task);
                here.any(asks) || self.acts_in(state, task, person, now)
            }
            LockTarget::Tool(_) | LockTarget::Server(_) => false,
        }
    }

    /// Whether somebody acts for this person in a task, or this person owns who acts in it.
    fn acts_in(&self, state: &State, task: &str, person: &EntityRef, now: Timestamp) -> bool {
        let mut actors = state.registry.actors_in(task);
        actors.any(|actor| actor == person || self.owners_in(state, actor, now).contains(person))
    }
}
