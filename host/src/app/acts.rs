//! What people and agents do to an exception besides voting: answer a question, declare an emergency, give a use back,
//! judge it afterwards.

use policy_core::console::Act;
use policy_core::lifecycle::{Command, Context, Exception, VoteDecision, decide};
use policy_core::presence::{Proof, SignedAct};
use policy_core::sabotaged;
use policy_core::time::Timestamp;
use proviso_api::acts::{AnswerRequest, DispositionRequest, ShownReason};
use proviso_api::exceptions::VoteReply;

use super::App;
use super::append::{ATTEMPTS, contended};
use super::console::About;
use super::event::LedgerEvent;
use super::limits::Often;
use super::passkeys::Shown;
use super::people::{rejected, unknown_exception};
use super::refusal::Refusal;
use super::sessions::{as_strong, weighs};
use super::state::{Entry, State};
use super::uses::USE_ALIVE;
use super::votes::{stale, voided};
use crate::identity::{Credential, PersonSession};
use crate::store::{AppendError, VersionKey};

/// Who acts, by the credential that must still stand when it is recorded.
#[derive(Debug, Clone, Copy)]
pub(super) enum By<'a> {
    /// A signed-in person.
    Person(&'a PersonSession),
    /// An agent, by its credential's id.
    Agent(&'a str),
}

impl By<'_> {
    /// Its credential's id.
    pub fn credential(&self) -> &str {
        match self {
            Self::Person(person) => &person.id,
            Self::Agent(token) => token,
        }
    }
}

impl App {
    /// Answers a vote that asks, as the person who asked for the exception or owns the agent. Stops no clock.
    ///
    /// # Errors
    /// What the lifecycle rejects: `no_question`, `not_yours`, `too_many_answers`, `closed`, …
    pub async fn answer(&self, person: &PersonSession, id: &str, body: AnswerRequest) -> Result<VoteReply, Refusal> {
        let command = Command::Answer { by: person.person.clone(), vote: body.vote, words: body.words };
        self.act(By::Person(person), id, &[], command).await?;
        self.vote_reply(id)
    }

    /// Answers a vote that asks, as the agent.
    ///
    /// # Errors
    /// As [`Self::answer`]; `unknown_task` for another agent's request.
    pub async fn answer_as_agent(
        &self,
        caller: &Credential,
        subject: Option<&Credential>,
        id: &str,
        body: AnswerRequest,
    ) -> Result<VoteReply, Refusal> {
        let by = self.own_request(caller, subject, id)?;
        let token = match (caller, subject) {
            (Credential::Agent(agent), _) | (_, Some(Credential::Agent(agent))) => &agent.token,
            (Credential::EnforcementPoint(point), _) => &point.token,
        };
        let command = Command::Answer { by, vote: body.vote, words: body.words };
        self.act(By::Agent(token), id, &[], command).await?;
        self.vote_reply(id)
    }

    /// Declares an emergency.
    ///
    /// # Errors
    /// What the lifecycle rejects: who may not vote may not declare one; `emergency_blocked`; `single_user_required`;
    /// `stale_sheet` for a signature over what does not stand any more; what is wrong with a signature.
    pub async fn declare_emergency(
        &self,
        person: &PersonSession,
        id: &str,
        body: ShownReason,
    ) -> Result<VoteReply, Refusal> {
        self.hold_session(person)?;
        let command = Command::DeclareEmergency {
            by: person.person.clone(),
            reason: body.reason.clone(),
            assurance: person.assurance.clone(),
            proof: Proof::Session,
        };
        let act = (SignedAct::DeclareEmergency, &[VersionKey::Locks][..]);
        self.act_shown(person, id, act, (command, &body)).await
    }

    /// Decides a command that is shown as a vote is: by a signature over what its person was shown, where one came.
    pub(super) async fn act_shown(
        &self,
        person: &PersonSession,
        id: &str,
        (act, besides): (SignedAct, &[VersionKey]),
        (command, body): (Command, &ShownReason),
    ) -> Result<VoteReply, Refusal> {
        self.hold_deciding(person, id).await?;
        let there = self.signed_sheet(person, (act, id), &body.reason, body.signed.as_ref()).await?;
        let as_of = body.signed.as_ref().map(|signed| signed.as_of);
        self.act_there(By::Person(person), id, besides, (command, &there, as_of)).await?;
        self.vote_reply(id)
    }

