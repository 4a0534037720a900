//! Comparing what ran with what was approved, and writing down what is found.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use policy_core::entity::EntityRef;
use policy_core::lifecycle::Phase;
use policy_core::question::{Lock, LockTarget};
use policy_core::sabotaged;
use policy_core::time::Timestamp;
use policy_evaluator::bundle::ReconcileAct;
use proviso_api::findings::{EvidenceClass, FindingKind, FindingOutcome, FindingState};
use serde::{Deserialize, Serialize};

use super::event::FindingEvent;
use super::facts::{facts_of, finding_id, grants, rules_of};
use crate::app::App;
use crate::app::append::Proposal;
use crate::app::event::LedgerEvent;
use crate::app::refusal::Refusal;
use crate::app::state::State;
use crate::app::stops::HeldStop;
use crate::reconcile::{Account, Drawn, GrantFact, Reconciled, reconcile};
use crate::store::VersionKey;

/// How many findings of one subject, not resolved, rest on reported evidence alone: an agent fills no list by talking.
const MOST_REPORTED: usize = 20;
/// How many findings are written together.
const TOGETHER: usize = 50;
/// Who acts where the bundle says that the gate does so by itself.
const BY_ITSELF: (&str, &str) = ("gate", "reconcile");

/// What a run came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// How many calls ran, each source counted by itself.
    pub executions: usize,
    /// Those of which a decision was found.
    pub matched: usize,
    /// Those of which it cannot be told which of several alike they are.
    pub ambiguous: usize,
    /// Those from before what is still known.
    pub too_old: usize,
    /// Findings that are not resolved.
    pub unresolved: usize,
}

/// What was compared already, so that the job compares only what has changed.
#[derive(Debug, Default)]
pub(super) struct Compared(BTreeMap<EntityRef, Last>);

#[derive(Debug, Clone, Copy)]
struct Last {
    version: u64,
    next: Option<Timestamp>,
}

/// One subject's facts.
struct Case {
    account: Arc<Account>,
    grants: Vec<GrantFact>,
}

impl App {
    /// Compares everything that is known, writes down what is found, and acts where the bundle says so.
    ///
    /// # Errors
    /// `record_unavailable`; `stop_unrecorded` where something holds and could not be recorded.
    pub async fn reconcile(&self) -> Result<Report, Refusal> {
        self.compare(&mut Compared::default()).await
    }

    /// The same for what has changed since, or is due by time.
    pub(super) async fn compare(&self, compared: &mut Compared) -> Result<Report, Refusal> {
        let now = self.now();
        let rules = Arc::new(rules_of(&self.policy()));
        let mut report = Report::default();
        for subject in self.due(compared, now) {
            let Some(case) = self.case(&subject) else { continue };
            let last = Last { version: case.account.version, next: None };
            let since = case.account.since;
            let rules = Arc::clone(&rules);
            // Many facts take a while: not on the thread that answers.
            let work = move || reconcile(&case.account, &case.grants, &rules, now);
            let found = tokio::task::spawn_blocking(work).await.map_err(|_| Refusal::record_unavailable())?;
            report.add(&found);
            self.write_findings(&subject, &found, since, now).await?;
            self.act_by_itself(&subject).await?;
            compared.0.insert(subject, Last { next: found.next, ..last });
        }
        report.unresolved = self.state().findings.unresolved();
        Ok(report)
    }

    /// Whose facts changed since they were compared, or are due by time.
    fn due(&self, compared: &Compared, now: Timestamp) -> Vec<EntityRef> {
        let state = self.state();
        let is_due = |subject: &EntityRef, account: &Account| {
            let last = compared.0.get(subject);
            last.is_none_or(|last| last.version != account.version || last.next.is_some_and(|next| next <= now))
        };
        let due = state.accounts.all().filter(|(subject, account)| is_due(subject, account));
        due.map(|(subject, _)| subject.clone()).collect()
    }

    /// One subject's facts as they are now. Taken when its turn comes: what grows while somebody holds it is copied.
    fn case(&self, subject: &EntityRef) -> Option<Case> {
        let state = self.state();
        let account = Arc::clone(state.accounts.of(subject)?);
        Some(Case { account, grants: grants(&state, subject) })
    }

