//! Evidence that something ran: who may bring which, and that the same counts once.

use std::collections::BTreeMap;

use policy_core::entity::EntityRef;
use policy_core::sabotaged;
use policy_core::text;
use policy_core::time::{Span, Timestamp};
use proviso_api::findings::EvidenceClass;
use proviso_api::operations::{ExecutionPhase, ExecutionReport};

use super::event::{EVIDENCE, EvidenceRecord};
use crate::app::App;
use crate::app::append::{Proposal, canonical};
use crate::app::refusal::{Refusal, RefusalKind};
use crate::app::settings::Operator;
use crate::app::state::State;
use crate::identity::Credential;
use crate::reconcile::Said;
use crate::store::{Log, NewRecord, VersionKey};

/// How far ahead of the gate's a source's clock may be.
const AHEAD: Span = Span::from_seconds(30);
/// The most pieces of evidence of one subject that rest on reported evidence alone and are kept in memory.
pub const MOST_REPORTED: usize = 10_000;
/// The most pieces of evidence that are recorded together.
pub const MOST_TOGETHER: usize = 200;

/// What became of evidence that was brought.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Brought {
    /// How many pieces are new.
    pub recorded: usize,
    /// How many were known already.
    pub known: usize,
}

impl App {
    /// Records what a caller says ran, whether the gate was asked or not. An enforcement point's word is observed, an
    /// agent's is reported.
    ///
    /// # Errors
    /// `claim_conflict`; `not_for_this_subject`; `server_needed`, `not_for_this_server`; `bad_evidence`;
    /// `evidence_conflict` where the same name and phase said something else; `too_many_evaluations`.
    pub async fn report_evidence(
        &self,
        caller: &Credential,
        subject: Option<&Credential>,
        report: ExecutionReport,
    ) -> Result<(), Refusal> {
        let id = report.evidence_id.clone().unwrap_or_default();
        let record = self.piece(caller, subject, (id, said(report)), false)?;
        let _turn = match caller {
            Credential::EnforcementPoint(point) => self.turn_of_point(point).await?,
            Credential::Agent(agent) => self.turn_to_report(&agent.subject, &agent.task).await?,
        };
        let credentials = [Some(caller), subject].into_iter().flatten().map(token);
        self.record_evidence(&credentials.collect::<Vec<_>>(), vec![record]).await.map(drop)
    }

    /// A caller's word as evidence, held against its credential. As `telemetry` it is reported, whoever sends it.
    pub(in crate::app) fn piece(
        &self,
        caller: &Credential,
        with: Option<&Credential>,
        (id, mut said): (String, Said),
        telemetry: bool,
    ) -> Result<EvidenceRecord, Refusal> {
        let conflict =
            |what: &str| Refusal::bad("claim_conflict", format!("the body says another {what} than the credential"));
        let agent = match (caller, with) {
            (Credential::Agent(agent), None) | (Credential::EnforcementPoint(_), Some(Credential::Agent(agent))) => {
                Some(agent)
            }
            (Credential::EnforcementPoint(_), None) => None,
            _ => return Err(Refusal::bad("claim_conflict", "only an enforcement point speaks for an agent")),
        };
        if let Some(agent) = agent {
            if said.subject.as_ref().is_some_and(|subject| *subject != agent.subject) {
                return Err(conflict("subject"));
            }
            if said.task.as_ref().is_some_and(|task| *task != agent.task) {
                return Err(conflict("task"));
            }
            (said.subject, said.task) = (Some(agent.subject.clone()), Some(agent.task.clone()));
        }
        let (source, mut class) = match caller {
            Credential::Agent(agent) => (format!("agent:{}", agent.subject), EvidenceClass::Reported),
            Credential::EnforcementPoint(point) => {
                // INVARIANT (R3): an enforcement point speaks for its own subjects and servers, also of what it saw.
                let theirs = said.subject.as_ref().is_some_and(|subject| point.subjects.matches(subject));
                if !theirs && !sabotaged!("r3_evidence_of_others") {
                    let detail = format!("the enforcement point `{}` may not speak for this subject", point.name);
                    return Err(Refusal::forbidden("not_for_this_subject", detail));
                }
                let known = |server: &String| point.servers.contains(server);
                match &said.server {
                    // Who was traced may not know it.
                    None if telemetry => {}
                    None => return Err(Refusal::bad("server_needed", "an enforcement point names the server")),
                    Some(server) if !known(server) => {
                        let detail = format!("the enforcement point `{}` is not for this server", point.name);
                        return Err(Refusal::forbidden("not_for_this_server", detail));
                    }
                    Some(_) => {}
                }
                (format!("point:{}", point.name), EvidenceClass::Observed)
            }
        };
        self.hold_evaluation(caller, agent.is_some(), &said)?;
        // INVARIANT (R11): telemetry is the word of whoever was traced.
        let source = if telemetry { format!("traces of {source}") } else { source };
        if telemetry {
            class = EvidenceClass::Reported;
        }
        let record = EvidenceRecord { id, source, class, credential: Some(token(caller).to_owned()), by: None, said };
        self.check_evidence(&record)?;
        Ok(record)
    }