    /// Gives back a use that nobody ever reported.
    ///
    /// # Errors
    /// `use_reported` where somebody did; `use_too_new` while its allow may still be under way; what the lifecycle
    /// rejects: `no_such_use`, who may not vote, a closed exception; `single_user_required`.
    pub async fn give_back(
        &self,
        person: &PersonSession,
        id: &str,
        evaluation: &str,
        reason: &str,
    ) -> Result<VoteReply, Refusal> {
        self.hold_session(person)?;
        let command = Command::GiveBack {
            by: person.person.clone(),
            evaluation: evaluation.to_owned(),
            reason: reason.to_owned(),
            assurance: person.assurance.clone(),
        };
        self.act(By::Person(person), id, &[VersionKey::Reports(id.to_owned())], command).await?;
        self.vote_reply(id)
    }

    /// Judges a closed exception. The last judgement stands.
    ///
    /// # Errors
    /// `not_closed`; `unknown_exception`; `single_user_required`; `too_often`.
    pub async fn dispose(
        &self,
        person: &PersonSession,
        id: &str,
        body: DispositionRequest,
    ) -> Result<VoteReply, Refusal> {
        self.hold_session(person)?;
        let command = Command::Dispose { by: person.person.clone(), disposition: body.disposition, note: body.note };
        let slot = self.slot(Often::Judgements, &person.person)?;
        self.act(By::Person(person), id, &[], command).await?;
        slot.spent();
        self.vote_reply(id)
    }

    /// Decides a command under the versions that it read: the exception's, the bundle's, the actor's credential's and
    /// these.
    pub(super) async fn act(
        &self,
        by: By<'_>,
        id: &str,
        besides: &[VersionKey],
        command: Command,
    ) -> Result<(), Refusal> {
        self.act_there(by, id, besides, (command, &Shown::nothing(), None)).await
    }

    /// The same with what showed that its person is there, and the position of the sheet that was signed.
    async fn act_there(
        &self,
        by: By<'_>,
        id: &str,
        besides: &[VersionKey],
        (command, there, as_of): (Command, &Shown, Option<u64>),
    ) -> Result<(), Refusal> {
        if let By::Person(person) = by {
            self.hold_command(person, id, &command).await?;
        }
        self.refresh(id).await?;
        for _ in 0..ATTEMPTS {
            if let Some(used) = there.used() {
                self.hold_counter(used).await?;
            }
            let now = self.now();
            let (exception, expected) = {
                let state = self.state();
                self.still_acts(&state, by, now)?;
                let entry = state.exceptions.get(id).ok_or_else(unknown_exception)?;
                hold_use(entry, &command, now)?;
                // INVARIANT (R4): what was signed is what stands.
                let since = as_of.and_then(|as_of| voided(&state, &self.policy(), id, (VoteDecision::Approve, as_of)));
                if let Some(what) = since {
                    return Err(stale(what));
                }
                there.hold(self, &state, (VoteDecision::Approve, Some(&entry.exception.terms.tier)), now)?;
                let keys = [
                    VersionKey::Bundle,
                    // INVARIANT (R4): who owns or owned it, and who has left, is as it was when this was judged.
                    VersionKey::Ownership,
                    VersionKey::Exception(id.to_owned()),
                    VersionKey::Identity(by.credential().to_owned()),
                ];
                let keys = keys.into_iter().chain(besides.iter().cloned());
                let passkey = there.used().map(|used| used.version(&state));
                let page = state.page_of(by.credential());
                let expected: Vec<_> = keys.map(|key| state.version(key)).chain(passkey).chain(page).collect();
                (entry.exception.clone(), expected)
            };
            // INVARIANT (R4): a person as they are signed in now: what was fresh may have been spent since.
            let stands = match by {
                By::Person(person) => Some(there.voter(self, self.as_it_stands(person, now)?)),
                By::Agent(_) => None,
            };
            let by = stands.as_ref().map_or(by, By::Person);
            let command = stands.as_ref().map_or_else(
                || command.clone(),
                |person| as_strong(&command, person, || there.proof(self, &self.state(), person, now)),
            );
            let context = self.acting_context(&by, &exception, &command, now).await?;
            // INVARIANT (R4): what a new passkey counts for is told from the terms of today, too, as with votes.
            if let Some(terms) = &context.terms {
                there.hold(self, &self.state(), (VoteDecision::Approve, Some(&terms.tier)), now)?;
            }
            let takes = weighs(&command);
            let events = decide(Some(&exception), command, &context).map_err(rejected)?;
            if events.is_empty() {
                return Ok(());
            }
            let used = match stands.filter(|_| takes) {
                Some(person) => self.sign_in_used(&self.state(), &person, (id, true), now)?,
                None => None,
            };
            let signed = there.used().and_then(|used| used.event(now));
            let signed = signed.map(|event| self.ledger(now, &LedgerEvent::Identity(event))).transpose()?;
            let records = self.exception_records(now, id, events)?.into_iter().chain(used).chain(signed).collect();
            match self.store().append(expected, records).await {
                Ok(_) => return Ok(()),
                Err(AppendError::Conflict(_)) => {}
                Err(AppendError::Unavailable) => return Err(Refusal::record_unavailable()),
            }
        }
        Err(contended())
    }

