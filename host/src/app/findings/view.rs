//! What a signed-in person sees of findings. Texts of others stay data (R11).

use policy_core::entity::EntityRef;
use policy_core::json;
use policy_core::text;
use policy_core::time::Timestamp;
use proviso_api::findings::{
    DecisionLine, EvidenceClass, EvidenceLine, FindingDetail, FindingKind, FindingLine, FindingOutcome, FindingState,
    FindingStep,
};
use serde::Serialize;

use super::book::Finding;
use super::event::{EVIDENCE, EvidenceRecord, FindingEvent, FindingFacts};
use crate::app::App;
use crate::app::event::{DECISION, DecisionRecord, EVENT, EXECUTION, ExecutionRecord, LedgerEvent, OBSERVED};
use crate::app::listing::Place;
use crate::app::people::STORED;
use crate::app::refusal::Refusal;
use crate::store::{Log, Record};

/// How many pieces of evidence, and how many decisions, are told of one finding.
const MOST_PIECES: usize = 100;
/// How much of somebody's words one line shows.
const SAID: usize = 2_000;

/// What a list is narrowed to.
#[derive(Debug, Clone, Default, Serialize)]
pub struct FindingFilter {
    /// `open`, `acknowledged`, `resolved`, or `unresolved` for the first two.
    pub state: Option<String>,
    /// A kind's word.
    pub kind: Option<String>,
    /// `me`: those that this person looks after.
    pub owner: Option<String>,
}

impl App {
    /// All findings that a filter leaves, each with its place in the list: newest first. Who may see them is another
    /// question.
    ///
    /// # Errors
    /// `bad_state` for a word that is none.
    pub(in crate::app) fn findings(
        &self,
        person: &EntityRef,
        filter: &FindingFilter,
    ) -> Result<Vec<(Place, FindingLine)>, Refusal> {
        let bad = |word: &str, what: &str, words: &str| {
            let shown = text::visible(word, 40);
            Err(Refusal::bad("bad_state", format!("`{shown}` is no {what} of a finding"))
                .help(format!("one of {words}")))
        };
        let states: &[FindingState] = match filter.state.as_deref() {
            None => &[FindingState::Open, FindingState::Acknowledged, FindingState::Resolved],
            Some("open") => &[FindingState::Open],
            Some("acknowledged") => &[FindingState::Acknowledged],
            Some("resolved") => &[FindingState::Resolved],
            Some("unresolved") => &[FindingState::Open, FindingState::Acknowledged],
            Some(word) => return bad(word, "state", "open, acknowledged, unresolved, resolved"),
        };
        let kinds = FindingKind::ALL.map(FindingKind::word);
        if let Some(word) = filter.kind.as_deref().filter(|word| !kinds.contains(word)) {
            return bad(word, "kind", &kinds.join(", "));
        }
        let mine = match filter.owner.as_deref() {
            None => false,
            Some("me") => true,
            Some(word) => return bad(word, "owner's word", "me"),
        };
        let state = self.state();
        let found = state.findings.all();
        let found = found
            .filter(|finding| states.contains(&finding.state))
            .filter(|finding| filter.kind.as_deref().is_none_or(|kind| kind == finding.facts.what.word()))
            .filter(|finding| !mine || finding.facts.owner.as_ref() == Some(person));
        let place = |finding: &Finding| (finding.opened_at.millis().saturating_neg(), finding.facts.id.clone());
        Ok(found.map(|finding| (place(finding), line_of(finding))).collect())
    }

    /// The findings that are not resolved, newest first, of what happened from an instant on.
    pub fn unresolved_findings(&self, since: Option<Timestamp>) -> Vec<FindingLine> {
        let state = self.state();
        let open = state.findings.all().filter(|finding| finding.state != FindingState::Resolved);
        let recent = open.filter(|finding| since.is_none_or(|since| since <= finding.facts.happened_at));
        let mut lines: Vec<FindingLine> = recent.map(line_of).collect();
        lines.sort_by(|a, b| (b.at, &b.id).cmp(&(a.at, &a.id)));
        lines
    }

