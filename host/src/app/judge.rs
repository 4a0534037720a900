//! Asking the module, and holding exceptions against the bundle that is active now (R4).

use policy_core::abi::{ABI_VERSION, AbiError, Answer, Evaluate, Op, TermsAnswer, Voter};
use policy_core::entity::EntityRef;
use policy_core::grant::{ResourceScope, Scope};
use policy_core::json;
use policy_core::lifecycle::{Command, Context, EmergencyBlocked, Exception, Phase, decide, is_strong_enough};
use policy_core::outcome::Terms;
use policy_core::question::{Requested, SealedQuestion};
use policy_core::sabotaged;
use policy_core::time::Timestamp;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::App;
use super::append::Proposal;
use super::engine::EngineError;
use super::event::LedgerEvent;
use super::held::Wanted;
use super::identities::ASSURANCE;
use super::inputs;
use super::refusal::{Refusal, RefusalKind};
use crate::identity::PersonSession;
use crate::random;
use crate::store::VersionKey;

/// What a module's answer may hold.
const ANSWER: json::Limits = json::Limits { max_bytes: 16 << 20, max_depth: 120 };

/// Why the module's answer cannot be used. Each is a denial with the reason `limit` (R8).
#[derive(Debug)]
pub(super) enum NoAnswer {
    /// It gave none.
    Engine(EngineError),
    /// It refused the input.
    Refused(AbiError),
    /// What it gave cannot be read.
    Unreadable,
}

impl NoAnswer {
    /// The kind, as records hold it.
    pub fn kind(&self) -> String {
        match self {
            Self::Engine(error) => error.kind().to_owned(),
            Self::Refused(error) => error.code.clone(),
            Self::Unreadable => "unreadable".to_owned(),
        }
    }

    /// What the module refused the input with.
    pub const fn refusal(&self) -> Option<&AbiError> {
        match self {
            Self::Refused(error) => Some(error),
            Self::Engine(_) | Self::Unreadable => None,
        }
    }
}

impl From<NoAnswer> for Refusal {
    fn from(error: NoAnswer) -> Self {
        let kind = error.kind();
        tracing::warn!(kind, "the policy module gave no answer");
        Self::new(RefusalKind::Unavailable, "limit", format!("the policy module gave no answer ({kind})"))
            .help("ask again; if it stays so, the operator looks at the bundle and the gate's load")
    }
}

impl App {
    /// Calls one operation of the module under the active bundle.
    pub(super) async fn ask_module<T: DeserializeOwned>(&self, op: Op, input: &impl Serialize) -> Result<T, NoAnswer> {
        self.ask_module_in(op, json::to_canonical_bytes(input).map_err(|_| NoAnswer::Unreadable)?).await
    }

    /// The same with an input that is written already.
    pub(super) async fn ask_module_in<T: DeserializeOwned>(&self, op: Op, input: Vec<u8>) -> Result<T, NoAnswer> {
        let answer = self.engine().call(self.policy().digest(), op, input).await.map_err(NoAnswer::Engine)?;
        match json::read_as::<Answer<T>>(&answer, ANSWER) {
            Ok(Answer::Ok(answer)) => Ok(answer),
            Ok(Answer::Error(error)) => Err(NoAnswer::Refused(error)),
            Err(_) => Err(NoAnswer::Unreadable),
        }
    }

    /// What `approval/request/` says now of this exception's scope, or would say in an emergency.
    async fn terms_now(
        &self,
        exception: &Exception,
        emergency: bool,
        now: Timestamp,
    ) -> Result<Option<Terms>, Refusal> {
        let wanted = Wanted::of(exception);
        let wanted = Wanted { emergency: wanted.emergency || emergency, ..wanted };
        let requested = self.requested(&wanted, exception.request.requested_at, now);
        self.terms_of(wanted.question, requested, now).await
    }