    /// Whose evaluation it names: evidence is kept with that subject.
    ///
    /// INVARIANT (R3): nobody's evidence comes to stand with a subject that they may not speak for.
    fn hold_evaluation(&self, caller: &Credential, for_one: bool, said: &Said) -> Result<(), Refusal> {
        let state = self.state();
        let Some(owner) = said.evaluation.as_ref().and_then(|evaluation| state.accounts.subject_of(evaluation)) else {
            return Ok(());
        };
        let theirs = match caller {
            Credential::EnforcementPoint(point) if !for_one => point.subjects.matches(owner),
            _ => said.subject.as_ref() == Some(owner),
        };
        if theirs || sabotaged!("r3_evidence_of_others") {
            return Ok(());
        }
        let detail = "the evaluation that it names is of a subject that this credential may not speak for";
        Err(Refusal::forbidden("not_for_this_subject", detail))
    }

    /// Records what an operator brings from the log of the system that was acted on: all or nothing.
    ///
    /// # Errors
    /// `bad_evidence`; `evidence_conflict`; `too_large`.
    pub async fn bring_evidence(
        &self,
        by: &Operator,
        source: &str,
        pieces: Vec<(String, Said)>,
    ) -> Result<Brought, Refusal> {
        if !text::is_identifier(source) {
            return Err(Refusal::bad("bad_name", "a source is named by 1 to 256 characters without spaces"));
        }
        if pieces.len() > MOST_TOGETHER {
            return Err(Refusal::bad("too_large", format!("at most {MOST_TOGETHER} pieces are brought at once")));
        }
        let records = pieces.into_iter().map(|(id, mut said)| {
            said.subject = said.subject.map(|subject| self.named_subject(subject)).transpose()?;
            let record = EvidenceRecord {
                id,
                source: format!("system:{source}"),
                class: EvidenceClass::SystemOfRecord,
                credential: None,
                by: Some(by.name.clone()),
                said,
            };
            self.check_evidence(&record).map(|()| record)
        });
        let records = records.collect::<Result<Vec<_>, Refusal>>()?;
        self.record_evidence(&[], records).await
    }

    /// A subject as a system's log names it: with its type, or without where the bundle has but one.
    fn named_subject(&self, subject: EntityRef) -> Result<EntityRef, Refusal> {
        let policy = self.policy();
        let types = policy.subject_types();
        match types {
            [only] if subject.kind.is_empty() => Ok(EntityRef::new(only.clone(), subject.id)),
            _ if types.iter().any(|known| subject.kind == *known) => Ok(subject),
            _ => {
                let shown = text::visible(&subject.to_string(), 80);
                Err(bad(&format!("`{shown}` is no subject of the bundle: write `TYPE::ID`")))
            }
        }
    }

    fn check_evidence(&self, record: &EvidenceRecord) -> Result<(), Refusal> {
        let said = &record.said;
        let Some(subject) = &said.subject else { return Err(bad("it does not say who acted")) };
        let Some(action) = &said.action else { return Err(bad("it does not say what ran")) };
        let named = [record.id.as_str(), &subject.id, action];
        let besides = [&said.task, &said.server, &said.evaluation, &said.call, &said.grant, &said.host, &said.trace];
        let names = named.into_iter().chain(besides.into_iter().flatten().map(String::as_str));
        for name in names {
            if !text::is_identifier(name) {
                let shown = text::visible(name, 80);
                return Err(bad(&format!("`{shown}` is no name: 1 to 256 characters without spaces")));
            }
        }
        if !self.policy().is_subject(&subject.kind) {
            return Err(bad(&format!("`{}` is no subject type of the bundle", text::visible(&subject.kind, 80))));
        }
        let latest = self.now().plus(AHEAD);
        let ahead = |at: &Option<Timestamp>| at.is_some_and(|at| latest < at);
        if ahead(&said.started_at) || ahead(&said.ended_at) {
            return Err(bad("it is said to have happened later than now"));
        }
        if said.started_at.zip(said.ended_at).is_some_and(|(began, ended)| ended < began) {
            return Err(bad("it is said to have ended before it began"));
        }
        Ok(())
    }