    /// Writes down what is new, what has more evidence, and what later evidence explains.
    async fn write_findings(
        &self,
        subject: &EntityRef,
        found: &Reconciled,
        since: Option<Timestamp>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let id = |drawn: &Drawn| finding_id(self.keys(), drawn.kind, subject, &drawn.key);
        let drawn: Vec<(String, &Drawn)> = found.findings.values().map(|drawn| (id(drawn), drawn)).collect();
        let ids: BTreeSet<&str> = drawn.iter().map(|(id, _)| id.as_str()).collect();
        let explained: Vec<String> = {
            let state = self.state();
            let gone = state.findings.of(subject).filter(|finding| {
                let facts = &finding.facts;
                // What is forgotten explains nothing.
                finding.state != FindingState::Resolved
                    && !ids.contains(facts.id.as_str())
                    && since.is_none_or(|since| since <= facts.happened_at)
            });
            gone.map(|finding| finding.facts.id.clone()).collect()
        };
        for part in drawn.chunks(TOGETHER) {
            self.append_findings(now, |state| {
                let mut room = MOST_REPORTED.saturating_sub(reported(state, subject));
                let mut events = Vec::new();
                for (id, drawn) in part {
                    let is_talk = drawn.strength == EvidenceClass::Reported && state.findings.get(id).is_none();
                    if is_talk && room == 0 {
                        continue;
                    }
                    room -= usize::from(is_talk);
                    events.extend(self.of_drawn(state, id, subject, drawn, now));
                }
                events
            })
            .await?;
        }
        for part in explained.chunks(TOGETHER) {
            self.append_findings(now, |state| {
                let open = part
                    .iter()
                    .filter(|id| state.findings.get(id).is_some_and(|finding| finding.state != FindingState::Resolved));
                let event = |id: &String| FindingEvent::StateChanged {
                    id: id.clone(),
                    state: FindingState::Resolved,
                    outcome: Some(FindingOutcome::Explained),
                    by: None,
                    note: "evidence that came later explains it".to_owned(),
                    at: now,
                };
                open.map(event).collect()
            })
            .await?;
        }
        Ok(())
    }

    pub(super) async fn append_findings(
        &self,
        now: Timestamp,
        make: impl Fn(&State) -> Vec<FindingEvent>,
    ) -> Result<(), Refusal> {
        self.admit(|state| {
            let events = make(state);
            let keys: BTreeSet<VersionKey> =
                events.iter().map(|event| VersionKey::Finding(event.id().to_owned())).collect();
            let expected = keys.into_iter().map(|key| state.version(key)).collect();
            let records = events.into_iter().map(|event| self.ledger(now, &LedgerEvent::Finding(event)));
            Ok(Proposal { expected, records: records.collect::<Result<_, _>>()?, answer: () })
        })
        .await
        .map(drop)
    }

    /// What a difference adds to what is on record of it.
    fn of_drawn(
        &self,
        state: &State,
        id: &str,
        subject: &EntityRef,
        drawn: &Drawn,
        now: Timestamp,
    ) -> Vec<FindingEvent> {
        let Some(finding) = state.findings.get(id) else {
            let mut facts = facts_of(&self.policy(), id.to_owned(), subject, drawn);
            // By the last hand-over, where there was one.
            facts.owner = self.owners_now(state, subject).into_iter().next();
            return vec![FindingEvent::Opened { finding: Box::new(facts), at: now }];
        };
        let facts = &finding.facts;
        let evidence: BTreeSet<u64> = facts.evidence.iter().chain(&drawn.evidence).copied().collect();
        let decisions: BTreeSet<u64> = facts.decisions.iter().chain(&drawn.decisions).copied().collect();
        let about: BTreeSet<String> = facts.about.iter().chain(&drawn.about).cloned().collect();
        let strength = facts.strength.max(drawn.strength);
        let grown = evidence.len() > facts.evidence.len() || strength > facts.strength;
        let mut events = Vec::new();
        if grown {
            events.push(FindingEvent::EvidenceAdded {
                id: id.to_owned(),
                evidence: evidence.into_iter().collect(),
                decisions: decisions.into_iter().collect(),
                strength,
                about: about.into_iter().collect(),
                at: now,
            });
        }
        let explained = finding.outcome == Some(FindingOutcome::Explained);
        if finding.state == FindingState::Resolved && (grown || explained) {
            let note = if grown { "more evidence came" } else { "what explained it explains it no longer" };
            events.push(FindingEvent::StateChanged {
                id: id.to_owned(),
                state: FindingState::Open,
                outcome: None,
                by: None,
                note: note.to_owned(),
                at: now,
            });
        }
        events
    }

    /// Stops what the bundle says that somebody's findings stop.
    pub(in crate::app) async fn act_on_findings_of(&self, subject: &EntityRef) -> Result<(), Refusal> {
        self.act_by_itself(subject).await
    }