    /// One finding in a line.
    ///
    /// # Errors
    /// `unknown_finding`.
    pub(in crate::app) fn finding_line(&self, id: &str) -> Result<FindingLine, Refusal> {
        self.state().findings.get(id).map(line_of).ok_or_else(unknown_finding)
    }

    /// One finding, with evidence and decisions side by side.
    ///
    /// # Errors
    /// `unknown_finding`; `record_unreadable`.
    pub fn finding(&self, id: &str) -> Result<FindingDetail, Refusal> {
        let (now, position, finding) = {
            let state = self.state();
            let finding = state.findings.get(id).cloned().ok_or_else(unknown_finding)?;
            (self.now(), state.position, finding)
        };
        let read = |seqs: &[u64]| -> Result<Vec<Record>, Refusal> {
            seqs.iter().take(MOST_PIECES).map(|seq| self.stored(Log::Decisions, *seq)).collect()
        };
        let evidence = read(&finding.facts.evidence)?;
        let decisions = read(&finding.facts.decisions)?;
        let steps = finding.steps.iter().map(|seq| self.stored(Log::Ledger, *seq));
        let steps = steps.collect::<Result<Vec<_>, _>>()?;
        Ok(FindingDetail {
            now,
            position,
            finding: line_of(&finding),
            evidence: evidence.iter().filter_map(|record| self.evidence_line(record)).collect(),
            decisions: decisions.iter().filter_map(decision_line).collect(),
            history: steps.iter().filter_map(step).collect(),
        })
    }

    fn evidence_line(&self, record: &Record) -> Option<EvidenceLine> {
        let (seq, recorded_at) = (record.leaf.seq, record.leaf.at);
        if let Some(bytes) = record.payload(EVIDENCE) {
            let EvidenceRecord { source, class, said, .. } = json::read_as(bytes, STORED).ok()?;
            return Some(EvidenceLine {
                seq,
                recorded_at,
                class,
                source,
                action: said.action,
                server: said.server,
                task: said.task,
                host: said.host,
                input_digest: said.input_digest,
                started_at: said.started_at,
                ended_at: said.ended_at,
                phase: said.phase,
                evaluation_id: said.evaluation,
                call: said.call,
            });
        }
        let execution: ExecutionRecord = json::read_as(record.payload(EXECUTION)?, STORED).ok()?;
        let observed = execution.evidence == OBSERVED;
        let sent = execution.phase == proviso_api::operations::ExecutionPhase::Sending;
        Some(EvidenceLine {
            seq,
            recorded_at,
            class: if observed { EvidenceClass::Observed } else { EvidenceClass::Reported },
            source: self.state().source_of(&execution.credential, recorded_at),
            action: None,
            server: None,
            task: None,
            host: execution.host,
            input_digest: execution.digest.filter(|_| sent),
            started_at: execution.started_at,
            ended_at: execution.ended_at,
            phase: execution.phase,
            evaluation_id: Some(execution.evaluation),
            call: Some(execution.call),
        })
    }
}

pub(super) fn unknown_finding() -> Refusal {
    Refusal::not_found("unknown_finding", "there is no such finding")
}

/// A finding as a list shows it.
pub(super) fn line_of(finding: &Finding) -> FindingLine {
    let facts = &finding.facts;
    FindingLine {
        id: facts.id.clone(),
        kind: facts.what,
        state: finding.state,
        outcome: finding.outcome,
        strength: facts.strength,
        ambiguous: facts.ambiguous,
        says: sentence(facts),
        subject: facts.subject.clone(),
        task: facts.task.clone(),
        exception: facts.exception.clone(),
        owner: facts.owner.clone(),
        at: facts.happened_at,
        opened_at: finding.opened_at,
        changed_at: finding.changed_at,
        acted: finding.acted.iter().cloned().collect(),
    }
}

