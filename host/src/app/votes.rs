//! A vote: on what was shown, by a person who may, or not at all (R4).

use policy_core::lifecycle::{Command, Event, Exception, VoteDecision, decide};
use policy_core::presence::Proof;
use policy_core::sheet::{Ballot, binding};
use policy_core::time::Timestamp;
use proviso_api::exceptions::VoteReply;
use proviso_api::passkeys::CastVote;

use super::App;
use super::append::{ATTEMPTS, contended};
use super::event::LedgerEvent;
use super::limits::{Often, Slot};
use super::passkeys::Shown;
use super::people::{rejected, unknown_exception};
use super::policy::Policy;
use super::refusal::{Refusal, RefusalKind};
use super::state::State;
use crate::identity::PersonSession;
use crate::store::{AppendError, VersionKey};

impl App {
    /// Casts a vote.
    ///
    /// # Errors
    /// `stale_sheet` when what was shown is not what the server rebuilds, or something since then voids the vote; what
    /// the lifecycle rejects, by its code; `locked`; `single_user_required`; what is wrong with a signature; `too_often`
    /// for one of very many votes of somebody who has voted here before.
    pub async fn vote(&self, person: &PersonSession, id: &str, cast: CastVote) -> Result<VoteReply, Refusal> {
        let CastVote { ballot, signature } = cast;
        self.hold_session(person)?;
        self.hold_deciding(person, id).await?;
        self.record_held_stops().await;
        self.refresh(id).await?;
        if let Some(reply) = self.cast_already(person, id, &ballot)? {
            return Ok(reply);
        }
        let there = self.signed_with(person, id, &ballot, signature.as_ref()).await?;
        // Who may not vote at all is told so, whatever the sheet says.
        self.may_vote(person, id, &ballot, &there).await?;
        // INVARIANT (section 6): sheet, grant and preview are rebuilt here, byte for byte; one altered fact and the
        // digests differ.
        let shown = self.shown(person, id, Some(ballot.as_of)).await.map_err(|refusal| match refusal.kind {
            RefusalKind::NotFound if refusal.code == "unknown_position" => stale("that position is not in the ledger"),
            _ => refusal,
        })?;
        let previewed = self.preview(&shown, &ballot.grant).await?;
        let shown = binding(&person.person, &shown.sheet, &ballot.grant, &previewed);
        if shown.ok() != Some(ballot.sheet) {
            return Err(stale("what you were shown is not what the gate has on record"));
        }
        let slot = self.slot_to_vote_again(person, id, ballot.decision)?;
        for _ in 0..ATTEMPTS {
            if let Some(used) = there.used() {
                self.hold_counter(used).await?;
            }
            let now = self.now();
            let (exception, expected) = {
                let state = self.state();
                self.still_stands(&state, person, now)?;
                let entry = state.exceptions.get(id).ok_or_else(unknown_exception)?;
                if let Some(what) = voided(&state, &self.policy(), id, (ballot.decision, ballot.as_of)) {
                    return Err(stale(what));
                }
                self.hold_locks(&state, &entry.exception, ballot.decision, now)?;
                let member = (&person.person, ballot.decision);
                self.hold_member(&state, &entry.exception, member, now).map_err(rejected)?;
                there.hold(self, &state, (ballot.decision, Some(&entry.exception.terms.tier)), now)?;
                let mut expected = read_by_a_vote(&state, person, id);
                expected.extend(there.used().map(|used| used.version(&state)));
                (entry.exception.clone(), expected)
            };
            if ballot.decision == VoteDecision::Approve {
                self.hold_seat(&exception, &person.person, now)?;
            }
            // INVARIANT (R4): as it stands now: what was a fresh authentication may have been spent by another vote since.
            let person = &there.voter(self, self.as_it_stands(person, now)?);
            let context = self.context(&exception, Some((person, &ballot.grant)), now).await?;
            if let Some(terms) = &context.terms {
                there.hold(self, &self.state(), (ballot.decision, Some(&terms.tier)), now)?;
            }
            let proof = there.proof(self, &self.state(), person, now);
            let events = decide(Some(&exception), command(person, &ballot, proof), &context).map_err(rejected)?;
            // Its terms may have become stricter meanwhile.
            self.hold_friction(&exception, &ballot)?;
            let weighs = ballot.decision == VoteDecision::Approve;
            let used = self.sign_in_used(&self.state(), person, (id, weighs), now)?;
            let signed = there.used().and_then(|used| used.event(now));
            let signed = signed.map(|event| self.ledger(now, &LedgerEvent::Identity(event))).transpose()?;
            let records = match events.is_empty() {
                true => Vec::new(),
                false => self.exception_records(now, id, events)?.into_iter().chain(used).chain(signed).collect(),
            };
            match self.store().append(expected, records).await {
                Ok(_) => {
                    if let Some(slot) = slot {
                        slot.spent();
                    }
                    return self.vote_reply(id);
                }
                Err(AppendError::Conflict(_)) => {}
                Err(AppendError::Unavailable) => return Err(Refusal::record_unavailable()),
            }
        }
        Err(contended())
    }