    /// Records pieces of evidence together. What is known already is not recorded again.
    pub(in crate::app) async fn record_evidence(
        &self,
        credentials: &[&str],
        records: Vec<EvidenceRecord>,
    ) -> Result<Brought, Refusal> {
        let now = self.now();
        let (brought, _) = self
            .admit(|state| {
                credentials.iter().try_for_each(|credential| self.still_live(state, credential, now))?;
                let keys = credentials.iter().map(|credential| VersionKey::Identity((*credential).to_owned()));
                let sources = records.iter().map(|record| VersionKey::Evidence(record.source.clone()));
                let mut keys: Vec<VersionKey> = keys.chain(sources).collect();
                keys.sort();
                keys.dedup();
                let expected = keys.into_iter().map(|key| state.version(key)).collect();
                let mut brought = Brought::default();
                let mut fresh: BTreeMap<(&str, &str, &'static str), &Said> = BTreeMap::new();
                let mut new = Vec::new();
                for record in &records {
                    let name = (record.source.as_str(), record.id.as_str(), word(record.said.phase));
                    let kept = state.accounts.said(&record.source, &record.id, record.said.phase);
                    match fresh.get(&name).copied().or(kept) {
                        // INVARIANT: the same piece, however often it comes, is on record once.
                        Some(said) if *said == record.said => brought.known += 1,
                        Some(_) => return Err(conflicting(record)),
                        None => {
                            fresh.insert(name, &record.said);
                            new.push(record);
                            brought.recorded += 1;
                        }
                    }
                }
                hold_count(state, &new)?;
                let new: Result<_, Refusal> = new.into_iter().map(|record| self.evidence_record(now, record)).collect();
                Ok(Proposal { expected, records: new?, answer: brought })
            })
            .await?;
        Ok(brought)
    }

    fn evidence_record(&self, now: Timestamp, record: &EvidenceRecord) -> Result<NewRecord, Refusal> {
        let subject = record.said.subject.as_ref().map(ToString::to_string).unwrap_or_default();
        Ok(NewRecord {
            log: Log::Decisions,
            at: now,
            kind: EVIDENCE.to_owned(),
            stream: format!("subject/{}", self.keys().pseudonym(&subject)),
            outcome: None,
            policies: Vec::new(),
            module: None,
            bundle: None,
            payloads: vec![(EVIDENCE, canonical(record)?)],
            touches: vec![VersionKey::Evidence(record.source.clone())],
            urgent: false,
            outbox: Vec::new(),
        })
    }
}

/// INVARIANT (R11): an agent's own words never fill the memory that everybody's are compared in.
fn hold_count(state: &State, records: &[&EvidenceRecord]) -> Result<(), Refusal> {
    let reported = records.iter().filter(|record| record.class == EvidenceClass::Reported);
    let mut subjects: BTreeMap<&EntityRef, usize> = BTreeMap::new();
    for subject in reported.filter_map(|record| record.said.subject.as_ref()) {
        let count = subjects.entry(subject).or_insert_with(|| state.accounts.reported_of(subject));
        *count = count.saturating_add(1);
    }
    if subjects.values().all(|count| *count <= MOST_REPORTED) {
        return Ok(());
    }
    let detail = format!("{MOST_REPORTED} pieces of evidence of this subject rest on its own word already");
    Err(Refusal::new(RefusalKind::TooMany, "too_much_evidence", detail)
        .retry_after(3_600)
        .help("send less: what is eight days old is forgotten and makes room; the record keeps it"))
}

/// What a report says.
fn said(report: ExecutionReport) -> Said {
    Said {
        subject: report.subject,
        task: report.task,
        action: report.action,
        server: report.server,
        input_digest: report.input_digest,
        evaluation: report.evaluation_id,
        call: report.call,
        grant: report.grant,
        host: report.host,
        started_at: report.started_at,
        ended_at: report.ended_at,
        phase: report.phase,
        trace: None,
        parent: None,
    }
}

fn bad(detail: &str) -> Refusal {
    Refusal::bad("bad_evidence", detail)
}

fn conflicting(record: &EvidenceRecord) -> Refusal {
    let shown = text::visible(&record.id, 80);
    Refusal::conflict("evidence_conflict", format!("the evidence `{shown}` is on record, and said something else"))
}

fn token(credential: &Credential) -> &str {
    match credential {
        Credential::Agent(agent) => &agent.token,
        Credential::EnforcementPoint(point) => &point.token,
    }
}

const fn word(phase: ExecutionPhase) -> &'static str {
    match phase {
        ExecutionPhase::Sending => "sending",
        ExecutionPhase::Executed => "executed",
        ExecutionPhase::Failed => "failed",
        ExecutionPhase::OutcomeUnknown => "outcome_unknown",
    }
}