    /// Stops what the bundle says a finding stops. Looked at anew each time: a restart forgets none of it.
    async fn act_by_itself(&self, subject: &EntityRef) -> Result<(), Refusal> {
        let due: Vec<(String, FindingKind, ReconcileAct, Option<String>)> = {
            let state = self.state();
            let findings = state.findings.of(subject).filter(|finding| finding.state != FindingState::Resolved);
            // INVARIANT (R11): reported evidence opens a finding at most.
            let strong = findings
                .filter(|finding| finding.facts.strength > EvidenceClass::Reported || sabotaged!("r11_reported_acts"));
            let acts = strong.filter_map(|finding| {
                let facts = &finding.facts;
                let act = self.policy().reconcile_act(facts.what)?;
                let is_done = finding.acted.contains(word(act)?);
                let exception = facts.exception.clone();
                (!is_done).then(|| (facts.id.clone(), facts.what, act, exception))
            });
            acts.collect()
        };
        for (id, kind, act, exception) in due {
            let reason = format!("finding {id}: {}", kind.word());
            let by = EntityRef::new(BY_ITSELF.0, BY_ITSELF.1);
            match act {
                ReconcileAct::Open => {}
                ReconcileAct::LockSubject => self.lock_for(&id, subject, by, &reason, None).await?,
                ReconcileAct::Revoke => match exception {
                    Some(exception) => self.revoke_for(&id, &exception, by, &reason, None).await?,
                    None => continue,
                },
            }
        }
        Ok(())
    }

    /// Locks a subject for a finding. `person` is who does; absent: by itself.
    pub(super) async fn lock_for(
        &self,
        id: &str,
        subject: &EntityRef,
        by: EntityRef,
        reason: &str,
        person: Option<(&EntityRef, Vec<String>)>,
    ) -> Result<(), Refusal> {
        // One lock of one finding by the gate, also where it stopped between the lock and the note of it.
        let lock = match &person {
            None => format!("lock_{}", id.trim_start_matches("find_")),
            Some(_) => crate::random::id(self.random(), "lock").map_err(|_| crate::app::identities::no_randomness())?,
        };
        let stands = self.state().locks.contains_key(&lock);
        if !stands {
            let groups = person.as_ref().map(|(_, groups)| groups.clone()).unwrap_or_default();
            let target = Lock { id: lock.clone(), target: LockTarget::Subject(subject.clone()) };
            self.stop(HeldStop::Lock { lock: target, by, reason: reason.to_owned(), groups, until: None }).await?;
        }
        self.note_act(id, "lock_subject", lock, person.map(|(person, _)| person.clone())).await
    }

    /// Takes a grant away for a finding; one that is over already has nothing to take.
    pub(super) async fn revoke_for(
        &self,
        id: &str,
        exception: &str,
        by: EntityRef,
        reason: &str,
        person: Option<&EntityRef>,
    ) -> Result<(), Refusal> {
        let live = self
            .state()
            .exceptions
            .get(exception)
            .is_some_and(|entry| matches!(entry.exception.phase, Phase::Granted(_) | Phase::Suspended { .. }));
        if !live {
            return match person {
                Some(_) => Err(Refusal::conflict("closed", "there is no live grant to take away")
                    .help("look at how the exception stands: its grant is over already")),
                None => Ok(()),
            };
        }
        let (exception, reason) = (exception.to_owned(), reason.to_owned());
        self.stop(HeldStop::Revoke { exception: exception.clone(), by, reason }).await?;
        self.note_act(id, "revoke", exception, person.cloned()).await
    }

    async fn note_act(&self, id: &str, act: &str, of: String, by: Option<EntityRef>) -> Result<(), Refusal> {
        let now = self.now();
        self.append_findings(now, |_| {
            vec![FindingEvent::Acted {
                id: id.to_owned(),
                act: act.to_owned(),
                of: of.clone(),
                by: by.clone(),
                at: now,
            }]
        })
        .await
    }
}

impl Report {
    pub(super) fn add(&mut self, found: &Reconciled) {
        self.executions += found.executions;
        self.matched += found.matched;
        self.ambiguous += found.ambiguous;
        self.too_old += found.too_old;
    }
}

/// How many findings of a subject, not resolved, rest on reported evidence alone.
fn reported(state: &State, subject: &EntityRef) -> usize {
    let open = state.findings.of(subject).filter(|finding| finding.state != FindingState::Resolved);
    open.filter(|finding| finding.facts.strength == EvidenceClass::Reported).count()
}

/// The act's word; nothing where nothing is stopped.
const fn word(act: ReconcileAct) -> Option<&'static str> {
    match act {
        ReconcileAct::Open => None,
        ReconcileAct::LockSubject => Some("lock_subject"),
        ReconcileAct::Revoke => Some("revoke"),
    }
}

impl crate::app::policy::Policy {
    /// What a finding of this kind stops.
    fn reconcile_act(&self, kind: FindingKind) -> Option<ReconcileAct> {
        self.config().reconcile.as_ref()?.on.get(kind.word()).copied()
    }
}