    /// One of the hour's for a vote that is not this person's first here: one asks, or takes back and approves again, as
    /// often as one likes.
    fn slot_to_vote_again(
        &self,
        person: &PersonSession,
        id: &str,
        decision: VoteDecision,
    ) -> Result<Option<Slot<'_>>, Refusal> {
        let is_again = {
            let state = self.state();
            let votes = state.exceptions.get(id).into_iter().flat_map(|entry| &entry.exception.votes);
            votes.into_iter().any(|vote| vote.person == person.person)
        };
        // INVARIANT (R7): a refusal stops something, and is never one too many.
        let counts = is_again && decision != VoteDecision::Refuse;
        counts.then(|| self.slot(Often::VotesAgain, &person.person)).transpose()
    }

    /// INVARIANT (R4): where an agent may be the gate's own user, a link minted under that user votes for nobody.
    pub(super) fn hold_session(&self, person: &PersonSession) -> Result<(), Refusal> {
        if self.votes_count(person) {
            return Ok(());
        }
        Err(Refusal::forbidden(
            "single_user_required",
            "this sign-in was minted under the gate's own operating-system user, so it cannot vote",
        )
        .help("sign in with a link minted as root, or start the gate with `--single-user`"))
    }

    pub(super) fn still_stands(&self, state: &State, person: &PersonSession, now: Timestamp) -> Result<(), Refusal> {
        if state.registry.stands(&person.id, now) {
            return Ok(());
        }
        Err(Refusal::new(RefusalKind::Unauthenticated, "signed_out", "you are not signed in"))
    }

    /// Separation of duty, eligibility and the reason, before the sheet is looked at.
    async fn may_vote(&self, person: &PersonSession, id: &str, ballot: &Ballot, there: &Shown) -> Result<(), Refusal> {
        let now = self.now();
        let exception = self.state().exceptions.get(id).map(|entry| entry.exception.clone());
        let exception = exception.ok_or_else(unknown_exception)?;
        let person = &there.voter(self, self.as_it_stands(person, now)?);
        let context = self.context(&exception, Some((person, &ballot.grant)), now).await?;
        let proof = there.proof(self, &self.state(), person, now);
        decide(Some(&exception), command(person, ballot, proof), &context).map(drop).map_err(rejected)?;
        self.hold_friction(&exception, ballot)
    }

    /// The same vote again is done already.
    fn cast_already(&self, person: &PersonSession, id: &str, ballot: &Ballot) -> Result<Option<VoteReply>, Refusal> {
        let cast = {
            let state = self.state();
            let entry = state.exceptions.get(id).ok_or_else(unknown_exception)?;
            entry.exception.votes.iter().any(|vote| {
                // One that was taken back is none, and is not cast again by what it was cast with.
                vote.withdrawn.is_none()
                    && vote.person == person.person
                    && vote.decision == ballot.decision
                    && vote.sheet == ballot.sheet
                    && vote.as_of == ballot.as_of
                    && vote.reason == ballot.reason
                    && vote.inside == (ballot.inside && ballot.decision == VoteDecision::Approve)
            })
        };
        if cast { self.vote_reply(id).map(Some) } else { Ok(None) }
    }

    fn hold_locks(
        &self,
        state: &State,
        exception: &Exception,
        decision: VoteDecision,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let locked = !self.locks_on(state, &exception.request.question, now).is_empty() || self.holds_stops();
        if decision == VoteDecision::Approve && locked {
            return Err(Refusal::conflict("locked", "a lock stops this, so it cannot be approved")
                .help("whoever set the lock lifts it"));
        }
        Ok(())
    }

    /// How it stands after a vote or another act.
    pub(super) fn vote_reply(&self, id: &str) -> Result<VoteReply, Refusal> {
        let state = self.state();
        let entry = state.exceptions.get(id).ok_or_else(unknown_exception)?;
        // Whoever waited for this grant may have used it up before this answer leaves: it was made all the same.
        let phase = &entry.exception.phase;
        let grant = phase.grant().map(|held| held.grant.id.to_string());
        Ok(VoteReply { state: phase.word().to_owned(), position: state.position, grant })
    }
}