/// What is different. Names of actions, tasks and hosts are others' words, and shown as such.
fn sentence(facts: &FindingFacts) -> String {
    let action = facts.action.as_ref().map_or_else(|| "something".to_owned(), |action| text::visible(action, 80));
    let about: Vec<String> = facts.about.iter().take(8).map(|word| text::visible(word, 80)).collect();
    let about = about.join(", ");
    match facts.what {
        FindingKind::RanWithoutDecision => format!("{action} ran, and the gate was never asked"),
        FindingKind::RanAfterDenial => format!("{action} ran, and the gate had denied it"),
        FindingKind::OutsideConditions => format!("{action} ran, and not as it was allowed: {about} differ"),
        FindingKind::AfterExpiry => format!("{action} ran after its allow or its grant had ended"),
        FindingKind::AfterRevocation => format!("{action} ran after its grant had been revoked"),
        FindingKind::MoreOften => format!("{action} was allowed for one call, and more than one ran"),
        FindingKind::NeverRan => format!("{action} was permitted, and whoever would have seen it run did not"),
        FindingKind::GrantNeverUsed => format!("a grant for {action} ended without one use"),
        FindingKind::OutcomeUnknown => format!("{action} was begun, and nobody knows how it ended"),
        FindingKind::SeveralTasks => format!("one identity acted in several tasks at once: {about}"),
        FindingKind::ClonedPasskey => format!("there is a copy of a passkey, and it is suspended: {about}"),
        FindingKind::SeveralHosts => format!("one identity acted on several hosts at once: {about}"),
    }
}

fn decision_line(record: &Record) -> Option<DecisionLine> {
    let decision: DecisionRecord = json::read_as(record.payload(DECISION)?, STORED).ok()?;
    Some(DecisionLine {
        seq: record.leaf.seq,
        at: record.leaf.at,
        evaluation_id: decision.evaluation,
        permitted: decision.answer.outcome.permits(),
        reason: decision.answer.reason.code().to_owned(),
        task: decision.task,
        action: decision.action,
        server: decision.server,
        call: decision.call,
        input_digest: decision.input_digest,
        exception: decision.exception,
    })
}

fn step(record: &Record) -> Option<FindingStep> {
    let LedgerEvent::Finding(event) = json::read_as(record.payload(EVENT)?, STORED).ok()? else { return None };
    let kind = event.kind().to_owned();
    let (by, sentence, said) = match event {
        FindingEvent::Opened { .. } => (None, "found".to_owned(), None),
        FindingEvent::EvidenceAdded { evidence, .. } => {
            (None, format!("more evidence came: {} pieces by now", evidence.len()), None)
        }
        FindingEvent::Assigned { to, by, reason, .. } => {
            (Some(by.clone()), format!("{by} handed it to {to}"), Some(reason))
        }
        FindingEvent::Commented { by, words, .. } => (Some(by.clone()), format!("{by} said"), Some(words)),
        FindingEvent::StateChanged { state, outcome, by, note, .. } => {
            let state = match (state, outcome) {
                (FindingState::Open, _) => "opened it again".to_owned(),
                (FindingState::Acknowledged, _) => "looks at it".to_owned(),
                (FindingState::Resolved, Some(FindingOutcome::Explained)) => "resolved it: explained".to_owned(),
                (FindingState::Resolved, Some(FindingOutcome::Expected)) => "resolved it: as it should be".to_owned(),
                (FindingState::Resolved, Some(FindingOutcome::Fixed)) => "resolved it: put right".to_owned(),
                (FindingState::Resolved, Some(FindingOutcome::Misuse)) => "resolved it: misuse".to_owned(),
                (FindingState::Resolved, None) => "resolved it".to_owned(),
            };
            let who = by.as_ref().map_or_else(|| "the gate".to_owned(), ToString::to_string);
            (by, format!("{who} {state}"), Some(note))
        }
        FindingEvent::Acted { act, of, by, .. } => {
            let who = by.as_ref().map_or_else(|| "the gate by itself".to_owned(), ToString::to_string);
            let what = if act == "revoke" { "took the grant away" } else { "locked the subject" };
            (by, format!("{who} {what} ({of})"), None)
        }
    };
    let said = said.filter(|said| !said.is_empty()).map(|said| text::visible(&said, SAID));
    Some(FindingStep { seq: record.leaf.seq, at: record.leaf.at, kind, by, sentence, said })
}
