//! The decision sheet at one ledger position, and what its preview evaluates.

use std::collections::BTreeSet;

use policy_core::console::Act;
use policy_core::containment;
use policy_core::digest::Digest;
use policy_core::entity::EntityRef;
use policy_core::grant::{Grant, ResourceScope, Scope};
use policy_core::json;
use policy_core::lifecycle::{self, Exception, effective_state};
use policy_core::outcome::Evaluation;
use policy_core::question::SealedQuestion;
use policy_core::sheet::{BundleFact, DecisionSheet, Predecessor, SHEET_VERSION};
use policy_core::time::{Span, Timestamp};
use policy_evaluator::abi::LARGEST_INPUT;
use policy_evaluator::preview::MOST_OTHERS;
use proviso_api::exceptions::{QuestionsReply, ResourceGroup, SheetReply};
use serde_json::value::RawValue;
use tokio::task::spawn_blocking;

use super::App;
use super::console::About;
use super::event::{ActivationFact, QUESTION};
use super::past::{Like, needed};
use super::people::unknown_exception;
use super::refusal::{Refusal, RefusalKind};
use super::state::{Denial, State};
use crate::identity::PersonSession;
use crate::store::{Log, StoreError};

/// How many recorded denials a preview tries, one for each shape: as many as the module takes.
const MOST_TRIED: usize = MOST_OTHERS;
/// How many bytes the sealed question of each may have.
const LARGEST_TRIED: usize = 16 * 1024;
/// How many bytes all of them may have with the call that is asked for: what the module takes, less a grant.
const LARGEST_IN_ALL: usize = LARGEST_INPUT - (512 << 10);
/// Of how many agents it tries them.
const MOST_AGENTS: usize = 100;
/// How far back it looks.
const TRIED_WITHIN: Span = Span::from_seconds(7 * 86_400);

/// A recorded question as it was written down. A preview tries a thousand of them, and none is looked into here.
pub(super) type Recorded = Box<RawValue>;

/// All that a sheet's preview needs.
pub(super) struct Shown {
    pub sheet: DecisionSheet,
    pub question: SealedQuestion,
}

/// What the state holds of a sheet.
struct Facts {
    exception: Exception,
    refused: Evaluation,
    bundle: BundleFact,
    tried: Vec<u64>,
    renews: Option<Predecessor>,
}

impl App {
    /// The decision sheet at a ledger position; absent: the newest.
    ///
    /// # Errors
    /// `unknown_exception`; `unknown_position`; `stale_sheet` for a position before the active bundle;
    /// `not_permitted_here` for who may not see what it is called with: a sheet without that would be another.
    pub async fn sheet(&self, person: &PersonSession, id: &str, as_of: Option<u64>) -> Result<SheetReply, Refusal> {
        self.hold_sheet(person, id).await?;
        self.refresh_before_sheet(id, as_of).await?;
        let shown = self.shown(person, id, as_of).await?;
        let smallest = self.smallest(&shown)?;
        Ok(SheetReply { sheet: shown.sheet, smallest })
    }

    /// What the sheet's preview evaluates.
    ///
    /// # Errors
    /// As [`Self::sheet`].
    pub async fn questions(
        &self,
        person: &PersonSession,
        id: &str,
        as_of: Option<u64>,
    ) -> Result<QuestionsReply<Recorded>, Refusal> {
        self.hold_sheet(person, id).await?;
        self.refresh_before_sheet(id, as_of).await?;
        let shown = self.shown(person, id, as_of).await?;
        let grant = self.trial(&shown, self.smallest(&shown)?);
        let groups = match current(&shown.sheet.exception).resource {
            ResourceScope::In(group) => {
                let members = self.policy().members_of(&group);
                vec![ResourceGroup { group, members }]
            }
            ResourceScope::Is(_) => Vec::new(),
        };
        let others = self.others(&shown).await?;
        Ok(QuestionsReply { question: shown.question, grant, others, groups })
    }

    async fn hold_sheet(&self, person: &PersonSession, id: &str) -> Result<(), Refusal> {
        let about = About::exception_of(&self.state(), id);
        self.hold_acts(person, &[Act::View, Act::ViewArguments], &about).await
    }

    /// Only the newest position may still move: an older one is shown as it was.
    async fn refresh_before_sheet(&self, id: &str, as_of: Option<u64>) -> Result<(), Refusal> {
        if as_of.is_some() {
            return Ok(());
        }
        match self.refresh(id).await {
            Err(refusal) if refusal.kind == RefusalKind::Unavailable => Ok(()),
            other => other,
        }
    }

    /// The smallest grant that lets this call through, from now on, inside what is voted on.
    fn smallest(&self, shown: &Shown) -> Result<Scope, Refusal> {
        let exception = &shown.sheet.exception;
        let requested = current(exception);
        let smallest = containment::smallest(&shown.question, &exception.terms, self.now(), Some(&requested));
        let smallest = smallest.ok_or_else(|| Refusal::bad("bad_scope", "the call names no resource"))?;
        Ok(self.as_long_as_needed(exception, smallest))
    }