    /// Holds what a person wants to do to an exception against `console/`.
    async fn hold_command(&self, person: &PersonSession, id: &str, command: &Command) -> Result<(), Refusal> {
        let act = match command {
            Command::Answer { .. } => Act::Answer,
            Command::CloseReview { .. } | Command::Dispose { .. } => Act::Review,
            // Everything else is for those who decide.
            _ => return self.hold_deciding(person, id).await,
        };
        let about = About::exception_of(&self.state(), id);
        self.hold_act(person, act, &about).await
    }

    /// Whether a credential still stands.
    pub(super) fn still_acts(&self, state: &State, by: By<'_>, now: Timestamp) -> Result<(), Refusal> {
        match by {
            By::Person(person) => self.still_stands(state, person, now),
            By::Agent(token) => self.still_live(state, token, now),
        }
    }

    async fn acting_context(
        &self,
        by: &By<'_>,
        exception: &Exception,
        command: &Command,
        now: Timestamp,
    ) -> Result<Context, Refusal> {
        match (by, command) {
            (By::Person(person), Command::DeclareEmergency { .. }) => {
                self.emergency_context(exception, person, now).await
            }
            (By::Person(person), Command::CloseReview { .. } | Command::Dispose { .. }) => {
                let voter = person.voter();
                let eligible = self.eligible(exception, vec![voter], now).await?;
                Ok(Context { eligible, ..self.bare_context(now)? })
            }
            (By::Person(person), Command::Confirm { .. }) => {
                let scope = exception.current().map_or(&exception.request.scope, |version| &version.scope);
                let voter = (*person, scope);
                let mut context = self.context(exception, Some(voter), now).await?;
                self.count_confirming_seats(exception, &person.person, &mut context.eligible, now);
                Ok(context)
            }
            (By::Person(person), Command::GiveBack { .. }) => {
                let scope = exception.current().map_or(&exception.request.scope, |version| &version.scope);
                let voter = (*person, scope);
                self.context(exception, Some(voter), now).await
            }
            _ => self.bare_context(now),
        }
    }
}

/// INVARIANT (R3): a use is given back only where nothing can come of it any more: nobody reported it or a repeat of it,
/// the same call id no longer repeats it, and the allow of the last repeat has ended.
fn hold_use(entry: &Entry, command: &Command, now: Timestamp) -> Result<(), Refusal> {
    let Command::GiveBack { evaluation, .. } = command else { return Ok(()) };
    if entry.reports.contains_key(evaluation) {
        return Err(Refusal::conflict("use_reported", "somebody has reported what came of that use")
            .help("only a use that nobody ever reported can be given back"));
    }
    let taken = entry.exception.phase.grant().map(|held| held.taken.as_slice()).unwrap_or_default();
    match taken.iter().find(|taken| taken.evaluation == *evaluation) {
        Some(taken) if now < taken.at.plus(USE_ALIVE) && !sabotaged!("r3_use_back_early") => {
            Err(Refusal::conflict("use_too_new", "that use was consumed a moment ago and may be under way")
                .help("look again in fifteen seconds"))
        }
        _ => Ok(()),
    }
}