fn command(person: &PersonSession, ballot: &Ballot, proof: Proof) -> Command {
    Command::Vote {
        person: person.person.clone(),
        decision: ballot.decision,
        scope: ballot.grant.clone(),
        sheet: ballot.sheet,
        as_of: ballot.as_of,
        reason: ballot.reason.clone(),
        assurance: person.assurance.clone(),
        inside: ballot.inside,
        proof,
    }
}

/// What happened at this position or after it that voids a vote: another version, a newer bundle, changed terms, a lock,
/// an end. Other news does not. A refusal of any version ends the request, so another version, changed terms and less
/// time void none.
pub(super) fn voided(
    state: &State,
    policy: &Policy,
    id: &str,
    (decision, as_of): (VoteDecision, u64),
) -> Option<&'static str> {
    let entry = state.exceptions.get(id)?;
    if state.activations.last().is_some_and(|(seq, _)| *seq >= as_of) {
        return Some("another bundle is active since then");
    }
    let question = &entry.exception.request.question;
    if state.locked.iter().any(|(seq, target)| *seq >= as_of && policy.stops(target, question)) {
        return Some("something that it needs was locked since then");
    }
    let since = entry.steps.iter().filter(|(seq, _, _)| *seq >= as_of);
    let refuses = decision == VoteDecision::Refuse;
    since.map(|(_, _, event)| event).find_map(|event| match event {
        Event::ScopeNarrowed { .. } | Event::ExceptionRejudged { .. } | Event::EmergencyDeclared { .. } if refuses => {
            None
        }
        Event::VoteWithdrawn { .. } if decision != VoteDecision::Approve => None,
        // Whoever approves beside somebody hears first that they stand there alone.
        Event::VoteWithdrawn { .. } => Some("an approval was taken back since then"),
        Event::ScopeNarrowed { .. } => Some("somebody narrowed it since then"),
        Event::ExceptionRejudged { .. } => Some("its terms were asked again since then"),
        Event::EmergencyDeclared { .. } => Some("an emergency was declared since then"),
        Event::ExceptionUnconfirmed { .. } => Some("the gate was restored since then"),
        Event::VoteCast { .. }
        | Event::QuestionAnswered { .. }
        | Event::RequestFolded { .. }
        | Event::ReviewOpened { .. }
        | Event::ConfirmationGiven { .. }
        | Event::ExceptionConfirmed { .. }
        | Event::ReviewClosed { .. } => None,
        Event::ExceptionRequested { .. }
        | Event::ExceptionGranted { .. }
        | Event::ExceptionDenied { .. }
        | Event::ExceptionCancelled { .. }
        | Event::GrantUsed { .. }
        | Event::GrantExhausted { .. }
        | Event::GrantRevoked { .. }
        | Event::GrantSuspended { .. }
        | Event::GrantActivated { .. }
        | Event::UseGivenBack { .. }
        | Event::DispositionSet { .. }
        | Event::ExceptionLapsed { .. } => Some("it was decided or ended since then"),
    })
}

/// The versions of all that decides whether this person votes on this exception.
pub(super) fn read_by_a_vote(state: &State, person: &PersonSession, id: &str) -> Vec<(VersionKey, u64)> {
    let keys = [
        VersionKey::Bundle,
        VersionKey::Locks,
        VersionKey::Deputies,
        VersionKey::Ownership,
        VersionKey::Members,
        VersionKey::Exception(id.to_owned()),
        VersionKey::Identity(person.id.clone()),
    ];
    keys.map(|key| state.version(key)).into_iter().chain(state.page_of(&person.id)).collect()
}

pub(super) fn stale(what: &str) -> Refusal {
    Refusal::conflict("stale_sheet", what).help("load the decision sheet again, look, and vote on that one")
}