    /// No longer than grants of the like were used before, where that is known.
    fn as_long_as_needed(&self, exception: &Exception, smallest: Scope) -> Scope {
        let like = Like::of(exception);
        let needed = {
            let state = self.state();
            let others = state.exceptions.values().map(|entry| &entry.exception);
            needed(others.filter(|other| other.request.id != exception.request.id && like.fits(other)))
        };
        match (needed, smallest.valid_for) {
            (Some(needed), Some(length)) if needed < length => Scope { valid_for: Some(needed), ..smallest },
            _ => smallest,
        }
    }

    /// Rebuilds what an approver was shown at a position, byte for byte: the same for everybody, but for the recorded
    /// denials of agents whose arguments they may not see.
    pub(super) async fn shown(&self, person: &PersonSession, id: &str, as_of: Option<u64>) -> Result<Shown, Refusal> {
        let position = self.state().position;
        let as_of = as_of.unwrap_or(position);
        if as_of > position || as_of == 0 {
            return Err(Refusal::not_found("unknown_position", format!("the ledger has {position} records")));
        }
        let last = self.stored(Log::Ledger, as_of - 1)?;
        let at = last.leaf.at;
        let seen = self.seen_subjects(person, id, as_of, at).await?;
        let Facts { exception, refused, bundle, tried, renews } = self.facts_at(id, as_of, at, &seen)?;
        let recorded = &exception.request.question;
        // What has changed since the refusal is in the sheet's position; time stands still at its record.
        let question = self.policy().refresh(recorded, &[], at, recorded.requested.clone());
        let sheet = DecisionSheet {
            v: SHEET_VERSION,
            as_of,
            at,
            refused,
            says: self.policy().says(&question),
            effects: self.policy().effects(&question.call.action),
            arguments: self.policy().argument_lines(&question),
            bundle,
            module: self.engine().module(),
            tried,
            renews,
            exception,
        };
        Ok(Shown { sheet, question })
    }

    /// The recorded denials that a preview tries: up to a thousand records, which a sheet alone need not read. Read from
    /// the disk, off the executor.
    pub(super) async fn others(&self, shown: &Shown) -> Result<Vec<Recorded>, Refusal> {
        let (app, tried) = (self.clone(), shown.sheet.tried.clone());
        let reading =
            move || tried.into_iter().map(|seq| app.recorded_question(seq)).collect::<Result<Vec<_>, Refusal>>();
        let read = spawn_blocking(reading).await;
        read.map_err(|error| self.unreadable(&StoreError::Database(format!("a question was not read: {error}"))))?
    }

    /// Of which agents this person may see recorded denials of the same action. Asked as of the sheet's own instant, so
    /// that it is the same again when it is rebuilt.
    async fn seen_subjects(
        &self,
        person: &PersonSession,
        id: &str,
        as_of: u64,
        at: Timestamp,
    ) -> Result<BTreeSet<EntityRef>, Refusal> {
        let (action, subjects) = {
            let state = self.state();
            let call = &state.exceptions.get(id).ok_or_else(unknown_exception)?.exception.request.question.call;
            let bundle = bundle_at(&state, as_of)?.bundle;
            let mut subjects: BTreeSet<EntityRef> = [call.subject.clone()].into();
            for denial in triable(&state, &call.action, bundle, (as_of, at)) {
                if subjects.len() >= MOST_AGENTS {
                    break;
                }
                subjects.insert(denial.kind.subject.clone());
            }
            (call.action.clone(), subjects)
        };
        let about = subjects.iter().map(|subject| About::action_of(subject, &action));
        let seen = self.may_see(person, Act::ViewArguments, about, at).await?;
        Ok(subjects.into_iter().zip(seen).filter_map(|(subject, seen)| seen.then_some(subject)).collect())
    }

    fn facts_at(&self, id: &str, as_of: u64, at: Timestamp, seen: &BTreeSet<EntityRef>) -> Result<Facts, Refusal> {
        let state = self.state();
        let entry = state.exceptions.get(id).ok_or_else(unknown_exception)?;
        let exception = state.exception_at(id, as_of).ok_or_else(unknown_exception)?;
        let activation = bundle_at(&state, as_of)?;
        let call = &exception.request.question.call;
        let own = json::to_canonical_bytes(&exception.request.question).map_or(LARGEST_INPUT, |bytes| bytes.len());
        let (mut shapes, mut bytes) = (BTreeSet::new(), own);
        let of = |own: bool| {
            let denials = triable(&state, &call.action, activation.bundle, (as_of, at));
            denials.filter(move |denial| (denial.kind.subject == call.subject) == own)
        };
        // This agent's own first: no other one's crowd out what a yes would let through.
        let mut tried: Vec<u64> = of(true)
            .chain(of(false).filter(|denial| seen.contains(&denial.kind.subject)))
            .filter(|denial| {
                let kind = &denial.kind;
                shapes.insert((kind.subject.clone(), kind.task.clone(), denial.input_digest))
            })
            .take(MOST_TRIED)
            // Nor do all of them together make it too large for the module: it would refuse every vote.
            .take_while(|denial| {
                bytes = bytes.saturating_add(denial.question.unwrap_or(LARGEST_TRIED));
                bytes <= LARGEST_IN_ALL
            })
            .map(|denial| denial.seq)
            .collect();
        tried.sort_unstable();
        let bundle = BundleFact {
            digest: activation.bundle,
            activated_by: activation.by.clone(),
            reason: activation.reason.clone(),
            activated_at: activation.at,
            changed: activation.changed.clone(),
        };
        let renews = exception.request.renews.as_ref().and_then(|renews| {
            let before = state.exception_at(&renews.of, as_of)?;
            let held = before.phase.grant()?;
            Some(Predecessor {
                id: renews.of.clone(),
                state: effective_state(&before, at).word.to_owned(),
                scope: held.grant.scope.clone(),
                granted_at: held.granted_at,
                uses: held.uses,
                disposition: before.disposition.as_ref().map(|disposed| disposed.disposition),
            })
        });
        Ok(Facts { refused: entry.origin.refused.clone(), exception, bundle, tried, renews })
    }

