//! A decision taken back within a minute, in one step: an approval becomes a revoke, a refusal opens the same request
//! again. Nothing waits for it: what was decided holds until then. An approval that waits for others is taken back for as
//! long as it waits, and counts no more.
//!
//! What is denied stays denied (ARAP: one way out of pending). Opened again it is a request of its own, with the facts,
//! the scope and the words of the refused one, and without its votes.

use policy_core::entity::EntityRef;
use policy_core::lifecycle::{Command, Exception, Phase, RequestFacts, Vote, VoteDecision, decide};
use policy_core::time::{Span, Timestamp};
use proviso_api::exceptions::{HistoryLine, UndoReply};

use super::App;
use super::acts::By;
use super::append::Proposal;
use super::event::{Reopens, RequestOrigin};
use super::filing::Filing;
use super::people::{rejected, unknown_exception};
use super::refusal::Refusal;
use super::state::{Entry, State};
use super::stops::HeldStop;
use crate::identity::PersonSession;
use crate::random;
use crate::store::{Log, VersionKey};

/// How long after a vote it can be undone.
pub(super) const UNDO_WITHIN: Span = Span::from_seconds(60);
/// Why, in the record.
const REVOKED: &str = "undone within a minute of the approval";

impl App {
    /// Takes the person's own decision back.
    ///
    /// # Errors
    /// `nothing_to_undo`; `undo_too_late`; `single_user_required`; `not_permitted_here`; what a revoke or a request is
    /// refused for.
    pub async fn undo(&self, person: &PersonSession, id: &str) -> Result<UndoReply, Refusal> {
        self.hold_session(person)?;
        self.hold_deciding(person, id).await?;
        let now = self.now();
        if let Some(reply) = self.take_back_waiting(person, id, now).await? {
            return Ok(reply);
        }
        let (exception, origin, again) = {
            let state = self.state();
            self.still_stands(&state, person, now)?;
            let entry = state.exceptions.get(id).ok_or_else(unknown_exception)?;
            (entry.exception.clone(), entry.origin.clone(), state.reopened_as(id))
        };
        let vote = exception.votes.iter().rev().find(|vote| vote.person == person.person).ok_or_else(nothing)?;
        match decision(&exception, vote, now) {
            // Done already: by this, a moment ago.
            Some(Decision::Withdrawn | Decision::Revoked) => self.undone(id),
            Some(Decision::Denied) if again.is_some() => self.undone(&again.unwrap_or_default()),
            None => Err(nothing()),
            // INVARIANT (R4): what others wait for or act on is taken back by a revoke or a new request, with its reason.
            Some(_) if now >= vote.at.plus(UNDO_WITHIN) => {
                Err(Refusal::conflict("undo_too_late", "more than a minute has passed since you decided")
                    .help("revoke the grant, or let the agent ask again"))
            }
            Some(Decision::Granted) => {
                let (exception, by, reason) = (id.to_owned(), person.person.clone(), REVOKED.to_owned());
                self.stop(HeldStop::Revoke { exception, by, reason }).await?;
                self.undone(id)
            }
            Some(Decision::Denied) => {
                let id = self.open_again(person, &exception, origin, now).await?;
                self.undone(&id)
            }
        }
    }

    /// Takes back an approval of this person's that waits for others. Nothing where none does; also where the last vote
    /// that was needed has landed meanwhile: then there is a grant, and something else to do about it.
    async fn take_back_waiting(
        &self,
        person: &PersonSession,
        id: &str,
        now: Timestamp,
    ) -> Result<Option<UndoReply>, Refusal> {
        let waits = |state: &State| {
            let entry = state.exceptions.get(id);
            entry.is_some_and(|entry| entry.exception.waits_with(&person.person))
        };
        if !waits(&self.state()) {
            return Ok(None);
        }
        let context = self.bare_context(now)?;
        // INVARIANT (R4): the vote that would complete the quorum and the one that is taken back are decided one after the
        // other, each on what the other left.
        let make = |state: &State| -> Result<Proposal<bool>, Refusal> {
            self.still_stands(state, person, now)?;
            let entry = state.exceptions.get(id).ok_or_else(unknown_exception)?;
            if !entry.exception.waits_with(&person.person) {
                return Ok(Proposal { expected: Vec::new(), records: Vec::new(), answer: false });
            }
            let command = Command::Withdraw { by: person.person.clone() };
            let events = decide(Some(&entry.exception), command, &context).map_err(rejected)?;
            let keys = [VersionKey::Exception(id.to_owned()), VersionKey::Identity(person.id.clone())];
            let expected = keys.map(|key| state.version(key)).into_iter().chain(state.page_of(&person.id)).collect();
            Ok(Proposal { expected, records: self.exception_records(now, id, events)?, answer: true })
        };
        let (done, _) = self.admit(make).await?;
        if done { self.undone(id).map(Some) } else { Ok(None) }
    }

