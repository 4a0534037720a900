//! An exception's history: what happened, who did it and why, in time order. Texts of others stay data (R11).

use std::collections::BTreeSet;

use policy_core::entity::EntityRef;
use policy_core::json;
use policy_core::lifecycle::{Disposition, Event, Exception, ReviewOutcome, VoteDecision, evolve};
use policy_core::text;
use policy_core::time::{Span, Timestamp};
use proviso_api::exceptions::HistoryLine;
use proviso_api::operations::ExecutionPhase;

use super::App;
use super::event::{DECISION, DecisionRecord, EXECUTION, ExecutionRecord};
use super::foreign::BUILD_CHANGED;
use super::people::{STORED, unknown_exception};
use super::refusal::Refusal;
use crate::store::{Log, Record};

/// How many evaluations and reports a history shows: the newest.
const MOST_DECISIONS: usize = 200;
/// How long after `sending` a call goes without a word before its outcome is told as unknown: who would report it may
/// be gone.
const TOLD_WITHIN: Span = Span::from_seconds(60);
/// How much of somebody's words one line shows.
const SAID: usize = 2_000;

impl App {
    /// Each step, oldest first.
    pub(super) fn history(&self, id: &str) -> Result<Vec<HistoryLine>, Refusal> {
        let now = self.now();
        let (mut lines, decisions, begun) = {
            let state = self.state();
            let entry = state.exceptions.get(id).ok_or_else(unknown_exception)?;
            let refused = Some(entry.origin.refused_seq);
            let newest = entry.decisions.iter().rev().take(MOST_DECISIONS).rev().copied();
            let decisions: Vec<u64> = refused.into_iter().chain(newest).collect();
            let subject = &entry.exception.request.question.call.subject;
            let mut folded: Option<Exception> = None;
            let step = |(seq, at, event): &(u64, Timestamp, Event)| {
                folded = evolve(folded.take(), event).ok().flatten();
                let (by, sentence, said) = told(event, subject, folded.as_ref());
                HistoryLine {
                    log: Log::Ledger.name().to_owned(),
                    seq: *seq,
                    at: *at,
                    kind: event.kind().to_owned(),
                    by,
                    sentence,
                    said: said.filter(|said| !said.is_empty()).map(|said| text::visible(&said, SAID)),
                }
            };
            let mut lines: Vec<HistoryLine> = entry.steps.iter().map(step).collect();
            lines.extend(super::routing::history(&state.routing, id));
            lines.extend(state.ownership.history(id));
            lines.extend(super::undo::history(&state, id));
            let begun = entry.reports.iter().filter(|(_, phase)| **phase == ExecutionPhase::Sending);
            let begun: BTreeSet<String> = begun.map(|(evaluation, _)| evaluation.clone()).collect();
            (lines, decisions, begun)
        };
        for seq in decisions {
            let record = self.stored(Log::Decisions, seq)?;
            let silent = |evaluation: &str, at| begun.contains(evaluation) && is_silent(at, now);
            lines.extend(decided(&record, silent));
        }
        // At one instant what was decided comes before what it did to the grant.
        lines.sort_by_key(|line| (line.at, line.log != Log::Decisions.name(), line.seq));
        Ok(lines)
    }
}

/// Whether a call that was about to be sent then, and of which nothing was heard since, is of unknown outcome by now.
pub(super) fn is_silent(at: Timestamp, now: Timestamp) -> bool {
    now >= at.plus(TOLD_WITHIN)
}