    /// What `approval/request/` says now of a question, asking for this much.
    pub(super) async fn terms_of(
        &self,
        question: &SealedQuestion,
        requested: Requested,
        now: Timestamp,
    ) -> Result<Option<Terms>, Refusal> {
        let question = self.policy().refresh(question, &[], now, requested);
        let answer: TermsAnswer = self.ask_module(Op::Terms, &Evaluate { v: ABI_VERSION, question }).await?;
        Ok(answer.terms.filter(|terms| self.can_check(terms)))
    }

    /// Whether people can sign in here as strongly as these terms demand.
    ///
    /// INVARIANT (R8): terms that no sign-in of this gate can meet are no terms. Offered, a request would wait for votes
    /// that nobody can cast.
    pub(super) fn can_check(&self, terms: &Terms) -> bool {
        self.cannot_check(terms).is_none()
    }

    /// What of these terms this gate cannot check: a sign-in that nobody has here, or a copy of the record that there is
    /// none of.
    pub(super) fn cannot_check(&self, terms: &Terms) -> Option<&'static str> {
        let step_ups = self.policy().step_ups();
        let mut words = self.ways().assurances().chain([ASSURANCE]);
        let strong = |word: &str| is_strong_enough(terms, word, &step_ups);
        // Whoever can have a passkey can sign in by it.
        let passkey = self.takes_passkeys().then(|| self.with_passkey(ASSURANCE));
        let signs_in = words.any(strong) || passkey.is_some_and(|word| strong(&word));
        let can_be_met = signs_in && self.checks_presence(terms, strong);
        if !can_be_met && !sabotaged!("r8_step_up_offered") {
            return Some(inputs::STEP_UP);
        }
        self.lacks_copy(&terms.tier).then_some(inputs::NO_COPY)
    }

    /// What deciding on an exception needs to know. `voter` is who votes now, in their session, and the scope that
    /// is voted on.
    pub(super) async fn context(
        &self,
        exception: &Exception,
        voter: Option<(&PersonSession, &Scope)>,
        now: Timestamp,
    ) -> Result<Context, Refusal> {
        let mut voters: Vec<Voter> = voter.iter().map(|(person, _)| person.voter()).collect();
        let cast = exception.votes.iter().filter(|vote| vote.stands_for_it());
        let cast = cast.map(|vote| (&vote.person, vote.assurance.as_str()));
        let confirmed = exception.unconfirmed.iter().flat_map(|unconfirmed| &unconfirmed.confirmations);
        let cast = cast.chain(confirmed.map(|given| (&given.by, given.assurance.as_str())));
        {
            let state = self.state();
            for (person, assurance) in cast {
                if !voters.iter().any(|voter| voter.person == *person) {
                    let groups = state.registry.brought_for(&exception.request.id, person);
                    voters.push(Voter { groups, ..Voter::new(person.clone(), assurance.to_owned()) });
                }
            }
        }
        voters.sort_by(|a, b| a.person.cmp(&b.person));
        let mut eligible = if voters.is_empty() { Vec::new() } else { self.eligible(exception, voters, now).await? };
        self.count_seats(exception, voter.map(|(person, _)| &person.person), &mut eligible, now);
        let scope = voter.map_or_else(|| exception.current().map(|version| &version.scope), |(_, scope)| Some(scope));
        let subject = &exception.request.question.call.subject;
        let (overdue_tiers, emergency_blocked, predecessor) = {
            let state = self.state();
            let renews = exception.request.renews.as_ref().and_then(|renews| state.exceptions.get(&renews.of));
            let predecessor = renews.map(|entry| Box::new(entry.exception.clone()));
            (state.overdue_tiers(subject, now), state.emergency_blocked(subject, now), predecessor)
        };
        Ok(Context {
            eligible,
            terms: self.terms_now(exception, false, now).await?,
            members: scope.map_or_else(Vec::new, |scope| self.members(scope)),
            overdue_tiers,
            emergency_blocked,
            predecessor,
            ..self.bare_context(now)?
        })
    }

    /// What declaring an emergency needs to know: the terms are those of one.
    pub(super) async fn emergency_context(
        &self,
        exception: &Exception,
        person: &PersonSession,
        now: Timestamp,
    ) -> Result<Context, Refusal> {
        let scope = exception.current().map_or(&exception.request.scope, |version| &version.scope);
        let voter = (person, scope);
        let terms = self.terms_now(exception, true, now).await?;
        Ok(Context { terms, ..self.context(exception, Some(voter), now).await? })
    }

    /// The context for what asks nothing of policy.
    pub(super) fn bare_context(&self, now: Timestamp) -> Result<Context, Refusal> {
        let grant_id = random::id(self.random(), "grant").map_err(|_| super::identities::no_randomness())?;
        Ok(Context {
            now,
            bundle: self.policy().digest(),
            terms: None,
            eligible: Vec::new(),
            step_ups: self.policy().step_ups(),
            tiers: self.policy().tiers(),
            person_type: self.policy().person_type(),
            members: Vec::new(),
            grant_id,
            predecessor: None,
            overdue_tiers: Vec::new(),
            emergency_blocked: EmergencyBlocked::default(),
        })
    }

    /// The members of a scope's group as they are now.
    pub(super) fn members(&self, scope: &Scope) -> Vec<EntityRef> {
        match &scope.resource {
            ResourceScope::In(group) => self.policy().members_of(group),
            ResourceScope::Is(_) => Vec::new(),
        }
    }

    /// Who owns, or did in the 30 days before, any agent that a question is asked by, for or through (R4).
    pub(super) fn owners_behind(
        &self,
        question: &SealedQuestion,
        asker: Option<&EntityRef>,
        now: Timestamp,
    ) -> Vec<EntityRef> {
        let agents =
            std::iter::once(&question.call.subject).chain(asker).chain(question.chain.iter().map(|hop| &hop.entity));
        let state = self.state();
        let mut owners: Vec<EntityRef> = agents.flat_map(|agent| self.owners_in(&state, agent, now)).collect();
        owners.sort();
        owners.dedup();
        owners
    }

    /// Notices what time or a new bundle has done to an exception, and writes it down: before its next use, vote or
    /// view (R4). What cannot be written now is not believed either: a use compares time and bundle by itself.
    pub(super) async fn refresh(&self, id: &str) -> Result<(), Refusal> {
        let Some(exception) = self.state().exceptions.get(id).map(|entry| entry.exception.clone()) else {
            return Ok(());
        };
        let now = self.now();
        let judged_by = self.policy().digest();
        let lapsed = exception.is_over(now) && !matches!(exception.phase, Phase::Lapsed { .. });
        let stale = exception.needs_judging(self.policy().digest(), now);
        let (command, context) = if lapsed {
            (Command::Lapse, self.bare_context(now)?)
        } else if stale {
            (Command::Rejudge, self.context(&exception, None, now).await?)
        } else {
            return Ok(());
        };
        let made = self.admit(|state| {
            let entry = state.exceptions.get(id).ok_or_else(super::people::unknown_exception)?;
            // What another bundle has judged meanwhile is judged at the next look.
            let same = self.policy().digest() == judged_by;
            let events = if same { decide(Some(&entry.exception), command.clone(), &context) } else { Ok(Vec::new()) };
            let events = events.unwrap_or_default();
            let expected = vec![state.version(VersionKey::Exception(id.to_owned())), state.version(VersionKey::Bundle)];
            Ok(Proposal { expected, records: self.exception_records(now, id, events)?, answer: () })
        });
        made.await.map(drop)
    }

    /// The ledger records of an exception's events.
    pub(super) fn exception_records(
        &self,
        now: Timestamp,
        id: &str,
        events: Vec<policy_core::lifecycle::Event>,
    ) -> Result<Vec<crate::store::NewRecord>, Refusal> {
        let record = |event| self.ledger(now, &LedgerEvent::Exception { id: id.to_owned(), event: Box::new(event) });
        events.into_iter().map(record).collect()
    }
}