    /// Until when this person can undo what they decided here; nothing where there is nothing to undo.
    pub(super) fn undo_until(
        &self,
        exception: &Exception,
        person: &PersonSession,
        now: Timestamp,
    ) -> Option<Timestamp> {
        if exception.waits_with(&person.person) {
            return Some(exception.decide_by()).filter(|until| now < *until);
        }
        let vote = exception.votes.iter().rev().find(|vote| vote.person == person.person)?;
        let until = vote.at.plus(UNDO_WITHIN);
        // Most were decided long ago: nothing is looked for then.
        if now >= until {
            return None;
        }
        let open = match decision(exception, vote, now)? {
            Decision::Granted => true,
            Decision::Denied => self.state().reopened_as(&exception.request.id).is_none(),
            Decision::Withdrawn | Decision::Revoked => false,
        };
        open.then_some(until)
    }

    async fn open_again(
        &self,
        person: &PersonSession,
        refused: &Exception,
        origin: RequestOrigin,
        now: Timestamp,
    ) -> Result<String, Refusal> {
        let before = &refused.request;
        let facts = RequestFacts {
            id: random::id(self.random(), "exc").map_err(|_| super::identities::no_randomness())?,
            requested_at: now,
            renews: None,
            ..(**before).clone()
        };
        let reopens = Some(Reopens { of: before.id.clone(), by: person.person.clone() });
        let renews = before.renews.as_ref().filter(|renews| renews.declared).map(|renews| renews.of.clone());
        let origin = RequestOrigin { idempotency_key: None, reopens, ..origin };
        let by = vec![By::Person(person)];
        // The question stands as it was sealed; whoever opens it again does so with a session.
        self.file(Filing { again: None, facts, origin, by, renews, own_scope: true, bound: true }).await
    }

    fn undone(&self, id: &str) -> Result<UndoReply, Refusal> {
        let reply = self.vote_reply(id)?;
        let grant = reply.grant.as_deref();
        let calls_in_flight = self.calls_in_flight(|flight| grant.is_some_and(|grant| flight.is_of(grant)));
        Ok(UndoReply { exception: id.to_owned(), state: reply.state, position: reply.position, calls_in_flight })
    }
}

impl State {
    /// As what a refused request was opened again.
    pub fn reopened_as(&self, id: &str) -> Option<String> {
        let mut all = self.exceptions.iter();
        let found = all.find(|(_, entry)| entry.origin.reopens.as_ref().is_some_and(|reopens| reopens.of == id));
        found.map(|(id, _)| id.clone())
    }
}

/// That a refusal was taken back, in the histories of both: of what was refused, and of what it goes on as.
pub(super) fn history(state: &State, id: &str) -> Vec<HistoryLine> {
    let line = |entry: &Entry, by: &EntityRef, sentence: String| {
        let (seq, at, _) = entry.steps.first()?;
        Some(HistoryLine {
            log: Log::Ledger.name().to_owned(),
            seq: *seq,
            at: *at,
            kind: "request_reopened".to_owned(),
            by: Some(by.clone()),
            sentence,
            said: None,
        })
    };
    let own = state.exceptions.get(id).and_then(|entry| {
        let Reopens { of, by } = entry.origin.reopens.as_ref()?;
        line(entry, by, format!("{by} took back the refusal of {of}; it goes on here"))
    });
    let next = state.reopened_as(id).and_then(|next| {
        let entry = state.exceptions.get(&next)?;
        let by = &entry.origin.reopens.as_ref()?.by;
        line(entry, by, format!("{by} took the refusal back; it goes on as {next}"))
    });
    own.into_iter().chain(next).collect()
}

/// What became of somebody's vote that could be taken back.
enum Decision {
    Granted,
    Denied,
    /// It waited for others, and was taken back.
    Withdrawn,
    /// It was taken back.
    Revoked,
}

/// Nothing where the vote decided nothing: it asked, or somebody else has ended it.
fn decision(exception: &Exception, vote: &Vote, now: Timestamp) -> Option<Decision> {
    match (vote.decision, &exception.phase) {
        (VoteDecision::Refuse, Phase::Denied { by, .. }) if *by == vote.person => Some(Decision::Denied),
        (VoteDecision::Approve, Phase::Revoked { by, reason, .. }) if *by == vote.person && reason == REVOKED => {
            Some(Decision::Revoked)
        }
        (VoteDecision::Approve, Phase::Requested | Phase::Suspended { grant: None, .. })
            if vote.withdrawn.is_some() =>
        {
            Some(Decision::Withdrawn)
        }
        // What was taken back has no part in what others granted since.
        (VoteDecision::Approve, _) if vote.withdrawn.is_none() && exception.may_be_used_again(now) => {
            Some(Decision::Granted)
        }
        _ => None,
    }
}

fn nothing() -> Refusal {
    Refusal::conflict("nothing_to_undo", "no decision of yours stands here that could be undone")
        .help("a grant that somebody else completed is taken away by revoking it")
}