    fn recorded_question(&self, seq: u64) -> Result<Recorded, Refusal> {
        let record = self.stored(Log::Decisions, seq)?;
        if record.has_erased(QUESTION) {
            return Err(Refusal::new(RefusalKind::Gone, "payload_erased", "what was asked was erased"));
        }
        serde_json::from_slice(record.payload(QUESTION).unwrap_or_default())
            .map_err(|_| self.unreadable(&StoreError::Database("a question is gone".into())))
    }

    /// A stored record, verified.
    pub(super) fn stored(&self, log: Log, seq: u64) -> Result<crate::store::Record, Refusal> {
        match self.store().record(log, seq) {
            Ok(Some(record)) => Ok(record),
            Ok(None) => Err(self.unreadable(&StoreError::Database(format!("{log} has no record {seq}")))),
            Err(error) => Err(self.unreadable(&error)),
        }
    }

    /// The record cannot be read, or is not what was written.
    pub(super) fn unreadable(&self, error: &StoreError) -> Refusal {
        tracing::error!(code = error.code(), %error, "a record cannot be read");
        Refusal::new(RefusalKind::Unavailable, error.code(), "the gate's record cannot be read").help(error.help())
    }

    /// The grant as it would be, its id the exception's.
    pub(super) fn trial(&self, shown: &Shown, scope: Scope) -> Grant {
        let (question, exception) = (&shown.question, &shown.sheet.exception);
        let call = &question.call;
        let mut members = match &scope.resource {
            ResourceScope::In(group) => self.policy().members_of(group),
            ResourceScope::Is(_) if call.resources.len() > 1 => call.resources.clone(),
            ResourceScope::Is(_) => Vec::new(),
        };
        members.sort();
        members.dedup();
        Grant {
            id: exception.request.id.as_str().into(),
            exception: exception.request.id.as_str().into(),
            version: exception.current().map_or(1, |version| version.number),
            subject: call.subject.clone(),
            task: question.task.clone(),
            chain: question.chain.clone(),
            enforcement_point: question.enforcement_point.clone().unwrap_or_default(),
            server: call.server.clone(),
            tool: call.tool,
            action: call.action.clone(),
            scope,
            members,
            input_digest: call.input_digest,
            input_names: containment::input_names(call),
        }
    }
}

fn current(exception: &Exception) -> Scope {
    exception.current().map_or_else(|| exception.request.scope.clone(), |version| version.scope.clone())
}

impl State {
    /// The exception as it stood when `as_of` ledger records stood. Absent when it was not there yet.
    pub fn exception_at(&self, id: &str, as_of: u64) -> Option<Exception> {
        let entry = self.exceptions.get(id)?;
        let steps = entry.steps.iter().take_while(|(seq, _, _)| *seq < as_of);
        steps.fold(None, |state, (_, _, event)| lifecycle::evolve(state, event).ok().flatten())
    }
}

/// The activation that a sheet at this position is judged under, which is the last one.
fn bundle_at(state: &State, as_of: u64) -> Result<&ActivationFact, Refusal> {
    let last = state.activations.last().filter(|(seq, _)| *seq < as_of);
    last.map(|(_, activation)| activation).ok_or_else(|| {
        Refusal::conflict("stale_sheet", "another bundle is active since that position").help("load the sheet again")
    })
}

/// The recorded denials of an action that a preview at this position may try, the newest first.
fn triable<'a>(
    state: &'a State,
    action: &'a str,
    bundle: Digest,
    (as_of, at): (u64, Timestamp),
) -> impl Iterator<Item = &'a Denial> {
    let all = state.denials.values().rev();
    // What was admitted before the position: nothing can be added to it any more.
    all.filter(move |denial| denial.after < as_of && denial.at.plus(TRIED_WITHIN) > at)
        // INVARIANT (R8): no agent's denials make a sheet too large to be shown or voted on.
        .filter(|denial| denial.question.is_some_and(|bytes| bytes <= LARGEST_TRIED))
        .filter(move |denial| denial.bundle == Some(bundle) && denial.kind.action == action)
}