/// Who, what, and what was said; with the exception as it was after that.
fn told(event: &Event, subject: &EntityRef, after: Option<&Exception>) -> (Option<EntityRef>, String, Option<String>) {
    match event {
        Event::ExceptionRequested { request, terms, .. } => {
            let needed = match terms.approvals {
                1 => "1 approval".to_owned(),
                several => format!("{several} approvals"),
            };
            let more = terms.raised_from.as_ref();
            let more = more.map(|from| format!(", one more than {from} for what cannot be shown as what it is"));
            let (person, tier, more) = (&request.requester, &terms.tier, more.unwrap_or_default());
            let sentence = format!("asked for by {subject} for {person}; tier {tier}{more}, {needed}");
            (Some(request.requester.clone()), sentence, Some(request.justification.clone()))
        }
        Event::ScopeNarrowed { version } => {
            (version.by.clone(), format!("narrowed; votes count for version {} from here", version.number), None)
        }
        Event::VoteCast { vote } => {
            let what = match vote.decision {
                VoteDecision::Approve => "approved",
                VoteDecision::Refuse => "refused",
                VoteDecision::Ask => "asked about",
            };
            let sentence = format!("{} {what} version {} (signed in by {})", vote.person, vote.version, vote.assurance);
            (Some(vote.person.clone()), sentence, Some(vote.reason.clone()))
        }
        Event::VoteWithdrawn { by, .. } => {
            (Some(by.clone()), format!("{by} took the approval back; it counts no more"), None)
        }
        Event::ExceptionRejudged { bundle, .. } => {
            (None, format!("judged again under bundle {bundle}; it holds"), None)
        }
        Event::ExceptionGranted { grant, .. } => {
            let scope = &grant.scope;
            (None, format!("granted until {}, {} at most", scope.not_after, uses(scope.max_uses)), None)
        }
        Event::ExceptionDenied { by, reason, .. } => {
            (Some(by.clone()), format!("denied by {by}"), Some(reason.clone()))
        }
        Event::ExceptionCancelled { by, reason, .. } => {
            (Some(by.clone()), format!("taken back by {by}"), Some(reason.clone()))
        }
        Event::GrantUsed { evaluation, .. } => {
            (Some(subject.clone()), format!("used by evaluation {evaluation}"), None)
        }
        Event::GrantExhausted { .. } => (None, "used up".to_owned(), None),
        Event::GrantRevoked { by, reason, .. } => (Some(by.clone()), format!("revoked by {by}"), Some(reason.clone())),
        Event::GrantSuspended { reason, .. } if reason == BUILD_CHANGED => {
            (None, "suspended: the agent is of another build than the one that was approved".to_owned(), None)
        }
        Event::GrantSuspended { reason, bundle, .. } => {
            (None, format!("suspended: bundle {bundle} would not grant it ({reason})"), None)
        }
        Event::ExceptionLapsed { .. } => (None, "its time ended".to_owned(), None),
        Event::QuestionAnswered { answer } => (
            Some(answer.by.clone()),
            format!("{} answered vote {}", answer.by, answer.vote),
            Some(answer.words.clone()),
        ),
        Event::RequestFolded { repeat } => {
            let changed = after.and_then(|after| after.repeats.last()).is_some_and(|newest| newest.changed);
            let how = if changed { ", in other words than before" } else { "" };
            (Some(subject.clone()), format!("asked for again by {subject}{how}"), Some(repeat.justification.clone()))
        }
        Event::EmergencyDeclared { emergency, .. } => {
            let sentence =
                format!("{} declared an emergency; votes count before {}", emergency.by, emergency.decide_by);
            (Some(emergency.by.clone()), sentence, Some(emergency.reason.clone()))
        }
        Event::GrantActivated { bundle, .. } => {
            (None, format!("judged again at its start under bundle {bundle}; it holds"), None)
        }
        Event::UseGivenBack { evaluation, by, reason, .. } => {
            (Some(by.clone()), format!("{by} gave the use by evaluation {evaluation} back"), Some(reason.clone()))
        }
        Event::ReviewOpened { review } => (None, format!("to be reviewed by {}", review.due), None),
        Event::ReviewClosed { closing, .. } => {
            let found = match closing.outcome {
                ReviewOutcome::Appropriate => "appropriate",
                ReviewOutcome::Excessive => "excessive",
                ReviewOutcome::Abuse => "abuse",
            };
            (Some(closing.by.clone()), format!("reviewed by {}: {found}", closing.by), Some(closing.note.clone()))
        }
        Event::ExceptionUnconfirmed { epoch, .. } => {
            (None, format!("the gate was restored; from epoch {epoch} on it waits to be confirmed"), None)
        }
        Event::ConfirmationGiven { confirmation } => {
            let by = &confirmation.by;
            let sentence = format!("{by} confirmed that it still stands (signed in by {})", confirmation.assurance);
            (Some(by.clone()), sentence, Some(confirmation.reason.clone()))
        }
        Event::ExceptionConfirmed { epoch, .. } => (None, format!("confirmed in epoch {epoch}; it stands"), None),
        Event::DispositionSet { disposed } => {
            let judged = match disposed.disposition {
                Disposition::OneOff => "one-off",
                Disposition::PolicyTooNarrow => "policy too narrow",
                Disposition::PolicyTooWide => "policy too wide",
                Disposition::AskedByMistake => "asked by mistake",
                Disposition::Abuse => "abuse",
            };
            (Some(disposed.by.clone()), format!("judged by {}: {judged}", disposed.by), Some(disposed.note.clone()))
        }
    }
}

fn uses(count: u32) -> String {
    if count == 1 { "1 use".to_owned() } else { format!("{count} uses") }
}

fn decided(record: &Record, silent: impl Fn(&str, Timestamp) -> bool) -> Option<HistoryLine> {
    let line = |by, sentence| HistoryLine {
        log: record.log.name().to_owned(),
        seq: record.leaf.seq,
        at: record.leaf.at,
        kind: record.leaf.kind.clone(),
        by,
        sentence,
        said: None,
    };
    if record.has_erased(EXECUTION) || record.has_erased(DECISION) {
        return Some(line(None, "what stood here was erased".to_owned()));
    }
    if let Some(bytes) = record.payload(EXECUTION) {
        let execution: ExecutionRecord = json::read_as(bytes, STORED).ok()?;
        let what = match execution.phase {
            ExecutionPhase::Sending if silent(&execution.evaluation, record.leaf.at) => {
                "was begun, and its outcome is unknown: nobody has reported its end"
            }
            ExecutionPhase::Sending => "is about to be sent",
            ExecutionPhase::Executed => "ran",
            ExecutionPhase::Failed => "ran and answered with an error",
            ExecutionPhase::OutcomeUnknown => "was begun, and its outcome is unknown",
        };
        return Some(line(None, format!("{}: the call {what}", execution.evidence)));
    }
    let decision: DecisionRecord = json::read_as(record.payload(DECISION)?, STORED).ok()?;
    let reason = decision.answer.reason;
    // The code, what it means and what to do about it: as the reply, the command line and the proxy said it.
    let refused = || {
        let remedy = reason.help().map(|help| format!("; {help}")).unwrap_or_default();
        format!("refused ({}): {}{remedy}", reason.code(), reason.sentence())
    };
    let sentence = match (decision.answer.outcome.permits(), decision.repeated) {
        (true, true) => "the same call again; nothing was consumed".to_owned(),
        // Which policies: those of `scope/`, or the grant.
        (true, false) => format!("permitted by {}", decision.answer.policies.join(", ")),
        (false, _) if decision.answer.policies.is_empty() => refused(),
        (false, _) => format!("{}; by {}", refused(), decision.answer.policies.join(", ")),
    };
    Some(line(Some(decision.subject), sentence))
}
